"""IPTC-IIM, the metadata of press agencies: the few texts in which tools write statements about AI.

In a JPEG they are in a resource of Photoshop's, in a TIFF also in a tag of their own. IPTC-IIM 4.2; nothing is followed, so
nothing can form a circle.
"""

from __future__ import annotations

from collections.abc import Iterator

from aikz_label.limits import MIB

_TEXTS = {
    (2, 40): "SpecialInstructions",
    (2, 65): "OriginatingProgram",
    (2, 110): "Credit",
    (2, 120): "Caption",
}
_UTF_8 = b"\x1b%G"  # in dataset 1:90
_RESOURCE = 0x0404
_MAX_SETS = 2000  # agencies write below 50


def texts(record: bytes) -> Iterator[tuple[str, str]]:
    """Name and text of the datasets that tools use for statements."""
    at, coding = 0, "latin-1"
    for _ in range(_MAX_SETS):
        head = record[at : at + 5]
        size = int.from_bytes(head[3:])
        at += 5
        if len(head) < 5 or head[0] != 0x1C or size & 0x8000 or at + size > len(record):
            return  # the end, or a length of more than 15 bits, which no text has
        data, name = record[at : at + size], _TEXTS.get((head[1], head[2]))
        if (head[1], head[2]) == (1, 90) and data == _UTF_8:
            coding = "utf-8"
        elif name:
            yield name, data.decode(coding, errors="replace").strip("\0 \t\r\n")
        at += size


def in_photoshop(block: bytes) -> bytes | None:
    """The record in a block of Photoshop's resources, if there is one."""
    at = 0
    while block[at : at + 4] == b"8BIM" and at < MIB:
        number = int.from_bytes(block[at + 4 : at + 6])
        at += 6
        at += 1 + block[at] if at < len(block) else 1  # its name
        at += at % 2
        size = int.from_bytes(block[at : at + 4])
        at += 4
        if number == _RESOURCE:
            return block[at : at + size]
        at += size + size % 2
    return None
