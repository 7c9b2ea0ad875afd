"""Packets for libav's decoders, which read past the end of what they get.

libav asks for 64 zeros behind the bytes of a packet: many decoders fetch whole words, and some tell by the zeros that a
frame has ended. PyAV makes a packet of somebody's bytes without copying them, and behind those is whatever memory holds.
Then a frame may be decoded otherwise than a player decodes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.packet import Packet


def packet_of(data: bytes) -> Packet[Any]:
    """A packet of a copy of these bytes, with zeros behind it; empty bytes make an empty one."""
    import av  # noqa: PLC0415  # costly, and few files need it

    made: Packet[Any] = av.Packet(len(data))  # noqa: TID251  # a size, not bytes
    if data:
        made.update(data)
    return made
