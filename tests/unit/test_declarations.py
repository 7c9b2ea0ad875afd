"""Other tools' statements, written as they write them, in the containers they write."""

from __future__ import annotations

import io
import json
import struct
import time
import zlib

import pytest
from PIL import Image, PngImagePlugin

from aikz_label import Label, Refused, Verdict, formats, mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.label import Origin
from aikz_label.limits import MIB, Limits
from aikz_label.metadata import declarations, exif, xmp
from support import encoded, picture, require_corpus

SMALL = picture(size=(64, 48))
BARE = {"Label": "1", "ContentProducer": "001191110000MA0000000000001", "ProduceID": "a1b2"}
AIGC = json.dumps({"AIGC": BARE}, separators=(",", ":"))
PARAMETERS = (
    "a red fox, <lora:x:1>\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model: v1-5"
)
PROMPT = json.dumps(
    {
        "3": {"class_type": "KSampler", "inputs": {"seed": 1, "model": ["4", 0]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}},
    }
)
WORKFLOW = json.dumps(
    {
        "last_node_id": 9,
        "nodes": [{"id": 3, "type": "KSampler"}, {"id": 9, "type": "SaveImage"}],
        "links": [],
        "version": 0.4,
    }
)
INVOKE = json.dumps({"generation_mode": "txt2img", "positive_prompt": "fox", "seed": 1})
INVOKE_2 = json.dumps({"model": "stable diffusion", "image": {"prompt": [], "steps": 50}})
DREAM = '"a red fox" -s 50 -S 1 -W 512 -H 512 -C 7.5 -A k_lms'
JOB = "a red fox --ar 16:9 --v 6.0 Job ID: 6a2cb0de-1f3a-4c55-9d0e-0123456789ab"
SWARM = json.dumps({"sui_image_params": {"prompt": "a red fox"}})
FOOOCUS = json.dumps({"prompt": "fox", "sampler": "dpmpp_2m_sde_gpu", "steps": 30})
EASY = json.dumps(
    {
        "prompt": "a red fox",
        "seed": 1,
        "use_stable_diffusion_model": "sd-v1-5",
        "sampler_name": "euler_a",
        "num_inference_steps": 25,
        "guidance_scale": 7.5,
    }
)
TENSOR = json.dumps(
    {
        "models": [{"label": "x", "type": "LORA", "weight": 0.8}],
        "prompt": "a red fox",
        "negativePrompt": "blurry",
        "samplerName": "euler",
        "steps": 25,
        "cfgScale": 7,
        "seed": "1",
        "baseModel": {"label": "SDXL", "type": "BASE_MODEL"},
    }
)
# What Grok writes into its JPEG files: a signature (ImageDescription), and the number of the picture (Artist).
SIGNATURE = "Signature: " + "Zm94" * 24
NUMBER = "6a2cb0de-1f3a-4c55-9d0e-0123456789ab"
PLAIN_PROMPT = json.dumps(
    {
        "1": {"class_type": "LoadImage", "inputs": {}},
        "2": {"class_type": "SaveImage", "inputs": {}},
    }
)

# keyword, text, origin
TEXTS = [
    ("AIGC", AIGC, True),
    ("AIGC", json.dumps(BARE), True),
    ("AIGC", json.dumps({"AIGC": json.dumps(BARE)}), True),
    ("AIGC", '{"Label":"1"}', True),
    ("AIGC", '{"Label":1}', True),
    ("AIGC", '{"AIGC":{"Label":"2"}}', None),
    ("AIGC", '{"AIGC":{"Label":"3"}}', None),
    ("parameters", PARAMETERS, True),
    ("parameters", SWARM, True),
    ("parameters", FOOOCUS, True),
    ("prompt", PROMPT, True),
    ("workflow", WORKFLOW, True),
    ("invokeai_metadata", INVOKE, True),
    ("sd-metadata", INVOKE_2, True),
    ("Dream", DREAM, True),
    ("Software", "NovelAI", True),
    ("Description", JOB, True),
    ("parameters", EASY, True),
    ("use_stable_diffusion_model", "sd-v1-5", True),
    ("generation_data", TENSOR, True),
    ("ai-disclosure", "ai-generated", Origin.CREATED),
    ("ai-disclosure", "autonomous", Origin.CREATED),
    ("ai-disclosure", "AI-Assisted", True),
    ("ai-disclosure", "mixed", True),
    ("ai-disclosure", "none", False),
    ("AI-Disclosure", 'mode=ai-originated, model="x"', Origin.CREATED),
    ("AI-Disclosure", "mode=ai-modified; model=x", Origin.ALTERED),
]

NOTHING = [
    ("AIGC", ""),
    ("AIGC", "1"),
    ("AIGC", '{"AIGC":{}}'),
    ("AIGC", '{"AIGC":["Label"]}'),
    ("AIGC", '{"Label":"4"}'),
    ("AIGC", '{"Label":["1"]}'),
    ("AIGC", AIGC[:-1]),
    ("parameters", "Steps to reproduce: open the file. Sampler: none"),
    ("parameters", '{"steps": 3}'),
    ("parameters", "Steps: many, Sampler: unknown"),
    ("prompt", "a sentence"),
    ("prompt", '{"a": {"class_type": 1, "inputs": {}}}'),
    ("prompt", PLAIN_PROMPT),
    ("workflow", '{"nodes": "many", "links": []}'),
    ("workflow", '{"nodes": [{"id": 1, "type": "LoadImage"}, 7], "links": []}'),
    ("invokeai_metadata", "{}"),
    ("invokeai_metadata", "null"),
    ("sd-metadata", '{"image": 1}'),
    ("Dream", "a night of -s and -S"),
    ("Dream", '"I have a dream" -s'),
    ("Software", "Adobe Photoshop 26.0"),
    ("Software", "NovelAI viewer"),
    ("Description", "Midjourney made this, says the caption"),
    ("Description", "Job ID: 12345"),
    ("parameters", '{"num_inference_steps": 25}'),
    ("generation_data", '{"prompt": "of the year"}'),
    ("generation_data", "2026-11-26"),
    ("Comment", "Created with GIMP"),
    ("ai-disclosure", "perhaps"),
    ("Title", PARAMETERS),
]


def examined(data):
    row = formats.sniff(data)
    stream = io.BytesIO(data)
    found = formats.load_adapter(row).examine(stream, row, Limits(), thorough=True).mirrors
    assert found == formats.load_adapter(row).examine(stream, row, Limits(), thorough=False).mirrors
    return found


def said(data):
    return [(mirror.carrier, mirror.name, mirror.origin) for mirror in examined(data)]


def png_text(keyword, text, kind="tEXt"):
    info = PngImagePlugin.PngInfo()
    if kind == "iTXt":
        info.add_itxt(keyword, text, zip=False)
    elif kind == "iTXt, compressed":
        info.add_itxt(keyword, text, zip=True)
    else:
        info.add_text(keyword, text, zip=kind == "zTXt")
    return encoded(SMALL, "png", pnginfo=info)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_chunks(*chunks):
    """A PNG with chunks of any content before the image data."""
    data = encoded(SMALL, "png")
    at = data.index(b"IDAT") - 4
    return data[:at] + b"".join(chunks) + data[at:]


def exif_block(fields, camera=(), order="<"):
    """A TIFF header, the first directory, the camera's directory, then their values."""
    fields, camera = list(fields), list(camera)
    first, second = 8, 8 + 2 + 12 * (len(fields) + bool(camera)) + 4
    end = second + (2 + 12 * len(camera) + 4 if camera else 0)
    values = b""

    def directory(entries, pointer):
        nonlocal values
        out = struct.pack(order + "H", len(entries) + bool(pointer))
        for tag, kind, raw in entries:
            place = raw.ljust(4, b"\0")
            if len(raw) > 4:
                place = struct.pack(order + "I", end + len(values))
                values += raw
            out += struct.pack(order + "HHI", tag, kind, len(raw)) + place
        if pointer:
            out += struct.pack(order + "HHII", 0x8769, 4, 1, pointer)
        return out + bytes(4)

    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", first)
    one = directory(fields, second if camera else 0)
    return head + one + (directory(camera, 0) if camera else b"") + values


def comment(text, code=b"ASCII\0\0\0", encoding="utf-8"):
    return [(0x9286, 7, code + text.encode(encoding))]


def with_exif(block, kind):
    return encoded(SMALL, kind, exif=b"Exif\0\0" + block if kind == "jpeg" else block)


def packet(inner, names='xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'):
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' xmlns:I="{xmp.IPTC_EXT}"><rdf:Description {names}{inner}</rdf:RDF></x:xmpmeta>'
    ).encode()


def element(name, value):
    return f"><{name}>{value}</{name}></rdf:Description>"


def with_xmp(data, kind):
    if kind == "png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", data.decode())
        return encoded(SMALL, "png", pnginfo=info)
    return encoded(SMALL, kind, xmp=data)


# --- texts of PNG -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt", "iTXt, compressed"])
@pytest.mark.parametrize(("keyword", "text", "origin"), TEXTS)
def test_a_text_of_png(keyword, text, origin, kind):
    (found,) = examined(png_text(keyword, text, kind))
    assert (found.carrier, found.value, found.origin) == ("png-text", text, origin)
    assert found.name.startswith(keyword)


@pytest.mark.parametrize(("keyword", "text"), NOTHING)
def test_a_text_that_says_nothing(keyword, text):
    assert examined(png_text(keyword, text)) == ()


def test_a_label_that_is_not_sure_says_so_in_its_name():
    names = [examined(png_text("AIGC", f'{{"Label":"{n}"}}'))[0].name for n in (1, 2, 3)]
    assert names == ["AIGC", "AIGC (possibly AI)", "AIGC (suspected AI)"]


def test_a_text_after_the_image_and_in_utf_8():
    data = encoded(SMALL, "png")
    text = chunk(b"tEXt", "parameters\0қызыл түлкі\n".encode() + PARAMETERS.encode())
    (found,) = examined(data[:-12] + text + data[-12:])
    assert found.value.startswith("қызыл түлкі")


def test_long_values_are_cut():
    (found,) = examined(png_text("parameters", "x" * 100_000 + "\n" + PARAMETERS))
    assert len(found.value) == 2000


# --- EXIF -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jpeg", "webp", "png"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("code", "encoding"),
    [
        (b"ASCII\0\0\0", "utf-8"),
        (b"UNICODE\0", "utf-16-be"),  # as piexif writes it, whatever the order of the block
        (b"UNICODE\0", "utf-16-le"),
        (b"UNICODE\0", "utf-16"),
        (bytes(8), "utf-8"),
        (b"", "utf-8"),
    ],
)
@pytest.mark.parametrize("text", [AIGC, json.dumps(BARE), PARAMETERS])
def test_a_comment_of_exif(kind, order, code, encoding, text):
    block = exif_block([(0x0131, 2, b"x\0")], comment(text, code, encoding), order)
    (found,) = examined(with_exif(block, kind))
    assert (found.carrier, found.name, found.origin) == ("exif", "UserComment", True)
    assert found.value == text


def test_a_chinese_comment_in_the_order_of_the_block():
    for order, encoding in (("<", "utf-16-le"), (">", "utf-16-be")):
        text = "红狐\n" + PARAMETERS
        block = exif_block([], comment(text, b"UNICODE\0", encoding), order)
        assert examined(with_exif(block, "jpeg"))[0].value == text


def test_pillow_writes_exif_that_is_read():
    block = Image.Exif()
    block[0x0131] = "NovelAI"
    block[0x010E] = JOB
    block.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + AIGC.encode()
    names = {name for _, name, _ in said(encoded(SMALL, "jpeg", exif=block))}
    assert names == {"Software", "ImageDescription", "UserComment"}


@pytest.mark.parametrize("kind", ["jpeg", "webp", "png"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_signature_of_grok(kind, order):
    fields = [(0x010E, 2, SIGNATURE.encode() + b"\0"), (0x013B, 2, NUMBER.encode() + b"\0")]
    (found,) = examined(with_exif(exif_block(fields, order=order), kind))
    assert (found.carrier, found.name, found.origin) == ("exif", "ImageDescription", True)
    assert found.value == SIGNATURE


@pytest.mark.parametrize(
    ("description", "artist"),
    [
        (SIGNATURE, ""),
        (SIGNATURE, "Ә. Құнанбаев"),
        (SIGNATURE, NUMBER[:-1] + "g"),
        (SIGNATURE + " of a fox", NUMBER),
        ("Signature: A. Kunanbaiuly", NUMBER),
        ("", NUMBER),
    ],
)
def test_half_of_it_says_nothing(description, artist):
    fields = [(0x010E, 2, description.encode() + b"\0"), (0x013B, 2, artist.encode() + b"\0")]
    assert examined(with_exif(exif_block(fields), "jpeg")) == ()


def test_a_maker_that_makes_no_cameras():
    assert said(with_exif(exif_block([(0x010F, 2, b"Ideogram AI\0")]), "jpeg")) == [
        ("exif", "Make", True)
    ]
    assert examined(with_exif(exif_block([(0x010F, 2, b"Ideogram AI viewer\0")]), "jpeg")) == ()


def test_easy_diffusion_in_a_comment():
    block = exif_block([], comment(EASY))
    assert said(with_exif(block, "webp")) == [("exif", "UserComment", True)]


def test_zero_bytes_behind_a_text():
    assert said(png_text("generation_data", TENSOR + "\0", "iTXt")) == [
        ("png-text", "generation_data", True)
    ]


def test_comfyui_in_webp():
    block = Image.Exif()
    block[0x0110] = "prompt:" + PROMPT
    block[0x010F] = "workflow:" + WORKFLOW
    assert said(encoded(SMALL, "webp", exif=block)) == [
        ("exif", "Make", True),
        ("exif", "Model", True),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        [(0x010F, 2, b"Canon\0"), (0x0110, 2, b"Canon EOS R5\0"), (0x0131, 2, b"GIMP 2.10\0")],
        [(0x010F, 2, b"workflow:x\0"), (0x0110, 2, b"prompt:{}\0")],
        [(0x010E, 2, b"A fox, not made by AI. Label: 1\0")],
        [(0x010E, 2, b'{"Label":"1"}\0')],  # any label, without the company of the Chinese one
    ],
)
@pytest.mark.parametrize("text", ["", " " * 64, "Steps: by hand", '{"Label":"1"}'])
def test_ordinary_exif_says_nothing(fields, text):
    assert examined(with_exif(exif_block(fields, comment(text)), "jpeg")) == ()


# --- XMP --------------------------------------------------------------------------------------------------------------

QUOTED = AIGC.replace('"', "&quot;")


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize(
    ("inner", "name"),
    [
        (element("TC260:AIGC", AIGC), "TC260:AIGC"),
        (element("TC260:AIGC", QUOTED), "TC260:AIGC"),
        (element("TC260:AIGC", f"<![CDATA[{json.dumps(BARE)}]]>"), "TC260:AIGC"),
        (f' TC260:AIGC="{QUOTED}"/>', "TC260:AIGC"),
        (element("photoshop:Credit", "Made with Google AI"), "photoshop:Credit"),
        (' photoshop:Credit="Edited with Google AI"/>', "photoshop:Credit"),
        (element("xmp:CreatorTool", "Draw Things"), "xmp:CreatorTool"),
    ],
)
def test_a_property_of_xmp(kind, inner, name):
    assert said(with_xmp(packet(inner), kind)) == [("xmp", name, True)]


def test_a_broken_prefix_is_understood():
    data = packet(f' TC260:AIGC="{QUOTED}"/>', 'xmlns:C260="http://www.tc260.org.cn/ns/AIGC/1.0/"')
    assert [mirror.name for mirror in xmp.read(data)] == ["TC260:AIGC"]
    assert xmp.read(data.replace(b"</x:xmpmeta>", b"")) == ()


def test_a_long_label_is_not_cut_before_it_is_read():
    text = json.dumps({"AIGC": {"Label": "1", "ReservedCode1": "x" * 20_000}})
    (found,) = xmp.read(packet(element("TC260:AIGC", text)))
    assert found.origin is True
    assert len(found.value) == 2000


@pytest.mark.parametrize(
    "inner",
    [
        element("photoshop:Credit", "Photo: Made with Google AI Studio fans"),
        element("photoshop:Credit", "Reuters"),
        element("xmp:CreatorTool", "Adobe Photoshop 26.0"),
        element("TC260:AIGC", "yes"),
        element("TC260:AIGC", ""),
        # said about an ingredient, not about the file
        f' xmlns:m="urn:m"><m:Pantry rdf:parseType="Resource"><TC260:AIGC>{AIGC}</TC260:AIGC></m:Pantry></rdf:Description>',
    ],
)
def test_xmp_that_says_nothing(inner):
    assert xmp.read(packet(inner)) == ()


def test_foreign_properties_are_never_edited():
    before = packet(element("TC260:AIGC", AIGC) + f'<rdf:Description I:AISystemUsed="{"old"}"/>')
    after = xmp.write(before, Label(origin="altered"))
    assert AIGC.encode() in after
    assert {mirror.name for mirror in xmp.read(after)} == {
        "TC260:AIGC",
        "Iptc4xmpExt:DigitalSourceType",
    }


# --- judgement --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("keyword", "text", "origin"), TEXTS)
def test_a_claim_is_never_proof(keyword, text, origin):
    report = verify(png_text(keyword, text), trust=[])
    assert report.verdict is (Verdict.INCOMPLETE if origin else Verdict.UNMARKED)
    assert report.marker_state == ("claimed" if origin else "absent")
    assert report.reason.code == ("marker.claimed" if origin else "verdict.unmarked")
    assert report.declared is None
    assert [mirror["carrier"] for mirror in report.to_dict()["mirrors"]] == ["png-text"]


def test_made_with_ai_is_said_in_three_languages():
    report = verify(png_text("parameters", PARAMETERS), trust=[])
    (finding,) = [f for f in report.findings if f.message.code == "declared.claimed"]
    assert "ЖИ пайдаланылған" in finding.message.text("kk")
    assert "использован ИИ" in finding.message.text("ru")
    assert "made with AI" in finding.message.text("en")
    assert finding.where == "png-text: parameters"


def test_a_camera_and_a_label_contradict_each_other():
    capture = (
        f"><I:DigitalSourceType>http://x/digitalCapture</I:DigitalSourceType>"
        f"<TC260:AIGC>{AIGC}</TC260:AIGC></rdf:Description>"
    )
    report = verify(with_xmp(packet(capture), "jpeg"), trust=[])
    assert report.verdict is Verdict.INVALID
    assert report.reason.code == "unambiguous.contradiction"


@pytest.mark.parametrize("origin", ["created", "altered"])
@pytest.mark.parametrize(
    ("keyword", "text"), [("parameters", PARAMETERS), ("AIGC", AIGC), ("prompt", PROMPT)]
)
def test_a_labelled_file_keeps_the_parameters_it_was_made_with(config, origin, keyword, text):
    info = PngImagePlugin.PngInfo()
    info.add_text(keyword, text)
    source = encoded(picture(size=(320, 240)), "png", pnginfo=info)
    result = mark(source, None, Label(origin=origin), config=config)
    assert result.report.verdict is Verdict.LABELLED
    assert ("png-text", keyword, True) in said(result.data)


@pytest.mark.parametrize("settings", ["config", "stranger"])
def test_a_label_that_the_metadata_deny_is_not_signed(request, settings):
    info = PngImagePlugin.PngInfo()
    info.add_text("ai-disclosure", "none")
    source = encoded(picture(size=(320, 240)), "png", pnginfo=info)
    with pytest.raises(Refused) as refusal:
        mark(source, None, Label(origin="created"), config=request.getfixturevalue(settings))
    assert refusal.value.code == "contradiction"
    assert "ai-disclosure" in str(refusal.value)


# --- hostile ----------------------------------------------------------------------------------------------------------


def seconds(data):
    start = time.process_time()
    report = verify(data, trust=[])
    json.loads(report.to_json())
    return time.process_time() - start


def test_bombs_cost_no_more_than_the_limit():
    bomb = zlib.compress(bytes(50 * MIB), 9)
    nested = zlib.compress(b'{"Label":' * 110_000, 9)
    wide = zlib.compress(b'{"Label":[' + b"[]," * 340_000 + b"[]]}", 9)
    for text in (
        chunk(b"zTXt", b"AIGC\0\0" + bomb),
        chunk(b"iTXt", b"AIGC\0\1\0\0\0" + bomb),
        chunk(b"zTXt", b"AIGC\0\0" + nested),
        chunk(b"zTXt", b"parameters\0\0" + wide),
    ):
        data = png_chunks(*[text] * 300)
        assert examined(data) == ()
        assert seconds(data) < 5


@pytest.mark.parametrize(
    "data",
    [
        b"AIGC",
        b"AIGC\0",
        b"AIGC\0\0",
        b"AIGC\0\0not deflate",
        b"AIGC\0\1\0",
        b"\0",
        b"",
        b"AIGC\0\xff\xfe",
        b"AIGC\0" + b'{"a":' * 100_000,
        b"AIGC\0" + b'{"Label":' + b"9" * 100_000 + b"}",
        b"AIGC\0" + b'{"Label":"1"' + b" " * (MIB + 1) + b"}",
        b"prompt\0" + b'{"a":{"inputs":{}, "class_type":' + b"[" * 100_000,
        b'prompt\0{"a": null, "b": {"inputs": 1, "class_type": ["KSampler"]}}',
        b'workflow\0{"nodes": [null, {"id": 1, "type": {}}], "links": 0}',
        b"Dream\0" + b'"' * 100_000,
        b"parameters\0" + b"Steps: 1\n" * 100_000,
    ],
)
def test_texts_that_are_no_texts(data):
    file = png_chunks(*(chunk(kind, data) for kind in (b"tEXt", b"zTXt", b"iTXt")))
    assert examined(file) == ()
    assert seconds(file) < 2


def test_many_statements_are_cut_short():
    data = png_chunks(*[chunk(b"tEXt", b'AIGC\0{"Label":"1"}')] * 5000)
    assert len(examined(data)) == 50
    assert seconds(data) < 2


GOOD = exif_block([(0x0131, 2, b"NovelAI\0")], comment(AIGC))


@pytest.mark.parametrize("length", range(0, len(GOOD), 3))
def test_a_cut_block_is_no_error(length):
    list(declarations.in_exif(GOOD[:length]))


def test_any_byte_of_a_block_can_be_wrong():
    for position in range(len(GOOD)):
        for value in (0, 1, 0x7F, 0xFF):
            block = GOOD[:position] + bytes([value]) + GOOD[position + 1 :]
            assert len(list(declarations.in_exif(block))) <= 2


@pytest.mark.parametrize("offset", [0, 4, 8, 20, 2**31, 2**32 - 1])
def test_directories_in_a_circle(offset):
    pointer = struct.pack("<HHHII", 1, 0x8769, 4, 1, offset) + struct.pack("<I", 8)
    assert list(exif.texts(b"II*\0" + struct.pack("<I", 8) + pointer)) == []
    assert list(exif.texts(b"II*\0" + struct.pack("<I", offset) + pointer)) == []


def test_a_thousand_fields_over_the_same_bytes():
    entries = b"".join(struct.pack("<HHII", 0x9286, 7, 900_000, 50_000) for _ in range(4000))
    block = b"II*\0" + struct.pack("<IH", 8, 4000) + entries
    block = block.ljust(50_000, b"\0") + b'{"Label":[' + b"[]," * 299_000
    block = block.ljust(950_000, b" ")
    start = time.process_time()
    assert list(declarations.in_exif(block)) == []
    assert time.process_time() - start < 2


def test_a_block_that_is_too_large_is_not_looked_at():
    assert list(exif.texts(GOOD.ljust(MIB + 1, b"\0"))) == []
    assert examined(png_chunks(chunk(b"eXIf", GOOD.ljust(MIB + 1, b"\0")))) == ()


def test_many_pieces_of_text_in_xmp():
    start = time.process_time()
    data = packet("".join((">", *["<TC260:AIGC>" + "a<b/>" * 60_000 + "</TC260:AIGC>"] * 3)))
    xmp.read(data.replace(b"</rdf:RDF>", b"</rdf:Description></rdf:RDF>"))
    assert time.process_time() - start < 3


# --- real files -------------------------------------------------------------------------------------------------------


@pytest.mark.corpus
def test_no_real_picture_is_accused_wrongly():
    """Of the pictures of the corpus, those whose metadata say anything about AI; none of them claims it."""
    folder = require_corpus()
    found = {}
    for line in (folder / "index.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        name, kind = line.split("\t")[:2]
        if kind not in {"jpeg", "png", "webp", "gif", "tiff", "avif", "heic", "jp2"}:
            continue
        with (folder / name).open("rb") as stream:
            row = formats.sniff(stream)
            if row is None or not row.supported:
                continue
            try:
                adapter = formats.load_adapter(row)
                mirrors = adapter.examine(stream, row, Limits(), thorough=False).mirrors
            except MediaProblem:
                continue
        if mirrors:
            found[name] = [(mirror.name, mirror.origin) for mirror in mirrors]
    capture = [("Iptc4xmpExt:DigitalSourceType", False)]
    assert found == {
        "exiv2/test/data/avif_exif_xmp.avif": capture,
        "exiv2/test/data/avif_metadata2.avif": capture,
        "image-rs/tests/images/png/iptc.png": [
            ("Iptc4xmpExt:DigitalSourceFileType", None),
            ("Iptc4xmpExt:DigitalSourceType", None),
        ],
    }
