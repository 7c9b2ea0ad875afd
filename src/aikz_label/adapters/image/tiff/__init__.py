"""TIFF: every page is painted where it stands.

Only the strips or tiles that the badge touches are coded anew, each in the way of its page. They go back to where they were
when they still fit, else to the end of the file; everything else keeps its bytes and its place. See
`aikz_label.metadata.ifd`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import Container, Tags, refuse_variant
from aikz_label.adapters.image.tiff.page import MAX_SAMPLES, OLD_JPEG, WIDTH, Coding, Page
from aikz_label.adapters.image.tiff.rewriting import Rewriting, comment_is_taken, dangling
from aikz_label.adapters.image.tiff.variants import reasons, refused
from aikz_label.carriers import tiff as carrier
from aikz_label.limits import MIB, Limits
from aikz_label.metadata import exif_comment, ifd, iim
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aikz_label.adapters.image.picture import Picture
    from aikz_label.adapters.image.tiff.blocks import Blocks
    from aikz_label.adapters.image.tiff.picture import TiffPicture
    from aikz_label.engine import Parent
    from aikz_label.formats import Format
    from aikz_label.signing import SigningKey

# Pages of a book cost as much as pages of a bomb: all their samples together, in bytes per pixel of the largest picture.
_MAX_DECODED = 64
_MAX_PICTURES = 1000  # that a marker keeps records of
_LEAST_PREVIEW = 64  # shorter side of a preview that is labelled too, px
_LOSSY_PSNR = 40.0
_PIECE = 1 << 20  # bytes that are compared at once
_TEXTS = (270, 271, 272, 305)  # description, maker, model, program
_IPTC, _PHOTOSHOP = 33723, 34377


@dataclass(frozen=True, slots=True)
class Tiff(Container):
    """A file as its directories and the pictures that they describe.

    Attributes:
        tiff: The directories.
        pages: The pictures that need a notice, in the order of the file.
        unlabelled: Previews that get none, because they are too small for one or cannot be painted.
    """

    data: bytes
    size: tuple[int, int]
    tiff: ifd.Tiff
    pages: tuple[Page, ...]
    unlabelled: int

    title: ClassVar[str] = "TIFF"

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Follow the chain of pages, and the directories that they point to."""
        with reading():
            tiff = ifd.Tiff.read(data)
            found = tuple(tiff.tree())
            if thorough:
                check_whole(tiff, found)
            pages = [Page.read(tiff, one, limits) for one in found if one.get(WIDTH)]
        shared = Counter(at for page in pages for at in set(page.places[:MAX_SAMPLES]))
        pages = [
            page
            if any(reasons(page)) or any(shared[at] > 1 for at in page.places[:MAX_SAMPLES])
            else page.in_rows()
            for page in pages
        ]
        old = sum(one.get(WIDTH) is None and one.get(OLD_JPEG) is not None for one in found)
        whole = [page for page in pages if page.role == "picture"]
        previews = [page for page in pages if page.role == "preview"]
        if not whole:  # some scanners call the only page a preview
            whole, previews = previews, []
        small = [page for page in previews if not _gets_badge(page)]
        chosen = tuple(page for page in pages if page in whole or page in previews)
        chosen = tuple(page for page in chosen if page not in small)
        if not chosen:
            raise MediaProblem("damaged", detail_word="no-header")
        decoded = sum(page.decoded_bytes for page in chosen)
        most = limits.max_pixels * _MAX_DECODED
        if decoded > most:
            raise MediaProblem("over-limit", what_word="bytes", found=decoded, limit=most)
        return cls(data, chosen[0].size, tiff, chosen, len(small) + old)

    # --- what is in it ----------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Pages, and previews of them."""
        return len(self.pages)

    @property
    def sides(self) -> set[int]:
        """See `Container.sides`."""
        return {min(page.size) for page in self.pages}

    def is_preview(self, index: int) -> bool:
        """Whether a picture is reduced from another one."""
        return self.pages[index].role == "preview" and self.count > 1

    def grid_of(self, index: int) -> tuple[int, int]:
        """Blocks of JPEG, or pixels that share a colour."""
        page = self.pages[index]
        block = 8 if page.coding == Coding.JPEG else 1
        return block * page.subsampling[0], block * page.subsampling[1]

    @property
    def least_psnr(self) -> float:
        """Exact, but where a page is JPEG."""
        return _LOSSY_PSNR if any(p.coding == Coding.JPEG for p in self.pages) else math.inf

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of previews without a notice, and of tags that nobody can read."""
        said = []
        if self.unlabelled:
            said.append(
                f"{self.unlabelled} preview(s) in this file carry no notice: too small, or not painted."
            )
        gone = [tag for found in self.tiff.tree() for tag in dangling(self.tiff, found)]
        if gone:
            said.append(f"{len(gone)} tag(s) whose values are not in the file were left out.")
        if comment_is_taken(self.tiff):
            said.append("The EXIF mirror was not written: there is a comment of somebody else's.")
        return tuple(said)

    @property
    def has_marker(self) -> bool:
        """Whether a page has the tag of C2PA."""
        return any(page.get(ifd.C2PA) for page in self.tiff.pages)

    def stores(self) -> Iterator[bytes]:
        """The values of that tag; none where they lie outside the file."""
        for entry in filter(None, (page.get(ifd.C2PA) for page in self.tiff.pages)):
            yield self.data[entry.at : entry.at + entry.length]

    @property
    def xmp(self) -> bytes | None:
        """The packet of the first page."""
        entry = self.tiff.pages[0].get(ifd.XMP)
        return self.data[entry.at : entry.at + entry.length] if entry else None

    @property
    def exif(self) -> bytes | None:
        """There is no block: the fields are tags of the file."""
        return None

    @property
    def iptc(self) -> bytes | None:
        """The record of the first page: in a tag of its own, or among Photoshop's resources."""
        own, shared = (self.tiff.pages[0].get(tag) for tag in (_IPTC, _PHOTOSHOP))
        entry = own or shared
        if entry is None or entry.length > MIB:
            return None
        found = self.data[entry.at : entry.at + entry.length]
        return found if own else iim.in_photoshop(found)

    @property
    def statements(self) -> bytes | None:
        """The texts of the first page and of its camera data, as a block."""
        with reading():
            first = self.tiff.pages[0]
            camera = next((c for c in self.tiff.children(first) if c.get(exif_comment.TAG)), None)
            return self.tiff.extract(first, _TEXTS, camera, (exif_comment.TAG,))

    def parts(self) -> Iterator[bytes]:
        """Every tag but the marker with its values, and every block of image data, of every directory."""
        for found in self.tiff.tree():
            for entry in sorted(found.entries, key=lambda one: one.tag):
                if entry.tag != ifd.C2PA:
                    yield b"%d %d %d" % (entry.tag, entry.kind, entry.count)
                    yield self.data[entry.at : entry.at + entry.length]
            for places, lengths in ifd.DATA.items():
                numbers = (self.tiff.numbers(found.get(tag)) for tag in (places, lengths))
                for start, length in zip(*numbers, strict=False):
                    stop = start + length  # a strip may be the whole picture: never copied at once
                    for at in range(start, stop, _PIECE):
                        yield self.data[at : min(stop, at + _PIECE)]

    # --- pixels -----------------------------------------------------------------------------------------------------

    def check_variant(self) -> None:
        """Refuse what cannot be painted without a loss."""
        if self.count > _MAX_PICTURES:
            raise refuse_variant(self.title, f"it has more than {_MAX_PICTURES} pages")
        for number, page in enumerate(self.pages, 1):
            reason = next(reasons(page), "")
            if reason:
                where = f" (page {number} of {self.count})" if self.count > 1 else ""
                raise refused(self.title, page, reason + where)

    @property
    def losses(self) -> tuple[str, ...]:
        """See `Container.losses`: JPEG that only some programs read."""
        from aikz_label.adapters.image.tiff import jpeg  # noqa: PLC0415

        blocks = (self._blocks(page) for page in self.pages if page.coding == Coding.JPEG)
        if not any(jpeg.is_arithmetic(one.stored(0)) for one in blocks):
            return ()
        return (
            "JPEG in this TIFF was coded arithmetically, which few programs read; under the notice it has Huffman codes.",
        )

    def decode(self, index: int = 0) -> TiffPicture:
        """See `Container.decode`; blocks are decoded when they are looked at."""
        from aikz_label.adapters.image.tiff.picture import TiffPicture  # noqa: PLC0415

        page = self.pages[index]
        reason = next(reasons(page), "")
        if reason:
            raise refused(self.title, page, reason)
        return TiffPicture(self._blocks(page))

    def _blocks(self, page: Page) -> Blocks:
        from aikz_label.adapters.image.tiff.blocks import Blocks  # noqa: PLC0415

        return Blocks(self.tiff, page)

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """The painted blocks in the source's file."""
        from aikz_label.adapters.image.tiff.picture import TiffPicture  # noqa: PLC0415

        by_place = {page.directory.at: page for page in self.pages}
        with reading():
            rewriting = Rewriting(self.tiff)
            for picture in pictures:
                assert isinstance(picture, TiffPicture)
                picture.read_through()
                rewriting.replace(by_place[picture.page.directory.at], picture)
            return rewriting.finished(tags)

    def with_tags(self, tags: Tags) -> bytes:
        """The same file with another XMP packet."""
        with reading():
            return Rewriting(self.tiff).finished(tags)

    @classmethod
    def write_marker(
        cls,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,  # noqa: ARG003  # TIFF and DNG alike
        manifest: dict[str, Any],
        key: SigningKey,
        parent: Parent | None,
    ) -> None:
        """See `Adapter.write_marker`."""
        with reading():
            carrier.write(source, destination, manifest, key, parent)


def check_whole(tiff: ifd.Tiff, found: tuple[ifd.Directory, ...]) -> None:
    """Notice a cut file: every block of image data must be in it.

    Raises:
        Malformed: One is not.
    """
    for directory in found:
        for places, lengths in ifd.DATA.items():
            starts, sizes = (tiff.numbers(directory.get(tag)) for tag in (places, lengths))
            if any(a + b > len(tiff.data) for a, b in zip(starts, sizes, strict=False)):
                raise ifd.Malformed("cut")


def _gets_badge(page: Page) -> bool:
    """Whether a preview is large enough, and can be painted."""
    return min(page.size) >= _LEAST_PREVIEW and not any(reasons(page))


@contextmanager
def reading() -> Iterator[None]:
    """Directories that make no sense are a problem with the content."""
    try:
        yield
    except ifd.Malformed as error:
        raise MediaProblem("damaged", detail_word=str(error)) from error
    except ifd.TooMany as error:
        limit = ifd.MAX_DIRECTORIES
        raise MediaProblem("over-limit", what_word="parts", found=limit + 1, limit=limit) from error
