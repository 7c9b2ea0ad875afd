"""A notice before the packets of M4A in fragments, and every place and moment that such a file tells of."""

from __future__ import annotations

import io
import subprocess
from bisect import bisect_left
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from aikz_label import Label, Refused, mark, verify
from aikz_label.adapters.image.bmff import Box
from aikz_label.adapters.video.boxes import Tree
from aikz_label.config import Config
from aikz_label.label import Origin, System
from aikz_label.limits import NO_LIMITS
from aikz_label.report import Verdict
from filmed_sounds import RATE, made
from packet_sounds import check_later, decoded, packets, times, without
from support import require_tool

LABEL = Label(origin=Origin.CREATED, system=System("TuneGen", "1"))
SHORT = ("frag_duration", "1000000")
# An index behind all fragments, one before each, and places that count from the start of the file.
LAYOUTS = {
    "plain": (("movflags", "empty_moov+default_base_moof"), SHORT),
    "each": (("movflags", "empty_moov+default_base_moof+dash"), SHORT),
    "old": (("movflags", "empty_moov+delay_moov"), SHORT),
}


@pytest.mark.parametrize(
    ("codec", "layout"),
    [*(("aac", layout) for layout in LAYOUTS), ("libopus", "old"), ("libmp3lame", "plain")],
)
def test_a_notice_goes_before_fragments(codec: str, layout: str, config: Config) -> None:
    source = made("mp4", codec, LAYOUTS[layout], 3.0)
    result = mark(source, None, LABEL, config=config)
    report = verify(result.data, config=config, measure=True)
    assert (report.verdict, report.format) == (Verdict.LABELLED, "m4a")
    (place,) = report.marker.notice.placements
    # the decoder of Opus does not begin quite anew
    check_later(source, result.data, place, 2.0**-12 if codec == "libopus" else 0.0)
    assert packets(result.data)[-len(packets(source)) :] == packets(source)
    rate = 48_000 if codec == "libopus" else RATE
    before, after = times(source), times(result.data)
    shifts = {new - old for old, new in zip(before, after[-len(before) :], strict=True)}
    assert len(shifts) == 1
    assert abs(float(shifts.pop()) - place["samples"] / rate) < 1e-4
    check_structure(result.data)


def test_a_repeat_goes_between_fragments(config: Config) -> None:
    source = made("mp4", "aac", LAYOUTS["each"], 64.0)
    result = mark(source, None, LABEL, config=config, profile_name="strict")
    places = result.report.marker.notice.placements
    assert len(places) == 2
    kept = without(decoded(result.data), places)
    assert np.array_equal(kept, decoded(source))
    check_structure(result.data)
    again = mark(
        result.data, None, LABEL, config=config, profile_name="strict", on_existing="update"
    )
    fresh = again.report.marker.notice.placements
    assert [(one["first"], one["samples"]) for one in fresh] == [
        (one["first"], one["samples"]) for one in places
    ]
    check_structure(again.data)
    assert np.array_equal(without(decoded(again.data), fresh), kept)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_shorter_notice_takes_the_place_of_an_older_one(layout: str, config: Config) -> None:
    """The moments of fragments that go would come before the start."""
    source = made("mp4", "aac", LAYOUTS[layout], 3.0)
    first = mark(source, None, LABEL, config=config)
    again = mark(first.data, None, LABEL, config=config, on_existing="update", languages="ru")
    places = [result.report.marker.notice.placements[0] for result in (first, again)]
    assert places[1]["samples"] < places[0]["samples"]
    assert np.array_equal(without(decoded(again.data), places[1:]), decoded(source))
    check_structure(again.data)


def check_structure(data: bytes) -> None:
    """Numbers and times rise, and each index names fragments and how long they last."""
    tree = Tree.read(io.BytesIO(data), NO_LIMITS)
    known = list(tree.all())
    numbers = [number(tree, box, 4, 4) for _, box in known if box.kind == b"mfhd"]
    assert all(one < two for one, two in pairwise(numbers))
    clock = [number(tree, box, 4, 8) for _, box in known if box.kind == b"tfdt"]
    assert all(one < two for one, two in pairwise(clock))
    moofs = [box.start for box in tree.top if box.kind == b"moof"]
    known_starts = {box.start for box in tree.top} | {len(tree.data)}
    for _, box in known:
        if box.kind == b"sidx":
            wide = tree.data[box.body] == 1
            at, width = (28, 8) if wide else (20, 4)
            start = box.stop + number(tree, box, at - width, width)
            for row in range(number(tree, box, at + 2, 2)):
                assert start in known_starts
                first = bisect_left(moofs, start)
                start += number(tree, box, at + 4 + 12 * row, 4) & 0x7FFFFFFF
                last = bisect_left(moofs, start)
                if last < len(moofs):
                    lasts = number(tree, box, at + 8 + 12 * row, 4)
                    assert abs(clock[last] - clock[first] - lasts) <= 1
            assert start in known_starts
        if box.kind == b"tfra":
            width = 8 if tree.data[box.body] == 1 else 4
            count = number(tree, box, 12, 4)
            step = (box.stop - box.body - 16) // count if count else 0
            for row in range(count):
                assert number(tree, box, 16 + row * step + width, width) in moofs


def number(tree: Tree, box: Box, at: int, width: int) -> int:
    return int.from_bytes(tree.data[box.body + at : box.body + at + width])


def test_fragments_with_events_between_them_can_only_be_spoken_over(config: Config) -> None:
    source = made("mp4", "aac", LAYOUTS["plain"], 3.0)
    at = source.index(b"moof") - 4
    event = (36).to_bytes(4) + b"emsg" + b"\1" + bytes(27)
    with pytest.raises(Refused, match=r"events.*too short"):
        mark(source[:at] + event + source[at:], None, LABEL, config=config)


@pytest.mark.parametrize("kind", [b"mvhd", b"mfhd"])
def test_a_head_that_is_not_there_is_damage(kind: bytes, config: Config) -> None:
    source = made("mp4", "aac", LAYOUTS["plain"], 3.0).replace(kind, b"free")
    with pytest.raises(Refused, match="damaged"):
        mark(source, None, LABEL, config=config)


def indexed(source: bytes, folder: Path) -> bytes:
    """The same with one index before all fragments."""
    before, after = folder / "before.mp4", folder / "after.mp4"
    before.write_bytes(source)
    flags = [
        "-movflags",
        "empty_moov+default_base_moof+dash+global_sidx",
        "-frag_duration",
        "1000000",
    ]
    command = [require_tool("ffmpeg"), "-v", "error", "-i", str(before), "-c", "copy", *flags]
    subprocess.run([*command, str(after)], check=True)
    return after.read_bytes()


@pytest.mark.parametrize(
    ("layout", "kind", "at", "told"),
    [
        ("old", b"tfdt", 4, b"\xff" * 8),
        ("old", b"tfhd", 8, b"\xff" * 8),
        ("plain", b"trun", 8, b"\x80\0\0\0"),
    ],
)
def test_a_fragment_beyond_all_places_and_moments_is_damage(
    layout: str, kind: bytes, at: int, told: bytes, config: Config
) -> None:
    data = bytearray(made("mp4", "aac", LAYOUTS[layout], 3.0))
    box = next(box for _, box in Tree.read(io.BytesIO(data), NO_LIMITS).all() if box.kind == kind)
    assert box.body + at + len(told) <= box.stop
    data[box.body + at : box.body + at + len(told)] = told
    with pytest.raises(Refused, match="damaged"):
        mark(bytes(data), None, LABEL, config=config)


def test_a_player_finds_a_moment_behind_the_notice(config: Config, tmp_path: Path) -> None:
    source = indexed(made("mp4", "aac", LAYOUTS["plain"], 3.0), tmp_path)
    result = mark(source, None, LABEL, config=config)
    check_structure(result.data)
    (place,) = result.report.marker.notice.placements
    with av.open(io.BytesIO(result.data)) as opened:
        stream = opened.streams.audio[0]
        wanted = round((place["samples"] / RATE + 1.0) / stream.time_base)
        opened.seek(wanted, stream=stream)
        packet = next(opened.demux(stream))
        assert packet.pts <= wanted
        assert bytes(packet) in packets(source)
