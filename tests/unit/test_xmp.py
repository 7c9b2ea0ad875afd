from __future__ import annotations

import pytest

from aikz_label import Label
from aikz_label.label import Origin
from aikz_label.manifest.marker import SOURCE_TYPE
from aikz_label.metadata import xmp

LABEL = Label(origin="created", system="Gen & <Co>/1")
HEAD = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
TAIL = "</rdf:RDF></x:xmpmeta>"
NS = f'xmlns:I="{xmp.IPTC_EXT}"'


def packet(inner):
    return (HEAD + inner + TAIL).encode()


def values(data):
    return {mirror.name.partition(":")[2]: mirror.value for mirror in xmp.read(data)}


def test_a_new_packet_reads_back():
    found = values(xmp.write(None, LABEL))
    assert found == {
        "DigitalSourceType": SOURCE_TYPE[Origin.CREATED],
        "AISystemUsed": "Gen & <Co>",
        "AISystemVersionUsed": "1",
    }


@pytest.mark.parametrize(
    "old",
    [
        f'<rdf:Description rdf:about="" {NS} I:DigitalSourceType="http://x/digitalCapture" I:Credit="a>b"/>',
        f"<rdf:Description rdf:about='' {NS}  I:DigitalSourceType = 'http://x/digitalCapture'></rdf:Description>",
        f"<rdf:Description {NS}><I:DigitalSourceType>http://x/digitalCapture</I:DigitalSourceType></rdf:Description>",
        f'<rdf:Description {NS}><I:DigitalSourceType rdf:resource="http://x/digitalCapture"/></rdf:Description>',
        (
            f"<rdf:Description {NS}><I:DigitalSourceType><![CDATA[http://x/digitalCapture]]>"
            "</I:DigitalSourceType><I:AISystemUsed>old</I:AISystemUsed></rdf:Description>"
        ),
    ],
)
def test_an_old_statement_is_read_and_replaced(old):
    before = packet(old + '<rdf:Description xmlns:dc="urn:dc" dc:title="Ә>Ғ"/>')
    assert values(before)["DigitalSourceType"] == "http://x/digitalCapture"
    after = xmp.write(before, LABEL)
    assert values(after)["DigitalSourceType"] == SOURCE_TYPE[Origin.CREATED]
    assert b"digitalCapture" not in after
    assert 'dc:title="Ә>Ғ"'.encode() in after


def test_everything_else_stays_byte_for_byte():
    inner = '<rdf:Description  rdf:about="x"\n xmlns:q="urn:q" q:a="1"><!-- ә --><q:b/></rdf:Description>'
    before = packet(inner)
    after = xmp.write(before, LABEL)
    added = len(after) - len(before)
    at = after.index(b"<rdf:Description rdf:about")
    assert after[:at] + after[at + added :] == before


def test_other_prefixes_are_kept():
    data = (HEAD + TAIL).replace("rdf:", "r:").replace(":rdf", ":r").encode()
    assert values(xmp.write(data, LABEL))["AISystemUsed"] == "Gen & <Co>"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<a>",
        packet("") + b"trailing",
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + packet(""),
        packet("").decode().encode("utf-16"),
        packet("<a>" * 500 + "</a>" * 500),
        b"<a/>",
        b'<RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></RDF>',
    ],
)
def test_what_cannot_be_edited_safely_is_left_alone(data):
    with pytest.raises(xmp.XmpError):
        xmp.write(data, LABEL)


def test_entities_never_expand():
    bomb = b'<!DOCTYPE a [<!ENTITY b "cccccccc">]>' + packet("<a>&b;</a>")
    assert xmp.read(bomb) == ()


def test_a_value_has_a_limit():
    data = packet(
        f"<rdf:Description {NS}><I:AISystemUsed>{'x' * 100_000}</I:AISystemUsed></rdf:Description>"
    )
    assert len(values(data)["AISystemUsed"]) < 70_000


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        (SOURCE_TYPE[Origin.CREATED], Origin.CREATED),
        ("trainedAlgorithmicMedia", Origin.CREATED),
        (SOURCE_TYPE[Origin.ALTERED], Origin.ALTERED),
        ("http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture", False),
        ("http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced", None),
        ("something", None),
    ],
)
def test_what_a_source_type_means(value, origin):
    data = packet(
        f"<rdf:Description {NS}><I:DigitalSourceType>{value}</I:DigitalSourceType></rdf:Description>"
    )
    assert [mirror.origin for mirror in xmp.read(data)] == [origin]
