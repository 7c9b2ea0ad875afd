"""Statements in every kind of metadata that a picture format has, and the table of them in the documentation."""

from __future__ import annotations

import io
import json
import re
import struct

import pytest
from PIL import Image

import jpeg_files
from aikz_label import Label, formats, mark, verify
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.metadata import iim, xmp
from aikz_label.report import Mirror, Verdict
from support import ROOT, encoded, picture

SMALL = picture(size=(96, 64))
JPEG = jpeg_files.jpeg(SMALL)
BARE = {"Label": "1", "ContentProducer": "001191110000MA0000000000001", "ProduceID": "a1"}
AIGC = json.dumps({"AIGC": BARE})
PARAMETERS = "a fox\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def mirrors(data: bytes) -> tuple[Mirror, ...]:
    row = formats.sniff(data)
    assert row is not None
    return formats.load_adapter(row).examine(io.BytesIO(data), row, Limits(), thorough=True).mirrors


def said(data: bytes) -> list[tuple[str, str, Origin | bool | None]]:
    return [(m.carrier, m.name, m.origin) for m in mirrors(data)]


def packet(properties: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        f'xmlns:I="{xmp.IPTC_EXT}"><rdf:Description rdf:about="">{properties}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def main(data: bytes) -> bytes:
    return jpeg_files.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + data)


def extended(data: bytes, piece: int = 40) -> list[bytes]:
    """A packet in several segments, the last first."""
    head = (
        b"http://ns.adobe.com/xmp/extension/\0"
        + b"0123456789ABCDEF" * 2
        + struct.pack(">I", len(data))
    )
    cut = [(at, data[at : at + piece]) for at in range(0, len(data), piece)]
    return [jpeg_files.segment(0xE1, head + struct.pack(">I", at) + part) for at, part in cut[::-1]]


def dataset(record: int, number: int, data: bytes) -> bytes:
    return bytes((0x1C, record, number)) + struct.pack(">H", len(data)) + data


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    named = bytes((len(name),)) + name
    head = b"8BIM" + struct.pack(">H", number) + named + b"\0" * (len(named) % 2)
    return head + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)


def photoshop(record: bytes) -> list[bytes]:
    """Resources in two segments, cut in the middle of the record."""
    block = resource(0x03ED, b"x" * 15, b"odd") + resource(0x0404, record) + resource(0x0406, b"y")
    half = len(block) // 2
    name = b"Photoshop 3.0\0"
    return [jpeg_files.segment(0xED, name + part) for part in (block[:half], block[half:])]


CREDIT = (
    dataset(1, 90, b"\x1b%G") + dataset(2, 5, b"Title") + dataset(2, 110, b"Made with Google AI")
)


# --- XMP ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["DigitalSourceFileType", "DigitalSourcefileType"])
def test_old_name_of_the_source_type(name: str) -> None:
    data = packet(f"<I:{name}>{IPTC}trainedAlgorithmicMedia</I:{name}>")
    assert [(m.name, m.origin) for m in xmp.read(data)] == [(f"Iptc4xmpExt:{name}", Origin.CREATED)]
    assert name.encode() not in xmp.write(data, Label(origin="altered"))


def test_a_system_alone_says_that_ai_was_used() -> None:
    system = "<I:AISystemUsed>Gen</I:AISystemUsed>"
    prompt = "<I:AIPromptInformation>a fox</I:AIPromptInformation>"
    assert [m.origin for m in xmp.read(packet(system))] == [True]
    assert [m.origin for m in xmp.read(packet(prompt))] == [True]
    source = f"<I:DigitalSourceType>{IPTC}digitalCapture</I:DigitalSourceType>"
    assert [m.origin for m in xmp.read(packet(system + source))] == [None, False]


def test_every_packet_of_a_jpeg_is_read() -> None:
    source = f"<I:DigitalSourceType>{IPTC}trainedAlgorithmicMedia</I:DigitalSourceType>"
    plain, telling = packet(""), packet(source)
    wanted = [("xmp", "Iptc4xmpExt:DigitalSourceType", Origin.CREATED)]
    for parts in (
        [main(plain), main(telling)],
        [main(plain), *extended(telling)],
        extended(telling),
    ):
        assert said(jpeg_files.with_segments(JPEG, *parts, at=1)) == wanted
    cut = extended(telling)[1:]
    assert said(jpeg_files.with_segments(JPEG, main(plain), *cut, at=1)) == []


def test_packets_that_deny_each_other_make_the_file_invalid(config) -> None:
    ai, camera = (
        packet(f"<I:DigitalSourceType>{IPTC}{code}</I:DigitalSourceType>")
        for code in ("trainedAlgorithmicMedia", "digitalCapture")
    )
    data = jpeg_files.with_segments(JPEG, main(ai), *extended(camera), at=1)
    report = verify(data, config=config)
    assert (report.verdict, report.reason.code) == (Verdict.INVALID, "unambiguous.contradiction")


# --- IPTC-IIM ----------------------------------------------------------------------------------------------------------


def test_credit_of_a_press_record() -> None:
    data = jpeg_files.with_segments(JPEG, *photoshop(CREDIT), at=1)
    assert said(data) == [("iptc", "Credit", True)]


@pytest.mark.parametrize("own", [True, False])
def test_credit_of_a_press_record_in_tiff(own: bool) -> None:
    from PIL import TiffImagePlugin

    tags = TiffImagePlugin.ImageFileDirectory_v2()
    number, value = (33723, CREDIT) if own else (34377, resource(0x0404, CREDIT))
    tags[number] = value
    tags.tagtype[number] = 7
    assert said(encoded(SMALL, "TIFF", tiffinfo=tags)) == [("iptc", "Credit", True)]


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (dataset(2, 110, b"Reuters"), []),
        (dataset(2, 110, b"Photo: Made with Google AI Studio"), []),
        (dataset(2, 65, b"NovelAI"), ["OriginatingProgram"]),
        (dataset(2, 120, PARAMETERS.encode()), ["Caption"]),
        (dataset(2, 120, AIGC.encode()), ["Caption"]),
        (dataset(2, 120, b"A photo of an AI conference. Label: 1"), []),
        (dataset(2, 120, b"cut")[:-1] + CREDIT, []),
        (b"\x1c\x02\x78\x80\x04\0\0\0\1x" + CREDIT, []),
        (b"", []),
        (b"\x1c", []),
        (dataset(2, 25, b"") * 5000 + CREDIT, []),
    ],
)
def test_what_a_press_record_says(record: bytes, found: list[str]) -> None:
    data = jpeg_files.with_segments(JPEG, *photoshop(record), at=1)
    assert [m.name for m in mirrors(data)] == found


@pytest.mark.parametrize(
    "block",
    [b"", b"8BIM", b"8BIM\4\4", b"8BIM\4\4\xff", b"8BPS" * 9, b"8BIM\0\0\0\0\xff\xff\xff\xff"],
)
def test_cut_resources_hold_no_record(block: bytes) -> None:
    assert not iim.in_photoshop(block)


# --- comments and chunks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [AIGC, PARAMETERS, '"AIGC":' + json.dumps(BARE), "AIGC " + json.dumps(BARE)]
)
def test_comments(text: str) -> None:
    for data in (
        jpeg_files.jpeg(SMALL, comment=text.encode()),
        encoded(SMALL.quantize(16), "GIF", comment=text.encode()),
    ):
        assert said(data) == [("comment", "Comment", True)]


@pytest.mark.parametrize("text", ["Created with GIMP", "AIGC: a conference", '{"Label":"1"}', ""])
def test_comments_that_say_nothing(text: str) -> None:
    assert said(jpeg_files.jpeg(SMALL, comment=text.encode())) == []


def test_label_in_a_chunk_of_webp() -> None:
    data, chunk = encoded(SMALL, "WEBP"), AIGC.encode() + b" " * (len(AIGC) % 2)
    whole = data[12:] + b"AIGC" + struct.pack("<I", len(chunk)) + chunk
    riff = b"RIFF" + struct.pack("<I", 4 + len(whole)) + b"WEBP" + whole
    assert said(riff) == [("riff", "AIGC", True)]


@pytest.mark.parametrize("tag", [0x010E, 0x010F, 0x0110])
@pytest.mark.parametrize("name", ["prompt:", "Workflow: "])
def test_graph_in_a_field_of_a_camera(tag: int, name: str) -> None:
    graph = (
        {"3": {"class_type": "KSampler", "inputs": {}}}
        if name.startswith("p")
        else {"nodes": [{"id": 3, "type": "KSampler"}], "links": []}
    )
    block = Image.Exif()
    block[tag] = name + json.dumps(graph)
    assert [m.origin for m in mirrors(encoded(SMALL, "WEBP", exif=block))] == [True]


def test_everything_that_others_wrote_survives_marking(config, label) -> None:
    """None of it is ours, so none of it changes."""
    packets = [main(packet("<I:AIPromptInformation>a fox</I:AIPromptInformation>"))]
    comment = jpeg_files.segment(0xFE, PARAMETERS.encode())
    source = jpeg_files.with_segments(
        jpeg_files.jpeg(picture()), *packets, *photoshop(CREDIT), comment, at=1
    )
    out = mark(source, None, label, config=config).data
    assert out is not None
    assert [s for s in said(out) if s[0] != "xmp"] == [s for s in said(source) if s[0] != "xmp"]
    assert ("xmp", "Iptc4xmpExt:AIPromptInformation", True) in said(out)
    for part in (comment, *photoshop(CREDIT)):
        assert part in out


# --- the table in the documentation ------------------------------------------------------------------------------------


def test_every_row_of_the_table_is_tested() -> None:
    """The page names what is recognised; the fixtures of these modules are what proves it."""
    page = (ROOT / "docs" / "reference" / "declarations.md").read_text(encoding="utf-8")
    section = page.partition("## The declarations")[2].partition("\n*PNG text*")[0]
    rows = re.findall(r"^\|([^|]*)\|([^|]*)\|", section, re.MULTILINE)[2:]
    fields = {field for _, cell in rows for field in re.findall(r"`([^`]+)`", cell)}
    tests = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "tests" / "unit").glob("test_declar*.py"))
    )
    for name in ("test_metadata", "test_film_marking", "test_sound_metadata"):
        tests += (ROOT / "tests" / "unit" / f"{name}.py").read_text(encoding="utf-8")
    assert len(rows) > 20
    missing = {f for f in fields if f.rpartition(":")[2].strip() not in tests}
    assert missing == set()
