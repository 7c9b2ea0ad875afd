"""The kinds of HEIF file that cannot be marked without loss, each in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aikz_label.adapters.image import bmff
from aikz_label.adapters.image.heif import stream, uncompressed
from aikz_label.adapters.image.heif.coders import CODERS
from aikz_label.adapters.image.heif.hevc_sets import VPS, kind_of
from aikz_label.adapters.image.heif.tree import Tree
from aikz_label.limits import NO_LIMITS

if TYPE_CHECKING:
    from aikz_label.adapters.image.heif.container import Heif
    from aikz_label.adapters.image.heif.tracks import Film, Track

_HEVC = {b"hvc1", b"hev1"}
_FIRST_ALONE, _LAST_ALONE = 16, 23  # kinds of pictures that need no other


def reasons(file: Heif) -> Iterator[str]:
    """Why this file cannot be marked; nothing when it can."""
    if file.meta.locked:
        yield "a part of it is encrypted"
    if file.meta.outside or any(track.outside for track in file.tracks):
        yield "a part of it lies in another file"
    tree = Tree(file.meta, file.limits)
    for number in file.shown:
        for leaf in tree.leaves(number):
            item = tree.item(leaf)
            if item.kind not in CODERS:
                yield f"a picture in it is coded as {_word(item.kind)}"
            elif item.kind == b"unci" and uncompressed.Layout.of(item) is None:
                yield "the samples of a picture in it are stored in an odd way"
    if any(box.kind in {b"moof", b"sidx", b"ssix", b"mfra"} for box in file.boxes):
        yield "its pictures come in fragments"
    if file.movie is not None and _points_elsewhere(file.data, file.movie):
        yield "a part of a track says where in the file its data lie"
    for film in file.films:
        yield from _of_film(film)


def _of_film(film: Film) -> Iterator[str]:
    track, alpha = film.track, film.alpha
    if not track.samples:
        yield "a track has no pictures"
    if track.entries != 1 or (alpha is not None and alpha.entries != 1):
        yield "a track changes its coding on the way"
    if track.kind not in stream.KINDS:
        yield f"a track in it is coded as {_word(track.kind)}"
    if track.hidden:
        yield "a track has a picture that is never shown and that others are made from"
    if track.kind in _HEVC and track.samples and _needs_another(track):
        yield "a track begins with a picture that is made from one outside it"
    if not track.matrix:
        yield "a track is not merely turned by quarters"
    if alpha is not None and (
        alpha.kind not in stream.KINDS
        or alpha.coded_size != track.coded_size
        or sorted(alpha.times) != sorted(track.times)
    ):
        yield "the opacity of a track is not of its size, or not shown when it is"


def _needs_another(track: Track) -> bool:
    """Whether the first picture of HEVC is none that a decoder can begin with (ITU-T H.265, table 7-1)."""
    wide = (track.first(b"hvcC")[21:22] or b"\3")[0] % 4 + 1
    data, at = next(track.data()), 0
    while at + wide < len(data):
        kind = kind_of(data[at + wide :][:1])
        if kind < VPS:  # a part of a picture
            return not _FIRST_ALONE <= kind <= _LAST_ALONE
        at += wide + int.from_bytes(data[at : at + wide])
    return False


def _word(kind: bytes) -> str:
    return kind.decode("ascii", errors="replace")


def _points_elsewhere(data: bytes, box: bmff.Box, depth: int = 0) -> bool:
    """Whether items or samples beside the tables of a track tell offsets in the file."""
    for child in bmff.walk(data, box.body, box.stop, NO_LIMITS):
        if child.kind in {b"saio", b"iloc"}:
            return True
        start = {b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"udta": 0, b"meta": 4}.get(
            child.kind
        )
        if start is not None and depth < 6:
            inside = bmff.Box(child.kind, child.start, child.body + start, child.stop)
            if _points_elsewhere(data, inside, depth + 1):
                return True
    return False
