from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aikz_label import Limits, mark
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.heif.container import Avif
from aikz_label.adapters.image.jpeg import Jpeg
from aikz_label.adapters.image.png import Png
from aikz_label.adapters.image.webp import WebP
from aikz_label.manifest.jumbf import lengths_fit
from support import encoded, picture, require_corpus

KINDS = {"jpeg": Jpeg, "png": Png, "webp": WebP, "avif": Avif}


@pytest.fixture(params=KINDS)
def marked(request, label, config):
    data = mark(encoded(picture(size=(320, 240)), request.param), None, label, config=config).data
    return request.param, data


def test_our_own_stores_fit(marked):
    kind, data = marked
    stores = list(KINDS[kind].parse(data, Limits(), thorough=False).stores())
    assert len(stores) == 1
    assert stores[0][4:8] == b"jumb"
    assert lengths_fit(stores[0])
    assert not lengths_fit(stores[0][:-1])
    assert not lengths_fit(stores[0] + b"\0")


def test_a_store_in_several_jpeg_segments_is_joined(label, config):
    parent = mark(encoded(picture(), "jpeg"), None, label, config=config).data
    for _ in range(12):  # each update keeps its parent, until one segment is not enough
        parent = mark(parent, None, label, config=config, on_existing="update").data
    jpeg = Jpeg.parse(parent, Limits(), thorough=True)
    assert sum(s.code == 0xEB for s in jpeg.header) > 1
    assert [lengths_fit(store) for store in jpeg.stores()] == [True]


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_have_an_answer(data):
    boxed = (len(data) + 8).to_bytes(4) + b"cbor" + data
    assert lengths_fit(data) in {True, False}
    assert lengths_fit(boxed) in {True, False}


@pytest.mark.parametrize(
    ("cbor", "fits"),
    [
        ("6161", True),
        ("6261", False),
        ("7a7fffffff61", False),
        ("7b7fffffffffffffff61", False),
        ("5a00000001aa", True),
        ("7f6161ff", True),
        ("9a7fffffff", False),
        ("bb00000002000000006161", False),
        ("a1616101", True),
        ("f97e00", True),
        ("1c", False),
        ("19ff", False),
    ],
)
def test_cbor_heads(cbor, fits):
    data = bytes.fromhex(cbor)
    assert lengths_fit((len(data) + 8).to_bytes(4) + b"cbor" + data) is fits


@pytest.mark.parametrize("depth", [31, 33, 5000])
def test_nesting_is_bounded(depth):
    store = b""
    for _ in range(depth):
        store = (len(store) + 8).to_bytes(4) + b"jumb" + store
    assert lengths_fit(store) is (depth < 33)


def test_a_text_that_claims_gigabytes_costs_nothing(marked, config, tmp_path):
    """One byte of our own assertion changed, and verified with 1 GB of address space."""
    kind, data = marked
    at = data.index(b"\x69languages") if b"\x69languages" in data else data.index(b"languages") - 1
    hostile = data[:at] + b"\x7a" + data[at + 1 :]
    (tmp_path / "x").write_bytes(hostile)
    code = (
        "import sys, resource; resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))\n"
        "from aikz_label import verify\n"
        "print(verify(sys.argv[1], trust=[]).verdict)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "x")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    verdict = result.stdout.strip()
    # PNG notices the wrong check sum first
    assert verdict == ("unreadable" if kind == "png" else "invalid"), result.stderr


def test_every_intact_store_of_the_corpus_fits():
    folder = require_corpus()
    seen = 0
    for path in sorted(folder.rglob("*")):
        kind = {".jpg": Jpeg, ".png": Png, ".webp": WebP}.get(path.suffix)
        if kind is None or not path.is_file():
            continue
        try:
            container = kind.parse(path.read_bytes(), Limits(), thorough=False)
        except MediaProblem:
            continue
        if "broken" in path.name or "invalid" in path.name:
            continue
        for store in container.stores():
            seen += lengths_fit(store)
    assert seen >= 15
