"""What programs do to a text on its way, and what is left of its label; docs/how-to/mark-text.md has the same table."""

from __future__ import annotations

import re
import unicodedata

import pytest

from aikz_label import Label, mark, mark_text, verify_text
from aikz_label.config import Config

ANSWER = 'Йод (№ 53) – химиялық элемент.\nОл "галогендерге" жатады...\nЖүрек \u2764\ufe0f.'
INVISIBLE = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\ufeff]")

KEPT = {
    "copied as it is": lambda text: text,
    "letters taken apart (NFD), as some file systems and macOS tools do": lambda text: (
        unicodedata.normalize("NFD", text)
    ),
    "composed (NFC), as web forms do": lambda text: unicodedata.normalize("NFC", text),
    "trimmed at both ends, as messengers and web forms do": str.strip,
    "encoded and decoded as JSON": lambda text: __import__("json").loads(
        __import__("json").dumps(text)
    ),
    "escaped and unescaped as HTML": lambda text: __import__("html").unescape(
        __import__("html").escape(text)
    ),
}
CHANGED = {
    "line breaks turned into CRLF, as textareas and Windows editors do": lambda text: text.replace(
        "\n", "\r\n"
    ),
    "line breaks taken out": lambda text: text.replace("\n", " "),
    "a line break added at the end, as editors do": lambda text: text + "\n",
    "a quotation, each line with >": lambda text: "> " + text.replace("\n", "\n> "),
    "typographic quotation marks and ellipses, as Word does": lambda text: text.replace(
        '"', "”"
    ).replace("...", "…"),
    "compatibility forms (NFKC), as search engines do": lambda text: unicodedata.normalize(
        "NFKC", text
    ),
    "something written before it": lambda text: "Қараңыз:\n" + text,
    "one letter corrected": lambda text: text.replace("химиялық", "химялық"),
}
STRIPPED = {
    "invisible characters taken out, as some messengers and Word do": lambda text: INVISIBLE.sub(
        "", text
    ),
    "typed again": lambda text: "".join(
        c for c in text if unicodedata.category(c) != "Mn" or ord(c) < 0xFE00
    ),
    "cut after the first line, as previews do": lambda text: text.splitlines()[0],
}


@pytest.fixture(scope="module")
def marked(config: Config) -> str:
    return mark_text(ANSWER, Label(origin="created", system="GenText/1.0"), config=config)


@pytest.mark.parametrize("way", KEPT.values(), ids=KEPT)
def test_the_label_survives(way, marked, config):
    assert verify_text(way(marked), config=config).verdict == "labelled"


@pytest.mark.parametrize("way", CHANGED.values(), ids=CHANGED)
def test_a_change_shows(way, marked, config):
    assert verify_text(way(marked), config=config).verdict == "invalid"


@pytest.mark.parametrize("way", STRIPPED.values(), ids=STRIPPED)
def test_the_notice_is_left(way, marked, config):
    assert verify_text(way(marked), config=config).verdict == "incomplete"


def test_half_a_text_says_nothing(marked, config):
    assert verify_text(INVISIBLE.sub("", marked)[-40:], config=config).verdict == "unmarked"


@pytest.mark.parametrize("kind", ["html", "markdown", "yaml"])
def test_line_endings_are_part_of_a_file(kind, config):
    from text_files import SAMPLES

    data = mark(SAMPLES[kind].encode(), None, Label(origin="created"), config=config).data
    assert data is not None
    assert verify_text(data.decode(), config=config).verdict == "labelled"
    assert verify_text(data.decode().replace("\n", "\r\n"), config=config).verdict == "invalid"
