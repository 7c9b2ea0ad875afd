"""Parameter sets of HEVC under other numbers."""

from __future__ import annotations

import io
from functools import cache

import av
import pytest

import video_files
from aikz_label.adapters.video import hevc_sets, units
from aikz_label.adapters.video.coding import Setup
from aikz_label.adapters.video.hevc_sets import Sets

OPTIONS = {"x265-params": "log-level=error:open-gop=0"}


@cache
def film() -> tuple[bytes, tuple[bytes, ...]]:
    """Setup and frames of a film by x265."""
    data = video_files.film("mp4", "libx265", size=(160, 90), frames=12, options=OPTIONS)
    with av.open(io.BytesIO(data)) as container:
        setup = container.streams.video[0].codec_context.extradata
        frames = tuple(bytes(packet) for packet in container.demux(video=0) if packet.size)
    assert setup is not None
    return setup, frames


def decoded(setup: bytes, frames: tuple[bytes, ...]) -> list[bytes]:
    context = av.CodecContext.create("hevc", "r")
    context.extradata = setup
    found = [shown for data in frames for shown in context.decode(av.Packet(data))]
    return [shown.to_ndarray().tobytes() for shown in [*found, *context.decode(None)]]


@pytest.mark.parametrize("number", [15, 22, 30])
def test_under_other_numbers_it_is_the_same_film(number: int) -> None:
    setup, frames = film()
    parsed = Sets.parse(setup)
    renumbered = tuple(
        (kind, tuple(hevc_sets.renumbered(unit, number) for unit in found))
        for kind, found in parsed.arrays
    )
    moved = tuple(
        b"".join(
            len(new).to_bytes(4, "big") + new
            for unit in units.by_length(frame, 4)
            for new in [hevc_sets.renumbered(unit, number)]
        )
        for frame in frames
    )
    assert all(one != two for one, two in zip(moved, frames, strict=True))
    again = Sets(parsed.head, renumbered).pack()
    assert decoded(again, moved) == decoded(setup, frames)


def test_both_films_are_decoded_with_the_sets_of_both() -> None:
    setup, frames = film()
    assert Sets.parse(setup).pack() == setup
    number = Sets.parse(setup).free_number()
    both = hevc_sets.together(setup, Setup(bytes(8) + setup, b""), number).raw
    assert Sets.parse(both).free_number() == 0  # of the new sequence parameter sets
    assert len(list(Sets.parse(both).units)) >= 2 * 3
    assert decoded(both, frames) == decoded(setup, frames)


def test_numbers_of_sets_in_frames_are_taken_too() -> None:
    parsed = Sets.parse(film()[0])
    picture = next(unit for unit in parsed.units if unit[0] >> 1 == 34)
    taken = [hevc_sets.renumbered(picture, number) for number in (15, 16, 17)]
    assert (parsed.free_number(), parsed.free_number(taken)) == (15, 18)
    assert parsed.free_number(hevc_sets.renumbered(picture, n) for n in range(15, 31)) == 0


def test_what_begins_with_three_zeros_is_escaped_again() -> None:
    setup, _ = film()
    for unit in Sets.parse(setup).units:
        made = hevc_sets.renumbered(unit, 15)
        assert b"\0\0\0" not in made
        assert b"\0\0\1" not in made
        assert b"\0\0\2" not in made


def test_cut_sets_are_an_error_and_nothing_else() -> None:
    setup, _ = film()
    for stop in range(len(setup)):
        with pytest.raises(ValueError, match="cut"):
            Sets.parse(setup[:stop])
    picture = next(unit for unit in Sets.parse(setup).units if unit[0] >> 1 == 34)
    with pytest.raises(ValueError, match="not number 0"):
        hevc_sets.renumbered(hevc_sets.renumbered(picture, 15), 15)
