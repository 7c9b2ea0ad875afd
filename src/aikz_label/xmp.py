"""XMP packets: read the AI statements, write ours, touch nothing else.

The packet is edited as bytes at the places an XML parser names, so everything a camera or an editor wrote stays as it was.
Properties are those of the IPTC Photo Metadata Standard 2025.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from aikz_label.label import Label
from aikz_label.marker import SOURCE_TYPE, origin_of
from aikz_label.report import Mirror

IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_SOURCE = "DigitalSourceType"
_OURS = (_SOURCE, "AISystemUsed", "AISystemVersionUsed")
_MAX_DEPTH = 100
_MAX_VALUE = 2000

_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="' + _RDF + '">'
    "</rdf:RDF></x:xmpmeta>\n"
    '<?xpacket end="w"?>'
).encode()


class XmpError(ValueError):
    """The packet is not XMP that can be read or edited safely."""


@dataclass(slots=True)
class _Property:
    """One of our properties as found: its value and the bytes it occupies."""

    name: str
    start: int
    stop: int
    value: str = ""


class _Scan:
    """One pass of the parser over a packet."""

    def __init__(self, packet: bytes) -> None:
        self.packet = packet
        self.properties: list[_Property] = []
        self.rdf_end = -1
        self.rdf_prefix = b""
        self._depth = 0
        self._open: tuple[_Property, int] | None = None
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = _no_doctype
        try:
            self._parser.Parse(packet, True)
        except expat.ExpatError as error:
            raise XmpError(f"not well-formed: {error}") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise XmpError("nested too deeply")
        for key, value in attributes.items():
            if key in _NAMES:
                self._attribute(_NAMES[key], value)
        if name in _NAMES and self._open is None:
            found = _Property(_NAMES[name], self._parser.CurrentByteIndex, -1)
            resource = attributes.get(f"{_RDF} resource", "")
            found.value = resource[:_MAX_VALUE]
            self._open = (found, self._depth)

    def _end(self, name: str) -> None:
        here = self._parser.CurrentByteIndex
        if self._open and self._open[1] == self._depth:
            found = self._open[0]
            opened = _tag_end(self.packet, found.start)
            empty = self.packet[opened - 2 : opened] == b"/>"
            found.stop = opened if empty else _tag_end(self.packet, here)
            found.value = found.value.strip()[:_MAX_VALUE]
            self.properties.append(found)
            self._open = None
        if name == f"{_RDF} RDF":
            self.rdf_end = here
            tag = self.packet[here : here + 80]
            self.rdf_prefix = tag[2 : tag.index(b"RDF")] if tag.startswith(b"</") else b""
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._open and len(self._open[0].value) < _MAX_VALUE:
            self._open[0].value += text

    def _attribute(self, name: str, value: str) -> None:
        """A property in the short form `prefix:Name="value"`: find its bytes inside the start tag."""
        start = self._parser.CurrentByteIndex
        stop = _tag_end(self.packet, start)
        at = _find_attribute(self.packet[start:stop], name.encode())
        if at is not None:
            self.properties.append(
                _Property(name, start + at[0], start + at[1], value[:_MAX_VALUE])
            )


_NAMES = {f"{IPTC_EXT} {name}": name for name in _OURS}


def _no_doctype(*_: object) -> None:
    raise XmpError("it has a document type, which could expand without end")


def _tag_end(packet: bytes, start: int) -> int:
    """Offset after the `>` that ends a start tag; quoted values may hold one."""
    quote = 0
    for offset in range(start, len(packet)):
        byte = packet[offset]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == 0x3E:
            return offset + 1
    return len(packet)


def _find_attribute(tag: bytes, name: bytes) -> tuple[int, int] | None:
    """Where ` prefix:name="value"` stands in a start tag, with the white space before it."""
    at = 0
    while (at := tag.find(b":" + name, at)) >= 0:
        start = at
        while start and tag[start - 1] not in b" \t\r\n":
            start -= 1
        rest = tag[at + 1 + len(name) :]
        value = rest.lstrip()
        if value.startswith(b"="):
            value = value[1:].lstrip()
            stop = value.find(value[:1], 1)
            if value[:1] in {b'"', b"'"} and stop > 0:
                return start - 1, len(tag) - len(value) + stop + 1
        at += 1
    return None


def read(packet: bytes) -> tuple[Mirror, ...]:
    """The AI statements of a packet; one that cannot be read says nothing."""
    try:
        found = _Scan(packet).properties
    except XmpError:
        return ()
    return tuple(
        Mirror(
            "xmp",
            f"Iptc4xmpExt:{item.name}",
            item.value,
            origin_of(item.value) if item.name == _SOURCE else None,
        )
        for item in found
        if item.value
    )


def write(packet: bytes | None, label: Label) -> bytes:
    """The packet with our properties in place of any earlier ones of the same name.

    Args:
        packet: The file's own packet, or `None` to make one.
        label: What to say.

    Raises:
        XmpError: The packet cannot be edited without risk.
    """
    packet = packet if packet is not None else _EMPTY
    if packet.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in packet:
        raise XmpError("it is not UTF-8")
    for found in sorted(_Scan(packet).properties, key=lambda item: item.start, reverse=True):
        packet = packet[: found.start] + packet[found.stop :]
    scan = _Scan(packet)
    if scan.rdf_end < 0 or not scan.rdf_prefix.endswith(b":"):
        raise XmpError("it has no rdf:RDF element to add to")
    edited = (
        packet[: scan.rdf_end]
        + _description(scan.rdf_prefix.decode(), label)
        + packet[scan.rdf_end :]
    )
    if {(m.name, m.value) for m in read(edited)} != set(_pairs(label)):
        raise XmpError("the edited packet does not read back")
    return edited


def _pairs(label: Label) -> Iterator[tuple[str, str]]:
    yield f"Iptc4xmpExt:{_SOURCE}", SOURCE_TYPE[label.origin]
    if label.system:
        yield "Iptc4xmpExt:AISystemUsed", label.system.name
        if label.system.version:
            yield "Iptc4xmpExt:AISystemVersionUsed", label.system.version


def _description(rdf: str, label: Label) -> bytes:
    from html import escape  # noqa: PLC0415  # for writing only

    properties = "".join(
        f"<{name}>{escape(value, quote=False)}</{name}>" for name, value in _pairs(label)
    )
    return (
        f'<{rdf}Description {rdf}about="" xmlns:Iptc4xmpExt="{IPTC_EXT}">'
        f"{properties}</{rdf}Description>"
    ).encode()
