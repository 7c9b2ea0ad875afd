"""Drawing into JPEG files whose tables lack codes: some get room for more, else the notice is drawn with what there is."""

from __future__ import annotations

import io
import itertools
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import jpeg_files
from aikz_label import mark, verify
from aikz_label.adapters.image.jpeg import Jpeg, entropy, segments, vocabulary
from aikz_label.adapters.image.jpeg.coefficients import Unreadable
from aikz_label.adapters.image.jpeg.scan import Scan
from aikz_label.adapters.image.jpeg.units import Huffman
from aikz_label.limits import NO_LIMITS
from support import picture, require_tool

STEPS = np.full(64, 2.0)
END, ZEROS = 0x00, 0xF0


def table_of(symbols: list[int], frequencies: list[int]) -> Huffman:
    counted = np.zeros(256, np.int64)
    counted[symbols] = frequencies
    return entropy._huffman(counted)


def full(symbols: list[int]) -> Huffman:
    """A table that has room for no other code: the longest has 16 bits."""
    powers = [2**n for n in range(len(symbols))]
    return table_of(symbols, powers)


def scan_of(data: bytes) -> Scan:
    file = Jpeg.parse(data, NO_LIMITS, thorough=True)
    return Scan.read(file.header, data[file.scan : file.end])


def codes(table: Huffman) -> dict[int, tuple[int, int]]:
    numbers, sizes = entropy.codes_of(*table)
    return {one: (int(numbers[one]), int(sizes[one])) for one in np.flatnonzero(sizes).tolist()}


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    known=st.integers(1, 60),
    more=st.integers(0, 40),
    skew=st.sampled_from([1.0, 1.2, 1.5, 2.0]),
)
def test_codes_are_added_behind_the_others(seed: int, known: int, more: int, skew: float) -> None:
    mixed = np.random.default_rng(seed).permutation(256).tolist()
    symbols, wanted = mixed[:known], mixed[known : known + more]
    old = table_of(symbols, [int(skew ** min(number, 40)) for number in range(known)])
    new = vocabulary.extended(old, wanted)
    found = codes(new)
    assert {one: found[one] for one in symbols} == codes(old)
    added = set(found) - set(symbols)
    assert added == set(wanted[: len(added)])
    used = sum(2 ** (16 - size) for _, size in found.values())
    longest = max(size for _, size in found.values())
    assert used <= 2**16 - 2 ** (16 - longest)  # the code of ones alone stays free
    if len(added) < len(wanted):
        assert used == 2**16 - 1


@settings(max_examples=40, deadline=None)
@given(
    known=st.sets(st.sampled_from([0x01, 0x02, 0x03, 0x11, 0x12, 0x21, 0x22]), min_size=1),
    values=st.tuples(*[st.integers(-7, 7)] * 3),
)
def test_no_way_through_a_block_is_nearer(known: set[int], values: tuple[int, ...]) -> None:
    table = full([END, *sorted(known)])
    block = np.zeros((1, 64), np.int16)
    block[0, :4] = 5, *values
    found = vocabulary.nearest(block, STEPS, table)
    assert found[0, 0] == 5
    assert told(found, table)
    least = min(
        sum((a - b) ** 2 for a, b in zip(values, other, strict=True))
        for other in itertools.product(range(-7, 8), repeat=3)
        if symbols_of(other) <= known
    )
    assert ((found - block).astype(int) ** 2).sum() == least


def test_a_segment_stays_as_it_is_where_no_table_changes() -> None:
    old = {0: table_of([1, 2], [5, 3]), 16: full([END, 0x11])}
    body = b"".join(bytes((one,)) + b"".join(old[one]) for one in old)
    odd = segments.made(segments.DHT, body + b"left over")
    assert vocabulary.defining(odd, old, old) is odd
    new = old | {0: vocabulary.extended(old[0], [7])}
    assert new[0][1] in vocabulary.defining(odd, old, new).data
    many = segments.made(segments.DHT, body[: 17 + 2] * 3440)
    with pytest.raises(Unreadable, match="room"):
        vocabulary.defining(many, old, new)
    cut = old[0][0], old[0][1][:1]
    assert vocabulary.extended(cut, [7]) == cut
    again = (
        bytes((*[0] * 14, 128, 128)),
        bytes(256),
    )  # decoders take no longer list, were it of one symbol
    assert vocabulary.extended(again, [7]) == again


def symbols_of(values: tuple[int, ...]) -> set[int]:
    """What tells these coefficients, without the end."""
    found, zeros = set(), 0
    for value in values:
        if value:
            found.add(zeros << 4 | abs(value).bit_length())
        zeros = 0 if value else zeros + 1
    return found


def told(blocks: np.ndarray, table: Huffman) -> bool:
    """Whether the table has all codes for them."""
    order, starts = np.arange(len(blocks)), np.zeros(len(blocks), bool)
    tokens = np.concatenate(entropy.others(order, blocks[:, 1:], starts, 16))
    return not vocabulary.missing(table, tokens[:, 2])


def test_sixteen_zeros_lead_on_or_do_not() -> None:
    block = np.zeros((2, 64), np.int16)
    block[0, 40], block[1, 63] = 3, -2
    table = full([END, ZEROS, 0x72, 0xE2, 0xF1])
    found = vocabulary.nearest(block, STEPS, table)
    assert told(found, table)
    assert (found == block).all()
    without = full([END, 0x72, 0xE2])
    assert not vocabulary.nearest(block, STEPS, without).any()


def test_what_would_be_too_unlike_is_not_drawn() -> None:
    block = np.zeros((1, 64), np.int16)
    block[0, 1] = 900
    with pytest.raises(Unreadable, match="too many"):
        vocabulary.nearest(block, STEPS, full([END, 0x01]))
    with pytest.raises(Unreadable, match="too many"):
        vocabulary.nearest(block, STEPS, full([0x11]))
    block[0, 1] = 80
    with pytest.raises(Unreadable, match="too many"):
        vocabulary.nearest(block, STEPS, full([END, 0x01]))
    found = vocabulary.nearest(np.concatenate([block, 0 * block]), STEPS, full([END, 0x01]))
    assert found[:, 1].tolist() == [1, 0]
    many = np.zeros((20, 64), np.int16)
    many[:, 0], many[0, 1] = range(20), 200  # one that is far off, although most are not
    with pytest.raises(Unreadable, match="too many"):
        vocabulary.nearest(many, STEPS, full([END, 0x01]))
    with pytest.raises(Unreadable, match="too many"):  # nothing tells that only zeros follow
        vocabulary.nearest(many[1:], STEPS, full([0x11]))


@pytest.mark.parametrize("quality", [60, 95])
def test_an_optimised_photograph_keeps_its_codes(quality: int, tmp_path, config, label) -> None:
    """Its tables are full, so that the badge is drawn with what they have; and the badge is one that can be found."""
    image = picture(size=(1500, 1100))
    sharp = np.random.default_rng(quality).integers(0, 2, (55, 75), np.uint8) * 255
    image.paste(Image.fromarray(sharp).resize((375, 275), 0), (0, 700))
    data = jpeg_files.jpeg(image, quality=quality, optimize=True)
    assert len(data) > 64 * 1024
    result = mark(data, None, label, config=config)
    assert result.data is not None
    before, after = scan_of(data), scan_of(result.data)
    for number, table in before.huffman.items():
        old, new = codes(table), codes(after.huffman[number])
        assert {one: new[one] for one in old} == old
    assert abs(len(result.data) - len(data)) < 80_000
    found = verify(result.data, config=config, measure=True)
    assert found.verdict == "labelled"
    first, second = (np.asarray(Image.open(io.BytesIO(d)), int) for d in (data, result.data))
    rows, columns = np.nonzero(np.abs(first - second).max(axis=2))
    area = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert 0 < area < first.shape[0] * first.shape[1] / 4
    path = tmp_path / "marked.jpg"
    path.write_bytes(result.data)
    done = subprocess.run([require_tool("djpeg"), path], capture_output=True, check=True)
    assert done.stderr == b""
