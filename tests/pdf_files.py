"""PDF files made for tests: every kind of cross-reference, and what documents are made of."""

from __future__ import annotations

import io
import subprocess
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from support import require_tool

_FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def page_objects(
    pages: int = 2, *, size: str = "0 0 595 842", catalog: str = "", page: str = ""
) -> dict[int, bytes]:
    """The objects of a document with a line of text on each page; 1 is the catalog, 2 the pages, 3 the font."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(pages))
    objects = {
        1: f"<</Type/Catalog/Pages 2 0 R{catalog}>>".encode(),
        2: f"<</Type/Pages/Count {pages}/Kids[{kids}]/MediaBox[{size}]>>".encode(),
        3: _FONT.encode(),
    }
    for number in range(pages):
        at = 4 + 2 * number
        drawn = f"BT /F1 24 Tf 72 400 Td (Page {number + 1} of the sample) Tj ET".encode()
        objects[at] = (
            f"<</Type/Page/Parent 2 0 R/Contents {at + 1} 0 R/Resources<</Font<</F1 3 0 R>>>>{page}>>"
        ).encode()
        objects[at + 1] = stream(drawn)
    return objects


def stream(data: bytes, extra: bytes = b"") -> bytes:
    """The body of a stream object."""
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(data), extra, data)


def document(
    objects: Mapping[int, bytes] | None = None,
    *,
    version: str = "1.4",
    trailer: str = "",
    before: bytes = b"",
) -> bytes:
    """A file with a cross-reference table."""
    objects = objects if objects is not None else page_objects()
    out = io.BytesIO()
    out.write(b"%%PDF-%b\n%%\xe2\xe3\xcf\xd3\n" % version.encode())
    places = {}
    for num, body in objects.items():
        places[num] = out.tell()
        out.write(b"%d 0 obj\n%b\nendobj\n" % (num, body))
    at, size = out.tell(), max(objects) + 1
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
    for num in range(1, size):
        out.write(b"%010d 00000 n \n" % places[num] if num in places else b"0000000000 00001 f \n")
    out.write(f"trailer\n<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{at}\n%%EOF\n".encode())
    return before + out.getvalue()


def packed(objects: Mapping[int, bytes] | None = None, *, version: str = "1.5") -> bytes:
    """A file with a cross-reference stream, whose objects are in an object stream wherever they can be."""
    objects = objects if objects is not None else page_objects()
    out = io.BytesIO()
    out.write(b"%%PDF-%b\n%%\xe2\xe3\xcf\xd3\n" % version.encode())
    inside = {num: body for num, body in objects.items() if b"stream\n" not in body}
    holder = max(objects) + 1
    parts, size = [], 0
    rows: dict[int, tuple[int, int, int]] = {0: (0, 0, 65535)}
    for index, (num, body) in enumerate(inside.items()):
        parts.append(b"%d %d " % (num, size))
        size += len(body) + 1
        rows[num] = (2, holder, index)
    head, bodies = b"".join(parts), b" ".join([*inside.values(), b""])
    whole = zlib.compress(head + bodies)
    extra = b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(inside), len(head))
    outside = {num: body for num, body in objects.items() if num not in inside}
    for num, body in {**outside, holder: stream(whole, extra)}.items():
        rows[num] = (1, out.tell(), 0)
        out.write(b"%d 0 obj\n%b\nendobj\n" % (num, body))
    at = out.tell()
    rows[holder + 1] = (1, at, 0)
    table = b"".join(
        bytes([kind]) + where.to_bytes(4) + which.to_bytes(4)
        for kind, where, which in (rows.get(num, (0, 0, 0)) for num in range(holder + 2))
    )
    extra = b"/Type/XRef/W[1 4 4]/Size %d/Root 1 0 R" % (holder + 2)
    out.write(
        b"%d 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (holder + 1, stream(table, extra), at)
    )
    return out.getvalue()


def hybrid() -> bytes:
    """A file with a table for old programs, and a stream for new ones that knows an object more: the font."""
    objects = page_objects()
    font = objects.pop(3)
    holder = max(objects) + 1
    extra = b"/Type/ObjStm/N 1/First 4"
    objects[holder] = stream(b"3 0 " + font, extra)
    out = document(objects, version="1.5")
    out = out[: out.rindex(b"xref\n0 ")]
    at = len(out)
    table = b"\2" + holder.to_bytes(4) + b"\0\0"
    extra = b"/Type/XRef/W[1 4 2]/Index[3 1]/Size %d/Root 1 0 R" % (holder + 1)
    out += b"%d 0 obj\n%b\nendobj\n" % (holder + 1, stream(table, extra))
    places = [out.find(b"\n%d 0 obj" % num) + 1 for num in range(holder + 2)]
    start = len(out)
    rows = [b"0000000000 65535 f "] + [
        b"%010d 00000 n " % place if place else b"0000000000 00001 f " for place in places[1:]
    ]
    return (
        out
        + b"xref\n0 %d\n%b\ntrailer\n<</Size %d/Root 1 0 R/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n"
        % (
            len(rows),
            b"\n".join(rows),
            len(rows),
            at,
            start,
        )
    )


def appended(data: bytes, objects: Mapping[int, bytes], *, trailer: str = "") -> bytes:
    """The file with an update of somebody else behind it."""
    previous = int(data[data.rindex(b"startxref") + 9 :].split()[0])
    out = io.BytesIO(data)
    out.seek(0, io.SEEK_END)
    rows = []
    for num, body in sorted(objects.items()):
        rows.append(b"%d 1\n%010d 00000 n \n" % (num, out.tell()))
        out.write(b"%d 0 obj\n%b\nendobj\n" % (num, body))
    at, size = out.tell(), 1000
    out.write(b"xref\n" + b"".join(rows))
    end = f"trailer\n<</Size {size}/Root 1 0 R/Prev {previous}{trailer}>>\nstartxref\n{at}\n%%EOF\n"
    out.write(end.encode())
    return out.getvalue()


def by_qpdf(data: bytes, *options: str) -> bytes:
    """The file as qpdf writes it with some options."""
    tool = require_tool("qpdf")
    with tempfile.TemporaryDirectory() as name:
        before, after = Path(name, "in.pdf"), Path(name, "out.pdf")
        before.write_bytes(data)
        subprocess.run([tool, *options, str(before), str(after)], check=True, capture_output=True)
        return after.read_bytes()


def encrypted(
    bits: int, user: str = "", owner: str = "owner", *options: str, data: bytes | None = None
) -> bytes:
    """A file that is encrypted as qpdf does it: with 40, 128 or 256 bits."""
    weak = ["--allow-weak-crypto"] if bits < 256 else []
    given = data if data is not None else document()
    return by_qpdf(given, *weak, "--encrypt", user, owner, str(bits), *options, "--")


ENCRYPTIONS: Mapping[str, tuple[int, Sequence[str]]] = {
    "rc4-40": (40, ()),
    "rc4-128": (128, ("--use-aes=n",)),
    "rc4-filters": (128, ("--use-aes=n", "--force-V4")),
    "aes-128": (128, ("--use-aes=y",)),
    "aes-128-clear-metadata": (128, ("--use-aes=y", "--cleartext-metadata")),
    "aes-256-r5": (256, ("--force-R5",)),
    "aes-256": (256, ()),
}


def output(data: bytes, *command: str) -> str:
    """What a program says about a file, whose name is put at the end."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(data)
        file.flush()
        done = subprocess.run([*command, file.name], check=False, capture_output=True)
    return done.stdout.decode(errors="replace")


def complaints(data: bytes, password: str = "") -> int:
    """What qpdf thinks of a file: 0 for nothing wrong, 1 for warnings, 2 for errors."""
    tool = require_tool("qpdf")
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(data)
        file.flush()
        command = [tool, f"--password={password}", "--check", file.name]
        code = subprocess.run(command, check=False, capture_output=True).returncode
    return {3: 1}.get(code, code)


def encryption(data: bytes, password: str) -> str:
    """What qpdf says of a file's encryption."""
    return output(data, require_tool("qpdf"), f"--password={password}", "--show-encryption")
