"""Small sound files of every kind, made here, and what an independent reader makes of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from fractions import Fraction
from functools import cache

import av
import numpy as np
from numpy.typing import NDArray

from aikz_label import sniff
from aikz_label.adapters import audio
from aikz_label.adapters.audio import decoding, pieces
from aikz_label.adapters.audio.container import Insert, SoundFile
from aikz_label.adapters.audio.shifting import ranges
from aikz_label.formats import load_adapter
from aikz_label.label import Label, Origin, System
from aikz_label.limits import DEFAULT
from aikz_label.notice.sound.pyav import samples_of, settle_layout
from aikz_label.report import Mirror

# How each format of the table is made: FFmpeg's names of container and codec, and its kind of samples.
KINDS: Mapping[str, tuple[str, str, str]] = {
    "wav": ("wav", "pcm_s16le", "s16"),
    "mp3": ("mp3", "libmp3lame", "fltp"),
    "flac": ("flac", "flac", "s16"),
    "m4a": ("ipod", "aac", "fltp"),
    "aiff": ("aiff", "pcm_s16be", "s16"),
    "aac": ("adts", "aac", "fltp"),
    "ogg": ("ogg", "libopus", "flt"),
}
_OPTIONS = {"adts": {"write_id3v2": "0"}}


@cache
def programme(rate: int = 16_000, seconds: float = 2.0, channels: int = 1) -> NDArray[np.float32]:
    """Tones and noise that come and go, other ones in each channel."""
    random = np.random.default_rng(11)
    time = np.arange(int(rate * seconds)) / rate
    rows = []
    for channel in range(channels):
        tone = np.sin(2 * np.pi * (300 + 90 * channel) * time * (1 + 0.1 * time))
        envelope = 0.5 + 0.5 * np.sin(2 * np.pi * (3 + channel) * time)
        rows.append(0.3 * tone * envelope + 0.02 * random.standard_normal(len(time)))
    found = np.stack(rows).astype(np.float32)
    found.setflags(write=False)
    return found


def encoded(
    kind: tuple[str, str, str],
    samples: NDArray[np.float32],
    rate: int = 16_000,
    *,
    bits: int = 64_000,
    tags: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    layout: str = "",
) -> bytes:
    """Samples as the bytes of a file."""
    container_name, codec, form = kind
    buffer = io.BytesIO()
    wanted = _OPTIONS.get(container_name, {}) | dict(options or {})
    layout = layout or {1: "mono", 2: "stereo", 4: "quad", 6: "5.1", 8: "7.1"}[len(samples)]
    with av.open(buffer, "w", format=container_name, options=wanted) as container:
        container.metadata.update(tags or {})
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.format = form
        if not codec.startswith("pcm") and codec not in {"flac", "alac"}:
            stream.bit_rate = bits
        frames = [*_frames(samples, rate, form, layout, stream.codec_context), None]
        for frame in frames:
            container.mux(stream.encode(frame))
    return buffer.getvalue()


def _frames(samples, rate, form, layout, context):
    step = context.frame_size or 1024
    for at in range(0, samples.shape[1], step):
        part = _as(samples[:, at : at + step], form)
        packed = av.AudioFormat(form).packed
        array = np.ascontiguousarray(part.T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(array, format=packed, layout=layout)
        frame.sample_rate = rate
        (frame,) = av.AudioResampler(form).resample(frame)
        frame.pts, frame.time_base = at, Fraction(1, rate)
        yield frame


def _as(samples, form):
    kind = form.removesuffix("p")
    if kind in {"flt", "dbl"}:
        return samples.astype({"flt": np.float32, "dbl": np.float64}[kind])
    if kind == "u8":
        return (np.rint(samples * 127) + 128).astype(np.uint8)
    width = {"s16": np.int16, "s32": np.int32}[kind]
    return np.rint(samples.astype(np.float64) * np.iinfo(width).max).astype(width)


@cache
def sample(name: str) -> bytes:
    """A file of a format of the table."""
    return encoded(KINDS[name], programme())


SAMPLES = dict.fromkeys(KINDS, sample)


def remuxed(data: bytes, name: str) -> bytes:
    """The same packets in a new file, without metadata and markers, as other programs leave them."""
    container_name, _, _ = KINDS[name]
    buffer = io.BytesIO()
    with (
        av.open(io.BytesIO(data), "r", metadata_errors="ignore") as source,
        av.open(
            buffer, "w", format=container_name, options=_OPTIONS.get(container_name, {})
        ) as out,
    ):
        heard = source.streams.audio[0]
        stream = out.add_stream_from_template(heard)
        for packet in source.demux(heard):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return buffer.getvalue()


def heard(data: bytes) -> NDArray[np.generic]:
    """What FFmpeg decodes, one row for each channel, as exactly as it gives it."""
    rows = []
    with av.open(io.BytesIO(data), "r", metadata_errors="ignore") as container:
        stream = container.streams.audio[0]
        settle_layout(stream.codec_context)
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:  # players go on behind it
                continue
            rows += [samples_of(frame) for frame in frames]
    return np.concatenate(rows, axis=1)


def outside(data: bytes, placements) -> NDArray[np.generic]:
    """What is heard besides the notices."""
    everything = heard(data)
    keep = np.ones(everything.shape[1], bool)
    for place in placements:
        keep[place["first"] : place["first"] + place["samples"]] = False
    return everything[:, keep]


# --- taken apart and put together ----------------------------------------------------------------------------------

LABEL = Label(origin=Origin.CREATED, system=System("Үлгі", "2"))
MONO, STEREO = programme(16_000, 2.0), programme(44_100, 1.5, 2)


def parsed(data: bytes) -> SoundFile:
    """A file, taken apart."""
    row = sniff(data)
    assert row is not None
    return audio._parse(io.BytesIO(data), row, DEFAULT, thorough=True)


def mirrors_of(data: bytes) -> tuple[Mirror, ...]:
    """What the metadata of a file say of AI."""
    row = sniff(data)
    assert row is not None
    return load_adapter(row).examine(io.BytesIO(data), row, DEFAULT, thorough=True).mirrors


def inserts(sound: SoundFile, channels: int, *seconds: float) -> tuple[Insert, ...]:
    """Notices of a tenth of a second at some moments."""
    rate = 48_000 if sound.demuxer == "ogg" and "opus" in repr(sound.stream).lower() else sound.rate
    tone = 0.2 * np.sin(np.arange(rate // 10) * 0.3).astype(np.float32)
    tone[-rate // 50 :] = 0
    coded = sound.encode(np.tile(tone, (channels, 1)))
    found = []
    with decoding.opened(sound.source, sound.demuxer) as heard:
        total = sum(map(len, heard.blocks()))
    for at in sound.places((0.0, *seconds), total):
        ready = sound.joined(at, coded)
        found.append(Insert(at, ready.length, ready.data))
    return tuple(found)


def assembled(sound: SoundFile, listed: tuple[Insert, ...] = ()) -> bytes:
    """The finished file."""
    said: list[str] = []
    out = b"".join(pieces.blocks(sound.assemble(listed, LABEL, said), sound.source))
    assert said == []
    return out


def programme_of(data: bytes, listed: tuple[Insert, ...], demuxer: str) -> np.ndarray:
    """What is heard besides the notices, as exactly as the decoder gives it."""
    with decoding.opened(io.BytesIO(data), demuxer) as heard:
        rows = np.concatenate([block.native for block in heard.blocks()])
    keep = np.ones(len(rows), bool)
    for start, stop in ranges(listed):
        keep[start:stop] = False
    return rows[keep]


def wav(form: str, codec: str, samples=MONO, rate: int = 16_000) -> bytes:
    return encoded(("wav", codec, form), samples, rate)


def mp3(samples=MONO, rate: int = 16_000, bits: int = 64_000, **options: str) -> bytes:
    return encoded(("mp3", "libmp3lame", "fltp"), samples, rate, bits=bits, options=options)


def opus(samples=MONO, rate: int = 48_000, bits: int = 64_000) -> bytes:
    return encoded(("ogg", "libopus", "flt"), samples, rate, bits=bits)
