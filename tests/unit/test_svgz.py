"""SVGZ: the same drawing in a gzip file, and every way in which that can be broken."""

from __future__ import annotations

import gzip
import subprocess
import zlib

import pytest
from PIL import Image

from aikz_label import Refused, Verdict, mark, verify
from support import require_tool
from svg_files import SHAPES, svg

# Everything that a header can have: a time, a further field, a name, a comment and a check sum.
HEAD = b"\x1f\x8b\x08\x1e\x01\x02\x03\x04\x00\x03" + b"\x04\0AB\0\0" + b"a.svg\0made by hand\0"
HEAD += (zlib.crc32(HEAD) & 0xFFFF).to_bytes(2, "little")


def test_compressed_is_marked_and_stays_compressed(label, config, tmp_path):
    """With the header that it had; the drawing in it is what the same drawing becomes without compression."""
    source, out = tmp_path / "a.svgz", tmp_path / "b.svgz"
    source.write_bytes(HEAD + gzip.compress(svg())[10:])
    result = mark(source, out, label, config=config)
    assert (tmp_path / "b.svgz.c2pa").exists()
    assert result.report.format == "svgz"
    assert out.read_bytes().startswith(HEAD)
    assert verify(out, config=config, measure=True).verdict is Verdict.LABELLED
    plain = mark(svg(), None, label, config=config, sidecar="always")
    assert gzip.decompress(out.read_bytes()) == plain.data
    shown = [require_tool("rsvg-convert"), str(out), "-o", str(tmp_path / "out.png")]
    subprocess.run(shown, check=True, timeout=60)
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == (640, 360)


def test_a_marker_that_was_compressed_with_its_drawing_is_read(label, config):
    inside = gzip.compress(mark(svg(), None, label, config=config).data)
    report = verify(inside, config=config)
    assert (report.verdict, report.format) == (Verdict.LABELLED, "svgz")
    with pytest.raises(Refused) as refusal:
        mark(inside, None, label, config=config)
    assert refusal.value.code == "already-marked"
    with pytest.raises(Refused) as refusal:
        mark(inside, None, label, config=config, on_existing="update")
    assert refusal.value.code == "existing-inside"
    again = mark(inside, None, label, config=config, on_existing="replace")
    assert gzip.decompress(again.data).count(b"data-aikz-label=") == 1
    assert b"c2pa:manifest" not in gzip.decompress(again.data)


WHOLE = gzip.compress(svg(), mtime=0)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (svg(SHAPES + " " * (40 << 20)), "over-limit"),
        (WHOLE[:-9], "damaged"),
        (WHOLE[: len(WHOLE) // 2], "damaged"),
        (WHOLE[:-5] + b"x" + WHOLE[-4:], "damaged"),
        (WHOLE + b"more", "damaged"),
        (WHOLE + WHOLE, "damaged"),
        (WHOLE[:3] + b"\xff" + WHOLE[4:], "unknown-format"),
        (gzip.compress(b"no drawing at all"), "unknown-format"),
    ],
    ids=["bomb", "no sums", "cut", "wrong sum", "tail", "two", "flags", "text"],
)
def test_compressed_and_broken(data, code, label, config):
    data = gzip.compress(data, 1) if code == "over-limit" else data
    with pytest.raises(Refused) as refusal:
        mark(data, None, label, config=config)
    assert refusal.value.code == code
    assert verify(data, config=config).verdict is Verdict.UNREADABLE
