"""The frames of a JPEG XL codestream: where they lie, how long they show, and how they lie on each other.

A frame's header is a string of bits without whole bytes (ISO/IEC 18181-1, annex F). `Frame` remembers at which bits the
few fields stand that a frame has to change to let another one be laid over it.
"""

from __future__ import annotations

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.jxl.bits import Choices, Reader, Writer, cut
from aikz_label.adapters.image.jxl.entropy import Stream
from aikz_label.adapters.image.jxl.header import Header
from aikz_label.limits import Limits
from aikz_label.values import dataclass

PLACE: Choices = ((8, 0), (11, 256), (14, 2304), (30, 18688))
DURATION: Choices = ((0, 0), (0, 1), (8, 0), (32, 0))
SECTION: Choices = ((10, 0), (14, 1024), (22, 17408), (30, 4211712))
_PASSES: Choices = ((0, 1), (0, 2), (0, 3), (3, 4))
_DOWNSAMPLES: Choices = ((0, 0), (0, 1), (0, 2), (1, 3))
_FACTOR: Choices = ((0, 1), (0, 2), (0, 4), (0, 8))
_LAST_PASS: Choices = ((0, 0), (0, 1), (0, 2), (3, 0))
_LEVEL: Choices = ((0, 1), (0, 2), (0, 3), (0, 4))
_BLEND: Choices = ((0, 0), (0, 1), (0, 2), (2, 3))
_ALPHA: Choices = ((0, 0), (0, 1), (0, 2), (3, 3))
SLOT: Choices = ((0, 0), (0, 1), (0, 2), (0, 3))
REGULAR, _SMALL, REFERENCE, SKIPPING = range(4)
_NOISE, _USES_SMALL = 0x01, 0x20
_MOST_SECTIONS = 1 << 16
_REPLACE, _BLEND_OVER, _ADD_OVER, _MULTIPLY = 0, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame.

    Attributes:
        data: The bits that the places below count in: the codestream, or a header spelt out.
        kind: `REGULAR`, `REFERENCE`, `SKIPPING` or one at an eighth of the size.
        duration: How long it shows, in ticks.
        timecode: Its time, where frames have such.
        last: No other frame follows.
        slot: Where it is kept for later frames.
        kept_raw: What is kept is not the picture as shown, but from before its colours were made.
        noise: The decoder makes up noise for it, from how many frames there were before.
        sources: Slots that it is laid over.
        whole: It replaces the whole picture.
        area: Left, top, width and height of it in the picture.
        place: Bit that says whether its area is said, and bit after that.
        blends: Of each channel the bit where it is said how it is laid over others, the bit after that, and how.
        start: Bit where the header begins.
        time: Bit where duration, timecode and what is said of keeping begin.
        rest: Bit after them.
        stop: Bit after the header.
        order: First bit and bit after the order of the sections, in the codestream.
        sizes: Byte where the sizes of the sections begin, in the codestream.
        end: Byte after the frame, in the codestream.
    """

    data: bytes
    kind: int
    duration: int
    timecode: int
    last: bool
    slot: int
    kept_raw: bool
    noise: bool
    sources: frozenset[int]
    whole: bool
    area: tuple[int, int, int, int]
    place: tuple[int, int]
    blends: tuple[tuple[int, int, int], ...]
    start: int
    time: int
    rest: int
    stop: int
    order: tuple[int, int]
    sizes: int
    end: int

    @property
    def pictured(self) -> bool:
        """It is part of what is shown."""
        return self.kind in {REGULAR, SKIPPING}

    @property
    def shown(self) -> bool:
        """It is the last layer of something that is shown."""
        return self.pictured and (self.duration > 0 or self.last)

    @property
    def kept(self) -> bool:
        """Later frames may build on it."""
        return not self.last and self.kind != _SMALL and (not self.duration or self.slot > 0)


def read_frames(codestream: bytes, start: int, header: Header, limits: Limits) -> list[Frame]:
    """Every frame.

    Raises:
        MediaProblem: One is damaged, or there are more than the limit.
    """
    found: list[Frame] = []
    at = start
    while not found or not found[-1].last:
        if len(found) >= limits.max_parts:
            raise MediaProblem(
                "over-limit", what_word="parts", found=len(found), limit=limits.max_parts
            )
        frame = _read(codestream, at, header)
        if frame.end > len(codestream):
            raise cut()
        found.append(frame)
        at = frame.end
    return found


def _read(codestream: bytes, start: int, header: Header) -> Frame:
    bits = Reader(codestream, 8 * start)
    if not bits.flag():
        return _Parser(codestream, bits, header).frame(8 * start, bits)
    # a frame that says nothing of itself: spelt out, so that something can be changed
    spelt = _spelt_out(header)
    return _Parser(spelt, Reader(spelt, 1), header).frame(0, bits)


def _spelt_out(header: Header) -> bytes:
    """The header of a frame in which everything is as usual."""
    out = Writer().put(0, 1).put(REGULAR, 2).put(0, 1).put(0, 2)
    if not header.xyb:
        out.put(0, 1)
    out.put(0, 2 + 2 * len(header.channels))
    if header.xyb:
        out.put(3, 3).put(2, 3)
    out.put(0, 2).put(0, 1).put(0, 2 + 2 * len(header.channels))
    if header.animated:
        out.put(0, 2)
    if header.timecodes:
        out.put(0, 32)
    return out.put(1, 1).put(0, 2).put(1, 1).put(0, 2).bytes()


class _Parser:
    """Reads one header, field by field."""

    def __init__(self, data: bytes, bits: Reader, header: Header) -> None:
        self._data, self._bits, self._header = data, bits, header
        self._size, self._origin = header.size, (0, 0)
        self._upsampling, self._shift, self._passes = 1, 1, 1
        self._duration = self._timecode = self._slot = 0
        self._last = self._raw = self._modular = self._noise = False
        self._sources: set[int] = set()
        self._blends: list[tuple[int, int, int]] = []
        self._place = (0, 0)
        self._partial = False
        self._time = self._rest = 0
        self._halved: list[int] = []
        self._kind = self._level = 0

    def parse(self) -> None:
        bits, header = self._bits, self._header
        self._kind, self._modular = bits.take(2), bits.flag()
        flags = bits.long()
        ycbcr = not header.xyb and bits.flag()
        small, self._noise = bool(flags & _USES_SMALL), bool(flags & _NOISE)
        if ycbcr and not small:
            self._halved = [bits.take(2) for _ in range(3)]
        if not small:
            self._upsampling = bits.number(_FACTOR)
            for _ in header.channels:
                bits.number(_FACTOR)
        if self._modular:
            self._shift = bits.take(2)
        elif header.xyb:
            bits.take(6)
        if self._kind != REFERENCE:
            self._read_passes()
        self._level = bits.number(_LEVEL) if self._kind == _SMALL else 0
        start = bits.at
        if self._kind != _SMALL and bits.flag():
            self._read_place()
        self._place = start, bits.at
        self._read_relations()
        bits.name()
        self._read_filter()
        bits.extensions()

    def _read_passes(self) -> None:
        bits = self._bits
        self._passes = bits.number(_PASSES)
        if self._passes == 1:
            return
        count = bits.number(_DOWNSAMPLES)
        bits.take(2 * (self._passes - 1))
        for _ in range(count):
            bits.number(_FACTOR)
        for _ in range(count):
            bits.number(_LAST_PASS)

    def _read_place(self) -> None:
        bits = self._bits
        if self._kind != REFERENCE:
            x, y = bits.number(PLACE), bits.number(PLACE)
            self._origin = _signed(x), _signed(y)
        self._size = bits.number(PLACE), bits.number(PLACE)
        if not all(self._size):
            raise cut()
        width, height = self._header.size
        self._partial = self._kind != REFERENCE and (
            self._origin[0] > 0
            or self._origin[1] > 0
            or self._origin[0] + self._size[0] < width
            or self._origin[1] + self._size[1] < height
        )

    def _read_relations(self) -> None:
        """How it is laid over others, how long it shows, whether another follows, and where it is kept."""
        bits, header = self._bits, self._header
        pictured = self._kind in {REGULAR, SKIPPING}
        if pictured:
            for _ in range(1 + len(header.channels)):
                self._read_blending()
            self._time = bits.at
            if header.animated:
                self._duration = bits.number(DURATION)
            if header.timecodes:
                self._timecode = bits.take(32)
            self._last = bits.flag()
        if self._kind != _SMALL and not self._last:
            self._slot = bits.number(SLOT)
        kept = not self._last and self._kind != _SMALL and (not self._duration or self._slot > 0)
        if (pictured and kept and self._replaces) or self._kind == REFERENCE:
            self._raw = bits.flag()
        self._rest = bits.at

    def _read_blending(self) -> None:
        bits, extra = self._bits, bool(self._header.channels)
        start, mode = bits.at, bits.number(_BLEND)
        over = mode in {_BLEND_OVER, _ADD_OVER}
        if extra and over:
            bits.number(_ALPHA)
        if (extra and over) or mode == _MULTIPLY:
            bits.flag()
        if mode != _REPLACE or self._partial:
            self._sources.add(bits.number(SLOT))
        self._blends.append((start, bits.at, mode))

    @property
    def _replaces(self) -> bool:
        """Whether nothing is seen of what was there before."""
        return not self._partial and bool(self._blends) and self._blends[0][2] == _REPLACE

    def _read_filter(self) -> None:
        bits = self._bits
        if bits.flag():
            return
        if bits.flag() and bits.flag():
            bits.take(16 * 6)
        iterations = bits.take(2)
        if iterations:
            if not self._modular and bits.flag():
                bits.take(16 * 8)
            if bits.flag():
                bits.take(16 * 5)
            if bits.flag():
                bits.take(16 * (3 if self._modular else 4))
            if self._modular:
                bits.take(16)
        bits.extensions()

    def frame(self, start: int, bits: Reader) -> Frame:
        """The frame, its header first, then the sizes of its sections.

        Args:
            start: Bit where the header begins.
            bits: Where the sections are described once the header is read.
        """
        self.parse()
        stop, count, after = self._bits.at, self._sections(), bits.at
        if bits.flag():
            _skip_order(bits, count)
        order = after, bits.at
        bits.align()
        sizes = bits.at // 8
        total = sum(bits.number(SECTION) for _ in range(count))
        bits.align()
        return Frame(
            data=self._data,
            kind=self._kind,
            duration=self._duration,
            timecode=self._timecode,
            last=self._last,
            slot=self._slot,
            kept_raw=self._raw,
            noise=self._noise,
            sources=frozenset(self._sources),
            whole=self._replaces,
            area=(*self._origin, *self._size),
            place=self._place,
            blends=tuple(self._blends),
            start=start,
            time=self._time,
            rest=self._rest,
            stop=stop,
            order=order,
            sizes=sizes,
            end=bits.at // 8 + total,
        )

    def _sections(self) -> int:
        """How many sections there are."""
        part = self._upsampling << 3 * self._level
        width, height = (-(-side // part) for side in self._size)
        group = 128 << self._shift
        groups = -(-width // group) * -(-height // group)
        across, down = (any(h in halving for h in self._halved) for halving in ((1, 2), (1, 3)))
        blocks = -(-width // (8 << across)) << across, -(-height // (8 << down)) << down
        large = -(-blocks[0] // group) * -(-blocks[1] // group)
        if groups == 1 and self._passes == 1:
            return 1
        count = 2 + large + groups * self._passes
        if count > _MOST_SECTIONS:
            raise MediaProblem("over-limit", what_word="parts", found=count, limit=_MOST_SECTIONS)
        return count


def _skip_order(bits: Reader, count: int) -> None:
    """The order of the sections, as a permutation; only its end is of interest."""
    stream = Stream(bits, 8)
    stop, last = stream.read(min(7, count.bit_length())), 0
    if stop > count:
        raise cut()
    for _ in range(stop):
        last = stream.read(min(7, last.bit_length()))
    stream.close()


def _signed(value: int) -> int:
    return -(value + 1 >> 1) if value & 1 else value >> 1


def below(
    codestream: bytes,
    frame: Frame,
    header: Header,
    slot: int,
    moved: tuple[int, int] | None = None,
) -> bytes:
    """A frame as the layer below another one: shown no longer by itself, kept in a slot, and not the last.

    Args:
        codestream: What it is in.
        frame: The frame.
        header: The image.
        slot: Where to keep it.
        moved: By how much, where the picture becomes larger than it.
    """
    out = Writer()
    if moved is None:
        out.copy(frame.data, frame.start, frame.time)
    else:
        _placed(out, frame, moved)
    if header.animated:
        out.number(0, DURATION)
    if header.timecodes:
        out.put(frame.timecode, 32)
    out.put(0, 1).number(slot, SLOT)
    if frame.whole and moved is None:
        out.put(0, 1)  # kept as it is shown
    out.copy(frame.data, frame.rest, frame.stop)
    out.copy(codestream, *frame.order).align()
    return out.bytes() + codestream[frame.sizes : frame.end]


def _placed(out: Writer, frame: Frame, moved: tuple[int, int]) -> None:
    """Its header up to the time, as that of a part of the picture: beside it nothing is kept."""
    out.copy(frame.data, frame.start, frame.place[0]).put(1, 1)
    x, y, width, height = frame.area
    for value in (x + moved[0], y + moved[1]):
        out.number(2 * value if value >= 0 else -2 * value - 1, PLACE)
    out.number(width, PLACE).number(height, PLACE)
    for start, stop, mode in frame.blends:
        out.copy(frame.data, start, stop)
        if mode == _REPLACE and frame.whole:
            out.number(0, SLOT)
