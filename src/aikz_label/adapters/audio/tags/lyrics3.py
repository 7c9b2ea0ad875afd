"""Lyrics3: lyrics at the end of an MP3 file, before a tag of ID3v1, with moments in them."""

from __future__ import annotations

import re

from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import lyrics

_BEGIN, _END_1, _END_2 = b"LYRICSBEGIN", b"LYRICSEND", b"LYRICS200"
_FIELD = re.compile(rb"([A-Z][A-Z0-9]{2})(\d{5})")
_MOST = 99_999  # bytes of a field, whose length has five digits
_LYRICS = b"LYR"


def moved(tail: bytes, shift: Shift) -> bytes:
    """What follows the sound, with the moments of the lyrics in it moved; as it is where they are not as they should be."""
    start = tail.rfind(_BEGIN)
    if start < 0 or not shift.total:
        return tail
    at = start + len(_BEGIN)
    stop = tail.find(_END_1, at)
    if stop >= 0 and tail.find(_END_2, at) < 0:
        return tail[:at] + lyrics.moved(tail[at:stop], shift, digits=0) + tail[stop:]
    fields, at = _fields(tail, at)
    told = tail[at : at + 6]
    if tail[at + 6 : at + 15] != _END_2 or told != b"%06d" % (at - start):
        return tail
    fresh = [
        (name, lyrics.moved(text, shift, digits=0) if name == _LYRICS else text)
        for name, text in fields
    ]
    if any(len(text) > _MOST for _, text in fresh):
        return tail
    body = _BEGIN + b"".join(b"%b%05d%b" % (name, len(text), text) for name, text in fresh)
    return tail[:start] + body + b"%06d" % len(body) + tail[at + 6 :]


def _fields(tail: bytes, at: int) -> tuple[list[tuple[bytes, bytes]], int]:
    """The fields, and where they end."""
    found: list[tuple[bytes, bytes]] = []
    while head := _FIELD.match(tail, at):
        stop = head.end() + int(head[2])
        found.append((head[1], tail[head.end() : stop]))
        at = stop
    return found, at
