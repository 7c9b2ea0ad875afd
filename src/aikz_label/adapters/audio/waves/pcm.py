"""Samples that are stored as they are: integers and floats of every size, and the logarithmic bytes of telephones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aikz_label.later import Later
from aikz_label.values import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aikz_label.adapters.audio.decoding import Samples
else:
    np = Later("numpy")

SIGNED, UNSIGNED, FLOAT, A_LAW, MU_LAW = "signed", "unsigned", "float", "a-law", "mu-law"


@dataclass(frozen=True, slots=True)
class Coding:
    """How a sample is stored.

    Attributes:
        kind: One of the five above.
        width: Bytes it takes.
        bits: Bits of it that hold something; the lowest ones of an integer may be empty.
        big: The highest byte comes first.
    """

    kind: str
    width: int
    bits: int
    big: bool = False

    def encode(self, samples: Samples) -> bytes:
        """Samples of all channels as they are stored, moment by moment."""
        moments = np.clip(samples.T.astype(np.float64), -1.0, 1.0)
        order = ">" if self.big else "<"
        if self.kind == FLOAT:
            return moments.astype(f"{order}f{self.width}").tobytes()
        if self.kind in {A_LAW, MU_LAW}:
            law = _a_law if self.kind == A_LAW else _mu_law
            return law(moments).tobytes()
        whole = np.rint(moments * (2.0 ** (self.bits - 1) - 1)).astype(np.int64)
        stored = whole << (8 * self.width - self.bits)
        if self.kind == UNSIGNED:
            stored += 1 << (8 * self.width - 1)
        lowest_first = stored.astype("<i8").reshape(-1, 1).view(np.uint8)[:, : self.width]
        if self.big:
            lowest_first = lowest_first[:, ::-1]
        return np.ascontiguousarray(lowest_first).tobytes()


def _mu_law(moments: NDArray[np.float64]) -> NDArray[np.uint8]:
    """G.711: sign, exponent and four bits of a 14-bit sample, all turned round."""
    size = np.minimum(np.abs(np.rint(moments * 32767).astype(np.int32)) + 132, 32767)
    exponent = np.maximum(np.frexp(size.astype(np.float64))[1] - 8, 0)
    fraction = size >> (exponent + 3) & 15
    sign = np.where(moments < 0, 128, 0)
    return np.asarray(~(sign | exponent << 4 | fraction) & 255, np.uint8)


def _a_law(moments: NDArray[np.float64]) -> NDArray[np.uint8]:
    """G.711: as the other law, with a step less at the bottom and every second bit turned round."""
    size = np.minimum(np.abs(np.rint(moments * 32767).astype(np.int32)), 32767)
    exponent = np.maximum(np.frexp(size.astype(np.float64))[1] - 8, 0)
    fraction = size >> np.where(exponent == 0, 4, exponent + 3) & 15
    sign = np.where(moments < 0, 0, 128)
    return np.asarray((sign | exponent << 4 | fraction) ^ 0x55, np.uint8)
