"""BMP in every header, depth and order: the notice in the pixels, and every other byte as it was."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from aikz_label import Refused, mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import dib_pixels, rle
from aikz_label.adapters.image.bmp import Bmp
from aikz_label.adapters.image.dib import Dib
from aikz_label.limits import DEFAULT, Limits
from aikz_label.report import Verdict
from support import picture

SIZE = (203, 151)  # neither a multiple of four nor of eight
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
RAMP = [(i, 255 - i, i // 2) for i in range(256)]
MASKS = {
    "x1r5g5b5": (16, 0x7C00, 0x3E0, 0x1F, 0),
    "r5g6b5": (16, 0xF800, 0x7E0, 0x1F, 0),
    "a1r5g5b5": (16, 0x7C00, 0x3E0, 0x1F, 0x8000),
    "a4r4g4b4": (16, 0xF00, 0xF0, 0xF, 0xF000),
    "x8r8g8b8": (32, 0xFF0000, 0xFF00, 0xFF, 0),
    "a8r8g8b8": (32, 0xFF0000, 0xFF00, 0xFF, 0xFF000000),
    "r8g8b8a8": (32, 0xFF000000, 0xFF0000, 0xFF00, 0xFF),
    "a2b10g10r10": (32, 0x3FF, 0xFFC00, 0x3FF00000, 0xC0000000),
}


def bmp(
    header: int,
    depth: int,
    body: bytes,
    *,
    palette: tuple[tuple[int, int, int], ...] = (),
    compression: int = 0,
    masks: tuple[int, ...] = (),
    top_down: bool = False,
    gap: bytes = b"",
    tail: bytes = b"",
) -> bytes:
    """A BMP file of `SIZE`, made from its parts."""
    width, height = SIZE
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, depth)
    else:
        stored = -height if top_down else height
        fields = (header, width, stored, 1, depth, compression, len(body), 2835, 2835)
        used = len(palette) if depth <= 8 else 0
        head = struct.pack("<IiiHHIIiiII", *fields, used, 0)[:header]
        inside = struct.pack(f"<{len(masks)}I", *masks)
        head += inside if header == 40 else inside.ljust(header - len(head), b"\0")
    entry = 3 if header == 12 else 4
    colours = b"".join(bytes(rgb[::-1]).ljust(entry, b"\7") for rgb in palette)
    start = 14 + len(head) + len(colours) + len(gap)
    whole = head + colours + gap + body + tail
    return b"BM" + struct.pack("<IHHI", 14 + len(whole), 1, 2, start) + whole


def rows(indices: np.ndarray, depth: int, *, top_down: bool = False) -> bytes:
    """Indices as rows with padding of ones."""
    packed = dib_pixels.packed(indices, depth)
    stride = (indices.shape[1] * depth + 31) // 32 * 4
    padded = np.full((len(packed), stride), 0xFF, np.uint8)
    padded[:, : packed.shape[1]] = packed
    return (padded if top_down else padded[::-1]).tobytes()


def indices(count: int) -> np.ndarray:
    grey = np.asarray(picture("L", SIZE)).astype(np.uint16)
    return (grey * count // 256).astype(np.uint8)


def words(name: str, *, top_down: bool = False) -> bytes:
    depth, *masks = MASKS[name]
    source = np.asarray(picture("RGBA", SIZE)).astype(np.float64) / 255
    out = np.zeros(source.shape[:2], f"<u{depth // 8}")
    for channel, bits in enumerate(masks):
        if bits:
            low = bits & -bits
            out |= (np.rint(source[..., channel] * (bits // low)) * low).astype(out.dtype)
    stride = (SIZE[0] * depth + 31) // 32 * 4
    padded = np.zeros((SIZE[1], stride), np.uint8)
    padded[:, : out.shape[1] * depth // 8] = out.view(np.uint8)
    return (padded if top_down else padded[::-1]).tobytes()


def variants() -> dict[str, bytes]:
    made = {}
    for header in (12, 40, 64, 108, 124):
        for depth in (1, 2, 4, 8):
            count = 2**depth
            colours = (BLACK, WHITE, *RAMP)[:count]
            body = rows(indices(count), depth)
            made[f"h{header}-{depth}bit"] = bmp(header, depth, body, palette=colours)
        rgb = np.asarray(picture("RGB", SIZE))[..., ::-1].reshape(SIZE[1], -1)
        made[f"h{header}-24bit"] = bmp(header, 24, rows(rgb, 8), tail=b"a profile, or whatever")
    for name, (depth, *masks) in MASKS.items():
        for header in (40, 52, 56, 108, 124):
            count = 3 if header < 56 else 4
            if masks[3] and count == 3:
                continue
            options = {"compression": 3, "masks": tuple(masks[:count])}
            made[f"h{header}-{name}"] = bmp(header, depth, words(name), **options)
    made["h40-16bit"] = bmp(40, 16, words("x1r5g5b5"))
    made["h40-32bit"] = bmp(40, 32, words("x8r8g8b8"))
    made["h40-32bit-used"] = bmp(40, 32, words("a8r8g8b8"))
    made["h40-abf"] = bmp(
        40, 32, words("r8g8b8a8"), compression=6, masks=tuple(MASKS["r8g8b8a8"][1:])
    )
    made["top-down-4"] = bmp(
        40, 4, rows(indices(16), 4, top_down=True), palette=tuple(RAMP[:16]), top_down=True
    )
    made["top-down-565"] = bmp(
        40,
        16,
        words("r5g6b5", top_down=True),
        compression=3,
        masks=tuple(MASKS["r5g6b5"][1:4]),
        top_down=True,
    )
    gaps = np.zeros(indices(16).shape, bool)
    gaps[20:60, 30:90] = gaps[100:110] = gaps[-3:] = True
    for depth, kind in ((4, 2), (8, 1)):
        coded = rle.encode(indices(16), gaps, depth)
        colours = (BLACK, WHITE, *RAMP[:14])
        made[f"rle{depth}"] = bmp(40, depth, coded, palette=colours, compression=kind)
    made["gap"] = bmp(40, 8, rows(indices(256), 8), palette=tuple(RAMP), gap=b"nothing here")
    return made


VARIANTS = variants()


@pytest.mark.parametrize("name", VARIANTS)
def test_only_the_notice_changes(name, label, config):
    source = VARIANTS[name]
    result = mark(source, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    assert (
        verify(result.data, sidecar=result.sidecar, config=config, measure=True).verdict
        is Verdict.LABELLED
    )
    before, after = parsed(source), parsed(result.data)
    (place,) = result.report.marker.notice.placements
    box = box_of(place)
    assert before.decode().difference(after.decode(), box) == float("inf")
    if name.startswith("rle") or after.dib.depth != before.dib.depth:
        return
    grown = 4 * (after.dib.entries - before.dib.entries)
    if not grown:  # not a byte outside the rows of the notice
        kept = np.frombuffer(source, np.uint8) == np.frombuffer(result.data, np.uint8)
        changed = np.flatnonzero(~kept) - before.dib.pixels_at
        palette = changed[changed < 0]
        assert (palette >= before.dib.palette_at - before.dib.pixels_at).all()
        columns = changed[changed >= 0] % before.dib.stride * 8 // before.dib.depth
        assert columns.min() >= box[0] - 8
        assert columns.max() < box[0] + box[2] + 8


def parsed(data: bytes) -> Bmp:
    return Bmp.parse(data, DEFAULT, thorough=True)


def box_of(place) -> tuple[int, int, int, int]:
    numbers = (place["x"], place["y"], place["width"], place["height"])
    return tuple(round(share * SIZE[i % 2]) for i, share in enumerate(numbers))


@pytest.mark.parametrize("name", ["h40-8bit", "h124-24bit", "rle8", "rle4", "h40-r5g6b5", "gap"])
def test_pillow_sees_the_same(name, label, config):
    """A second decoder, outside the notice."""
    result = mark(VARIANTS[name], None, label, config=config)
    (place,) = result.report.marker.notice.placements
    x, y, width, height = box_of(place)
    seen = []
    for data in (VARIANTS[name], result.data):
        pixels = np.array(Image.open(io.BytesIO(data)).convert("RGBA"))
        pixels[y : y + height, x : x + width] = 0
        seen.append(pixels)
    assert (seen[0] == seen[1]).all()


def test_no_room_in_the_palette_takes_wider_indices(label, config):
    colours = tuple((0, 40 + 10 * i, 200) for i in range(16))
    source = bmp(40, 4, rows(indices(16), 4), palette=colours, tail=b"tail")
    result = mark(source, None, label, config=config)
    assert parsed(result.data).dib.depth == 8
    assert result.data.endswith(b"tail")
    assert int.from_bytes(result.data[2:6], "little") == len(result.data)
    # OS/2 1.x has no number of colours: there are 256, or they are read from the pixels
    source = bmp(12, 4, rows(indices(16), 4), palette=colours)
    result = mark(source, None, label, config=config)
    assert parsed(result.data).dib.entries == 256


def test_two_colours_that_are_neither_black_nor_white(label, config):
    source = bmp(40, 1, rows(indices(2), 1), palette=((0, 0, 200), (250, 220, 0)))
    result = mark(source, None, label, config=config)
    before, after = (
        np.asarray(Image.open(io.BytesIO(d)).convert("RGB")) for d in (source, result.data)
    )
    assert (before[-50:] == after[-50:]).all()


def test_indices_without_a_colour_are_black(label, config):
    source = bmp(40, 8, rows(indices(256), 8), palette=tuple(RAMP[:100]))
    result = mark(source, None, label, config=config)
    before, after = parsed(source).decode(), parsed(result.data).decode()
    (place,) = result.report.marker.notice.placements
    assert before.difference(after, box_of(place)) == float("inf")


@pytest.mark.parametrize("name", ["h40-8bit", "h12-24bit", "h40-r5g6b5", "rle8", "top-down-565"])
def test_a_strip_below(name, label, config, monkeypatch):
    monkeypatch.setattr("aikz_label.notice.badge.plan", lambda *_: None)
    result = mark(VARIANTS[name], None, label, config=config, when_too_small="strip")
    after = parsed(result.data)
    assert after.size[1] > SIZE[1]
    seen = np.asarray(after.decode().seen().convert("RGB"))
    source = np.asarray(parsed(VARIANTS[name]).decode().seen().convert("RGB"))
    assert (seen[: SIZE[1]] == source).all()


def test_spare_bits_are_filled_where_the_file_fills_them(label, config):
    """Some viewers take the fourth byte for opacity as soon as one of them is set."""
    for name, filled in (("h40-32bit", 0), ("h40-32bit-used", 255)):
        result = mark(VARIANTS[name], None, label, config=config)
        picture_ = parsed(result.data).decode()
        (place,) = result.report.marker.notice.placements
        x, y, _, _ = box_of(place)
        assert picture_.words[y, x] >> 24 == filled


@pytest.mark.parametrize(
    ("header", "depth", "compression"),
    [(40, 24, 4), (40, 0, 5), (64, 1, 3), (40, 64, 0), (40, 16, 1)],
)
def test_rare_codes_are_refused(header, depth, compression, label, config):
    body = bytes(SIZE[0] * SIZE[1] * 8)
    source = bmp(header, depth, body, palette=(BLACK, WHITE), compression=compression)
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


@pytest.mark.parametrize("length", [2, 13, 14, 17, 30, 53, 54, 60, 200, 3000])
def test_cut_files(length):
    with pytest.raises(MediaProblem):
        parsed(VARIANTS["h40-8bit"][:length])


def test_hostile_numbers():
    whole = bytearray(VARIANTS["h40-24bit"])
    whole[18:22] = (2**31 - 1).to_bytes(4, "little")
    with pytest.raises(MediaProblem):
        parsed(bytes(whole))
    with pytest.raises(MediaProblem):
        Bmp.parse(VARIANTS["h40-24bit"], Limits(max_pixels=1000), thorough=False)
    # a palette where the pixels are
    overlapping = bytearray(VARIANTS["h40-8bit"])
    overlapping[10:14] = (54).to_bytes(4, "little")
    with pytest.raises(MediaProblem):
        parsed(bytes(overlapping))


@pytest.mark.parametrize("depth", [4, 8])
def test_run_lengths_come_back(depth):
    dice = np.random.default_rng(depth)
    for shape in ((1, 1), (3, 7), (40, 600), (5, 300)):
        values = dice.integers(0, 2**depth, shape, np.uint8)
        values = np.repeat(values, dice.integers(1, 5), axis=1)[:, : shape[1]]
        gaps = dice.random(shape) < dice.choice([0, 0.1, 0.6])
        gaps[dice.random(shape[0]) < 0.2] = True
        coded = rle.encode(values, gaps, depth)
        dib = Dib(0, 40, shape[1], shape[0], False, depth, 1, (0, 0, 0, 0), 0, 1, 0)
        back, left_out = rle.decode(dib, coded)
        assert (left_out == gaps).all()
        assert (back == np.where(gaps, 0, values)).all()


def test_endless_codes_are_given_up(monkeypatch):
    monkeypatch.setattr(rle, "_MAX_CODES", 100)
    dib = Dib(0, 40, 100, 100, False, 8, 1, (0, 0, 0, 0), 0, 1, 0)
    with pytest.raises(MediaProblem):
        rle.decode(dib, b"\0\2\0\0" * 1000)


ROW, DONE = b"\0\0", b"\0\1"
LEFT = SIZE[1] - 1  # rows above the lowest one


def run_length_coded(first: bytes) -> bytes:
    """A file whose lowest row has these codes; the others are one colour."""
    colour = b"".join(bytes([min(255, SIZE[0]), 3]) + ROW for _ in range(LEFT))
    return bmp(40, 8, first + colour + DONE, palette=tuple(RAMP), compression=1)


@pytest.mark.parametrize(
    "codes",
    [
        bytes([0, 200, *range(200), 0, 10, *range(10)]) + ROW,  # pixels one by one, beyond the row
        bytes([0, 2, SIZE[0] + 1, 0]) + ROW,  # a step beyond it
        bytes([0, 2, 3, SIZE[1] + 1]),  # a step above the picture
    ],
    ids=["pixels", "step", "above"],
)
def test_codes_that_viewers_take_differently_are_refused(codes, label, config):
    """Pillow goes on in the next row, browsers cut: whoever looks sees another picture than the one that was marked."""
    with pytest.raises(Refused, match="different ways") as refusal:
        mark(run_length_coded(codes), None, label, config=config)
    assert refusal.value.code == "damaged"


def test_a_run_that_sticks_out_of_its_row_is_cut_as_by_everybody(label, config):
    source = run_length_coded(bytes([250, 9]) + ROW)
    with Image.open(io.BytesIO(source)) as image:
        seen = image.convert("RGB").tobytes()
    assert parsed(source).decode().seen().convert("RGB").tobytes() == seen
    result = mark(source, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
