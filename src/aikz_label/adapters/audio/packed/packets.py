"""What every coding of packets offers to the containers that hold them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, TypeAlias

from aikz_label.adapters.audio.container import Coded
from aikz_label.adapters.audio.pieces import Piece, Span

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples

# The packets of a file from one number up to another, as many of them as there are.
Reading: TypeAlias = "Callable[[int, int], list[bytes]]"


class Packets(ABC):
    """A coding.

    Attributes:
        exact: See `SoundFile.exact`.
        noisy: Its decoder makes up noise, so the same packets can be decoded to other samples.
        numbered: Each packet tells its number, so those behind a notice change.
        least: How many packets must stand before a notice that is repeated.
        ends: A notice can also stand behind what fills up the last packets.
    """

    exact: ClassVar[bool] = True
    noisy: ClassVar[bool] = False
    numbered: ClassVar[bool] = False
    least: ClassVar[int] = 0
    ends: ClassVar[bool] = False

    @property
    @abstractmethod
    def rate(self) -> int:
        """Samples per second."""

    def check(self) -> None:  # noqa: B027  # some take all that their container tells of
        """Refuse what no packets can go before.

        Raises:
            Refused: Such sound would lose something.
            OnlyOver: A notice can be spoken over it.
        """

    @abstractmethod
    def length(self, head: bytes, size: int) -> int:
        """How many samples a packet holds, by its first bytes and its size; 0 when it is none."""

    @abstractmethod
    def encode(self, samples: Samples, bits: int, early: int, first: bytes) -> Coded:
        """A notice, as packets or as what `stored` makes them of.

        Args:
            samples: The notice.
            bits: Bits per second of the file.
            early: How many samples a player takes off at the start.
            first: The first packet of the file.
        """

    def nearest(self, read: Reading, numbers: Sequence[int]) -> int | None:  # noqa: ARG002
        """Of some packets, the nearest ones first, the one before which a notice goes best."""
        return next(iter(numbers), None)

    def joined(self, coded: Coded, read: Reading, number: int, behind: int) -> Coded:  # noqa: ARG002
        """A notice with whatever makes the programme go on behind it as before.

        Args:
            coded: The notice.
            read: Gives packets of the file.
            number: Before which packet it goes.
            behind: Which one follows it.

        Raises:
            Refused: Nothing does.
        """
        return coded

    def stored(self, data: Any, more: int, like: bytes) -> tuple[bytes, ...]:  # noqa: ARG002
        """The packets of a notice.

        Args:
            data: What `encode` made.
            more: By how much the number of the packet that was there becomes higher.
            like: That packet, of whose kind they are.
        """
        return tuple(data)

    def numbers_samples(self, like: bytes) -> bool:  # noqa: ARG002
        """Whether packets of a kind tell the number of their first sample, and not their own."""
        return False

    def renumbered(self, source: BinaryIO, start: int, stop: int, more: int) -> tuple[Piece, ...]:  # noqa: ARG002
        """A packet of a file that tells a higher number, where packets tell one."""
        return (Span(start, stop),)
