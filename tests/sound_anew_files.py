"""Sound among whose packets no notice can be put, made here."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import soundfile

import sound_files
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.recoders import Muxed, Sndfile
from aikz_label.carriers import oggpages


def vorbis(channels: int = 2, rate: int = 44_100, quality: float = 0.4) -> bytes:
    """A song with a title, as libvorbis codes it."""
    stream = io.BytesIO()
    samples = sound_files.programme(rate, 2.0, channels)
    shape = {"format": "OGG", "subtype": "VORBIS", "compression_level": 1 - quality}
    with soundfile.SoundFile(stream, "w", rate, channels, **shape) as out:
        out.title = "Ән"
        out.write(np.ascontiguousarray(samples.T))
    return stream.getvalue()


def high_efficiency() -> bytes:
    """An M4A that announces spectral band replication, for which decoders then double the rate."""
    samples = sound_files.programme(22_050, 2.0, 2)
    data = sound_files.encoded(("ipod", "aac", "fltp"), samples, 22_050, tags={"title": "Ән"})
    silent, announced = bytes.fromhex("56e500"), bytes.fromhex("56e5a0")
    assert data.count(silent) == 1
    return data.replace(silent, announced)


def main_profile() -> bytes:
    """ADTS whose frames say that they are of the profile Main: without prediction its packets are those of AAC-LC."""
    data = bytearray(sound_files.encoded(("adts", "aac", "fltp"), sound_files.MONO))
    at = 0
    while at < len(data):
        data[at + 2] &= 0x3F
        at += (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    return bytes(data)


def coded_by(container: str, coder: Coder, **options: str) -> bytes:
    """A file with a title, by one of FFmpeg's encoders."""
    samples = sound_files.programme(coder.rate, 2.0, 1 if coder.layout == "mono" else 2)
    stream = io.BytesIO()
    Muxed(container, coder, options).write([samples], stream)
    data = stream.getvalue()
    if container != "wav":
        return data
    each_second = len(data) // 2  # which FFmpeg leaves out
    return data[:28] + each_second.to_bytes(4, "little") + data[32:]


def gsm() -> bytes:
    """The sound of a telephone."""
    stream = io.BytesIO()
    Sndfile(8000, 1, ("WAV", "GSM610")).write([sound_files.programme(8000, 2.0)], stream)
    return stream.getvalue()


def layer_2() -> bytes:
    """MPEG audio of layer II behind a tag."""
    tag = sound_files.mp3(id3v2_version="4")
    length = int.from_bytes(tag[6:10])  # shorter than 128 bytes
    sound = coded_by("mp2", Coder("", "mp2", 44_100, "stereo", "s16", 192_000))
    return tag[: 10 + length] + sound


def layer_1(seconds: float = 2.0) -> bytes:
    """MPEG audio of layer I, which nobody codes any more: noise in some of its bands (ISO/IEC 11172-3, 2.4.1.5)."""
    random, bands, kbits, rate = np.random.default_rng(5), range(1, 7), 384, 44_100
    head = bytes((0xFF, 0xFF, 12 << 4, 0))
    size, found = 12 * kbits * 1000 // rate * 4, b""
    for _ in range(int(seconds * rate / 384)):
        bits = "".join(f"{7 if band in bands else 0:04b}" * 2 for band in range(32))  # 8 bits each
        bits += "".join(f"{12 + band:06b}" * 2 for band in bands)
        bits += "".join(f"{n:08b}" for n in random.integers(0, 255, 12 * 2 * len(bands)))
        found += (head + int(bits, 2).to_bytes(len(bits) // 8)).ljust(size, b"\0")
    return found


def chained(one: bytes, two: bytes) -> bytes:
    """Two files of Ogg, one behind the other."""
    pages = list(oggpages.walk(io.BytesIO(two), len(two)))
    if pages[0].serial == next(oggpages.walk(io.BytesIO(one), len(one))).serial:
        two = b"".join(
            oggpages.stored(
                page.flags,
                page.granule,
                page.serial ^ 1,
                page.number,
                page.lacing,
                two[page.start + page.head : page.stop],
            )
            for page in pages
        )
    return one + two


def with_skeleton(data: bytes) -> bytes:
    """A file of Ogg with a stream beside its sound that tells where its packets are."""
    (first, *_) = oggpages.walk(io.BytesIO(data), len(data))
    head = b"fishead\0\3\0\0\0" + bytes(52)
    begin = oggpages.stored(oggpages.BEGINS, 0, 777, 0, bytes((len(head),)), head)
    end = oggpages.stored(oggpages.ENDS, 0, 777, 1, b"\0", b"")
    return begin + data[: first.stop] + end + data[first.stop :]


KINDS: Mapping[str, tuple[Callable[[], bytes], str, str]] = {
    "vorbis": (vorbis, "Vorbis", "Vorbis"),
    "vorbis-speech": (lambda: vorbis(1, 16_000, 0.1), "Vorbis", "Vorbis"),
    "vorbis-5.1": (lambda: vorbis(6, 48_000), "Vorbis", "Vorbis"),
    "m4a-he": (high_efficiency, "HE-AAC", "AAC-LC"),
    "adts-main": (main_profile, "AAC Main", "AAC-LC"),
    "wav-ima": (
        lambda: coded_by("wav", Coder("", "adpcm_ima_wav", 22_050, "stereo", "s16p")),
        "IMA ADPCM",
        "IMA ADPCM",
    ),
    "wav-ms": (
        lambda: coded_by("wav", Coder("", "adpcm_ms", 11_025, "mono", "s16")),
        "Microsoft ADPCM",
        "Microsoft ADPCM",
    ),
    "wav-gsm": (gsm, "GSM 6.10", "GSM 6.10"),
    "aifc-ima4": (
        lambda: coded_by("aiff", Coder("", "adpcm_ima_qt", 16_000, "mono", "s16p")),
        "IMA 4:1",
        "IMA 4:1",
    ),
    "layer-2": (layer_2, "MPEG layer II", "MPEG layer II"),
    "layer-1": (layer_1, "MPEG layer I", "MPEG layer II"),
    "vorbis-chain": (lambda: chained(vorbis(), vorbis()), "Vorbis", "Vorbis"),
    "opus-skeleton": (lambda: with_skeleton(sound_files.opus()), "Opus", "Opus"),
}
