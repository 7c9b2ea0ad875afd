"""Changing the sampling rate of a short sound, and how high it swings between its samples."""

from __future__ import annotations

from math import gcd

import numpy as np

from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.transform import fast_length


def resample(samples: Samples, rate: int, to: int) -> Samples:
    """The same sound at another rate: all that fits below both halves of the rates, nothing else.

    In the frequency domain, so that any two rates go together. For sounds of some seconds with silence at both ends.

    Args:
        samples: One channel, `(n,)`.
        rate: Its rate, Hz.
        to: The rate wanted, Hz.
    """
    if rate == to or not len(samples):
        return samples
    step, other = rate // gcd(rate, to), to // gcd(rate, to)
    times = fast_length(-(-len(samples) // step))
    padded, length = times * step, times * other
    spectrum = np.fft.rfft(samples, padded)
    kept = np.zeros(length // 2 + 1, spectrum.dtype)
    common = min(len(kept), len(spectrum))
    kept[:common] = spectrum[:common]
    wanted = -(-len(samples) * to // rate)
    return np.asarray(np.fft.irfft(kept, length)[:wanted] * (length / padded), np.float32)


def oversampled(samples: Samples, rate: int) -> tuple[Samples, int]:
    """The sound four times finer, or at 176 kHz and more as it is: there its peaks are true (BS.1770-5, annex 2).

    Returns:
        The finer sound, and how many times finer it is.
    """
    times = 4 if rate < 88_200 else 2 if rate < 176_400 else 1
    return resample(samples, rate, rate * times), times


def true_peak(samples: Samples, rate: int) -> float:
    """Highest swing in dBTP; `-inf` for silence."""
    fine, _ = oversampled(samples, rate)
    peak = float(np.abs(fine).max(initial=0.0))
    return float(20 * np.log10(peak)) if peak else -np.inf
