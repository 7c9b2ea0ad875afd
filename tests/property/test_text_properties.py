"""What must hold for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aikz_label import Label, Refused, mark, sniff, verify
from aikz_label.adapters.text.places import bare, find
from aikz_label.carriers import selectors
from aikz_label.config import Config
from aikz_label.formats import FORMATS
from aikz_label.limits import NO_LIMITS
from text_files import SAMPLES

FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
LETTERS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("\n\r\ufeff\ufe00\ufe0f\U000e0100\u200b\u202eӘғқңөұүһі#<>&`{}[],;:-\"'|\t"),
    ),
    max_size=300,
)
# fmt: off
FRAGMENTS = [
    "<", ">", "<!--", "-->", "<html>", "<body>", "<head>", "</", "<script>", "</script>", "<aside>", "<style>", "=", "'",
    "-----BEGIN C2PA MANIFEST-----", "-----END C2PA MANIFEST-----", "data:application/c2pa;base64,AA", "<!doctype html>",
    '<script type="application/c2pa">', "00:00.000 --> 00:01.000", "WEBVTT", "1\n", "\n", "\r\n", " ", "x", "<?xml ", "?>",
    "---", "+++", "```", "{", "}", ",", "#", '"', '"a":1', "{display:none}", "ai-disclosure: none", "\ufeff", "\ufe02",
    "Этот текст создан искусственным интеллектом.",
]
# fmt: on
PIECES = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)
BUGS = {"self-check", "content-changed", "marker-size"}


def attempt(data: bytes, config: Config):
    row = sniff(data)
    notice = "data" if row is not None and row.name in {"csv", "tsv", "json"} else "auto"
    try:
        return mark(data, None, Label(origin="created", system="G/1"), notice=notice, config=config)
    except Refused as refusal:
        if refusal.code in BUGS or not refusal.hint:
            raise
        return None


def holds(data: bytes, config: Config) -> None:
    """Marked and labelled, or refused; and the source is there in its order, whatever was put between."""
    result = attempt(data, config)
    if result is None or result.data is None or sniff(data) is None:
        return
    assert result.report.verdict == "labelled"
    text = bare(result.data, find(result.data)[0])
    rest = iter(text)
    assert all(byte in rest for byte in data)
    report = verify(result.data, config=config, sidecar=result.sidecar, measure=True)
    assert report.verdict == "labelled", report.reason


@given(LETTERS)
@FEW
def test_any_text_is_labelled_or_refused(config, text):
    holds(text.encode(), config)


@given(PIECES)
@FEW
def test_any_structure_is_labelled_or_refused(config, text):
    holds(text.encode(), config)


@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 400), PIECES)
@FEW
def test_any_damaged_file_is_labelled_or_refused(config, kind, at, text):
    sample = SAMPLES[kind]
    holds((sample[:at] + text + sample[at:]).encode(), config)


@given(st.one_of(PIECES, LETTERS).map(str.encode), st.binary(max_size=4))
@settings(max_examples=200, deadline=None)
def test_checking_any_text_is_total(text, end):
    data = text + end
    row = sniff(data)
    assert row is None or FORMATS[row.name] is row
    assert verify(data, trust=[], measure=True).verdict in {
        "unmarked",
        "unreadable",
        "invalid",
        "incomplete",
    }


@pytest.fixture(scope="module")
def marked(config: Config) -> bytes:
    result = mark(
        SAMPLES["text"].encode(), None, Label(origin="created", system="G/1"), config=config
    )
    assert result.data is not None
    return result.data


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_changed_byte_is_labelled(config, marked, data):
    at = data.draw(st.integers(0, len(marked) - 1))
    changed = bytearray(marked)
    changed[at] ^= data.draw(st.integers(1, 255))
    report = verify(bytes(changed), config=config)
    if (
        report.verdict == "labelled"
    ):  # only zeros that pad the signature's unsigned header may change
        (place,), _ = find(bytes(changed))
        assert place.start < at < place.stop
        assert report.declared is not None


@given(st.binary(max_size=600), st.text(max_size=20), st.text(max_size=20))
@settings(max_examples=150, deadline=None)
def test_wrappers_come_back_from_any_text(store, before, after):
    if (
        selectors.find(before + after)
        or selectors.MARK in before + after
        or after[:1] in set(map(chr, range(0xFE00, 0xFE10)))
    ):
        return
    if after and 0xE0100 <= ord(after[0]) <= 0xE01EF:
        return
    (found,) = selectors.find(before + selectors.wrap(store) + after)
    assert (found.store, found.start) == (store, len(before))


@given(LETTERS)
@settings(max_examples=200, deadline=None)
def test_decoding_and_encoding_change_nothing(text):
    from aikz_label.adapters.text.decoded import decode

    for codec, bom in (("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe")):
        data = bom + unicodedata.normalize("NFC", text).encode(codec)
        assert decode(data, NO_LIMITS, markup=False).bytes() == data
