"""APNG: the frames of an animated PNG, and a strip below them (PNG, third edition, 11.3.6).

A picture grows without being decoded: rows are appended to those that are there, at their depth and, in an interlaced file,
to each of its passes. So every pixel above stays what it was, and what is below counts as black and white what the file
does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import Chunk
from aikz_label.adapters.image.frames import SHORTEST, Disposal, Frame
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from aikz_label.adapters.image.canvas import Box

_CONTROL, _STILL, _LATER = b"fcTL", b"IDAT", b"fdAT"
_MOST = 0xFFFF  # of numerator and denominator


@dataclass(frozen=True, slots=True)
class Control:
    """A frame control chunk, without its number.

    Attributes:
        box: Left, top, width, height on the canvas.
        time: Numerator and denominator, in seconds.
        disposal: 0 keeps the frame, 1 clears its place, 2 restores what was there.
        blend: 0 replaces what is there, 1 is drawn over it.
    """

    box: Box
    time: tuple[int, int]
    disposal: int
    blend: int

    @classmethod
    def read(cls, data: bytes) -> Self:
        """From the 26 bytes of a chunk.

        Raises:
            MediaProblem: They are not so many, or say what cannot be.
        """
        if len(data) != 26 or data[24] > 2 or data[25] > 1:
            raise MediaProblem("damaged", detail_word="frames")
        width, height, left, top = (int.from_bytes(data[i : i + 4]) for i in (4, 8, 12, 16))
        time = int.from_bytes(data[20:22]), int.from_bytes(data[22:24])
        return cls((left, top, width, height), time, data[24], data[25])

    @property
    def seconds(self) -> Fraction:
        """How long the frame is shown."""
        numerator, denominator = self.time
        return Fraction(numerator, denominator or 100)

    def packed(self) -> bytes:
        """The data of a chunk, with no number yet."""
        left, top, width, height = self.box
        place = b"".join(value.to_bytes(4) for value in (0, width, height, left, top))
        time = b"".join(value.to_bytes(2) for value in self.time)
        return place + time + bytes((self.disposal, self.blend))


class Shot(NamedTuple):
    """A frame in a list of chunks: its control and the chunks with its pixels."""

    control: Control
    at: int
    pixels: tuple[int, ...]

    def frame(self, chunks: tuple[Chunk, ...]) -> Frame:
        """As every format describes it."""
        parts = (chunks[at] for at in self.pixels)
        coded = tuple(
            Chunk(b"", c.whole, c.start + 4 if c.name == _LATER else c.start, c.stop) for c in parts
        )
        how = Disposal(self.control.disposal)
        return Frame(self.control.box, self.control.seconds, how, bool(self.control.blend), coded)

    def data(self, chunks: tuple[Chunk, ...]) -> bytes:
        """All its image data."""
        return b"".join(_pixels(chunks[at]) for at in self.pixels)


def moves(chunks: tuple[Chunk, ...]) -> bool:
    """Whether the file calls itself an animation, where that counts: before its image data."""
    for chunk in chunks:
        if chunk.name in {b"acTL", _STILL}:
            return chunk.name == b"acTL"
    return False


def shots(chunks: tuple[Chunk, ...]) -> tuple[Shot, ...]:
    """Every frame of the animation.

    Raises:
        MediaProblem: Their numbers or their count do not hold; browsers then show no animation.
    """
    found: list[tuple[Control, int, list[int]]] = []
    number = 0
    for at, chunk in enumerate(chunks):
        if chunk.name in {_CONTROL, _LATER}:
            if int.from_bytes(chunk.whole[chunk.start : chunk.start + 4]) != number or (
                chunk.name == _LATER and not found
            ):
                raise MediaProblem("damaged", detail_word="frames")
            number += 1
        if chunk.name == _CONTROL:
            found.append((Control.read(chunk.data), at, []))
        elif chunk.name in {_STILL, _LATER} and found:
            found[-1][2].append(at)
    declared = next(chunk.data for chunk in chunks if chunk.name == b"acTL")
    if int.from_bytes(declared[:4]) != len(found) or not all(pixels for _, _, pixels in found):
        raise MediaProblem("damaged", detail_word="frames")
    return tuple(Shot(control, at, tuple(pixels)) for control, at, pixels in found)


@dataclass(frozen=True, slots=True)
class Band:
    """What the strip changes.

    Attributes:
        header: The data of `IHDR`.
        size: Of the canvas with the strip.
        still: New image data of a picture that only viewers see which know no animations; empty without one.
        first: New image data of the first frame.
        lead: They are for a copy that goes before the first frame.
    """

    header: bytes
    size: tuple[int, int]
    still: bytes
    first: bytes
    lead: bool


def with_band(chunks: tuple[Chunk, ...], found: tuple[Shot, ...], band: Band) -> Iterator[Chunk]:
    """All chunks with a strip in the first frame, or in a copy before it; frames are numbered anew."""
    return _numbered(chunks, _changes(chunks, found, band))


def excerpt(
    chunks: tuple[Chunk, ...], found: tuple[Shot, ...], numbers: Collection[int]
) -> Iterator[Chunk]:
    """All chunks but those of frames that are left out; the others are numbered anew."""
    left_out = [shot for number, shot in enumerate(found) if number not in numbers]
    changes = dict.fromkeys((at for shot in left_out for at in (shot.at, *shot.pixels)), ())
    return _numbered(chunks, changes | _counted(chunks, len(found) - len(left_out)))


def _numbered(
    chunks: tuple[Chunk, ...], changes: Mapping[int, tuple[Chunk, ...]]
) -> Iterator[Chunk]:
    """Chunks with others in the place of some, and the numbers that frames must have."""
    number = 0
    for at, old in enumerate(chunks):
        for chunk in changes.get(at, (old,)):
            if chunk.name in {_CONTROL, _LATER}:
                yield Chunk.of(chunk.name, number.to_bytes(4) + chunk.data[4:])
                number += 1
            else:
                yield chunk


def _counted(chunks: tuple[Chunk, ...], frames: int) -> dict[int, tuple[Chunk, ...]]:
    """The chunk that says how many frames there are."""
    at = next(at for at, chunk in enumerate(chunks) if chunk.name == b"acTL")
    return {at: (Chunk.of(b"acTL", frames.to_bytes(4) + chunks[at].data[4:]),)}


def _changes(
    chunks: tuple[Chunk, ...], found: tuple[Shot, ...], band: Band
) -> dict[int, tuple[Chunk, ...]]:
    """What comes in place of single chunks, by their position, with any numbers."""
    first, stills = found[0], [at for at, chunk in enumerate(chunks) if chunk.name == _STILL]
    changes: dict[int, tuple[Chunk, ...]] = dict.fromkeys(stills if band.still else (), ())
    if band.still:
        changes[stills[0]] = (Chunk.of(_STILL, band.still),)
    start = first.pixels[0]
    own = chunks[start].name == _STILL
    pixels = Chunk.of(_STILL, band.first) if own else Chunk.of(_LATER, bytes(4) + band.first)
    whole = first.control
    if band.lead:
        whole, after = lead_and_rest(whole)
        kept = {at: Chunk.of(_LATER, bytes(4) + _pixels(chunks[at])) for at in first.pixels}
        changes |= {at: (chunk,) for at, chunk in kept.items()}
        changes[start] = (pixels, Chunk.of(_CONTROL, after.packed()), kept[start])
    else:
        changes |= dict.fromkeys(first.pixels, ())
        changes[start] = (pixels,)
    whole = replace(whole, box=(0, 0, *band.size))
    changes[first.at] = (Chunk.of(_CONTROL, whole.packed()),)
    changes[0] = (Chunk.of(b"IHDR", band.header),)
    return changes | _counted(chunks, len(found) + band.lead)


def lead_and_rest(control: Control) -> tuple[Control, Control]:
    """The controls of a copy that goes before the first frame, and of that frame after it: each has half of its time.

    The frame replaces the copy, as it replaced the empty canvas. "Restore what was there" would bring the copy back.
    """
    before = replace(control, blend=0, disposal=0)
    after = replace(control, blend=0, disposal=min(control.disposal, 1))
    numerator, denominator = control.time[0], control.time[1] or 100
    shortest = Fraction(SHORTEST, 1000)
    if control.seconds < 2 * shortest:
        least = (SHORTEST, 1000)
        rest = least if control.seconds > shortest else control.time
        return replace(before, time=least), replace(after, time=rest)
    if 2 * denominator <= _MOST:
        half = numerator, 2 * denominator
        return replace(before, time=half), replace(after, time=half)
    part = numerator // 2
    rest = numerator - part, denominator
    return replace(before, time=(part, denominator)), replace(after, time=rest)


def _pixels(chunk: Chunk) -> bytes:
    return chunk.data[4:] if chunk.name == _LATER else chunk.data
