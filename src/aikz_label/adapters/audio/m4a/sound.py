"""The sound of an M4A file: AAC-LC, ALAC, Opus or MP3, as its description says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.aac import coding as aac
from aikz_label.adapters.audio.container import OnlyOver, refuse_variant
from aikz_label.adapters.audio.m4a.boxes import Box
from aikz_label.adapters.audio.mp3 import mpeg
from aikz_label.adapters.audio.packed.aac import Aac
from aikz_label.adapters.audio.packed.alac import Alac
from aikz_label.adapters.audio.packed.mp3 import Mp3
from aikz_label.adapters.audio.packed.opus import Opus

Coding: TypeAlias = Aac | Alac | Opus | Mp3
_TITLE = "M4A"
_DECODER_CONFIG = 5  # tag of the descriptor that holds it
_AAC = {
    0,
    0x40,
    0x66,
    0x67,
    0x68,
}  # object types of MPEG-4 and MPEG-2 AAC (mp4ra.org); or none is told
_MP3 = {0x69, 0x6B}  # and of MP3 at low and at usual rates
_COOKIE = 28  # bytes of ALAC's configuration, behind a version


def read(entry: Box, first: Callable[[], bytes]) -> Coding:
    """The coding that a description of samples tells of.

    Args:
        entry: The description.
        first: Gives the first packet.

    Raises:
        Refused: It is encrypted.
        OnlyOver: No packets can go before those of such a coding.
        MediaProblem: The description is not whole.
    """
    if entry.name in {b"enca", b"drms"}:
        raise refuse_variant(_TITLE, "its sound is encrypted", "Mark it before it is encrypted.")
    if entry.name == b"Opus":
        return Opus(_TITLE, _opus_head(_find(entry.content, b"dOps") or b""))
    kind = {b"mp4a": b"esds", b"alac": b"alac"}.get(entry.name)
    if kind is None:
        name = entry.name.decode("latin-1")
        raise OnlyOver(_TITLE, f"its sound is of the kind {name!r}, not AAC, ALAC, Opus or MP3")
    inner = _find(entry.content, kind)
    if inner is None:
        raise MediaProblem("damaged", detail_word="no-sound")
    if kind == b"alac":
        return Alac.read(_TITLE, inner[4:])
    coding, stored = _descriptor(inner[4:])
    if coding in _MP3:
        return Mp3(_TITLE, mpeg.head(first()[:4]))
    if coding not in _AAC:
        raise OnlyOver(_TITLE, f"its sound is of the object type {coding:#04x}, not AAC or MP3")
    return Aac(_TITLE, aac.Config.read(stored))


def _opus_head(stored: bytes) -> bytes:
    """What Opus is set up with as in Ogg, where the lowest byte of a number comes first."""
    if len(stored) < 11:
        raise MediaProblem("damaged", detail_word="no-sound")
    skipped, rate, gain = stored[2:4][::-1], stored[4:8][::-1], stored[8:10][::-1]
    return b"OpusHead\1" + stored[1:2] + skipped + rate + gain + stored[10:]


def _find(content: bytes, name: bytes) -> bytes | None:
    """A box in a description, behind fields whose number depends on its version, and maybe within `wave`."""
    least = (
        _COOKIE if name == b"alac" else 0
    )  # within `wave`, boxes that only name the kind come first
    at = content.find(name, 20)
    while at >= 4:
        stop = at - 4 + int.from_bytes(content[at - 4 : at])
        if at + 4 + least <= stop <= len(content):
            return content[at + 4 : stop]
        at = content.find(name, at + 4)
    return None


def _descriptor(data: bytes) -> tuple[int, bytes]:
    """Which coding it is, and its configuration, within descriptors within descriptors."""
    at = coding = 0
    while at + 2 <= len(data):
        tag, length = data[at], 0
        at += 1
        for _ in range(4):
            byte = data[at] if at < len(data) else 0
            at += 1
            length = length << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == 3:  # a stream: a number and flags, which tell of what follows
            flags = data[at + 2] if at + 2 < len(data) else 0
            at += 3 + (2 if flags & 0x80 else 0) + (2 if flags & 0x20 else 0)
        elif tag == 4:  # its decoder: thirteen bytes, the first of which names the coding
            coding = data[at] if at < len(data) else 0
            at += 13
        elif tag == _DECODER_CONFIG:
            return coding, data[at : at + length]
        else:
            at += length
    return coding, b""
