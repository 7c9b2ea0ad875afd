"""Strings and streams: what a language model answers."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aikz_label import Label, Refused, mark_text, stream_text, verify_text
from aikz_label.api import open_signer
from aikz_label.carriers import selectors
from aikz_label.config import Config
from aikz_label.errors import UsageError
from aikz_label.strings import _boundary

LABEL = Label(origin="created", system="GenText/1.0")
ANSWER = "Астана – Қазақстанның астанасы.\n\nОл Есіл өзенінің бойында орналасқан."


def test_a_string_comes_back_labelled(config: Config) -> None:
    marked = mark_text(ANSWER, LABEL, config=config)
    report = verify_text(marked, config=config)
    assert report.verdict == "labelled"
    assert report.declared is not None
    assert str(report.declared.system) == "GenText 1.0"
    first, *_, last = marked.splitlines()
    assert first == "Бұл мәтінді жасанды интеллект жасаған."
    assert selectors.find(last)
    visible = selectors.find(marked)[0]
    assert marked[: visible.start].endswith("\n----------\n\n" + ANSWER)


@pytest.mark.parametrize(
    "text",
    [
        "GIF89a",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        '{"a": 1}',
        "a,b\n1,2\n",
        "# x\n",
        "WEBVTT",
        "x",
    ],
)
def test_whatever_a_string_looks_like_it_is_prose(text: str, config: Config) -> None:
    marked = mark_text(text, LABEL, config=config)
    assert verify_text(marked, config=config).verdict == "labelled"
    assert text.rstrip("\n") in marked


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("x\ud800", "encoding"),
        ("e\u0301", "not-composed"),
        ("\0\0", "unknown-format"),
    ],
)
def test_a_string_that_cannot_be_marked_is_refused(text: str, code: str, config: Config) -> None:
    with pytest.raises(Refused) as caught:
        mark_text(text, LABEL, config=config)
    assert caught.value.code == code
    assert caught.value.hint


def test_composing_is_allowed_on_request(config: Config) -> None:
    apart = unicodedata.normalize("NFD", "Йод және ё")
    marked = mark_text(apart, LABEL, config=config, allow_normalise=True)
    assert verify_text(marked, config=config).verdict == "labelled"
    assert "Йод және ё" in marked


def test_a_string_is_not_marked_twice_unasked(config: Config) -> None:
    marked = mark_text(ANSWER, LABEL, config=config)
    with pytest.raises(Refused, match="already"):
        mark_text(marked, LABEL, config=config)
    again = mark_text(marked, LABEL, config=config, on_existing="update")
    assert verify_text(again, config=config).verdict == "labelled"
    assert again.count("This text was generated") == 1
    assert len(selectors.find(again)) == 1


def test_half_a_character_is_no_text_and_no_exception(config: Config) -> None:
    assert verify_text("\ud800", config=config).verdict == "unreadable"
    assert verify_text("", config=config).verdict == "unreadable"


def test_a_stream_gives_the_notice_first_and_the_marker_last(config: Config) -> None:
    pieces = ["Қаз", "ақ", "стан", " – бұл ", "e", "\u0301", "l.\n\n", "", "# Иә\n"]
    sent = list(stream_text(pieces, LABEL, config=config))
    assert sent[0].startswith("Бұл мәтінді жасанды интеллект жасаған.\n")
    assert not any(selectors.find(part) for part in sent[:-1])
    whole = "".join(sent)
    assert verify_text(whole, config=config).verdict == "labelled"
    assert "Қазақстан – бұл él.\n\n# Иә" in whole
    assert whole.endswith("\n")


def test_a_stream_of_many_words_repeats_the_notice(config: Config) -> None:
    whole = "".join(stream_text(("сөз " for _ in range(2100)), LABEL, config=config))
    assert verify_text(whole, config=config, measure=True).verdict == "labelled"
    assert whole.count("This text was generated") == 2


def test_mistakes_show_before_the_first_piece(config: Config) -> None:
    with pytest.raises(UsageError):
        stream_text(["x"], LABEL, languages="xx", config=config)


def test_a_stream_that_breaks_off_has_no_marker(config: Config) -> None:
    def pieces():
        yield "Бірінші бөлік. "
        yield "Екінші"
        raise ConnectionError

    sent = []
    with pytest.raises(ConnectionError):
        for part in stream_text(pieces(), LABEL, config=config):
            sent.append(part)  # noqa: PERF402  # what came before the error is what counts
    report = verify_text("".join(sent), config=config)
    assert report.verdict == "incomplete"


@pytest.mark.parametrize("pieces", [[], [""], ["", ""]])
def test_nothing_is_not_labelled(pieces: list[str], config: Config) -> None:
    with pytest.raises(Refused, match="empty"):
        list(stream_text(pieces, LABEL, config=config))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=12))
@settings(max_examples=200, deadline=None)
def test_pieces_compose_as_the_whole_does(pieces: list[str]) -> None:
    done, held = "", ""
    for piece in pieces:
        held += piece
        at = _boundary(held)
        done, held = done + unicodedata.normalize("NFC", held[:at]), held[at:]
    assert done + unicodedata.normalize("NFC", held) == unicodedata.normalize(
        "NFC", "".join(pieces)
    )


def test_pieces_compose_at_every_letter_that_composes() -> None:
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000:
            letter = chr(code)
            parts = unicodedata.normalize("NFD", letter)
            if len(parts) > 1 and unicodedata.normalize("NFC", parts) == letter:
                assert _boundary(parts) == 0


def test_one_signer_serves_many_strings(config: Config) -> None:
    key = open_signer("", config)
    for n in range(3):
        marked = mark_text(f"Жауап {n}", LABEL, signer=key, config=config)
        assert verify_text(marked, config=config).verdict == "labelled"
