"""The metadata of a picture: what they say of AI, and what a label writes into them.

Each kind is written where the file can hold it, none is made up for the purpose: a file without EXIF gets none, as XMP says
it better. What cannot be written safely is left out, and that is told; it never stops the marking.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from aikz_label.adapters.image.container import Tags
from aikz_label.adapters.image.exif_block import ExifBlock, ExifError
from aikz_label.metadata import mirror
from aikz_label.metadata import xmp as packets

if TYPE_CHECKING:
    from aikz_label.adapters import Order
    from aikz_label.adapters.image.container import Container
    from aikz_label.limits import Limits
    from aikz_label.report import Mirror


def read(container: Container, limits: Limits) -> Iterator[Mirror]:
    """Every statement about AI in the metadata, ours and other tools'."""
    for packet in islice(container.packets(), _MAX_PACKETS):
        if len(packet) <= limits.max_xmp:
            yield from packets.read(packet)
    block, record, texts = container.statements, container.iptc, tuple(container.texts())
    if block or record or texts:
        from aikz_label.metadata import declarations  # noqa: PLC0415  # most files have none

        yield from declarations.in_exif(block or b"")
        yield from declarations.in_iptc(record or b"")
        known = (text for text in texts if text.keyword in declarations.KEYWORDS)
        yield from declarations.in_texts((one.carrier, one.keyword, one.value) for one in known)


_MAX_PACKETS = 8


def written(container: Container, order: Order) -> tuple[Tags, tuple[str, ...]]:
    """The metadata to write, and what could not be written, one English sentence each."""
    said: list[str] = []
    packet, block = None, None
    try:
        packet = packets.write(container.xmp, order.label)
    except packets.XmpError as error:
        said.append(f"The XMP mirror was not written; the file's own was left as it is: {error}.")
    if container.exif is not None:
        block = _exif(container.exif, order, said)
    texts, comment = tuple(mirror.statements(order.label)), mirror.line(order.label)
    return Tags(packet, block, texts, comment), tuple(said)


def _exif(block: bytes, order: Order, said: list[str]) -> bytes | None:
    """The EXIF block with a labelled thumbnail and the mirror; `None` when nothing in it changes."""
    fresh = block
    try:
        _check_readable(block)
    except ExifError as error:
        said.append(f"The EXIF block was left as it is: {error}.")
        return None
    if order.notice != "none":
        try:
            fresh = _with_thumbnail(fresh, order)
        except ExifError as error:
            said.append(f"The EXIF thumbnail was left as it is, without a notice: {error}.")
    try:
        fresh = ExifBlock(fresh).with_comment(mirror.line(order.label))
    except ExifError as error:
        said.append(f"The EXIF mirror was not written: {error}.")
    return None if fresh is block else fresh


def _check_readable(block: bytes) -> None:
    """Only what an independent reader understands is edited."""
    from PIL import Image  # noqa: PLC0415  # not needed to verify

    ExifBlock(block)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags = Image.Exif()
            tags.load(block)
            tags.get_ifd(0x8769)
    except Exception as error:  # it raises whatever it likes on hostile bytes
        raise ExifError("it cannot be read") from error


def _with_thumbnail(block: bytes, order: Order) -> bytes:
    """The block with the notice in its thumbnail, or without one in which there is no room for it."""
    found = ExifBlock(block)
    if not found.has_thumbnail:
        return block
    from aikz_label.adapters.image import thumbnail  # noqa: PLC0415  # pixels

    old = found.thumbnail
    fresh = thumbnail.labelled(old, found.orientation, order) if old else None
    if fresh is not None:
        with suppress(ExifError):  # there may be no room for it
            return found.with_thumbnail(fresh)
    return ExifBlock(block).without_thumbnail()
