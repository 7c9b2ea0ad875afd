"""Matroska and WebM by their structure: bounded, and edited without moving anything."""

from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikz_label.carriers import ebml, ebml_edit

HEADER = ebml.pack(ebml.HEADER, ebml.pack(0x4282, b"matroska", width=1), width=1)
LIVE = b"\x01\xff\xff\xff\xff\xff\xff\xff"


def segment(*parts: bytes, width: int = 8) -> bytes:
    return HEADER + ebml.pack(ebml.SEGMENT, *parts, width=width)


def simple(name: str, value: bytes, kind: int = ebml.TAG_STRING) -> bytes:
    return ebml.pack(
        ebml.SIMPLE_TAG, ebml.pack(ebml.TAG_NAME, name.encode()), ebml.pack(kind, value)
    )


def tags(*simples: bytes, targets: bytes = b"", summed: bool = False) -> bytes:
    tag = ebml.pack(ebml.TAG, ebml.pack(ebml.TARGETS, targets), *simples)
    checksum = ebml.pack(ebml.CRC, zlib.crc32(tag).to_bytes(4, "little"), width=1)
    return ebml.pack(ebml.TAGS, checksum if summed else b"", tag)


CLUSTER = ebml.pack(ebml.CLUSTER, b"\xe7\x81\0", b"\xa3\x84\x81\0\0\x80")


def read(data: bytes, most: int = 1000) -> ebml.Document:
    return ebml.Document.read(io.BytesIO(data), most)


def names(data: bytes) -> list[str]:
    source = io.BytesIO(data)
    return [one.name for one in ebml.simple_tags(source, read(data), 1000)]


def test_outline() -> None:
    data = segment(CLUSTER, tags(simple("A", b"1")))
    found = read(data)
    assert (found.kind, [p.name for p in found.parts]) == ("matroska", [ebml.CLUSTER, ebml.TAGS])
    assert found.parts[-1].stop == found.size == len(data)


def test_a_live_film_has_no_sizes() -> None:
    """As browsers record: Segment and clusters of unknown size, each ended by the next part."""
    live = ebml.packed_name(ebml.CLUSTER) + LIVE + b"\xe7\x81\0" + b"\xa3\x84\x81\0\0\x80" * 3
    data = HEADER + ebml.packed_name(ebml.SEGMENT) + LIVE + live + live + tags(simple("A", b"1"))
    found = read(data)
    assert [p.name for p in found.parts] == [ebml.CLUSTER, ebml.CLUSTER, ebml.TAGS]
    assert names(data) == ["A"]


@pytest.mark.parametrize("cut", [1, 5, 20, 40, 60])
def test_cut(cut: int) -> None:
    with pytest.raises(ebml.Broken):
        read(segment(CLUSTER, tags(simple("A", b"1")))[:-cut])


def test_too_many_parts() -> None:
    with pytest.raises(ebml.Broken) as broken:
        read(segment(*[ebml.empty(2)] * 50), most=49)
    assert broken.value.found == 50


def test_no_end_of_blocks() -> None:
    live = ebml.packed_name(ebml.CLUSTER) + LIVE + b"\xa3\x80" * 1000
    with pytest.raises(ebml.Broken):
        read(HEADER + ebml.packed_name(ebml.SEGMENT) + LIVE + live, most=10)


@given(st.binary(max_size=300), st.integers(0, 60))
def test_anything_is_read_or_broken(junk: bytes, keep: int) -> None:
    for data in (junk, segment(CLUSTER)[:keep] + junk, segment(ebml.pack(ebml.TAGS, junk))):
        source = io.BytesIO(data)
        try:
            document = ebml.Document.read(source, 50)
            found = list(ebml.simple_tags(source, document, 50))
        except ebml.Broken:
            continue
        assert all(0 <= e.body <= e.stop <= len(data) for e in document.parts)
        assert all(one.tags in document.parts for one in found)


def append(data: bytes, dropped: tuple[str, ...] = ()) -> bytes:
    source, out = io.BytesIO(data), io.BytesIO()
    document = read(data)
    gone = [s for s in ebml.simple_tags(source, document, 1000) if s.name in dropped]
    new = tags(simple("NEW", b"x" * 40))
    at = ebml_edit.append(source, out, document, new, gone)
    assert out.getvalue()[at : at + len(new)] == new
    return out.getvalue()


def test_appended_at_the_end_and_nothing_moves() -> None:
    before = segment(CLUSTER, ebml.empty(30))
    after = append(before)
    assert names(after) == ["NEW"]
    assert [p.start for p in read(after).parts[:2]] == [p.start for p in read(before).parts]


def test_what_stands_last_is_taken_away_again() -> None:
    data = segment(CLUSTER)
    once = append(data)
    assert append(once, ("NEW",)) == once


def test_what_stands_before_others_becomes_empty_space() -> None:
    before = segment(tags(simple("OLD", b"1")), CLUSTER)
    after = append(before, ("OLD",))
    assert names(after) == ["NEW"]
    assert [p.name for p in read(after).parts] == [ebml.VOID, ebml.CLUSTER, ebml.TAGS]
    assert read(after).parts[1].start == read(before).parts[1].start


def test_others_beside_it_stay_and_the_checksum_holds() -> None:
    before = segment(tags(simple("OLD", b"1"), simple("KEPT", b"2"), summed=True), CLUSTER)
    after = append(before, ("OLD",))
    assert names(after) == ["KEPT", "NEW"]
    part = next(read(after).all(ebml.TAGS))
    content = after[part.body : part.stop]
    assert content[2:6] == zlib.crc32(content[6:]).to_bytes(4, "little")


def test_the_list_of_parts_gets_a_longer_length_where_one_more_entry_needs_it() -> None:
    """Five entries and a check sum, as FFmpeg writes them, with a length of one byte, in which a sixth has no room."""
    entry = ebml.pack(
        ebml.SEEK,
        ebml.pack(ebml.SEEK_ID, ebml.packed_name(ebml.CLUSTER), width=1),
        ebml.pack(ebml.SEEK_POSITION, (160).to_bytes(8), width=1),
        width=1,
    )
    summed = ebml.pack(ebml.CRC, zlib.crc32(entry * 5).to_bytes(4, "little"), width=1)
    head = ebml.pack(ebml.SEEK_HEAD, summed, entry * 5, width=1)
    after = append(segment(head, ebml.empty(74), CLUSTER))
    document, source = read(after), io.BytesIO(after)
    assert [p.name for p in document.parts][1:3] == [ebml.VOID, ebml.CLUSTER]
    assert document.parts[2].start == read(segment(head, ebml.empty(74), CLUSTER)).parts[2].start
    seeks = next(document.all(ebml.SEEK_HEAD))
    assert len([e for e in ebml.children(source, seeks, 10) if e.name == ebml.SEEK]) == 6


@pytest.mark.parametrize("room", [0, 2, 20, 21, 22, 23, 24, 200])
def test_the_list_of_parts_names_it_where_there_is_room(room: int) -> None:
    data = segment(ebml.pack(ebml.SEEK_HEAD, width=1), ebml.empty(room), CLUSTER)
    after = append(data)
    document, source = read(after), io.BytesIO(after)
    seeks = next(document.all(ebml.SEEK_HEAD))
    entries = [e for e in ebml.children(source, seeks, 10) if e.name == ebml.SEEK]
    assert len(entries) == (
        room in {21, 23, 24, 200}
    )  # 22 would leave one byte, which nothing fits
    if entries:
        told = [e for e in ebml.children(source, entries[0], 10) if e.name == ebml.SEEK_POSITION]
        place = document.segment.body + ebml.number(source, told[0])
        assert place == next(document.all(ebml.TAGS)).start
    assert next(document.all(ebml.CLUSTER)).start == next(read(data).all(ebml.CLUSTER)).start


def test_a_narrow_size_becomes_wider() -> None:
    data = segment(CLUSTER, ebml.empty(100), width=1)
    assert names(append(data)) == ["NEW"]


def test_tags_about_a_track_are_not_about_the_file() -> None:
    uid = ebml.pack(ebml.TRACK_UID, b"\x01", width=1)
    data = segment(tags(simple("A", b"1"), targets=uid), tags(simple("B", b"2")))
    found = ebml.simple_tags(io.BytesIO(data), read(data), 100)
    assert [(one.name, one.about_all) for one in found] == [("A", False), ("B", True)]
