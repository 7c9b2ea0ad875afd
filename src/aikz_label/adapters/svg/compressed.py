"""SVGZ: a drawing in a gzip file (RFC 1952), read and written as the drawing in it.

A marker inside would say nothing of the gzip file around it, whose header and end anybody could change, so it goes into a
sidecar that binds every byte. One that is inside already, because a marked drawing was compressed, is read all the same.
"""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label.adapters import Examined, MediaProblem, Order, Rendered
from aikz_label.adapters.svg import SvgAdapter
from aikz_label.adapters.svg.document import MAX_BYTES
from aikz_label.carriers.sidecar import SidecarOnly
from aikz_label.errors import Refused
from aikz_label.limits import NO_LIMITS, Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.engine import Parent, Reading
    from aikz_label.formats import Format
    from aikz_label.label import Origin
    from aikz_label.profile import Profile
    from aikz_label.report import Found, Measurement, Notice
    from aikz_label.signing import SigningKey
    from aikz_label.trust import TrustList

_MAGIC = b"\x1f\x8b\x08"
_CHECK, _EXTRA, _NAME, _COMMENT, _RESERVED = 2, 4, 8, 16, 0xE0  # flags
_FIXED = 10  # bytes that every header has
_SUMS = 8  # bytes behind the data: check sum and length
_BARE = -15  # zlib's word for data without a header
_LEVEL = 9


@dataclass(frozen=True, slots=True)
class Gzip:
    """A gzip file of one member.

    Attributes:
        header: What stands before the data: a name, a time, a comment.
        content: The data; one byte more than are read of a drawing when there are more.
    """

    header: bytes
    content: bytes

    @classmethod
    def read(cls, data: bytes) -> Gzip:
        """Take a file apart, no further than a drawing may be long.

        Raises:
            MediaProblem: It is damaged, or something follows it that some programs read and others do not.
        """
        start = _header_length(data)
        reader = zlib.decompressobj(_BARE)
        try:
            content = reader.decompress(data[start:], MAX_BYTES + 1)
        except zlib.error as error:
            raise MediaProblem("damaged", detail_word="decoder") from error
        if len(content) <= MAX_BYTES:
            sums = zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
            if not reader.eof or len(reader.unused_data) < _SUMS:
                raise MediaProblem("damaged", detail_word="cut")
            if reader.unused_data != sums:
                raise MediaProblem("damaged", detail_word="decoder")
        return cls(data[:start], content)

    def with_content(self, content: bytes) -> bytes:
        """The file with other data."""
        writer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _BARE)
        packed = writer.compress(content) + writer.flush()
        length = len(content) & 0xFFFF_FFFF
        sums = zlib.crc32(content).to_bytes(4, "little") + length.to_bytes(4, "little")
        return b"".join((self.header, packed, sums))


def _header_length(data: bytes) -> int:
    """Where the data begin.

    Raises:
        MediaProblem: The header breaks off, or is of a kind that nobody knows.
    """
    flags = data[3] if len(data) > _FIXED else _RESERVED
    if not data.startswith(_MAGIC) or flags & _RESERVED:
        raise MediaProblem("damaged", detail_word="no-header")
    at = _FIXED
    if flags & _EXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            at = data.find(b"\0", at) + 1 or len(data)
    at += 2 if flags & _CHECK else 0
    if at >= len(data):
        raise MediaProblem("damaged", detail_word="cut")
    return at


class SvgzAdapter(SidecarOnly, SvgAdapter):
    """Compressed vector drawings."""

    def examine(self, source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:
        """See `Adapter.examine`."""
        return super().examine(_drawing(source, limits), row, limits, thorough=thorough)

    def read_marker(self, source: BinaryIO, row: Format, trust: tuple[TrustList, ...]) -> Reading:
        """See `Adapter.read_marker`: one that is in the drawing."""
        try:
            drawing = _drawing(source, NO_LIMITS)
        except MediaProblem:
            from aikz_label.engine import Reading  # noqa: PLC0415

            return Reading("failed")
        return SvgAdapter.read_marker(self, drawing, row, trust)

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """See `Adapter.render`."""
        packed, painted = _gzip(source, order.limits), BytesIO()
        rendered = super().render(BytesIO(packed.content), painted, row, order)
        destination.write(packed.with_content(painted.getvalue()))
        return rendered

    def check(
        self, painted: BinaryIO, row: Format, rendered: Rendered, order: Order
    ) -> Measurement | None:
        """See `Adapter.check`."""
        return super().check(_drawing(painted, order.limits), row, rendered, order)

    def write_marker(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,
        manifest: dict[str, Any],
        key: SigningKey,
        parent: Parent | None,
    ) -> None:
        """See `Adapter.write_marker`: it asks for a sidecar, which cannot have a parent that is inside."""
        if parent is not None and not parent.reading.outside:
            raise Refused(
                "The marker is in the drawing, not in the compressed file, so it is no parent for a sidecar.",
                code="existing-inside",
                hint="Decompress the drawing and update that; or --on-existing replace.",
            )
        super().write_marker(source, destination, row, manifest, key, parent)

    def measure(
        self,
        source: BinaryIO,
        row: Format,
        notice: Notice,
        origin: Origin,
        profile: Profile,
        limits: Limits,
    ) -> Measurement:
        """See `Adapter.measure`."""
        return super().measure(_drawing(source, limits), row, notice, origin, profile, limits)

    def search(
        self, source: BinaryIO, row: Format, profile: Profile, limits: Limits
    ) -> Found | None:
        """See `Searching.search`."""
        return super().search(_drawing(source, limits), row, profile, limits)


ADAPTER = SvgzAdapter()


def _drawing(source: BinaryIO, limits: Limits) -> BytesIO:
    return BytesIO(_gzip(source, limits).content)


def _gzip(source: BinaryIO, limits: Limits) -> Gzip:
    size = source.seek(0, 2)
    most = min(limits.max_bytes, MAX_BYTES)
    if size > most:
        raise MediaProblem("over-limit", what_word="bytes", found=size, limit=most)
    source.seek(0)
    return Gzip.read(source.read(size))
