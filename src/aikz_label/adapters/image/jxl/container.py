"""A JPEG XL file: boxes around a codestream, or the codestream alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.image.bmff import Box
from aikz_label.adapters.image.container import Container, Tags, check_pixels, refuse_variant
from aikz_label.adapters.image.jxl.frames import REFERENCE, REGULAR, Frame, below, read_frames
from aikz_label.adapters.image.jxl.header import SIGNATURE, Header, frames_start, with_size
from aikz_label.adapters.image.refusals import cannot_grow
from aikz_label.limits import MIB, Limits
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aikz_label.adapters.image.picture import Picture

_FIRST = bmff.pack(b"JXL ", b"\r\n\x87\n")
_BRANDS = bmff.pack(b"ftyp", b"jxl \0\0\0\0jxl ")
_C2PA = bytes.fromhex("6332706100110010800000aa00389b71")
_HEAD = 4096  # bytes: no header is longer
_SLOTS = 4


@dataclass(frozen=True, slots=True)
class Jxl(Container):
    """A file, its boxes if it has any, and what its codestream says of itself."""

    data: bytes
    size: tuple[int, int]
    boxes: tuple[Box, ...]
    header: Header
    limits: Limits

    grid = (
        16,
        16,
    )  # decoders round pixels beside a layer in another way where it begins within a block

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Walk the boxes and read the header; `thorough` follows all frames."""
        boxes: tuple[Box, ...] = ()
        if data[:2] != SIGNATURE:
            boxes = bmff.walk(data, 0, len(data), limits)
            if not boxes or data[: boxes[0].stop] != _FIRST:
                raise MediaProblem("damaged", detail_word="no-header")
        header = Header.read(b"".join(_pieces(data, boxes, _HEAD)))
        check_pixels(header.size, limits)
        found = cls(data, header.size, boxes, header, limits)
        if thorough:
            found._frames(found._codestream())
        return found

    @property
    def least_psnr(self) -> float:
        """See `Container`: all is as it was, but for the rounding of opacity, and what evened out noise leaves."""
        noise = any(frame.noise for frame in self._frames(self._codestream()))
        return 35.0 if noise else 60.0

    def _codestream(self) -> bytes:
        """The codestream, put together."""
        return b"".join(_pieces(self.data, self.boxes, len(self.data)))

    def _frames(self, codestream: bytes) -> list[Frame]:
        start = frames_start(codestream, self.header)
        return read_frames(codestream, start, self.header, self.limits)

    @property
    def has_marker(self) -> bool:
        """Whether there is a box `jumb` of C2PA."""
        return any(self._is_marker(box) for box in self.boxes)

    def _is_marker(self, box: Box) -> bool:
        """A superbox whose description, its first box, names C2PA."""
        return box.kind == b"jumb" and self.data[box.body + 8 : box.body + 24] == _C2PA

    def stores(self) -> Iterator[bytes]:
        """See `Container.stores`; the box is the store."""
        yield from (self.data[b.start : b.stop] for b in self.boxes if self._is_marker(b))

    @property
    def exif(self) -> bytes | None:
        """The box `Exif` without the offset it begins with, if it is of a usual size."""
        block = self._metadata(b"Exif")
        return block[4 + int.from_bytes(block[:4]) :] if block else None

    @property
    def xmp(self) -> bytes | None:
        """The box `xml `."""
        return self._metadata(b"xml ")

    def _metadata(self, kind: bytes) -> bytes | None:
        """The first box of a kind, compressed or not, unless it is far too large."""
        for box in self.boxes:
            if box.stop - box.body > MIB:
                continue
            if box.kind == kind:
                return self.data[box.body : box.stop]
            if self._inner(box) == kind:
                return _inflated(self.data[box.body + 4 : box.stop])
        return None

    def _inner(self, box: Box) -> bytes:
        """What is compressed in a box; empty when it is none of those."""
        return self.data[box.body : box.body + 4] if box.kind == b"brob" else b""

    def parts(self) -> Iterator[bytes]:
        """Every box but the marker's."""
        yield from (self.data[b.start : b.stop] for b in self.boxes if not self._is_marker(b))

    # --- variants ---------------------------------------------------------------------------------------------------

    def check_variant(self) -> None:
        """Refuse what no layer can be laid over."""
        from aikz_label.adapters.image.jxl.picture import library  # noqa: PLC0415

        library()
        codestream = self._codestream()
        reason = next(self._reasons(codestream, self._frames(codestream)), "")
        if reason:
            raise refuse_variant("JPEG XL", reason)

    def _reasons(self, codestream: bytes, frames: list[Frame]) -> Iterator[str]:
        if self.header.preview:
            yield "it begins with a preview picture"
        if self.header.xyb and self.header.own_matrix:
            yield "its colours are coded in a way of its own"
        if frames[-1].end != len(codestream):
            yield "there are bytes after its end"
        if any(frame.kept_raw for frame in frames if frame.shown):
            yield "later frames build on one before its colours are made"
        if _free_slot(frames) is None and any(
            f.shown and not f.last and not f.slot for f in frames
        ):
            yield "its frames build on too many others"

    @property
    def losses(self) -> tuple[str, ...]:
        """See `Container.losses`."""
        found = []
        if not self.boxes:
            found.append(
                "The codestream was put into a container: a marker has no place without one."
            )
        if any(box.kind == b"jbrd" for box in self.boxes):
            found.append(
                "What restores the JPEG file that this picture was made from was left out: that file has no notice."
            )
        return tuple(found)

    # --- pictures ---------------------------------------------------------------------------------------------------

    def decode(self, index: int = 0) -> Picture:  # noqa: ARG002  # one picture
        """See `Container.decode`."""
        from aikz_label.adapters.image.jxl.picture import JxlPicture  # noqa: PLC0415

        codestream = self._codestream()
        frames = self._frames(codestream)
        count = sum(frame.shown for frame in frames) if self.header.animated else 1
        noisy = any(frame.noise for frame in frames)
        return JxlPicture(codestream, self.header, count, noisy=noisy)

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """The source's frames, one more over each that is shown."""
        from aikz_label.adapters.image.jxl.layer import Time, layers  # noqa: PLC0415
        from aikz_label.adapters.image.jxl.picture import JxlPicture  # noqa: PLC0415

        (picture,) = pictures
        assert isinstance(picture, JxlPicture)
        assert picture.layers
        codestream = self._codestream()
        frames = self._frames(codestream)
        free, at = _free_slot(frames), frames_start(codestream, self.header)
        head, header, moved = codestream[:at], self.header, None
        if picture.stored != self.size:
            if not _can_grow(self.header, frames):
                raise cannot_grow("its frames would not stay where they are")
            head, moved = with_size(codestream, self.header, picture.stored), picture.origin
            header = replace(self.header, size=picture.stored)
        out = [head]
        for frame in frames:
            if frame.shown:
                slot = frame.slot if frame.kept else free
                assert slot is not None
                out.append(below(codestream, frame, self.header, slot, moved))
                final = Time(frame.duration, frame.timecode, frame.last, frame.slot)
                for number, (mask, (x, y, _, _)) in enumerate(picture.layers, 1):
                    more = number < len(picture.layers)
                    time = Time(last=False, slot=slot) if more else final
                    out.append(layers(header, mask, (x, y), slot, time))
            else:
                out.append(codestream[at : frame.end])
            at = frame.end
        if header.xyb and header.profile:
            _check_layers(b"".join(out))
        return self._written(b"".join(out), tags)

    def with_tags(self, tags: Tags) -> bytes:
        """The same codestream with other metadata."""
        return self._written(None, tags)

    def _written(self, codestream: bytes | None, tags: Tags) -> bytes:
        """The boxes, without a marker; a new codestream in the place of the old one, without what restores a JPEG."""
        if not self.boxes:
            packet = bmff.pack(b"xml ", tags.xmp) if tags.xmp is not None else b""
            return _FIRST + _BRANDS + bmff.pack(b"jxlc", codestream or self.data) + packet
        out: list[bytes] = []
        xmp, done = tags.xmp, False
        for box in self.boxes:
            kind = self._inner(box) or box.kind
            if self._is_marker(box) or (codestream and kind in {b"jbrd", b"jxli"}):
                continue
            if codestream and kind in {b"jxlc", b"jxlp"}:
                out += [] if done else [bmff.pack(b"jxlc", codestream)]
                done = True
            elif kind == b"xml " and xmp is not None:
                out.append(bmff.pack(b"xml ", xmp))
                xmp = None
            elif kind == b"Exif" and tags.exif is not None:
                out.append(bmff.pack(b"Exif", bytes(4), tags.exif))
            else:
                out.append(_whole(self.data, box))
        if xmp is not None:
            out.append(bmff.pack(b"xml ", xmp))
        return b"".join(out)


def _pieces(data: bytes, boxes: tuple[Box, ...], most: int) -> Iterator[bytes]:
    """The codestream, or its beginning: whole, or from numbered parts."""
    if not boxes:
        yield data[:most]
        return
    whole = next((box for box in boxes if box.kind == b"jxlc"), None)
    if whole is not None:
        yield data[whole.body : min(whole.stop, whole.body + most)]
        return
    parts = [box for box in boxes if box.kind == b"jxlp"]
    for box in sorted(parts, key=lambda b: int.from_bytes(data[b.body : b.body + 4]) & 0x7FFFFFFF):
        start = min(box.body + 4, box.stop)
        yield data[start : min(box.stop, start + most)]


def _whole(data: bytes, box: Box) -> bytes:
    """A box with a length, which the last one of a file may not have had."""
    if int.from_bytes(data[box.start : box.start + 4]):
        return data[box.start : box.stop]
    return bmff.pack(box.kind, data[box.body : box.stop])


def _inflated(data: bytes) -> bytes | None:
    """Brotli undone; `None` when that cannot be done, or gives far too much."""
    try:
        import imagecodecs  # noqa: PLC0415  # optional

        return bytes(imagecodecs.brotli_decode(data, out=bytearray(MIB)))
    except Exception:  # noqa: BLE001  # not installed, damaged, or a bomb
        return None


def _free_slot(frames: list[Frame]) -> int | None:
    """A slot that no frame is kept in or built on."""
    taken = {frame.slot for frame in frames if frame.kept}
    for frame in frames:
        taken |= frame.sources
    return next((slot for slot in range(_SLOTS) if slot not in taken), None)


def _can_grow(header: Header, frames: list[Frame]) -> bool:
    """Whether all of it is one frame that is shown, and others that say how large they are."""
    *before, last = frames
    references = all(f.kind == REFERENCE and f.place[1] - f.place[0] > 1 for f in before)
    return not header.sized and references and last.whole and last.kind == REGULAR


def _check_layers(codestream: bytes) -> None:
    """Refuse what decoders cannot put together: lossy colours are laid over each other in the space of their profile."""
    from aikz_label.adapters.image.jxl.picture import decoded  # noqa: PLC0415

    try:
        decoded(codestream, 0)
    except MediaProblem as problem:
        detail = "decoders lay nothing over lossy colours with a profile of this kind"
        raise refuse_variant("JPEG XL", detail) from problem
