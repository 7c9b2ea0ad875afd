"""Sound of every shape: marked with each sample of the programme as it was, or refused with a reason."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest

import sound_files
from aikz_label import Label, MarkResult, Refused, Verdict, mark, verify
from aikz_label.config import Config
from aikz_label.label import Origin
from aikz_label.notice.sound.pyav import settle_layout
from sound_files import encoded, heard, mp3, outside, programme, wav

CREATED = Label(origin=Origin.CREATED)


def silent_wav(length: int) -> bytes:
    return wav("s16", "pcm_s16le", np.zeros((1, max(length, 1)), np.float32))[
        : None if length else -2
    ]


def layout(data: bytes) -> tuple[str, int, str]:
    with av.open(io.BytesIO(data), metadata_errors="ignore") as container:
        context = container.streams.audio[0].codec_context
        return settle_layout(context), context.sample_rate, context.format.name


UNUSUAL = {
    "7.1": lambda: wav("s16", "pcm_s16le", programme(48_000, 1.0, 8), 48_000),
    "7.1 of FLAC": lambda: encoded(("flac", "flac", "s16"), programme(44_100, 1.0, 8), 44_100),
    "7.1 of AIFF, in its own order": lambda: encoded(
        ("aiff", "pcm_s24be", "s32"), programme(48_000, 1.0, 8), 48_000
    ),
    "5.1": lambda: wav("s32", "pcm_s24le", programme(48_000, 1.0, 6), 48_000),
    "5.1 of AAC": lambda: encoded(
        ("ipod", "aac", "fltp"), programme(48_000, 1.0, 6), 48_000, bits=384_000
    ),
    "7.1 of AAC": lambda: encoded(
        ("ipod", "aac", "fltp"), programme(48_000, 1.0, 8), 48_000, bits=512_000
    ),
    "quad": lambda: wav("s16", "pcm_s16le", programme(44_100, 1.0, 4), 44_100),
    "384 kHz": lambda: wav("s32", "pcm_s24le", programme(384_000, 0.5), 384_000),
    "384 kHz of FLAC": lambda: encoded(("flac", "flac", "s32"), programme(384_000, 0.5), 384_000),
    "8 bits": lambda: wav("u8", "pcm_u8"),
    "floats of 64 bits": lambda: wav("dbl", "pcm_f64le"),
    "floats of 64 bits in AIFF-C": lambda: encoded(("aiff", "pcm_f64be", "dbl"), programme()),
    "one sample": lambda: silent_wav(1),
    "one sample of FLAC": lambda: encoded(("flac", "flac", "s16"), programme()[:, :1]),
    "one sample of MP3": lambda: mp3(programme()[:, :1]),
    "one sample of M4A": lambda: encoded(("ipod", "aac", "fltp"), programme()[:, :1]),
    "silence": lambda: silent_wav(40_000),
}


@pytest.mark.parametrize(
    ("rate", "code"),
    [(4_000, "not-perceptible"), (1_600_000, "over-limit"), (0x7FFF0000, "over-limit")],
)
def test_a_rate_that_no_notice_can_have(rate: int, code: str, config: Config) -> None:
    data = bytearray(wav("s16", "pcm_s16le"))
    struct.pack_into("<II", data, 24, rate, min(2 * rate, 0xFFFFFFFF))
    with pytest.raises(Refused, match=str(rate)) as refused:
        mark(bytes(data), None, CREATED, config=config)
    assert refused.value.code == code


@pytest.mark.parametrize("name", UNUSUAL)
def test_every_sample_stays(name: str, config: Config) -> None:
    data = UNUSUAL[name]()
    done = mark(data, None, CREATED, config=config, sidecar="auto")
    assert done.data is not None
    assert done.report.verdict is Verdict.LABELLED
    assert layout(done.data) == layout(data)
    notice = done.report.marker.notice
    assert notice is not None
    assert np.array_equal(outside(done.data, notice.placements), heard(data))
    assert {place["form"] for place in notice.placements} == {"short"}


def test_eight_channels_of_a_lossy_codec(config: Config) -> None:
    """PyAV takes what stands behind the eighth of planar channels for a ninth, and reads from there."""
    data = encoded(("opus", "libopus", "flt"), programme(48_000, 1.0, 8), 48_000, bits=400_000)
    done = mark(data, None, CREATED, config=config)
    assert done.data is not None
    assert done.report.verdict is Verdict.LABELLED
    notice = done.report.marker.notice
    assert notice is not None
    assert np.abs(outside(done.data, notice.placements) - heard(data)).max() < 2**-15
    assert verify(done.data, config=config, measure=True).verdict is Verdict.LABELLED


def test_no_decoder_raises_nothing(config: Config) -> None:
    data = wav("s16", "pcm_s16le")
    at = data.index(b"fmt ") + 8
    strange = data[:at] + (0x1234).to_bytes(2, "little") + data[at + 2 :]
    assert verify(strange, config=config, measure=True).verdict is not Verdict.LABELLED
    with pytest.raises(Refused):
        mark(strange, None, CREATED, config=config, allow_reencode=True)


def no_samples(name: str) -> bytes:
    match name:
        case "wav":
            return (
                b"RIFF" + struct.pack("<I", 36) + wav("s16", "pcm_s16le")[8:36] + b"data" + bytes(4)
            )
        case "flac":
            whole = encoded(("flac", "flac", "s16"), programme())
            return whole[:4] + b"\x80" + whole[5:42]
        case "mp3":
            return mp3()[:100]
        case _:
            return b""


@pytest.mark.parametrize(
    ("name", "code"),
    [("wav", "damaged"), ("flac", "damaged"), ("mp3", "damaged"), ("none", "empty")],
)
def test_nothing_is_refused_as_nothing(name: str, code: str, config: Config) -> None:
    data = no_samples(name)
    with pytest.raises(Refused) as refusal:
        mark(data, None, CREATED, config=config)
    assert refusal.value.code == code
    assert refusal.value.hint
    assert verify(data, config=config).verdict in {Verdict.UNREADABLE, Verdict.UNMARKED}


def test_too_few_samples_for_speech(config: Config) -> None:
    with pytest.raises(Refused, match="6000") as refusal:
        mark(wav("s16", "pcm_s16le", programme(6000, 2.0), 6000), None, CREATED, config=config)
    assert refusal.value.code == "not-perceptible"


def marked_or_refused(data: bytes, config: Config) -> MarkResult | None:
    try:
        return mark(data, None, CREATED, config=config)
    except Refused as refusal:
        if refusal.code not in {"damaged", "unsupported-variant"}:
            raise
        return None


@pytest.mark.parametrize("name", sound_files.KINDS)
def test_a_cut_file_is_marked_whole_or_refused(name: str, config: Config) -> None:
    data = sound_files.sample(name)
    for share in (0.3, 0.8):
        cut = data[: int(len(data) * share)]
        done = marked_or_refused(cut, config)
        if done is None:
            continue
        notice = done.report.marker.notice
        assert done.data is not None
        assert notice is not None
        found, wanted = outside(done.data, notice.placements), heard(cut)
        if name == "ogg":  # a decoder of Opus remembers what was before
            assert np.abs(found - wanted).max() < 2**-15
        elif name != "aac":
            assert np.array_equal(found, wanted)
        assert found.shape == wanted.shape
