"""ExifTool, which reads no C2PA trust, must see the mirror and every tag that was there before."""

from __future__ import annotations

import collections
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageCms

import corpus_files
import jpeg_files
import svg_files
import tiff_files
from aikz_label import Label, Refused, mark
from aikz_label.config import Config
from aikz_label.label import Origin, System
from aikz_label.metadata import mirror
from support import PHOTO, encoded, heic, jxl, picture, require_corpus, require_tool

pytestmark = pytest.mark.timeout(180)

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
OURS = {
    f"{group}:{name}"
    for group in ("XMP-iptcExt", "PNG")
    for name in ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed")
} | {
    "XMP-iptcExt:DigitalSourceFileType"
}  # the older name of the first, which ours takes the place of
COMMENT = ("ExifIFD:UserComment", "Exif.Photo.UserComment")  # for exiftool and for exiv2
# How exiftool is asked to fill a picture: EXIF, GPS, XMP with a list and two languages, IPTC with a list.
FILLING = (
    "-EXIF:Make=Leica",
    "-EXIF:Model=M11",
    "-EXIF:Artist=Айгүл",
    "-EXIF:DateTimeOriginal=2026:11:22 10:20:30",
    "-EXIF:GPSLatitude=43.238949",
    "-EXIF:GPSLatitudeRef=N",
    "-XMP-dc:Title=Бақбақ",
    "-XMP-dc:Title-ru=Одуванчик",
    "-XMP-dc:Creator=First",
    "-XMP-dc:Creator=Second",
    "-XMP-photoshop:City=Алматы",
    "-XMP-iptcExt:LocationShownCity=Алматы",
)
IPTC = (
    "-IPTC:CodedCharacterSet=UTF8",
    "-IPTC:Headline=Гүл",
    "-IPTC:Keywords=гүл",
    "-IPTC:Keywords=дала",
)
# Groups that describe the file, the reader or the marker, which do change.
NOT_CONTENT = {"SourceFile", "System", "ExifTool", "JUMBF", "Jpeg2000", "CBOR", "JSON"}
# Single tags that describe how the pixels are coded, or where a block lies.
CODING = {
    "File:FileType",  # exiftool names a WebP with metadata another type
    "File:EncodingProcess",  # extended sequential becomes baseline, with the same tables
    "File:YCbCrSubSampling",  # rare layouts become 4:4:4, compared by tests/fidelity.py
    "IFD0:StripByteCounts",
    "IFD0:StripOffsets",
    "IFD1:ThumbnailImage",  # has a notice of its own
    "IFD1:ThumbnailLength",
    "IFD1:ThumbnailOffset",
    "MPImage1:MPImageLength",  # of the labelled picture, with its marker
    "MPImage2:MPImageStart",
    "PNG:BitDepth",  # of a palette, compared there too
    "PNG:Interlace",
    "PNG:Palette",
    "PNG:Transparency",
    "RIFF:VP8Version",
    "RIFF:WebP_Flags",
}
# ExifTool takes an offset inside a chunk for one inside the file. In a PNG that holds C2PA it then believes that it has
# been at the EXIF block before, and skips it. The EXIF itself is intact: it is read once the marker is out of the way.
READER_BUG = "IFD0 pointer references previous JUMBFBox directory"


@pytest.fixture(scope="session")
def exiftool() -> str:
    return require_tool("exiftool")


def run(exiftool: str, *arguments: str | Path) -> str:
    done = subprocess.run(
        [exiftool, "-config", "", *map(str, arguments)],
        capture_output=True,
        check=False,
        timeout=120,
    )
    return done.stdout.decode()


def tags(exiftool: str, *files: Path) -> list[dict[str, Any]]:
    """Every tag of every file, duplicates too, as `group:copy:name`."""
    text = run(exiftool, "-j", "-G1:4", "-a", "-struct", "-n", *files)
    listed: list[dict[str, Any]] = json.loads(text)
    assert len(listed) == len(files)
    return listed


def content(listed: dict[str, Any]) -> collections.Counter[tuple[str, str]]:
    """Names and values of what belongs to the picture, whatever its order."""
    found: collections.Counter[tuple[str, str]] = collections.Counter()
    for key, value in listed.items():
        group, name = key.split(":")[0], key.split(":")[-1]
        if group not in NOT_CONTENT and f"{group}:{name}" not in CODING:
            found[f"{group}:{name}", json.dumps(value, sort_keys=True)] += 1
    return found


def values(listed: dict[str, Any], name: str) -> list[Any]:
    """Every value of a tag named `group:name`."""
    group, _, tag = name.partition(":")
    return [
        value
        for key, value in listed.items()
        if (key.split(":")[0], key.split(":")[-1]) == (group, tag)
    ]


def warnings(listed: dict[str, Any]) -> set[str]:
    return {str(value) for key, value in listed.items() if key.endswith((":Warning", ":Error"))}


def without_marker(png: bytes) -> bytes:
    """The file without its `caBX` chunk."""
    at, kept = 8, [png[:8]]
    while at < len(png):
        stop = at + 12 + int.from_bytes(png[at : at + 4])
        if png[at + 4 : at + 8] != b"caBX":
            kept.append(png[at:stop])
        at = stop
    return b"".join(kept)


def tags_of_marked(exiftool: str, files: list[Path]) -> list[dict[str, Any]]:
    """The tags of marked files, read around the reader's bug."""
    listed = tags(exiftool, *files)
    for number, (file, found) in enumerate(zip(files, listed, strict=True)):
        if READER_BUG in warnings(found):
            plain = file.with_name(f"{file.name}.plain.png")
            plain.write_bytes(without_marker(file.read_bytes()))
            (listed[number],) = tags(exiftool, plain)
    return listed


# What a strip below an animation changes; test_gif and test_animation compare the frames themselves. XMP needs GIF 89a.
FRAMES = re.compile(
    r"^(gone|new): (Composite:(ImageSize|Megapixels)|RIFF:(ImageHeight|FrameCount|Duration)"
    r"|GIF:(ImageHeight|FrameCount|Duration|GIFVersion|TransparentColor)) "
)


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What is gone or new, but for our three properties, and new complaints of the reader."""
    gone = content(before) - content(after)
    new = content(after) - content(before)
    if not any(str(value).strip() for value in values(before, COMMENT[0])):
        for found in (gone, new):  # a comment of nobody else's
            for key in [key for key in found if key[0] == COMMENT[0]]:
                del found[key]
    return [
        *(f"gone: {name} = {value}" for name, value in gone if name not in OURS),
        *(
            f"new: {name} = {value}"
            for name, value in new
            if name not in OURS | {"RIFF:ImageWidth", "RIFF:ImageHeight"}
        ),
        *(f"warning: {text}" for text in warnings(after) - warnings(before)),
    ]


@pytest.fixture(params=["jpg", "png", "webp", "tif", "gif"])
def filled(request: pytest.FixtureRequest, exiftool: str, tmp_path: Path) -> Path:
    """A picture with metadata of every kind, written by exiftool itself."""
    kind = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF"}.get(request.param, "GIF")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / f"filled.{request.param}"
    path.write_bytes(encoded(picture(), kind, icc_profile=profile))
    asked = FILLING if kind == "WEBP" else FILLING + IPTC  # WebP has no place for IPTC
    run(exiftool, "-q", "-m", "-overwrite_original", *asked, path)
    return path


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        (Origin.CREATED, "trainedAlgorithmicMedia"),
        (Origin.ALTERED, "compositeWithTrainedAlgorithmicMedia"),
    ],
)
def test_mirror_is_seen(
    filled: Path, origin: Origin, code: str, exiftool: str, config: Config
) -> None:
    out = filled.with_stem("marked")
    mark(filled, out, Label(origin=origin, system=System("PhotoGen", "2.1")), config=config)
    (found,) = tags(exiftool, out)
    expected = {"DigitalSourceType": SOURCE + code, "AISystemUsed": "PhotoGen"}
    for group in ("XMP-iptcExt", "PNG") if filled.suffix == ".png" else ("XMP-iptcExt",):
        for name, value in expected.items():
            assert values(found, f"{group}:{name}") == [value]
        assert [str(v) for v in values(found, f"{group}:AISystemVersionUsed")] == ["2.1"]
    plain = json.loads(run(exiftool, "-j", "-G", "-XMP:DigitalSourceType", "-n", out))
    assert plain[0]["XMP:DigitalSourceType"] == SOURCE + code


@pytest.mark.parametrize("kind", ["avif", "heic", "jxl"])
def test_mirror_is_seen_in_boxes(
    kind: str, exiftool: str, config: Config, label: Label, tmp_path: Path
) -> None:
    make = {"avif": lambda image: encoded(image, "AVIF"), "heic": heic, "jxl": jxl}[kind]
    out = tmp_path / f"marked.{kind}"
    mark(make(picture()), out, label, config=config)
    (found,) = tags(exiftool, out)
    assert found["XMP-iptcExt:DigitalSourceType"] == SOURCE + "trainedAlgorithmicMedia"
    assert found["XMP-iptcExt:AISystemUsed"] == "PhotoGen"


def test_every_tag_stays(filled: Path, exiftool: str, config: Config, label: Label) -> None:
    out = filled.with_stem("marked")
    mark(filled, out, label, config=config)
    (before,) = tags(exiftool, filled)
    (after,) = tags_of_marked(exiftool, [out])
    expected: dict[str, Any] = {
        "IFD0:Make": "Leica",
        "IFD0:Model": "M11",
        "IFD0:Artist": "Айгүл",
        "ExifIFD:DateTimeOriginal": "2026:11:22 10:20:30",
        "GPS:GPSLatitude": pytest.approx(43.238949, abs=1e-6),
        "XMP-dc:Creator": ["First", "Second"],
        "XMP-dc:Title": "Бақбақ",
        "XMP-dc:Title-ru": "Одуванчик",
        "XMP-photoshop:City": "Алматы",
        "ICC_Profile:ProfileDescription": "sRGB built-in",
    }
    if filled.suffix != ".webp":
        expected |= {"IPTC:Headline": "Гүл", "IPTC:Keywords": ["гүл", "дала"]}
    if filled.suffix == ".gif":  # which has a place for XMP only
        expected = {name: value for name, value in expected.items() if name.startswith("XMP")}
    for name, value in expected.items():
        assert values(before, name) == [value], "the input is not what it should be"
        assert values(after, name) == [value]
    assert differences(before, after) == []


def test_earlier_statement_is_replaced_not_doubled(
    filled: Path, exiftool: str, config: Config, label: Label
) -> None:
    was = f"-XMP-iptcExt:DigitalSourceType={SOURCE}digitalCapture"
    run(exiftool, "-q", "-m", "-overwrite_original", was, filled)
    out = filled.with_stem("marked")
    mark(filled, out, label, config=config)
    (before,), (after,) = tags(exiftool, filled), tags_of_marked(exiftool, [out])
    name = "XMP-iptcExt:DigitalSourceType"
    assert values(before, name) == [SOURCE + "digitalCapture"]
    assert values(after, name) == [SOURCE + "trainedAlgorithmicMedia"]
    assert differences(before, after) == []


def test_reader_sees_no_new_fault(
    exiftool: str, config: Config, label: Label, tmp_path: Path
) -> None:
    """`-validate` of the photograph finds the same before and after."""
    out = tmp_path / "marked.jpg"
    mark(PHOTO, out, label, config=config)
    for file in (PHOTO, out):
        (found,) = json.loads(
            run(exiftool, "-j", "-G", "-a", "-validate", "-warning", "-error", file)
        )
        assert found["ExifTool:Validate"] == "OK", found


@pytest.mark.corpus
@pytest.mark.parametrize("name", corpus_files.PICTURES)
def test_every_tag_of_the_corpus_stays(
    name: str, exiftool: str, config: Config, label: Label, tmp_path: Path
) -> None:
    require_corpus()
    sources, results = [], []
    for number, row in enumerate(corpus_files.rows(name)):
        out = tmp_path / f"{number}.{name}"
        try:
            mark(row.file, out, label, config=config, on_existing="replace")
        except Refused:
            continue
        sources.append(row.file)
        results.append(out)
    assert len(sources) > 10
    before, after = tags(exiftool, *sources), tags_of_marked(exiftool, results)
    found = {
        str(source): differences(was, now)
        for source, was, now in zip(sources, before, after, strict=True)
    }
    left = {
        source: [line for line in lines if not FRAMES.search(line)]
        for source, lines in found.items()
    }
    assert {source: lines for source, lines in left.items() if lines} == {}


@pytest.mark.parametrize("order", ["big", "little"])
def test_gain_map_is_found_behind_the_picture(
    order: str, exiftool: str, config: Config, label: Label, tmp_path: Path
) -> None:
    """The index of further pictures holds after signing, and nothing in it is new to the reader."""
    gain = jpeg_files.jpeg(picture("L", (120, 80)))
    source, out = tmp_path / "source.jpg", tmp_path / "out.jpg"
    source.write_bytes(jpeg_files.with_pictures(jpeg_files.jpeg(picture()), gain, order=order))
    mark(source, out, label, config=config)
    for file in (source, out):
        done = subprocess.run(
            [exiftool, "-b", "-MPImage2", file], capture_output=True, check=True, timeout=60
        )
        assert done.stdout == gain
        (found,) = json.loads(run(exiftool, "-j", "-G1", "-validate", "-MPF:all", file))
        assert found["ExifTool:Validate"] == "OK"
        assert found["MPImage1:MPImageLength"] == file.stat().st_size - len(gain)
        assert found["MPImage2:MPImageStart"] == file.stat().st_size - len(gain)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "dng"])
def test_two_readers_see_the_same_comment(
    kind: str, exiftool: str, config: Config, tmp_path: Path
) -> None:
    """EXIF has no field for AI: the comment says it, in the words of the other mirror, Kazakh letters too."""
    exiv2, out = require_tool("exiv2"), tmp_path / f"out.{kind}"
    formats = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF"}
    source = tmp_path / f"source.{kind}"
    source.write_bytes(
        encoded(picture(), formats[kind]) if kind in formats else tiff_files.raw_photo()
    )
    run(exiftool, "-q", "-overwrite_original", "-EXIF:Make=Leica", "-EXIF:ISO=100", source)
    label = Label(origin=Origin.ALTERED, system=System("ҚазГен ӘҢӨҰҮҺІ", "2.1"))
    mark(source, out, label, config=config)
    (found,) = tags_of_marked(exiftool, [out])
    assert values(found, COMMENT[0]) == [mirror.line(label)]
    assert values(found, "IFD0:Make") == ["Leica"]
    done = subprocess.run(
        [exiv2, "-g", COMMENT[1], "-Pt", out], capture_output=True, check=True, timeout=60
    )
    assert done.stdout.decode().strip() == f"charset=Unicode {mirror.line(label)}"


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "gif", "svg"])
def test_two_readers_see_the_same_xmp(
    kind: str, exiftool: str, config: Config, tmp_path: Path
) -> None:
    """Adobe's own toolkit, by way of exempi, reads all of these; exiv2 and Pillow read none of GIF."""
    exempi, source, out = require_tool("exempi"), tmp_path / f"a.{kind}", tmp_path / f"out.{kind}"
    formats = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF", "gif": "GIF"}
    source.write_bytes(svg_files.svg() if kind == "svg" else encoded(picture(), formats[kind]))
    label = Label(origin=Origin.ALTERED, system=System("ҚазГен ӘҢӨҰҮҺІ", "2.1"))
    mark(source, out, label, config=config)
    (found,) = tags_of_marked(exiftool, [out])
    for name in ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed"):
        (value,) = values(found, f"XMP-iptcExt:{name}")
        shown = subprocess.run(
            [exempi, "-g", f"Iptc4xmpExt:{name}", out], capture_output=True, check=True, timeout=60
        )
        assert shown.stdout.decode().strip() == str(value)


@pytest.mark.corpus
def test_makers_notes_of_the_corpus_stay(config: Config, label: Label, tmp_path: Path) -> None:
    """They count from the beginning of the block, so a second reader must understand them as before."""
    require_corpus()
    exiv2, found = require_tool("exiv2"), 0
    for number, row in enumerate(corpus_files.rows("jpeg", "png", "webp")):
        out = tmp_path / f"{number}"
        try:
            mark(row.file, out, label, config=config, on_existing="replace")
        except Refused:
            continue
        before, after = (makers_notes(exiv2, file) for file in (row.file, out))
        assert before == after, row
        found += bool(before)
    assert found >= 4


def makers_notes(exiv2: str, file: Path) -> list[str]:
    """Every entry of the camera's own directories."""
    done = subprocess.run(
        [exiv2, "-q", "-Pkyct", file], capture_output=True, check=False, timeout=60
    )
    lines = done.stdout.decode(errors="replace").splitlines()
    common = ("Exif.Image.", "Exif.Photo.", "Exif.Thumbnail.", "Exif.GPSInfo.", "Exif.Iop.")
    return [line for line in lines if line.startswith("Exif.") and not line.startswith(common)]


@pytest.mark.parametrize(
    "inside",
    ["", "<metadata><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/></metadata>"],
)
def test_mirror_of_a_drawing(
    exiftool: str, tmp_path: Path, config: Config, label: Label, inside: str
) -> None:
    out = tmp_path / "out.svg"
    mark(svg_files.svg(inside + svg_files.SHAPES), out, label, config=config)
    (told,) = json.loads(run(exiftool, "-j", "-G1", "-a", out))
    assert told["XMP-iptcExt:DigitalSourceType"] == SOURCE + "trainedAlgorithmicMedia"
    assert told["XMP-iptcExt:AISystemUsed"] == "PhotoGen"
