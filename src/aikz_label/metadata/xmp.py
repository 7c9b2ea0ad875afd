"""XMP packets: read the AI statements, write ours, touch nothing else.

The packet is edited as bytes at the places an XML parser names, so everything a camera or an editor wrote stays as it was.
Properties are those of the IPTC Photo Metadata Standard 2025.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from aikz_label.label import Label
from aikz_label.manifest.assertions import origin_of
from aikz_label.metadata import mirror
from aikz_label.report import Mirror
from aikz_label.values import dataclass, replace

IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDF_ROOT = f"{_RDF} RDF"
_MAX_DEPTH = 100
_MAX_VALUE = 2000
_MAX_TEXT = 65_536  # of an element while it is read: JSON that is cut says nothing
_MAX_PROPERTIES = 20  # six are known; a file can say each in more than one way
_MAX_WRITABLE = 65_000  # what one JPEG segment holds; larger packets are rare everywhere

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
    """A known property as found: its value and the bytes it occupies."""

    name: str
    start: int
    stop: int
    value: str = ""


class _Scan:
    """One pass of the parser over a packet; only properties of the file itself count, not those of its ingredients.

    Args:
        packet: The packet.
        locate: Find only our own properties, and the bytes each of them occupies, for editing.

    Raises:
        XmpError: Not well-formed, in an odd encoding, or made to cost too much.
    """

    def __init__(self, packet: bytes, *, locate: bool) -> None:
        self.packet = packet
        self.properties: list[_Property] = []
        self.rdf_end = -1
        self.rdf_prefix = b""
        self._locate = locate
        self._names = _NAMES if locate else _NAMES | _FOREIGN
        self._path: list[str] = []
        self._open: _Property | None = None
        self._texts: list[str] = []
        self._room = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = _no_doctype
        try:
            self._parser.Parse(packet, True)
        except XmpError:
            raise
        except (
            expat.ExpatError,
            LookupError,
            ValueError,
        ) as error:  # the last two: a declared encoding
            raise XmpError(f"it is not well-formed: {error}") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > _MAX_DEPTH:
            raise XmpError("it is nested too deeply")
        if len(self._path) >= 2 and self._path[-2] == _RDF_ROOT:
            self._attributes(attributes)
        elif name in self._names and len(self._path) >= 3 and self._path[-3] == _RDF_ROOT:
            resource = attributes.get(f"{_RDF} resource", "")
            self._open = _Property(self._names[name], self._parser.CurrentByteIndex, -1)
            self._texts, self._room = [resource], _MAX_TEXT
            self._parser.CharacterDataHandler = self._text  # all other text is of no interest

    def _end(self, name: str) -> None:
        here = self._parser.CurrentByteIndex
        found = self._open
        if found and len(self._path) >= 3 and self._path[-3] == _RDF_ROOT:
            self._open = self._parser.CharacterDataHandler = None
            found.value = "".join(self._texts)
            if self._locate:
                opened = _tag_end(self.packet, found.start)
                empty = self.packet[opened - 2 : opened] == b"/>"
                found.stop = opened if empty else _tag_end(self.packet, here)
            self._add(found)
        if name == _RDF_ROOT:
            self.rdf_end = here
            prefix, colon, _ = self.packet[here : here + 200].partition(b"RDF")
            self.rdf_prefix = prefix[2:] if colon and prefix.startswith(b"</") else b""
        self._path.pop()

    def _text(self, text: str) -> None:
        if self._room > 0:
            self._texts.append(text)
            self._room -= len(text)

    def _attributes(self, attributes: dict[str, str]) -> None:
        """Properties in the short form `prefix:Name="value"`."""
        names = self._names
        found = {names[key]: value for key, value in attributes.items() if key in names}
        if not found:
            return
        spans: dict[str, tuple[int, int]] = {}
        if self._locate:
            start = self._parser.CurrentByteIndex
            tag = self.packet[start : _tag_end(self.packet, start)]
            spans = {
                name.rpartition(b":")[2].decode(): (start + first, start + last)
                for name, first, last in _tag_attributes(tag)
            }
        for name, value in found.items():
            self._add(_Property(name, *spans.get(name, (-1, -1)), value))

    def _add(self, found: _Property) -> None:
        found.value = found.value.strip()[:_MAX_TEXT]
        self.properties.append(found)
        if len(self.properties) > _MAX_PROPERTIES:
            raise XmpError("it repeats itself too often")


# The source type had another name before 2008, which Google still writes beside the present one.
_OLD_NAMES = ("DigitalSourceFileType", "DigitalSourcefileType")
_NAMES = {f"{IPTC_EXT} {name}": name for name in (*mirror.PROPERTIES, *_OLD_NAMES)}
_FOREIGN = {  # read, never edited
    "http://www.tc260.org.cn/ns/AIGC/1.0/ AIGC": "TC260:AIGC",
    f"{IPTC_EXT} AIPromptInformation": "Iptc4xmpExt:AIPromptInformation",
    "http://ns.adobe.com/photoshop/1.0/ Credit": "photoshop:Credit",
    "http://ns.adobe.com/xap/1.0/ CreatorTool": "xmp:CreatorTool",
}


def _no_doctype(*_: object) -> None:
    raise XmpError("it has a document type, which could expand without end")


def _tag_end(packet: bytes, start: int) -> int:
    """Offset after the `>` that ends a tag; quoted values may hold one."""
    first = packet.find(b">", start) + 1
    if first and packet.find(b'"', start, first) < 0 and packet.find(b"'", start, first) < 0:
        return first
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


def _tag_attributes(tag: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name and extent (with the white space before it) of each attribute of a well-formed start tag, in one pass."""
    at = _skip(tag, 1, space=False)
    while True:
        first = at
        at = _skip(tag, at, space=True)
        equals = tag.find(b"=", at)
        if equals < 0:
            return
        name = tag[at:equals].rstrip()
        at = _skip(tag, equals + 1, space=True)
        last = tag.find(tag[at : at + 1], at + 1) + 1
        if not last:
            return
        yield name, first, last
        at = last


def _skip(tag: bytes, at: int, *, space: bool) -> int:
    while at < len(tag) and (tag[at] in b" \t\r\n") == space:
        at += 1
    return at


def read(packet: bytes) -> tuple[Mirror, ...]:
    """The AI statements of a packet; one that cannot be read says nothing."""
    try:
        found = _Scan(packet, locate=False).properties
    except XmpError:
        repaired = packet.replace(*_BROKEN_PREFIX)
        return read(repaired) if repaired != packet else ()
    mirrors = tuple(m for item in found if item.value and (m := _mirror(item)) is not None)
    if any(one.name.endswith("Type") for one in mirrors):
        return mirrors
    # who names a system and no source type says that AI was used, and not how
    return tuple(replace(m, origin=True) if m.name == _SYSTEM else m for m in mirrors)


_SYSTEM = f"Iptc4xmpExt:{mirror.PROPERTIES[1]}"


# Some writers of China's label declare one prefix and use another, which makes the packet ill-formed.
_BROKEN_PREFIX = (b" xmlns:C260=", b" xmlns:TC260=")


def _mirror(item: _Property) -> Mirror | None:
    if item.name not in _NAMES.values():
        from aikz_label.metadata import declarations  # noqa: PLC0415  # for other tools' files only

        return declarations.in_xmp(item.name, item.value)
    is_type = item.name in {mirror.SOURCE, *_OLD_NAMES}
    origin = origin_of(item.value) if is_type else None
    return Mirror("xmp", f"Iptc4xmpExt:{item.name}", item.value[:_MAX_VALUE], origin)


def write(packet: bytes | None, label: Label, *, most: int = _MAX_WRITABLE) -> bytes:
    """The packet with our properties in place of any earlier ones of the same name.

    Args:
        packet: The file's own packet, or `None` to make one.
        label: What to say.
        most: How large the packet may be, before and after.

    Raises:
        XmpError: The packet cannot be edited without risk.
    """
    packet = packet if packet is not None else _EMPTY
    if len(packet) > most:
        raise XmpError("it is too large")
    if packet.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in packet:
        raise XmpError("it is not UTF-8")
    for found in sorted(
        _Scan(packet, locate=True).properties, key=lambda item: item.start, reverse=True
    ):
        packet = packet[: found.start] + packet[found.stop :]
    scan = _Scan(packet, locate=True)
    if scan.rdf_end < 0 or not scan.rdf_prefix.endswith(b":"):
        raise XmpError("it has no rdf:RDF element to add to")
    edited = (
        packet[: scan.rdf_end]
        + _description(scan.rdf_prefix.decode(), label)
        + packet[scan.rdf_end :]
    )
    ours = {(found.name, found.value) for found in _Scan(edited, locate=True).properties}
    if ours != set(mirror.statements(label)):
        raise XmpError("the edited packet does not read back")
    if len(edited) > most:
        raise XmpError("it would become too large")
    return edited


def _description(rdf: str, label: Label) -> bytes:
    from html import escape  # noqa: PLC0415  # for writing only

    properties = "".join(
        f"<Iptc4xmpExt:{name}>{escape(value, quote=False)}</Iptc4xmpExt:{name}>"
        for name, value in mirror.statements(label)
    )
    return (
        f'<{rdf}Description {rdf}about="" xmlns:Iptc4xmpExt="{IPTC_EXT}">'
        f"{properties}</{rdf}Description>"
    ).encode()
