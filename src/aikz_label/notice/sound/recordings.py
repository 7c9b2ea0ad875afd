"""The user's own recordings of the sentences, checked before anything is made from them."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from aikz_label.errors import ConfigError
from aikz_label.notice.sound import decoding, loudness, matching, prints
from aikz_label.notice.sound.earcon import HEARING_RATE
from aikz_label.notice.sound.layouts import Samples, mono
from aikz_label.notice.sound.resampling import resample
from aikz_label.notice.sound.speech import RATE
from aikz_label.values import dataclass

_LEAST_RATE = 16_000  # Hz; half of it must hold the consonants
_SENTENCE = (1.0, 12.0)  # seconds
_BRIEF = (0.5, 5.0)
_LEAST_LUFS = -45.0  # softer ones bring their noise up with them
_FULL = 0.999  # of full scale
_FLAT = 4  # samples in a row at full scale: one peak may touch the top, a flat top is clipped
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A sentence the user recorded.

    Attributes:
        samples: One channel at `speech.RATE`.
        print: What a record holds of it, so that it is known again.
    """

    samples: Samples
    print: str


def load(path: Path, *, brief: bool) -> Recording:
    """Read a recording and check that people will understand it.

    Args:
        path: Any sound file.
        brief: It is a short sentence.

    Raises:
        ConfigError: It is no sound, too short or long, too soft, clipped, or of too low a rate.
        OSError: It cannot be read.
    """
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        raise _unfit(path, "it is not there") from None
    return _load(path, changed, brief=brief)


@lru_cache(maxsize=32)
def _load(path: Path, changed: int, *, brief: bool) -> Recording:  # noqa: ARG001  # part of the key
    if path.stat().st_size > _MOST_BYTES:
        raise _unfit(path, f"it is larger than {_MOST_BYTES // 2**20} MB")
    least, most = _BRIEF if brief else _SENTENCE
    samples, rate = _samples(path, most)
    if rate < _LEAST_RATE:
        raise _unfit(path, f"its sampling rate is {rate} Hz, below {_LEAST_RATE}")
    seconds = len(samples) / rate
    if not least <= seconds <= most:
        raise _unfit(path, f"it lasts {seconds:.1f} s, not {least:g} to {most:g}")
    if _clipped(samples):
        raise _unfit(path, "it is clipped")
    level = loudness.measure(samples[None, :], rate, "mono")
    if level < _LEAST_LUFS:
        raise _unfit(path, f"its loudness is {level:.0f} LUFS, below {_LEAST_LUFS:.0f}")
    heard = matching.in_band(resample(samples, rate, HEARING_RATE))
    return Recording(resample(samples, rate, RATE), prints.make(heard))


def _samples(path: Path, most: float) -> tuple[Samples, int]:
    """The sound on one channel, a little more than is allowed at most."""
    parts, length = [], 0
    try:
        with decoding.decode(io.BytesIO(path.read_bytes())) as sound:
            for block in sound.blocks():
                parts.append(mono(block, sound.layout))
                length += block.shape[1]
                if length > (most + 1) * sound.rate:
                    break
            return np.concatenate(parts), sound.rate
    except (av.error.FFmpegError, IndexError, ValueError) as error:
        raise _unfit(path, "it is not a sound that can be decoded") from error


def _clipped(samples: Samples) -> bool:
    flat = np.abs(samples) >= _FULL
    runs = np.convolve(flat, np.ones(_FLAT), mode="valid")
    return bool((runs >= _FLAT).any())


def _unfit(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"The recording {path} cannot be used: {why}.",
        hint="Record it again, or take it out of [voice] in the configuration.",
    )
