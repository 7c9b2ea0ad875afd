"""Mirrors of PDF files: the XMP packet, also of PDF/A, and the information dictionary."""

from __future__ import annotations

import pytest

from aikz_label import Label
from aikz_label.adapters.pdf import mirrors, pdfa
from aikz_label.adapters.pdf.objects import text
from aikz_label.label import Origin
from aikz_label.metadata import xmp
from aikz_label.metadata.xmp import XmpError

LABEL = Label(origin="created", system="Qalam/2.1")
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ID = "http://www.aiim.org/pdfa/ns/id/"
EXTENSION = (
    '<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" '
    'xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"><pdfaExtension:schemas><rdf:Bag>'
    '<rdf:li rdf:parseType="Resource"><pdfaSchema:namespaceURI>{uri}</pdfaSchema:namespaceURI></rdf:li>'
    "</rdf:Bag></pdfaExtension:schemas></rdf:Description>"
)


def packet(inside: str) -> bytes:
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{RDF}">{inside}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def claim(part: str) -> str:
    return f'<rdf:Description rdf:about="" xmlns:pdfaid="{ID}" pdfaid:part="{part}" pdfaid:conformance="B"/>'


def test_a_plain_packet_gets_the_properties_alone():
    made = mirrors.packet(packet("<rdf:Description/>"), LABEL)
    assert b"pdfa" not in made
    assert {one.name for one in xmp.read(made)} == {
        "Iptc4xmpExt:DigitalSourceType",
        "Iptc4xmpExt:AISystemUsed",
        "Iptc4xmpExt:AISystemVersionUsed",
    }


@pytest.mark.parametrize("part", ["1", "2", "3"])
def test_pdfa_gets_a_description_of_them_and_keeps_its_own_words(part):
    before = packet(claim(part))
    made = mirrors.packet(before, LABEL)
    assert claim(part).encode() in made
    assert pdfa.part(made) == part
    assert made.count(b"<pdfaSchema:namespaceURI>http://iptc.org/std/Iptc4xmpExt/") == 1
    for name in (b"DigitalSourceType", b"AISystemUsed", b"AISystemVersionUsed"):
        assert b"<pdfaProperty:name>%b<" % name in made
    assert mirrors.packet(made, LABEL).count(b"IPTC Extension") == 1, "once is enough"


def test_a_list_of_descriptions_grows_at_its_end():
    inside = claim("2") + EXTENSION.format(uri="http://example.org/")
    made = mirrors.packet(packet(inside), LABEL)
    assert made.count(b"<pdfaExtension:schemas>") == 1
    assert (
        made.index(b"http://example.org/")
        < made.index(b"IPTC Extension")
        < made.index(b"</rdf:Bag>")
    )


def test_a_description_that_is_there_stays_alone():
    inside = claim("1") + EXTENSION.format(uri=xmp.IPTC_EXT)
    assert b"IPTC Extension" not in mirrors.packet(packet(inside), LABEL)


def test_part_four_needs_no_description():
    assert b"pdfaSchema" not in mirrors.packet(packet(claim("4")), LABEL)


@pytest.mark.parametrize(
    "broken", [b"", b"<", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", b"<a>" * 500, b"\xff\xfe"]
)
def test_what_is_no_packet_claims_no_part(broken):
    assert pdfa.part(broken) == ""
    assert pdfa.described(broken) == broken


def test_a_packet_larger_than_one_segment_is_edited():
    large = packet("<rdf:Description/>" + " " * 200_000)
    assert len(mirrors.packet(large, LABEL)) > len(large)
    with pytest.raises(XmpError, match="too large"):
        mirrors.packet(packet(" " * 2_000_000), LABEL)


def test_the_information_dictionary_says_it_too():
    entries = mirrors.info(Label(origin="altered", system="Қалам"))
    assert entries["AISystemUsed"] == "Қалам".encode("utf-16")[:2][::-1] + "Қалам".encode(
        "utf-16-be"
    )
    read = mirrors.read(None, entries)
    assert [(one.carrier, one.name, one.origin) for one in read] == [
        ("pdf-info", "DigitalSourceType", Origin.ALTERED),
        ("pdf-info", "AISystemUsed", None),
    ]


@pytest.mark.parametrize(
    ("key", "value", "origin"),
    [
        ("AIGC", '{"Label":"1","ContentProducer":"x"}', True),
        ("AIGC", '{"AIGC":{"Label":"2"}}', None),
        ("ai-disclosure", "ai-generated", Origin.CREATED),
        ("AI-Disclosure", "none", False),
    ],
)
def test_other_tools_words_are_read(key, value, origin):
    (one,) = mirrors.read(None, {key: text(value), "Title": b"AI", "Producer": b"AIGC"})
    assert (one.carrier, one.origin) == ("pdf-info", origin)


@pytest.mark.parametrize("value", [None, 1, b"", b"yes", text("жасанды"), [b"x"]])
def test_other_words_say_nothing(value):
    assert (
        mirrors.read(b"nonsense", {"AIGC": value, "ai-disclosure": value, "Subject": b"AI"}) == ()
    )
