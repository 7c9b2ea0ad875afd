"""FLAC: its files, and its frames wherever they stand."""
