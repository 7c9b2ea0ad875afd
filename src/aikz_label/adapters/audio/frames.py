"""Where the frames of a stream are: two bytes for each, so that a day of sound fits anywhere."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from aikz_label.later import Later
from aikz_label.values import dataclass, field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = Later("numpy")

Sizes: TypeAlias = "NDArray[np.uint16]"
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames that stand one behind the other.

    Attributes:
        start: Where the first one starts.
        stop: Where the last one ends; farther off than they are long where something stands between them.
        sizes: How long each is.
    """

    start: int
    stop: int
    sizes: Sizes

    def __len__(self) -> int:
        return len(self.sizes)

    def place(self, number: int) -> int:
        """Where a frame starts; behind the last one for a number beyond it."""
        return self.start + total(self.sizes[:number]) if number < len(self) else self.stop


def total(sizes: Sizes) -> int:
    """How many bytes some frames have together."""
    return int(sizes.sum(dtype=np.int64))


def sizes_of(lengths: Iterable[int]) -> Sizes:
    """The lengths of frames, kept small while they come in."""
    kept = array("H", lengths)
    return np.frombuffer(kept, np.uint16) if kept else np.zeros(0, np.uint16)


@dataclass(slots=True)
class Once(Generic[_Value]):
    """What costs a walk through the whole file, and is worked out when it is first asked for."""

    make: Callable[[], _Value]
    _made: list[_Value] = field(default_factory=list)

    def __call__(self) -> _Value:
        """The value."""
        if not self._made:
            self._made.append(self.make())
        return self._made[0]
