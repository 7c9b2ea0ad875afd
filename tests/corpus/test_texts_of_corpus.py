"""Every text of the corpus, the Declaration of Human Rights in many scripts among them: labelled, and nothing lost."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

import pytest

import corpus_files
from aikz_label import Label, Refused, mark, verify
from aikz_label.adapters.text.places import bare, find
from aikz_label.config import Config
from corpus_files import Row
from support import require_corpus

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(120)]

EXPECTED = {"unknown-format", "no-place-for-notice", "empty", "ambiguous-text", "comment-syntax"}
ROWS = corpus_files.rows("text", "html", "json", "xml")


class _Reader(HTMLParser):
    """What a reader sees of a page, without our note; another parser than ours."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._noted = False
        self._silent = 0

    def handle_starttag(self, tag, attrs):
        self._noted = self._noted or (
            tag == "aside" and str(dict(attrs).get("id")).startswith("aikz-label")
        )
        self._silent += tag in {"script", "style", "title"}

    def handle_endtag(self, tag):
        self._noted = self._noted and tag != "aside"
        self._silent -= tag in {"script", "style", "title"} and self._silent > 0

    def handle_data(self, data):
        if not self._noted and not self._silent:
            self.words += data.split()


def seen(page: bytes) -> list[str]:
    reader = _Reader()
    reader.feed(page.decode("utf-8", "replace"))
    reader.close()
    return reader.words


def test_there_are_texts():
    require_corpus()
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS or [None], ids=str)
def test_marked_and_nothing_lost(row: Row | None, config: Config) -> None:
    require_corpus()
    assert row is not None
    source = row.file.read_bytes()
    notice = "data" if row.format == "json" else "auto"
    try:
        result = mark(
            row.file, None, Label(origin="created", system="G/1"), notice=notice, config=config
        )
    except Refused as refusal:
        if refusal.code not in EXPECTED:
            raise
        return
    assert result.data is not None
    assert row.file.read_bytes() == source
    report = verify(result.data, config=config, sidecar=result.sidecar, measure=True)
    assert report.verdict == "labelled"
    text = bare(result.data, find(result.data)[0])
    if result.report.format == "html":
        assert seen(text) == seen(source)
        assert b"This text was generated" in text or b"text was generated" in result.data
    elif result.report.format in {"text", "srt"}:
        assert source.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf") in text
    rest = iter(text)
    assert all(byte in rest for byte in source)
    stripped = verify(text, config=config)
    assert stripped.verdict == "incomplete" or result.report.format == "json"


@pytest.mark.parametrize("row", [row for row in ROWS if row.format == "text"] or [None], ids=str)
def test_what_is_not_composed_is_beside_its_marker(row: Row | None, config: Config) -> None:
    require_corpus()
    assert row is not None
    try:
        text = row.file.read_bytes().decode()
    except ValueError:
        return
    apart = unicodedata.normalize("NFD", text)
    if apart == unicodedata.normalize("NFC", text) or not apart.strip():
        return
    try:
        result = mark(apart.encode(), None, Label(origin="created"), config=config)
    except Refused:
        return
    assert result.sidecar is not None
