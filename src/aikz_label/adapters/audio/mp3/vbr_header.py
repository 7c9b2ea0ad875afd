"""The first frame of many MP3 files: no sound, but how many frames follow, where they are, and what to cut off.

Xing's header, which is called `Info` in files of constant rate; LAME's extension of it; and Fraunhofer's VBRI.
"""

from __future__ import annotations

from aikz_label.adapters.audio import crc
from aikz_label.adapters.audio.frames import Sizes, total
from aikz_label.adapters.audio.mp3.mpeg import Head
from aikz_label.values import dataclass

_FRAMES, _BYTES, _TOC, _QUALITY = 1, 2, 4, 8
_ENCODERS = (b"LAME", b"Lavf", b"Lavc")  # whose delays FFmpeg believes
_DECODER_DELAY = 529
_LAME = 36  # bytes of the extension
_VBRI_AT = 36


@dataclass(frozen=True, slots=True)
class VbrHeader:
    """A header frame.

    Attributes:
        frame: The frame, whole.
        at: Where in it the header starts.
        kind: `Xing`, `Info` or `VBRI`.
    """

    frame: bytes
    at: int
    kind: bytes

    @property
    def skipped(self) -> int:
        """How many samples a decoder takes off at the start."""
        lame = self._lame
        if lame is None or self.frame[lame : lame + 4] not in _ENCODERS:
            return 0
        return (int.from_bytes(self.frame[lame + 21 : lame + 24]) >> 12) + _DECODER_DELAY

    @property
    def constant(self) -> bool:
        """It says that all frames have one rate."""
        return self.kind == b"Info"

    def fills_last(self, sizes: Sizes, behind: int) -> bool:
        """Whether decoders take the filling off the last frame: not of a file that was cut off, or that goes on.

        Args:
            sizes: Of each frame that follows, its bytes.
            behind: Bytes of the file from this frame on. Past a sixteenth more than the header counts, FFmpeg does not
                believe it.
        """
        frames, whole = self._counted
        believed = not whole or behind <= whole + (min(behind, whole) >> 4)
        return believed and frames in {0, len(sizes)}

    def rebuilt(
        self, sizes: Sizes, music: tuple[int, int], *, constant: bool, filled: bool
    ) -> bytes:
        """The frame for other frames behind it.

        Args:
            sizes: Of each frame that follows, its bytes.
            music: Check sum and length of the music as LAME counts them, whether it was right before or not.
            constant: All of them have the rate of the old ones.
            filled: What fills up the last frame is to be taken off, as before.
        """
        if self.kind == b"VBRI":
            return self._rebuilt_vbri(sizes)
        stored = bytearray(self.frame)
        if self.constant and not constant:
            stored[self.at : self.at + 4] = b"Xing"
        at = self.at + 8
        flags = int.from_bytes(stored[self.at + 4 : at])
        whole = len(self.frame) + total(sizes)
        if flags & _FRAMES:
            stored[at : at + 4] = len(sizes).to_bytes(4)
            at += 4
        if flags & _BYTES:
            stored[at : at + 4] = min(whole, 0xFFFFFFFF).to_bytes(4)
            at += 4
        if flags & _TOC and at + 100 <= len(stored):
            stored[at : at + 100] = _contents(sizes, len(self.frame), whole)
        lame = self._lame
        if lame is not None:
            if not filled:
                stored[lame + 22 : lame + 24] = bytes((stored[lame + 22] & 0xF0, 0))
            _rebuild_lame(stored, lame, whole, music[0])
        return bytes(stored)

    @property
    def music(self) -> int | None:
        """LAME's check sum of the music; `None` without one."""
        lame = self._lame
        return None if lame is None else int.from_bytes(self.frame[lame + 32 : lame + 34])

    @property
    def _counted(self) -> tuple[int, int]:
        """How many frames and bytes Xing's header counts; zero where it does not."""
        at = self.at + 8
        flags = int.from_bytes(self.frame[at - 4 : at]) if self.kind != b"VBRI" else 0
        found = []
        for flag in (_FRAMES, _BYTES):
            found.append(int.from_bytes(self.frame[at : at + 4]) if flags & flag else 0)
            at += 4 if flags & flag else 0
        return found[0], found[1]

    @property
    def _lame(self) -> int | None:
        """Where LAME's extension starts, if its own check sum says that there is one."""
        if self.kind == b"VBRI":
            return None
        flags = int.from_bytes(self.frame[self.at + 4 : self.at + 8])
        lengths = ((_FRAMES, 4), (_BYTES, 4), (_TOC, 100), (_QUALITY, 4))
        at = self.at + 8 + sum(length for flag, length in lengths if flags & flag)
        if at + _LAME > len(self.frame) or not any(self.frame[at : at + 4]):
            return None
        return at

    def _rebuilt_vbri(self, sizes: Sizes) -> bytes:
        """As many entries as before, each for more frames."""
        stored = bytearray(self.frame)
        at = self.at
        count, scale, width, _ = (
            int.from_bytes(stored[i : i + 2]) for i in range(at + 18, at + 26, 2)
        )
        whole = len(self.frame) + total(sizes)
        stored[at + 10 : at + 14] = min(whole, 0xFFFFFFFF).to_bytes(4)
        stored[at + 14 : at + 18] = len(sizes).to_bytes(4)
        if not count or not 1 <= width <= 4 or at + 26 + count * width > len(stored):
            return bytes(stored)
        each = -(-len(sizes) // count)
        parts = [total(sizes[i * each : (i + 1) * each]) for i in range(count)]
        most = (1 << 8 * width) - 1
        scale = max(scale, 1, -(-max(parts) // most))
        stored[at + 20 : at + 22] = scale.to_bytes(2)
        stored[at + 24 : at + 26] = each.to_bytes(2)
        entries = b"".join(min(round(p / scale), most).to_bytes(width) for p in parts)
        stored[at + 26 : at + 26 + len(entries)] = entries
        return bytes(stored)


def find(frame: bytes, head: Head) -> VbrHeader | None:
    """The header in a first frame, if that is one."""
    at = 4 + head.side  # also where a check sum should come first: nobody counts it in
    for place in (at, at + 2):
        if frame[place : place + 4] in {b"Xing", b"Info"}:
            return VbrHeader(frame, place, frame[place : place + 4])
    if frame[_VBRI_AT : _VBRI_AT + 4] == b"VBRI":
        return VbrHeader(frame, _VBRI_AT, b"VBRI")
    return None


def _contents(sizes: Sizes, first: int, whole: int) -> bytes:
    """A hundred places, one for each percent of the time, in parts of 256."""
    places = (first + total(sizes[: percent * len(sizes) // 100]) for percent in range(100))
    return bytes(min(255, place * 256 // whole) for place in places)


def _rebuild_lame(stored: bytearray, at: int, whole: int, music: int) -> None:
    """Length and check sum of the music, and the check sum of the header itself."""
    stored[at + 28 : at + 32] = min(whole, 0xFFFFFFFF).to_bytes(4)
    stored[at + 32 : at + 34] = music.to_bytes(2)
    stored[at + 34 : at + 36] = crc.MP3.of(bytes(stored[: at + 34])).to_bytes(2)
