"""Sound files taken apart and put together again: every sample of the programme stays, whatever goes between."""

from __future__ import annotations

import io

import numpy as np
import pytest

import sound_files
from aikz_label import Refused, formats, sniff
from aikz_label.adapters import MediaProblem, audio
from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.container import Insert
from aikz_label.adapters.audio.shifting import Shift, kept, ranges
from aikz_label.limits import DEFAULT
from sound_files import (
    MONO,
    STEREO,
    assembled,
    inserts,
    mp3,
    opus,
    parsed,
    wav,
)
from sound_files import (
    programme_of as programme,
)

NOISY = "aac"
VARIANTS = {
    "wav-u8": lambda: wav("u8", "pcm_u8"),
    "wav-16": lambda: wav("s16", "pcm_s16le", STEREO, 44_100),
    "wav-24": lambda: wav("s32", "pcm_s24le", STEREO, 44_100),
    "wav-32": lambda: wav("s32", "pcm_s32le"),
    "wav-float": lambda: wav("flt", "pcm_f32le"),
    "wav-double": lambda: wav("dbl", "pcm_f64le"),
    "wav-alaw": lambda: wav("s16", "pcm_alaw"),
    "wav-mulaw": lambda: wav("s16", "pcm_mulaw"),
    "wav-5.1": lambda: wav("s16", "pcm_s16le", sound_files.programme(48_000, 0.5, 6), 48_000),
    "wav-384k": lambda: wav("s32", "pcm_s24le", sound_files.programme(384_000, 0.2), 384_000),
    "wav-rf64": lambda: sound_files.encoded(
        ("wav", "pcm_s16le", "s16"), MONO, options={"rf64": "always"}
    ),
    "mp3-mono": mp3,
    "mp3-stereo": lambda: mp3(STEREO, 44_100, 192_000),
    "mp3-low": lambda: mp3(sound_files.programme(8_000, 2.0), 8_000, 16_000),
    "mp3-bare": lambda: mp3(STEREO, 44_100, 96_000, write_xing="0", id3v2_version="0"),
    "flac-16": lambda: sound_files.encoded(("flac", "flac", "s16"), STEREO, 44_100),
    "flac-24": lambda: sound_files.encoded(("flac", "flac", "s32"), MONO),
    "m4a-aac": lambda: sound_files.encoded(("ipod", "aac", "fltp"), STEREO, 44_100, bits=128_000),
    "m4a-alac": lambda: sound_files.encoded(("ipod", "alac", "s16p"), STEREO, 44_100),
    "m4a-mp4": lambda: sound_files.encoded(("mp4", "aac", "fltp"), MONO),
    "aiff-16": lambda: sound_files.encoded(("aiff", "pcm_s16be", "s16"), STEREO, 44_100),
    "aiff-float": lambda: sound_files.encoded(("aiff", "pcm_f32be", "flt"), MONO),
    "aiff-sowt": lambda: sound_files.encoded(("aiff", "pcm_s16le", "s16"), MONO),
    "aac-mono": lambda: sound_files.encoded(("adts", "aac", "fltp"), MONO),
    "aac-5.1": lambda: sound_files.encoded(
        ("adts", "aac", "fltp"), sound_files.programme(48_000, 0.5, 6), 48_000, bits=300_000
    ),
    "ogg-flac": lambda: sound_files.encoded(("ogg", "flac", "s16"), STEREO, 44_100),
    "opus-music": lambda: opus(sound_files.programme(48_000, 1.0, 2)),
    "opus-speech": lambda: opus(sound_files.programme(48_000, 1.0), bits=12_000),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_no_sample_of_the_programme_changes(name: str) -> None:
    data = VARIANTS[name]()
    sound = parsed(data)
    sound.check_variant()
    before = programme(data, (), sound.demuxer)
    seconds = len(before) / (48_000 if name.startswith("opus") else sound.rate)
    listed = inserts(sound, before.shape[1], 0.4 * seconds, seconds)
    out = assembled(sound, listed)
    after = programme(out, listed, sound.demuxer)
    assert len(listed) == (2 if name.startswith("opus") else 3)  # in a second of Opus none between
    assert before.shape == after.shape
    assert before.dtype == after.dtype
    if not sound.exact:
        assert np.abs(before - after).max() < 2**-16
    elif NOISY in name:  # a decoder makes up the noise in it, and goes on with it
        assert sound.same_packets(parsed(out), listed)
    else:
        assert np.array_equal(before, after)


@pytest.mark.parametrize(
    "data", [mp3()[:9_000], mp3() + bytes(4_000)], ids=["more than there is", "less"]
)
def test_where_a_header_counts_wrong_nothing_is_taken_off_the_end(data: bytes) -> None:
    """A file that was cut off, and one that FFmpeg does not believe because it goes on."""
    sound = parsed(data)
    before = programme(data, (), "mp3")
    listed = inserts(sound, 1)
    out = assembled(sound, listed)
    assert np.array_equal(before, programme(out, listed, "mp3"))
    assert parsed(out).header._counted[0] == len(parsed(out).frames)


@pytest.mark.parametrize("name", [n for n in VARIANTS if "aac" in n])
def test_noise_that_decoders_make_up_is_that_of_the_source(name: str) -> None:
    sound = parsed(VARIANTS[name]())
    before = programme(VARIANTS[name](), (), sound.demuxer)
    listed = inserts(sound, before.shape[1])
    assert np.array_equal(before, programme(assembled(sound, listed), listed, sound.demuxer))


@pytest.mark.parametrize(
    "name",
    [
        "wav-24",
        "mp3-stereo",
        "mp3-bare",
        "flac-24",
        "m4a-aac",
        "m4a-alac",
        "aac-mono",
        "ogg-flac",
        "opus-music",
        "aiff-16",
    ],
)
def test_an_older_notice_can_be_replaced(name: str) -> None:
    data = VARIANTS[name]()
    sound = parsed(data)
    channels = programme(data, (), sound.demuxer).shape[1]
    listed = inserts(sound, channels, 0.4, 9.0)
    marked = assembled(sound, listed)
    again = parsed(marked)
    places = ranges(listed)
    assert again.holds(places)
    coded = again.encode(np.zeros((channels, 2000), np.float32))
    fresh = tuple(
        Insert(start, ready.length, ready.data, stop - start)
        for start, stop in places
        for ready in [again.joined(start, coded, stop - start)]
    )
    out = assembled(again, fresh)
    before = programme(data, (), sound.demuxer)
    after = programme(out, fresh, sound.demuxer)
    assert before.shape == after.shape
    if NOISY not in name and sound.exact:
        assert np.array_equal(before, after)


class Counted(io.BytesIO):
    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


@pytest.mark.parametrize("name", ["flac-16", "m4a-aac", "ogg-flac", "opus-music"])
def test_many_places_cost_one_pass(name: str) -> None:
    data = VARIANTS[name]()
    row = sniff(data)
    assert row is not None

    def taken(places: list[tuple[int, int]]) -> int:
        source = Counted(data)
        audio._parse(source, row, DEFAULT, thorough=True).holds(places)
        return source.taken

    assert taken([(0, 0)] * 1000) <= taken([(0, 0)])


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in VARIANTS
        if n.startswith(("wav", "mp3", "flac", "ogg", "opus")) and "rf64" not in n
    ],
)
def test_a_marker_changes_no_part(name: str) -> None:
    sound = parsed(VARIANTS[name]())
    room = sound.room()
    store = bytes(range(1, 201)) * 4
    size = room.size(store)
    before, after = room.layout(size)
    whole = b"".join((*before, room.encode(store), *after))
    marked = parsed(whole)
    (place,) = marked.markers()
    assert place.store == store
    assert place.cuts[0].length == size
    assert b"".join(pieces.blocks(sound.parts(), sound.source)) == b"".join(
        pieces.blocks(marked.parts(), marked.source)
    )
    assert np.array_equal(
        programme(VARIANTS[name](), (), sound.demuxer), programme(whole, (), sound.demuxer)
    )


def free_format() -> bytes:
    frame = bytes((0xFF, 0xFB, 0x00, 0xC0)) + bytes(500)
    return b"ID3\4\0\0\0\0\0\0" + frame * 5


REFUSED = {
    "free format": (free_format, "free format"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_something_is_refused(name: str) -> None:
    make, why = REFUSED[name]
    with pytest.raises(Refused) as refusal:
        parsed(make()).check_variant()
    assert refusal.value.code == "unsupported-variant"
    assert why in str(refusal.value)


def test_no_sound_at_all() -> None:
    with pytest.raises(MediaProblem):
        parsed(b"RIFF\x04\0\0\0WAVE")
    with pytest.raises(MediaProblem):
        parsed(b"fLaC\x80\0\0\x22" + bytes(34))
    with pytest.raises(MediaProblem):
        parsed(b"ID3\4\0\0\0\0\0\0" + bytes(100))


def test_one_sample_is_a_programme() -> None:
    data = wav("s16", "pcm_s16le", MONO[:, :1])
    sound = parsed(data)
    listed = inserts(sound, 1)
    assert len(programme(assembled(sound, listed), listed, "wav")) == 1


def test_a_film_is_no_sound_and_sound_is_no_film() -> None:
    row = sniff(VARIANTS["m4a-mp4"]())
    assert row is formats.FORMATS["m4a"]


def test_moments_move_with_what_is_played() -> None:
    shift = Shift((Insert(0, 100, b""), Insert(1000, 50, b"", 20)), 1000)
    assert shift.total == 130
    assert [shift.samples(at) for at in (0, 1, 999, 1000, 1010, 1020, 2000)] == [
        100,
        101,
        1099,
        1150,
        1150,
        1150,
        2130,
    ]
    assert shift.samples(1000, end=True) == 1100
    assert shift.units(2, 1.0) == 2 + round(0.13)
    assert kept((Insert(0, 100, b""), Insert(1000, 50, b"", 20))) == ((0, 0), (0, 1000), (1020, -1))
