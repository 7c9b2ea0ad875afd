"""Long sound files and hostile ones: what is kept of each frame, and how long anybody goes on with what is broken."""

from __future__ import annotations

import io

import numpy as np
import pytest

import sound_files
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import decoding
from aikz_label.adapters.audio.aac import adts
from aikz_label.adapters.audio.container import Insert
from aikz_label.adapters.audio.flac import blocks as flac_blocks
from aikz_label.adapters.audio.flac import coding as flac_coding
from aikz_label.adapters.audio.flac import frames as flac_frames
from aikz_label.adapters.audio.flac.container import Flac
from aikz_label.adapters.audio.flac.splice import Splice
from aikz_label.adapters.audio.frames import Frames, Once, sizes_of
from aikz_label.adapters.audio.mp3 import mpeg
from aikz_label.adapters.audio.mp3.container import Mp3
from sound_files import assembled, inserts, mp3, parsed

EMPTY = bytes((0xFF, 0xF1, 0x50, 0x80, 0, 0xFF, 0xFC))  # a frame of AAC that ends with its head
FRAME = bytes((0xFF, 0xFB, 0x90, 0xC4)) + bytes(413)


def test_two_bytes_are_kept_of_a_frame() -> None:
    sound = parsed(mp3(sound_files.programme(16_000, 20.0)))
    assert isinstance(sound, Mp3)
    found = sound.frames
    assert len(found) > 500
    assert found.sizes.nbytes == 2 * len(found)
    at = found.start
    for number, size in enumerate(found.sizes.tolist()):
        assert found.place(number) == at
        at += size
    assert found.stop == at == found.place(len(found)) == found.place(10**9)


def test_no_frames_are_none() -> None:
    assert len(sizes_of(())) == 0
    assert Frames(7, 7, sizes_of(())).place(0) == 7


def test_a_walk_is_made_once() -> None:
    made: list[int] = []
    once = Once(lambda: made.append(1))
    once()
    once()
    assert made == [1]


def test_nobody_goes_on_for_ever_with_packets_that_cannot_be_decoded() -> None:
    good = sound_files.encoded(("adts", "aac", "fltp"), sound_files.MONO)
    first = good[: adts._length(good[:7])]
    empty = bytes((first[0], first[1] | 1, first[2], first[3] & 0xFC, 0, 0xFF, 0xFC))
    with pytest.raises(MediaProblem), decoding.opened(io.BytesIO(EMPTY * 9_000), "aac") as heard:
        list(heard.blocks())
    with decoding.opened(io.BytesIO((first + empty * 30) * 10), "aac") as heard:
        assert sum(map(len, heard.blocks())) == 10 * 1024
    hostile = io.BytesIO((first + empty * 300) * 10)
    with pytest.raises(MediaProblem), decoding.opened(hostile, "aac") as heard:
        list(heard.blocks())


def test_frames_go_on_behind_something_else_but_not_for_ever() -> None:
    data = FRAME * 3 + b"junk" + FRAME * 2
    walked = mpeg.walked(io.BytesIO(data), 0, len(data))
    assert (len(walked.frames), walked.broken, walked.kbits) == (5, True, 128)
    hostile = FRAME + (FRAME[:4] * 16_000 + FRAME * 2) * 40  # heads that lead nowhere
    source = io.BytesIO(hostile)
    assert mpeg.walked(source, 0, len(hostile)).broken
    ones = (FRAME * 2 + b"\xff" * 65_000) * 12  # every place looks as if a frame could begin there
    assert len(mpeg.walked(io.BytesIO(ones), 0, len(ones)).frames) < 24


def test_a_table_for_seeking_leads_to_its_frames() -> None:
    samples = sound_files.programme(8_000, 20.0)  # so many frames that their numbers become longer
    plain = sound_files.encoded(
        ("flac", "flac", "s16"), samples, 8_000, options={"frame_size": "64"}
    )
    sound = parsed(plain)
    assert isinstance(sound, Flac)
    found = sound.frames()
    chosen = [0, 1, 127, 128, len(found) - 1]
    points = b"".join(
        int(found.firsts[n]).to_bytes(8)
        + int(found.starts[n] - found.starts[0]).to_bytes(8)
        + b"\0\x40"
        for n in chosen
    )
    block = flac_blocks.Block(flac_blocks.SEEK, points).stored(last=False)
    at = 4 + 4 + 34
    sound = parsed(plain[:at] + block + plain[at:])
    assert isinstance(sound, Flac)
    listed = inserts(sound, 1, 10.0)
    again = parsed(assembled(sound, listed))
    assert isinstance(again, Flac)
    moved = next(b.content for b in again.blocks if b.kind == flac_blocks.SEEK)
    there = again.frames()
    for n, old in enumerate(chosen):
        sample, place = (int.from_bytes(moved[18 * n + i : 18 * n + i + 8]) for i in (0, 8))
        number = int(np.searchsorted(there.starts, place + there.starts[0]))
        assert there.starts[number] - there.starts[0] == place
        assert there.firsts[number] == sample
        longer = sum(one.length for one in listed if one.at <= found.firsts[old])
        assert sample == found.firsts[old] + longer


def test_a_frame_that_goes_has_no_place() -> None:
    sound = parsed(sound_files.encoded(("flac", "flac", "s16"), sound_files.MONO))
    assert isinstance(sound, Flac)
    found = sound.frames()
    coded = sound.encode(np.zeros((1, 2000), np.float32))
    gone = int(found.firsts[1])
    place = Splice.of(sound, found, (Insert(0, coded.length, coded.data, gone),)).places()
    assert place(0) is None
    assert place(1) is None
    assert place(int(found.starts[1] - found.starts[0])) is not None
    numbers = np.array([0, 127, 128, 0x7FF, 0x800, 0xFFFF, 0x10000, (1 << 31) - 1, 1 << 31])
    told = [len(flac_coding.coded_number(int(number))) for number in numbers]
    assert flac_coding.widths(numbers).tolist() == told
    assert flac_frames.samples_of(b"") == 0
