"""TIFF directories: read within bounds, changed without moving anything."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikz_label import Refused, Verdict, mark, sniff, verify
from aikz_label.metadata import ifd
from aikz_label.metadata.ifd_editor import Editor
from tiff_files import book, photo, raw_page, tiff

PAGE = {256: [40], 257: [30], 258: [8], 259: [1], 262: [1], 277: [1], 278: [30]}
SMALL = raw_page(bytes(1200), PAGE)


def linked(count: int, last: int = 0) -> bytes:
    """A chain of empty directories; the last one leads to the place `last`."""
    out = bytearray(b"II*\0\x08\0\0\0")
    for number in range(count):
        at = len(out) + 6
        out += b"\0\0" + (last if number == count - 1 else at).to_bytes(4, "little")
    return bytes(out)


@given(st.binary(max_size=300), st.sampled_from([b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0"]))
def test_any_bytes_give_directories_or_a_reason(data, head):
    try:
        read = ifd.Tiff.read(head + data)
        for found in read.tree():
            for entry in found.entries:
                read.numbers(entry)
        list(read.ranges())
    except (ifd.Malformed, ifd.TooMany):
        pass


@given(st.data())
def test_no_flipped_bit_is_more_than_a_reason(data):
    changed = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(1208, len(SMALL) - 1))
        changed[at] ^= 1 << data.draw(st.integers(0, 7))
    report = verify(bytes(changed))
    assert report.verdict in {Verdict.UNMARKED, Verdict.UNREADABLE, Verdict.INVALID}


@pytest.mark.parametrize("target", [8, 14, 26])
def test_a_chain_that_leads_back(target):
    with pytest.raises(ifd.Malformed, match="loop"):
        ifd.Tiff.read(linked(4, target))


def test_a_chain_without_end():
    start = time.process_time()
    with pytest.raises(ifd.TooMany):
        ifd.Tiff.read(linked(ifd.MAX_DIRECTORIES + 1))
    assert verify(linked(200_000)).reason.code == "unreadable.over-limit"
    assert time.process_time() - start < 10, "a bound, not a speed: without one it takes minutes"


def test_directories_that_contain_each_other(label, config):
    """A directory among its own children, and children without end."""
    data = bytearray(raw_page(bytes(1200), PAGE | {330: [70000]}))
    read = ifd.Tiff.read(bytes(data))
    entry = read.pages[0].get(330)
    data[entry.at : entry.at + 4] = read.pages[0].at.to_bytes(4, "little")
    with pytest.raises(ifd.Malformed, match="loop"):
        list(ifd.Tiff.read(bytes(data)).tree())
    with pytest.raises(Refused) as refusal:
        mark(bytes(data), None, label, config=config)
    assert refusal.value.code == "damaged"
    assert verify(bytes(data)).verdict is Verdict.UNREADABLE


@pytest.mark.parametrize("at", [0, 1, 5, 8, 100])
def test_cut_anywhere(at):
    with pytest.raises(ifd.Malformed):
        ifd.Tiff.read(SMALL[: 1208 + at])


def test_a_missing_end_of_the_chain_is_no_end_of_the_world():
    """Some writers leave out the last number; what is appended must not become it."""
    read = ifd.Tiff.read(SMALL)
    cut = SMALL[: read.pages[0].next_at + 1]
    editor = Editor(ifd.Tiff.read(cut))
    editor.append(b"\xff" * 50)
    assert len(ifd.Tiff.read(editor.data).pages) == 1


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}])
def test_changes_move_nothing(options):
    """All other tags and all image data stay, byte by byte, where they were."""
    source = book(**options)
    read = ifd.Tiff.read(source)
    editor = Editor(read)
    for page in reversed(read.pages):
        editor.change(
            page, {700: (ifd.BYTE, 9, b"<packet/>"), 305: None, 278: (ifd.SHORT, 1, b"\1\2")}
        )
    changed = ifd.Tiff.read(editor.data)
    assert len(changed.pages) == len(read.pages)
    for before, after in zip(read.pages, changed.pages, strict=True):
        assert changed.value(after.get(700)) == b"<packet/>"
        assert changed.value(after.get(278)) == b"\1\2"
        assert after.get(305) is None
        assert [e.tag for e in after.entries] == sorted(e.tag for e in after.entries)
        kept = {e.tag: read.value(e) for e in before.entries if e.tag not in {305, 278}}
        assert kept == {e.tag: changed.value(e) for e in after.entries if e.tag not in {700, 278}}
        for places, lengths in ifd.DATA.items():
            pairs = zip(*(read.numbers(before.get(tag)) for tag in (places, lengths)), strict=True)
            for start, length in pairs:
                assert editor.data[start : start + length] == source[start : start + length]


def test_what_two_use_is_not_overwritten():
    """Two pages that share their one strip: the change of one must not show in the other."""
    data = tiff(photo(1, "uint8"), photometric="minisblack")
    read = ifd.Tiff.read(data)
    page = read.pages[0]
    start, length = (read.numbers(page.get(tag))[0] for tag in (273, 279))
    second = len(data) + len(data) % 2
    table = data[page.at : page.next_at + 4]
    twice = bytearray(data + bytes(len(data) % 2) + table)
    twice[page.next_at : page.next_at + 4] = second.to_bytes(4, "little")
    both = ifd.Tiff.read(bytes(twice))
    assert len(both.pages) == 2
    editor = Editor(both)
    where = editor.store(start, length, bytes(length))
    assert where != start
    assert editor.data[start : start + length] == data[start : start + length]


def test_shared_strips_are_marked_without_damage(label, config):
    """The same, through the whole of `mark`: both pages get their badge."""
    data = tiff(photo(1, "uint8"), photometric="minisblack")
    page = ifd.Tiff.read(data).pages[0]
    second = len(data) + len(data) % 2
    twice = bytearray(data + bytes(len(data) % 2) + data[page.at : page.next_at + 4])
    twice[page.next_at : page.next_at + 4] = second.to_bytes(4, "little")
    result = mark(bytes(twice), None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    assert len(result.report.marker.notice.placements) == 2


def test_too_many_pixels_in_all_pages(label, config):
    """Pages that share one strip are a bomb of few bytes."""
    tags = {256: [20000], 257: [2900], 258: [8], 259: [1], 262: [1], 277: [1], 278: [2900]}
    data = bytearray(raw_page(bytes(8), tags))
    page = ifd.Tiff.read(bytes(data)).pages[0]
    table = bytes(data[page.at : page.next_at])
    for _ in range(80):
        at = len(data) + len(data) % 2
        pointer = ifd.Tiff.read(bytes(data)).pages[-1].next_at
        data += bytes(len(data) % 2) + table + bytes(4)
        data[pointer : pointer + 4] = at.to_bytes(4, "little")
    with pytest.raises(Refused) as refusal:
        mark(bytes(data), None, label, config=config)
    assert refusal.value.code in {"over-limit", "damaged"}


@pytest.mark.parametrize("big", [False, True])
def test_dng_is_known_by_its_version(big):
    tag = struct.pack("<HH", 50706, 1) + (
        struct.pack("<QQ", 4, 1) if big else struct.pack("<II", 4, 1)
    )
    if big:
        data = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 1) + tag + bytes(8)
    else:
        data = b"II*\0" + struct.pack("<IH", 8, 1) + tag + bytes(4)
    assert sniff(data).name == "dng"
    assert (
        sniff(data.replace(struct.pack("<HH", 50706, 1), struct.pack("<HH", 50707, 1))).name
        == "tiff"
    )
