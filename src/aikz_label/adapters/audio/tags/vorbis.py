"""Vorbis comments, as FLAC and Ogg have them: a vendor, and texts with a name; those that are not ours stay as they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.container import Text
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import lyrics
from aikz_label.label import Label
from aikz_label.limits import MIB
from aikz_label.metadata import mirror
from aikz_label.values import dataclass, replace

_MOST = 100_000  # texts
_LYRICS = {b"LYRICS", b"SYNCEDLYRICS", b"UNSYNCEDLYRICS"}
_CHAPTER = re.compile(rb"CHAPTER\d{3}")
_CLOCK = re.compile(rb"(?<!\d)(\d{1,5}):(\d\d):(\d\d)(?:\.(\d{1,3}))?")
_INDEX = re.compile(rb"^([ \t]*INDEX \d\d )(\d{1,4}):(\d\d):(\d\d)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of a file.

    Attributes:
        vendor: Which program made the file.
        texts: Each `NAME=text`, as it is stored.
        rest: What follows them: a bit that says that they end, pictures of some programs.
    """

    vendor: bytes = b"aikz-label"
    texts: tuple[bytes, ...] = ()
    rest: bytes = b""

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Take them apart.

        Raises:
            MediaProblem: A text goes beyond the end.
        """
        vendor, at = _field(data, 0)
        count = int.from_bytes(data[at : at + 4], "little")
        at += 4
        if count > _MOST:
            raise MediaProblem("over-limit", what_word="parts", found=count, limit=_MOST)
        texts = []
        for _ in range(count):
            text, at = _field(data, at)
            texts.append(text)
        return cls(vendor, tuple(texts), data[at:])

    def stored(self) -> bytes:
        """As they are stored."""
        listed = (self.vendor, *self.texts)
        first, *others = [len(one).to_bytes(4, "little") + one for one in listed]
        return b"".join((first, len(others).to_bytes(4, "little"), *others, self.rest))

    def read_texts(self) -> Iterator[Text]:
        """The texts, for reading."""
        for stored in self.texts:
            name, equals, value = stored[: 2 * MIB].partition(b"=")
            if equals:
                keyword = name.decode("ascii", "replace")
                yield Text("vorbis", keyword, value.decode("utf-8", "replace"))

    def with_mirror(self, label: Label) -> Self:
        """With our statements in place of earlier ones of the same name."""
        ours = {name.lower().encode() for name in mirror.PROPERTIES}
        kept = tuple(text for text in self.texts if text.partition(b"=")[0].lower() not in ours)
        added = tuple(f"{name}={value}".encode() for name, value in mirror.statements(label))
        return replace(self, texts=kept + added)

    def moved(self, shift: Shift) -> Self:
        """With chapters, lines of lyrics and cue sheets moved."""
        if not shift.total:
            return self
        return replace(self, texts=tuple(_moved(text, shift) for text in self.texts))


def _field(data: bytes, at: int) -> tuple[bytes, int]:
    stop = at + 4 + int.from_bytes(data[at : at + 4], "little")
    if at + 4 > len(data) or stop > len(data):
        raise MediaProblem("damaged", detail_word="cut")
    return data[at + 4 : stop], stop


def _moved(stored: bytes, shift: Shift) -> bytes:
    name, equals, value = stored.partition(b"=")
    upper = name.upper()
    if _CHAPTER.fullmatch(upper):
        value = _CLOCK.sub(_clock_mover(shift), value, count=1)
    elif upper in _LYRICS:
        value = lyrics.moved(value, shift)
    elif upper == b"CUESHEET":
        value = _INDEX.sub(_index_mover(shift), value)
    return name + equals + value


def _clock_mover(shift: Shift) -> Callable[[re.Match[bytes]], bytes]:
    """Moves a time of hours, minutes, seconds and a fraction of them."""

    def move(found: re.Match[bytes]) -> bytes:
        hours, minutes, seconds, fraction = found.groups()
        at = (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1000
        at += int((fraction or b"").ljust(3, b"0"))
        whole, thousandths = divmod(shift.units(at, 1000), 1000)
        return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{thousandths:03}".encode()

    return move


def _index_mover(shift: Shift) -> Callable[[re.Match[bytes]], bytes]:
    """Moves a place of a cue sheet, which counts 75 frames a second."""

    def move(found: re.Match[bytes]) -> bytes:
        head, *numbers = found.groups()
        minutes, seconds, frames = map(int, numbers)
        at = shift.units((minutes * 60 + seconds) * 75 + frames, 75)
        return head + f"{at // 4500:02}:{at // 75 % 60:02}:{at % 75:02}".encode()

    return move
