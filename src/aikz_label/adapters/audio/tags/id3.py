"""ID3v2 in its three versions, taken apart into frames and put together again in its own version.

Frames that are not ours stay byte for byte, compressed and encrypted ones too. Unsynchronisation of a whole tag is undone,
because a marker must stand in one piece; players have not needed it for twenty years.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Self

from aikz_label.adapters import MediaProblem
from aikz_label.values import dataclass, replace

HEAD = 10
MOST = 1 << 26  # bytes of a tag; pictures of covers are the largest part of any
_MOST_FRAMES = 10_000
_NAME = re.compile(rb"[A-Z][A-Z0-9]{2,3}")
_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        name: Three letters in version 2.2, else four.
        flags: Its two bytes of flags; none in version 2.2.
        body: What follows its head, as it is stored.
    """

    name: bytes
    flags: bytes
    body: bytes

    @property
    def plain(self) -> bool:
        """Nothing stands before its content and nothing was done to it."""
        return not self.flags or not self.flags[1]


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag.

    Attributes:
        version: 2, 3 or 4.
        revision: The byte that follows the version.
        flags: Its flags, without those of forms that were undone.
        extended: The extended header, as it is stored.
        frames: Its frames.
        rest: What follows them: zeros, and what broken programs left there.
        length: Bytes it takes in its file.
    """

    version: int
    revision: int
    flags: int
    extended: bytes
    frames: tuple[Frame, ...]
    rest: bytes
    length: int

    @classmethod
    def new(cls, version: int = 4) -> Self:
        """A tag without frames, for a file that has none."""
        return cls(version, 0, 0, b"", (), b"", 0)

    @classmethod
    def read(cls, data: bytes) -> Self | None:
        """Read the tag with which some bytes begin; `None` when it is of a version that nobody knows.

        Raises:
            MediaProblem: It goes beyond the end, or does not hold what it says.
        """
        version, revision, flags = data[3:6]
        length = length_of(data)
        if version not in {2, 3, 4} or length > len(data):
            raise MediaProblem("damaged", detail_word="cut")
        end = length - HEAD if version == 4 and flags & _FOOTER else length
        body = data[HEAD:end]
        if flags & _UNSYNCHRONISED and version < 4:
            body = body.replace(b"\xff\x00", b"\xff")
        flags &= ~_UNSYNCHRONISED
        extended, at = b"", 0
        if version > 2 and flags & _EXTENDED:
            extended = _extended(body, version)
            at = len(extended)
            extended, flags = _without_check_sum(extended, version, flags)
        frames, stop = _frames(body, at, version)
        return cls(version, revision, flags, extended, frames, body[stop:], length)

    def with_frames(self, frames: tuple[Frame, ...]) -> Self:
        """The same tag with other frames."""
        return replace(self, frames=frames)

    def stored(self, more: int = 0) -> tuple[bytes, bytes]:
        """The tag as it is stored, in two parts: before and after a place for so many bytes behind its last frame."""
        frames = b"".join(_stored(frame, self.version) for frame in self.frames)
        size = len(self.extended) + len(frames) + more + len(self.rest)
        head = bytes((self.version, self.revision, self.flags)) + syncsafe(size)
        footer = b"3DI" + head if self.flags & _FOOTER and self.version == 4 else b""
        extended = self.extended
        if extended and self.version == 3:  # tells how much padding there is
            extended = extended[:6] + len(self.rest).to_bytes(4) + extended[10:]
        return b"ID3" + head + extended + frames, self.rest + footer


def length_of(data: bytes) -> int:
    """Bytes of the tag that begins here, with its head and foot; 0 when there is none."""
    if len(data) < HEAD or data[:3] != b"ID3" or max(data[3:5]) == 0xFF:
        return 0
    size = 0
    for byte in data[6:10]:
        if byte & 0x80:
            return 0
        size = size << 7 | byte
    return HEAD + size + (HEAD if data[3] == 4 and data[5] & _FOOTER else 0)


def syncsafe(number: int) -> bytes:
    """Four bytes of seven bits each.

    Raises:
        MediaProblem: A tag cannot be as long.
    """
    if number >= 1 << 28:
        raise MediaProblem("damaged", detail_word="too-long")
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _from_syncsafe(data: bytes) -> int:
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number


def _extended(body: bytes, version: int) -> bytes:
    if version == 3:
        found, least = body[: 4 + int.from_bytes(body[:4])], 10
    else:
        found, least = body[: max(_from_syncsafe(body[:4]), 6)], 6
    if len(found) < least:
        raise MediaProblem("damaged", detail_word="cut")
    return found


def _without_check_sum(extended: bytes, version: int, flags: int) -> tuple[bytes, int]:
    """A check sum of the frames would no longer fit: an extended header that has one goes."""
    has = extended[4] & 0x80 if version == 3 else extended[5] & 0x20
    return (b"", flags & ~_EXTENDED) if has else (extended, flags)


def _frames(body: bytes, at: int, version: int) -> tuple[tuple[Frame, ...], int]:
    """The frames, and where they stop."""
    found: list[Frame] = []
    head = 6 if version == 2 else 10
    width = 3 if version == 2 else 4
    plain_sizes = version == 4 and _sizes_are_plain(body, at)
    while at + head <= len(body) and body[at]:
        name = body[at : at + width]
        if not _NAME.fullmatch(name) or len(found) == _MOST_FRAMES:
            break
        told = body[at + width : at + 2 * width]
        size = _from_syncsafe(told) if version == 4 and not plain_sizes else int.from_bytes(told)
        start = at + head
        if start + size > len(body):
            break
        found.append(
            Frame(name, body[start - 2 : start] if version > 2 else b"", body[start : start + size])
        )
        at = start + size
    return tuple(found), at


def _sizes_are_plain(body: bytes, at: int) -> bool:
    """Some programs (iTunes before 2006) write plain lengths into version 2.4: those lead from frame to frame then."""
    return not _leads_on(body, at, syncsafe_sizes=True) and _leads_on(
        body, at, syncsafe_sizes=False
    )


def _leads_on(body: bytes, at: int, *, syncsafe_sizes: bool) -> bool:
    for _ in range(_MOST_FRAMES):
        if at + 10 > len(body) or not body[at]:
            return at <= len(body)
        if not _NAME.fullmatch(body[at : at + 4]):
            return False
        told = body[at + 4 : at + 8]
        at += 10 + (_from_syncsafe(told) if syncsafe_sizes else int.from_bytes(told))
    return False


def _stored(frame: Frame, version: int) -> bytes:
    return head_of(frame, version, len(frame.body)) + frame.body


def head_of(frame: Frame, version: int, size: int) -> bytes:
    """The head of a frame whose body has a size."""
    if version == 2:
        return frame.name + size.to_bytes(3)
    return frame.name + (syncsafe(size) if version == 4 else size.to_bytes(4)) + frame.flags


def named(tag: Tag, *names: bytes) -> Iterator[Frame]:
    """The frames of some names."""
    yield from (frame for frame in tag.frames if frame.name in names)
