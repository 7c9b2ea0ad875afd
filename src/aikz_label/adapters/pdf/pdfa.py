"""PDF/A in an XMP packet: which part a document claims, and the description that its properties need there.

Parts 1 to 3 ask that every property outside the schemas they know is described in the packet itself (ISO 19005-1, 6.7.8;
ISO 19005-2, 6.6.2.3). The packet is edited as bytes at the places an XML parser names.
"""

from __future__ import annotations

from xml.parsers import expat

from aikz_label.metadata import mirror
from aikz_label.metadata.xmp import IPTC_EXT

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_BASE = "http://www.aiim.org/pdfa/ns/"
_PART = f"{_BASE}id/ part"
_SCHEMAS = f"{_BASE}extension/ schemas"
_URI = f"{_BASE}schema# namespaceURI"
_DESCRIBED_PARTS = {"1", "2", "3"}
_MAX_DEPTH = 100
_MEANING = {
    mirror.SOURCE: ("URI", "How the content came about, a NewsCode of IPTC"),
    "AISystemUsed": ("Text", "The AI system that made or changed the content"),
    "AISystemVersionUsed": ("Text", "Its version"),
}


class _Look:
    """One pass over a packet.

    Attributes:
        part: Of PDF/A that it claims; empty for none.
        described: Our properties' schema is described already.
        bag: Where the list of descriptions ends; -1 where there is none.
        rdf: Where the packet's statements end; -1 where there are none.
    """

    def __init__(self, packet: bytes) -> None:
        self.part = ""
        self.described = False
        self.bag = self.rdf = -1
        self._path: list[str] = []
        self._text = ""
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = _stop
        self._parser.Parse(packet, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > _MAX_DEPTH:
            _stop()
        self._text = ""
        self.part = attributes.get(_PART, self.part)
        self.described = self.described or attributes.get(_URI) == IPTC_EXT

    def _end(self, name: str) -> None:
        if name == _PART:
            self.part = self._text.strip()
        elif name == _URI and self._text.strip() == IPTC_EXT:
            self.described = True
        elif self._path[-2:] == [_SCHEMAS, f"{_RDF} Bag"]:
            self.bag = self._parser.CurrentByteIndex
        elif name == f"{_RDF} RDF":
            self.rdf = self._parser.CurrentByteIndex
        self._path.pop()

    def _characters(self, text: str) -> None:
        if len(self._text) < 1000:
            self._text += text


def _stop(*_: object) -> None:
    raise ValueError("not a packet that is looked at")


def part(packet: bytes) -> str:
    """Which part of PDF/A a packet claims, such as `2`; empty for none."""
    found = _look(packet)
    return found.part if found else ""


def described(packet: bytes) -> bytes:
    """The packet with a description of our properties, where it claims a part of PDF/A that asks for one."""
    found = _look(packet)
    if found is None or found.part not in _DESCRIBED_PARTS or found.described:
        return packet
    at, added = found.bag, _schema()
    if at >= 0 and packet[at : at + 2] != b"</":
        return packet  # an empty element has no place for it
    if at < 0:
        at = found.rdf
        added = (
            f'<rdf:Description xmlns:rdf="{_RDF}" rdf:about="" xmlns:pdfaExtension="{_BASE}extension/">'
            f"<pdfaExtension:schemas><rdf:Bag>{added}</rdf:Bag></pdfaExtension:schemas></rdf:Description>"
        )
    edited = packet[:at] + added.encode() + packet[at:]
    again = _look(edited)
    return edited if again is not None and again.described else packet


def _look(packet: bytes) -> _Look | None:
    try:
        return _Look(packet)
    except (expat.ExpatError, LookupError, ValueError):
        return None


def _schema() -> str:
    resource = 'rdf:parseType="Resource"'
    properties = "".join(
        f"<rdf:li {resource}><pdfaProperty:name>{name}</pdfaProperty:name>"
        f"<pdfaProperty:valueType>{kind}</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{meaning}</pdfaProperty:description></rdf:li>"
        for name, (kind, meaning) in _MEANING.items()
    )
    return (
        f'<rdf:li xmlns:rdf="{_RDF}" xmlns:pdfaSchema="{_BASE}schema#" '
        f'xmlns:pdfaProperty="{_BASE}property#" {resource}>'
        "<pdfaSchema:schema>IPTC Extension</pdfaSchema:schema>"
        f"<pdfaSchema:namespaceURI>{IPTC_EXT}</pdfaSchema:namespaceURI>"
        "<pdfaSchema:prefix>Iptc4xmpExt</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
