"""Parameter sets of H.264: those of new frames beside those of the frames that are copied."""

from __future__ import annotations

from collections.abc import Iterable

from aikz_label.adapters.video.coding import Setup
from aikz_label.values import dataclass

_HIGHEST_SET = 31
_NUMBER_AT = {7: 4, 8: 1}  # by the type of a parameter set, the byte in which its number begins


@dataclass(frozen=True, slots=True)
class Sets:
    """Parameter sets of H.264 as containers store them (`avcC`).

    Attributes:
        head: Version, profile, level and length size.
        sequence: Sequence parameter sets.
        picture: Picture parameter sets.
        rest: What follows.
    """

    head: bytes
    sequence: tuple[bytes, ...]
    picture: tuple[bytes, ...]
    rest: bytes

    @classmethod
    def parse(cls, data: bytes) -> Sets:
        """Take `avcC` apart.

        Raises:
            ValueError: It is cut.
        """
        if len(data) < 7:
            raise ValueError("cut")
        at = 6
        lists: list[tuple[bytes, ...]] = []
        for count in (data[5] & 31, None):
            if at >= len(data):
                raise ValueError("cut")
            number = count if count is not None else data[at]
            at += count is None
            found = []
            for _ in range(number):
                size = int.from_bytes(data[at : at + 2], "big")
                found.append(data[at + 2 : at + 2 + size])
                at += 2 + size
            lists.append(tuple(found))
        return cls(data[:5], lists[0], lists[1], data[at:])

    def pack(self) -> bytes:
        """`avcC`."""
        return b"".join(
            [
                self.head,
                bytes([0xE0 | len(self.sequence)]),
                *(len(one).to_bytes(2, "big") + one for one in self.sequence),
                bytes([len(self.picture)]),
                *(len(one).to_bytes(2, "big") + one for one in self.picture),
                self.rest,
            ]
        )

    def free_number(self, others: Iterable[bytes] = ()) -> int:
        """A number that no parameter set has; 0 when there is none.

        Args:
            others: Units elsewhere, whose numbers are taken too.
        """
        taken = {_golomb(one[4:]) for one in self.sequence}
        taken |= {_golomb(one[1:]) for one in self.picture}
        taken |= {
            _golomb(one[_NUMBER_AT[one[0] & 31] :]) for one in others if one[0] & 31 in _NUMBER_AT
        }
        return next((n for n in range(1, _HIGHEST_SET + 1) if n not in taken), 0)


def together(old: bytes, new: Setup) -> Setup:
    """The parameter sets of the source, and those of the new frames beside them."""
    one, two = Sets.parse(old), Sets.parse(new.box[8:])
    both = Sets(
        one.head,
        tuple(dict.fromkeys((*one.sequence, *two.sequence))),
        tuple(dict.fromkeys((*one.picture, *two.picture))),
        one.rest,
    )
    data = both.pack()
    box = (len(data) + 8).to_bytes(4, "big") + b"avcC" + data
    return Setup(box, data)


def _golomb(data: bytes) -> int:
    """The first number of a bit stream, Exp-Golomb coded."""
    bits = "".join(f"{byte:08b}" for byte in data[:8])
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
