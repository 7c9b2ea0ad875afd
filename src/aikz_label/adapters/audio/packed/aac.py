"""AAC-LC in packets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.aac import coding as aac
from aikz_label.adapters.audio.container import Coded
from aikz_label.adapters.audio.packed.packets import Packets, Reading
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples


@dataclass(frozen=True, slots=True)
class Aac(Packets):
    """AAC.

    Attributes:
        title: Name of the container, for people.
        config: Its configuration; `None` when it has none.
    """

    title: str
    config: aac.Config | None
    noisy: ClassVar[bool] = True
    least: ClassVar[int] = 8
    step: ClassVar[int] = aac.FRAME
    ends: ClassVar[bool] = True

    @property
    def rate(self) -> int:
        """See `Packets.rate`."""
        return self.config.rate if self.config else 0

    def check(self) -> None:
        """See `Packets.check`."""
        if self.config is None:
            raise MediaProblem("damaged", detail_word="no-sound")
        self.config.check(self.title)

    def length(self, head: bytes, size: int) -> int:  # noqa: ARG002
        """See `Packets.length`: always the same."""
        return aac.FRAME

    def encode(self, samples: Samples, bits: int, early: int, first: bytes) -> Coded:  # noqa: ARG002
        """See `Packets.encode`."""
        assert self.config is not None
        return aac.coded(self.title, self.config, samples, bits, early)

    def joined(self, coded: Coded, read: Reading, number: int, behind: int) -> Coded:
        """See `Packets.joined`: the packet before comes again, because the next one is laid over its end."""
        if not number or not read(behind, behind + 1):
            return coded
        again = read(number - 1, number)
        return replace(coded, data=(*coded.data, *again), length=coded.length + aac.FRAME)
