"""Markers in texts: altered, moved, taken out, and as other programs write them."""

from __future__ import annotations

import base64
import re
import unicodedata

import pytest

from aikz_label import Label, Report, mark, verify
from aikz_label.adapters.text.places import bare, find
from aikz_label.carriers import armour, embedded, padding, selectors
from aikz_label.config import Config
from aikz_label.engine import Reading
from text_files import BESIDE, ON_REQUEST, SAMPLES

LABEL = Label(origin="created", system="GenText/1.0")
INSIDE = sorted(set(SAMPLES) - BESIDE)
BLOCK = re.compile(rb"\n?[^\n]*-----BEGIN C2PA[^\n]*\n")


def marked(kind: str, config: Config, text: str = "") -> bytes:
    notice = "data" if kind in ON_REQUEST else "auto"
    data = (text or SAMPLES[kind]).encode()
    result = mark(data, None, LABEL, notice=notice, config=config)
    assert result.data is not None
    return result.data


@pytest.fixture
def read(config: Config):
    def of(data: bytes) -> Reading:
        return embedded.read(*find(data), config.trust)

    return of


@pytest.fixture
def check(config: Config):
    def of(data: bytes) -> Report:
        return verify(data, config=config)

    return of


# --- altered, moved, taken out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", INSIDE)
def test_a_marker_on_another_text_is_invalid(kind, config, check):
    (place,), _ = find(data := marked(kind, config))
    other = marked(
        kind,
        config,
        SAMPLES[kind].replace("Астана", "Алматы").replace("л", "к").replace("0.1.0", "0.1.1"),
    )
    (there,), _ = find(other)
    moved = other[: there.start] + data[place.start : place.stop] + other[there.stop :]
    assert check(moved).verdict == "invalid"


@pytest.mark.parametrize("kind", sorted(set(INSIDE) - {"csv", "tsv"}))
def test_a_text_without_its_marker_is_incomplete_while_its_notice_says_so(kind, config, check):
    data = marked(kind, config)
    assert check(bare(data, find(data)[0])).verdict == "incomplete"


@pytest.mark.parametrize("kind", INSIDE)
def test_a_text_without_marker_and_notice_is_unmarked(kind, check):
    report = check(SAMPLES[kind].encode())
    assert report.verdict == "unmarked"


@pytest.mark.parametrize("kind", INSIDE)
def test_no_byte_outside_the_marker_can_change(kind, config, check):
    data = marked(kind, config)
    (place,), _ = find(data)
    outside = [*range(0, place.start, 37), *range(place.stop, len(data), 7)]
    for at in outside:
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert check(changed).verdict not in {"labelled", "unmarked"}, at


@pytest.mark.parametrize("kind", INSIDE)
def test_nothing_can_be_added_around_the_marker(kind, config, check):
    data = marked(kind, config)
    (place,), _ = find(data)
    for at in (0, place.start, place.stop, len(data)):
        assert check(data[:at] + b"x\n" + data[at:]).verdict != "labelled"


@pytest.mark.parametrize("kind", INSIDE)
def test_no_cut_is_labelled(kind, config, check):
    data = marked(kind, config)
    for end in range(1, len(data), max(1, len(data) // 40)):
        assert check(data[:end]).verdict != "labelled"


def test_a_marker_signed_by_a_stranger_is_not_believed(config, stranger, check):
    assert check(marked("text", stranger)).verdict != "labelled"


# --- A.8 as others write it -------------------------------------------------------------------------------------------


def wrapper(config: Config) -> tuple[str, str, bytes]:
    text = marked("text", config).decode()
    (found,) = selectors.find(text)
    assert found.store is not None
    return text[: found.start], text[found.stop :], found.store


def test_the_wrapper_is_exactly_as_long_as_it_says(config):
    before, after, store = wrapper(config)
    whole = selectors.wrap(store)
    assert before + whole + after == marked("text", config).decode()[: len(before)] + whole + after
    assert len(whole.encode()) == selectors.size(store)
    assert whole[0] == "\ufeff"
    assert len(whole) == 1 + 13 + len(store)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 255, 4000])
def test_wrappers_come_back(size):
    store = bytes(n * 7 % 256 for n in range(size))
    text = "a" + selectors.wrap(store) + "b"
    (found,) = selectors.find(text)
    assert (found.store, text[: found.start], text[found.stop :]) == (store, "a", "b")


def test_two_wrappers_are_one_too_many(config, read):
    before, after, store = wrapper(config)
    reading = read((before + selectors.wrap(store) * 2 + after).encode())
    assert (reading.state, reading.codes) == ("invalid", ("manifest.text.multipleWrappers",))


@pytest.mark.parametrize(
    "damage",
    [
        lambda w: w[:-5],
        lambda w: w[:9],
        lambda w: w[:10],
        lambda w: w[:9] + "\ufe02" + w[10:],  # version 2
        lambda w: w[:10] + "\ufe0f" * 4 + w[14:],  # 252 MB
        lambda w: w[:100] + "x" + w[100:],
    ],
    ids=["cut", "no header", "no length", "version", "oversize", "torn"],
)
def test_a_corrupted_wrapper_is_invalid(damage, config, read):
    before, after, store = wrapper(config)
    reading = read((before + damage(selectors.wrap(store)) + after).encode())
    assert (reading.state, reading.codes) == ("invalid", ("manifest.text.corruptedWrapper",))


def test_a_wrapper_inside_a_wrapper_does_not_hold(config, check):
    before, after, store = wrapper(config)
    nested = selectors.wrap(selectors.wrap(store).encode())
    assert check((before + nested + after).encode()).verdict == "invalid"


def test_bytes_hidden_behind_the_store_do_not_hold(config, check):
    before, after, store = wrapper(config)
    extra = "".join(chr(0xE0100 + n) for n in range(30, 60))
    assert check((before + selectors.wrap(store) + extra + after).encode()).verdict == "invalid"


def test_a_text_taken_apart_after_signing_still_holds(config, check):
    """Some programs store text decomposed; the binding is over the composed form."""
    text = marked("text", config, "Йод пен ёлка туралы мәтін.\n").decode()
    apart = unicodedata.normalize("NFD", text)
    assert apart != text
    report = check(apart.encode())
    assert report.marker_state == "trusted"


def foreign(config: Config, pad: str) -> bytes:
    """Plain text as another program marks it: at the end, padded behind the store, its place in composed bytes."""
    from aikz_label.api import open_signer
    from aikz_label.manifest import marker
    from aikz_label.report import Notice

    text = "Прозрачный текст другого автора."
    whole = marker.definition(
        Label(origin="created", responsible=config.responsible),
        Notice("none", profile="kz", reason="x"),
        "text",
        with_parent=False,
        unprotected=(),
    )

    def encode(store: bytes) -> bytes:
        return (selectors.wrap(store) + pad).encode()

    hole = embedded.Hole(text.encode(), b"", encode, lambda s: len(encode(s)))
    return text.encode() + embedded.sign(hole, whole, open_signer("", config), None)


@pytest.mark.parametrize("pad", ["", "\ufe00" * 50, "\U000e0100" * 50, "\U000e01ef" * 7])
def test_padding_of_other_writers_is_understood(pad, config, check):
    data = foreign(config, pad)
    assert check(data).marker_state == "trusted"
    assert check(data + b"x").marker_state == "invalid"


# --- A.9 as others write it -------------------------------------------------------------------------------------------


def reference(content: str) -> bytes:
    return f"# {armour.BEGIN.decode()} {content} {armour.END.decode()}\nkey: 1\nother: 2\n".encode()


DATA = "data:application/c2pa;base64,"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "manifest.structuredText.emptyReference"),
        ("ftp://example.kz/x", "manifest.structuredText.malformedReference"),
        (DATA + "AAA", "manifest.structuredText.malformedReference"),
        (DATA + "A-_=", "manifest.structuredText.malformedReference"),
        (DATA + "AB==", "manifest.structuredText.malformedReference"),
    ],
)
def test_a_wrong_reference_has_its_code(content, code, read, check):
    data = reference(content)
    reading = read(data)
    assert (reading.state, reading.codes[0]) == ("invalid", code)
    assert check(data).verdict == "invalid"


@pytest.mark.parametrize("address", ["https://example.kz/m.c2pa", "./m.c2pa", "../m.c2pa"])
def test_an_address_is_not_followed(address, read):
    reading = read(reference(address))
    assert (reading.state, reading.problem) == ("absent", "remote")


def test_a_block_without_its_end_has_its_code(read):
    store = base64.b64encode(b"x" * 300).decode()
    data = f"# {armour.BEGIN.decode()} {DATA}{store}\nkey: 1\n".encode()
    assert read(data).codes == ("manifest.structuredText.noManifest",)


def test_two_blocks_are_one_too_many(config, read):
    data = marked("yaml", config)
    (block,) = BLOCK.findall(data)
    assert read(data + block.lstrip(b"\n")).codes == ("manifest.structuredText.multipleReferences",)


def test_a_block_at_the_start_is_understood(config, check):
    """Most writers put it there."""
    from aikz_label.api import open_signer
    from aikz_label.manifest import marker
    from aikz_label.report import Notice

    body = b"key: 1\nother: 2\n"
    whole = marker.definition(
        Label(origin="created", responsible=config.responsible),
        Notice("none", profile="kz", reason="x"),
        "text",
        with_parent=False,
        unprotected=(),
    )
    hole = armour.hole(body, 0, armour.Comment("# "), "\n", last=False)
    block = embedded.sign(hole, whole, open_signer("", config), None)
    assert check(block + body).marker_state == "trusted"
    assert check(block + body + b"x: 1\n").marker_state == "invalid"


@pytest.mark.parametrize(
    "text",
    [
        f"The delimiters are {armour.BEGIN.decode()} and {armour.END.decode()}.\n",
        f"It starts with {armour.BEGIN.decode()} {DATA}… and so on.\n",
    ],
)
def test_writing_about_markers_is_no_marker(text, check):
    assert check(text.encode()).verdict == "unmarked"


# --- A.7 as others write it -------------------------------------------------------------------------------------------


def page(head: str, body: str = "<p>x") -> bytes:
    return f"<!doctype html><html><head><title>t</title>{head}</head><body>{body}</body></html>".encode()


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ('<script type="application/c2pa">AAA</script>', "manifest.inaccessible"),
        ('<script type="application/c2pa"></script>', "manifest.inaccessible"),
        ('<script type="application/c2pa">AAAA', "manifest.inaccessible"),
        ('<script type="application/c2pa">QQ==</script>' * 2, "manifest.html.multipleManifests"),
    ],
)
def test_a_wrong_element_has_its_code(head, code, read, check):
    reading = read(page(head))
    assert (reading.state, reading.codes[0]) == ("invalid", code)
    assert check(page(head)).verdict == "invalid"


def test_a_linked_marker_is_not_followed(read):
    reading = read(page('<link rel="c2pa-manifest" href="https://example.kz/m.c2pa">'))
    assert (reading.state, reading.problem) == ("absent", "remote")


def test_markers_of_two_carriers_are_one_too_many(config, read):
    data = marked("html", config)
    _, _, store = wrapper(config)
    reading = read(data.replace(b"</body>", selectors.wrap(store).encode() + b"</body>"))
    assert (reading.state, reading.problem) == ("invalid", "several")


def test_a_commented_element_is_no_marker(config, read):
    data = marked("html", config)
    (place,), _ = find(data)
    element = data[place.start : place.stop]
    assert read(page("<!-- " + element.decode() + " -->")).state == "absent"


# --- size -------------------------------------------------------------------------------------------------------------


def test_a_store_is_padded_to_a_size_or_not_at_all(config):
    _, _, store = wrapper(config)
    target = padding.expected(store, len)
    fitted = padding.fitted(store, target, len)
    assert fitted is not None
    assert len(fitted) == target
    assert padding.fitted(store, len(store) // 2, len) is None
