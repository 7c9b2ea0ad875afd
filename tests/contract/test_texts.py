"""Every kind of text keeps the adapter contract."""

from __future__ import annotations

from aikz_label.testing import AdapterContract
from text_files import SAMPLES


class _Text(AdapterContract):
    cut_is_whole = True

    def sample(self) -> bytes:
        return SAMPLES[self.format].encode()

    def changed(self, marked: bytes) -> bytes:
        """One letter of what people read, the last one before the end of the source."""
        tail = SAMPLES[self.format].rstrip()[-12:].encode()
        at = marked.rindex(tail)
        word = tail.decode()
        letter = max(n for n, c in enumerate(word) if c.isalnum())
        other = word[:letter] + chr(ord(word[letter]) ^ 1) + word[letter + 1 :]
        return marked[:at] + other.encode() + marked[at + len(tail) :]

    def stripped(self, marked: bytes) -> bytes:
        """Everything that was added taken out again is the source."""
        return self.sample()


class TestPlainText(_Text):
    format = "text"


class TestCsv(_Text):
    format = "csv"
    notice = "data"


class TestTsv(_Text):
    format = "tsv"
    notice = "data"


class TestMarkdown(_Text):
    format = "markdown"


class TestSource(_Text):
    format = "source"


class TestYaml(_Text):
    format = "yaml"


class TestToml(_Text):
    format = "toml"


class TestXml(_Text):
    format = "xml"


class TestHtml(_Text):
    format = "html"


class TestVtt(_Text):
    format = "vtt"


class TestSrt(_Text):
    format = "srt"
    sidecar = True


class TestJson(_Text):
    format = "json"
    notice = "data"
    sidecar = True
