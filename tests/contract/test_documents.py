"""PDF keeps the adapter contract, with every kind of cross-reference."""

from __future__ import annotations

import pdf_files
from aikz_label.testing import AdapterContract


class TestPdf(AdapterContract):
    format = "pdf"
    cut_is_whole = True  # what stands before an update is the document before it

    def sample(self) -> bytes:
        return pdf_files.document()

    def changed(self, marked: bytes) -> bytes:
        """One letter of what a page says."""
        at = marked.index(b"Page 1 of the sample")
        return marked[:at] + b"page" + marked[at + 4 :]

    def stripped(self, marked: bytes) -> bytes:
        """The update taken away is the source."""
        return self.sample()


class TestPackedPdf(TestPdf):
    """Object streams, and a cross-reference stream."""

    def sample(self) -> bytes:
        return pdf_files.packed()
