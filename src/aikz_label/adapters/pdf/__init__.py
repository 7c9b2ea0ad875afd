"""PDF: one incremental update holds stamp, mirrors and marker; every byte of the original stays in its place."""
