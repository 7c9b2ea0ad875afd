"""Drawing into a sequential JPEG without decoding it: units under the notice are coded anew, with the file's own tables.

Every other bit is the source's, in a place of its own: no other block changes, whatever the sampling and the colours, and
the file grows by what the notice takes. A unit tells its means as differences to those before, so the first one after the
notice has these told anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from aikz_label.adapters.image.jpeg import entropy, exact, vocabulary
from aikz_label.adapters.image.jpeg.coefficients import Unreadable
from aikz_label.adapters.image.jpeg.edits import Edit, Known, Run
from aikz_label.adapters.image.jpeg.scan import Scan
from aikz_label.adapters.image.jpeg.segments import EOI, Segment
from aikz_label.adapters.image.jpeg.units import Bits, Interval, Numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.picture import PillowPicture

_SPARE = 64 * 1024  # bytes, beyond what units of usual size take
_LARGEST = 10  # bits of a coefficient in 8-bit pictures (T.81 table F.2)
_MOST_BYTES = 4 * 1024 * 1024  # read to the end of the notice: a megabyte takes a third of a second


def spliced(
    header: Sequence[Segment],
    scans: bytes,
    picture: PillowPicture,
    transform: int | None,
    *,
    exactly: bool = False,
) -> tuple[tuple[Segment, ...], bytes]:
    """The segments with the tables, and the scan with the painted part of a picture, from its header to the end marker.

    The tables are the file's own; where the notice needs codes that they lack, these are added behind the others.

    Args:
        header: All segments before the scan.
        scans: Everything from there to the end of the picture.
        picture: The painted picture.
        transform: What the Adobe segment says of four colours; `None` without one.
        exactly: Do not draw what is only near to the notice, where there is no room for codes.

    Raises:
        Unreadable: The picture is not of a kind that this handles.
    """
    assert picture.painted is not None
    scan = source = Scan.read(header, scans)
    columns, rows = _covered(scan, picture.painted, picture.stored)
    blocks = _blocks(scan, header, picture, transform, (len(columns), len(rows)))
    covered = np.array(rows)[:, None] * scan.across + np.array(columns)
    runs = list(_runs(covered.ravel(), scan.interval))
    known = _read(scan, runs)
    before = [known[run.interval].before(run.first) for run in runs]
    last = [[int(one[run.last, -1, 0]) for one in blocks] for run in runs]
    parts = _tokens(scan, blocks, runs, np.array(before))
    after = (known[run.interval].after(run, one) for run, one in zip(runs, last, strict=True))
    if lacks := vocabulary.lacks(scan, np.concatenate(parts), chain.from_iterable(after)):
        scan, blocks = lacks.filled(blocks, exact.quantisation(header), exactly=exactly)
        parts = _tokens(scan, blocks, runs, np.array(before))
    edits = _fitting(scan, known, runs, entropy.in_order(parts), last)
    data = list(scan.parts)
    for number, interval in known.items():
        data[number] = interval.edited(edits[number])
    tables = (vocabulary.defining(one, source.huffman, scan.huffman) for one in header)
    return tuple(tables), _told(scan, data)


def _told(scan: Scan, parts: list[bytes]) -> bytes:
    """The scan with these data, from its header to the end marker."""
    joined = [scan.header, parts[0]]
    for number, data in enumerate(parts[1:]):
        joined += [bytes((0xFF, 0xD0 + number % 8)), data]
    return b"".join([*joined, bytes((0xFF, EOI))])


# --- what is drawn ------------------------------------------------------------------------------------------------------


def _covered(scan: Scan, box: Box, size: tuple[int, int]) -> tuple[range, range]:
    """Columns and rows of the units in a box, which must be whole but at the edges of the picture."""
    spans = []
    for axis in (0, 1):
        unit, start = scan.unit[axis], box[axis]
        stop = start + box[axis + 2]
        if start % unit or (stop % unit and stop != size[axis]):
            raise Unreadable("the notice does not lie on its units")
        spans.append(range(start // unit, -(-stop // unit)))
    return spans[0], spans[1]


def _blocks(
    scan: Scan,
    header: Sequence[Segment],
    picture: PillowPicture,
    transform: int | None,
    size: tuple[int, int],
) -> list[NDArray[np.int16]]:
    """Of every component the coefficients of the painted part, by unit, block in it and place in the block."""
    part = picture.patch()
    found, steps = [], exact.quantisation(header)
    for one, plane in zip(scan.components, exact.planes(part, transform), strict=True):
        if one.table not in steps:
            raise Unreadable("a quantisation table is missing")
        share = (one.h, one.v) if len(scan.components) > 1 else (1, 1)
        scale = 8 * share[0] / scan.unit[0], 8 * share[1] / scan.unit[1]
        shape = size[0] * share[0], size[1] * share[1]
        blocks = _transformed(plane, scale, shape, steps[one.table])
        blocks = blocks.reshape(size[1], share[1], size[0], share[0], 64)
        found.append(blocks.transpose(0, 2, 1, 3, 4).reshape(size[0] * size[1], -1, 64))
    return found


def _transformed(
    plane: Image.Image,
    scale: tuple[float, float],
    shape: tuple[int, int],
    steps: NDArray[np.float64],
) -> NDArray[np.int16]:
    """The coefficients of a channel, so many columns and rows of blocks; edges fill the last ones."""
    if len(set(plane.getextrema())) == 1:  # colours of a notice: all alike
        found = np.zeros((shape[1], shape[0], 64), np.int16)
        found[..., :1] = exact.transformed(np.full((8, 8), plane.getpixel((0, 0)), float), steps)[
            ..., :1
        ]
        return found
    size = -int(-plane.width * scale[0] // 1), -int(-plane.height * scale[1] // 1)
    if size != plane.size:
        plane = plane.resize(
            size, Image.Resampling.BOX, box=(0, 0, size[0] / scale[0], size[1] / scale[1])
        )
    samples = np.asarray(plane, np.float64)
    rest = (0, 8 * shape[1] - size[1]), (0, 8 * shape[0] - size[0])
    return exact.transformed(np.pad(samples, rest, "edge"), steps)


def _runs(covered: Numbers, interval: int) -> Iterator[Run]:
    """The units, numbered through the picture, in groups that are told one after another."""
    breaks = (np.diff(covered) != 1) | (covered[1:] % interval == 0)
    begins = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(covered)]
    for begin, end in pairwise(begins):
        number, first = divmod(int(covered[begin]), interval)
        yield Run(number, first, first + end - begin, begin)


def _tokens(
    scan: Scan, blocks: list[NDArray[np.int16]], runs: list[Run], before: Numbers
) -> list[Numbers]:
    """Of all runs in any order, each of which tells its first means as differences to those before it."""
    parts, slot, slots = [], 0, len(scan.coding.slots)
    begins = np.array([run.begin for run in runs])
    for index, (own, (dc, ac)) in enumerate(zip(blocks, scan.tables, strict=True)):
        units, share, _ = own.shape
        order = (np.arange(units)[:, None] * slots + slot + np.arange(share)).ravel()
        flat = own.reshape(-1, 64)
        values = flat[:, 0].astype(np.int64)
        steps = values - np.concatenate([values[:1], values[:-1]])
        steps[begins * share] = values[begins * share] - before[:, index]
        parts.append(entropy.means(order, steps, dc))
        parts += entropy.others(order, flat[:, 1:], np.zeros(len(flat), bool), ac)
        slot += share
    return parts


def _longer(scan: Scan, tokens: Numbers, bits: int) -> Numbers:
    """The tokens with so many bits more, counted by eights: some values that are the last of their size grow by one step.

    Raises:
        Unreadable: There are no such values.
    """
    size = tokens[:, 2] & 15
    least, most = tokens[:, 3] == 0, tokens[:, 3] == (1 << size) - 1
    others = np.isin(tokens[:, 1], [ac for _, ac in scan.tables])
    reached: dict[int, list[int]] = {0: []}
    for place in np.flatnonzero(others & (size > 0) & (size < _LARGEST) & (least | most)).tolist():
        _, sizes = entropy.codes_of(*scan.huffman[int(tokens[place, 1])])
        symbol = int(tokens[place, 2])
        if sizes[symbol + 1]:
            grown = int(sizes[symbol + 1] - sizes[symbol]) + 1
            for total, chosen in list(reached.items()):
                reached.setdefault((total + grown) % 8, [*chosen, place])
        if bits in reached:
            break
    else:
        raise Unreadable("no value of the notice can be longer")
    found, places = tokens.copy(), reached[bits]
    found[places, 3] = (1 << size[places]) - least[places]
    found[places, 2] += 1
    found[places, 4] += 1
    return found


def _fitting(
    scan: Scan, known: dict[int, Known], runs: list[Run], tokens: Numbers, last: list[list[int]]
) -> dict[int, list[Edit]]:
    """What changes in each interval, with as many bits as keep what nobody has read on its bytes."""
    each = _slices(scan, tokens, runs)
    bits = _bits(scan, tokens, each)
    edits = _edits(scan, known, runs, bits, last)
    first = runs[0].interval
    missing = known[first].missing(edits[first])  # else all are whole
    if not missing:
        return edits
    longer = _longer(scan, tokens, missing)
    for number, one in enumerate(each):
        if (longer[one, 2] != tokens[one, 2]).any():
            (bits[number],) = _bits(scan, longer[one], [slice(None)])
    return _edits(scan, known, runs, bits, last)


def _edits(
    scan: Scan, known: dict[int, Known], runs: list[Run], bits: list[Bits], last: list[list[int]]
) -> dict[int, list[Edit]]:
    """What changes in each interval."""
    found: dict[int, list[Edit]] = {number: [] for number in known}
    tables = [scan.huffman[dc] for dc, _ in scan.tables]
    for run, own, means in zip(runs, bits, last, strict=True):
        found[run.interval] += known[run.interval].edits(run, own, means, tables)
    return found


def _slices(scan: Scan, tokens: Numbers, runs: list[Run]) -> list[slice]:
    """Which tokens are of each run."""
    begins = np.array([run.begin for run in runs]) * len(scan.coding.slots)
    edges = np.searchsorted(tokens[:, 0], begins * entropy.PLACES).tolist()
    return [slice(*one) for one in pairwise([*edges, len(tokens)])]


def _bits(scan: Scan, tokens: Numbers, each: list[slice]) -> list[Bits]:
    """Of every run."""
    coded, lengths = entropy.coded_with(tokens, scan.huffman)
    return [np.concatenate([*entropy.bits_of(coded[one], lengths[one])]) for one in each]


def _read(scan: Scan, runs: list[Run]) -> dict[int, Known]:
    """The intervals that the notice touches; where there are several, all of each, because they are short."""
    stops: dict[int, int] = {}
    for run in runs:
        stops[run.interval] = max(stops.get(run.interval, 0), run.stop)
    found = {}
    for number, stop in stops.items():
        part, count = scan.parts[number], scan.units_in(number)
        units = min(stop + 1, count) if len(scan.parts) == 1 else count
        likely = min(len(part), len(part) * units * 3 // (2 * count) + _SPARE)
        for looked_at in (likely, len(part)):
            if looked_at > _MOST_BYTES:
                raise Unreadable("it is too long")
            try:
                interval = Interval(part, looked_at)
                found[number] = Known(interval, scan, units, whole=units == count)
                break
            except Unreadable:
                if looked_at >= len(part):
                    raise
    return found
