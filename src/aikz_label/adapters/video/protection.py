"""Whether the picture of a film is encrypted, by what its tracks say of themselves."""

from __future__ import annotations

from typing import BinaryIO

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.video.boxes import Tree
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import Document

_PROTECTED = frozenset({b"encv", b"drmi"})  # ISO/IEC 14496-12, 8.12, and Apple's own
_MOST_ENTRIES = 1000
_ENTRY, _TYPE, _ENCODINGS, _ENCODING = 0xAE, 0x83, 0x6D80, 0x6240
_PICTURE = 1


def in_boxes(tree: Tree) -> bool:
    """Whether some frames of a track of pictures are."""
    return any(
        path[-1:] == (b"stbl",) and box.kind == b"stsd" and _has_protected(tree, box.body, box.stop)
        for path, box in tree.all()
    )


def _has_protected(tree: Tree, start: int, stop: int) -> bool:
    """Whether one of the sample entries in a table is that of encrypted pictures."""
    at = start + 8
    for _ in range(_MOST_ENTRIES):
        head = tree.data[at : min(stop, at + 8)]
        size = int.from_bytes(head[:4])
        if size < 8 or len(head) < 8:
            return False
        if head[4:] in _PROTECTED:
            return True
        at += size
    return False


def in_matroska(source: BinaryIO, document: Document) -> bool:
    """Whether a track of pictures is."""
    try:
        return any(
            _is_picture(source, entry) and _is_encrypted(source, entry)
            for tracks in document.all(ebml.TRACKS)
            for entry in _inside(source, tracks, _ENTRY)
        )
    except ebml.Broken as broken:
        raise MediaProblem("damaged", detail_word="cut") from broken


def _is_picture(source: BinaryIO, entry: ebml.Element) -> bool:
    return any(ebml.number(source, kind) == _PICTURE for kind in _inside(source, entry, _TYPE))


def _is_encrypted(source: BinaryIO, entry: ebml.Element) -> bool:
    return any(
        bool(_inside(source, encoding, ebml.CONTENT_ENCRYPTION))
        for encodings in _inside(source, entry, _ENCODINGS)
        for encoding in _inside(source, encodings, _ENCODING)
    )


def _inside(source: BinaryIO, parent: ebml.Element, name: int) -> list[ebml.Element]:
    return [one for one in ebml.children(source, parent, _MOST_ENTRIES) if one.name == name]
