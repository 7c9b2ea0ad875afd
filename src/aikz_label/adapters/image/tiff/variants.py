"""Which pages of a TIFF cannot be painted without a loss, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from aikz_label.adapters.image.tiff.page import FAX, Coding, Page, Photometric
from aikz_label.errors import Refused

_OTHER_CODINGS = {6: "old-style JPEG", 33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000"}
_OTHER_CODINGS |= {34661: "JBIG", 34676: "LogLuv", 34677: "LogLuv", 34892: "lossy JPEG of DNG"}
_OTHER_CODINGS |= {34887: "LERC", 50002: "JPEG XL", 52546: "JPEG XL"}
_RAW = {32803: "a camera's raw data", 34892: "a camera's raw data"}
_LOG = {32844: "LogL", 32845: "LogLuv"}
_OTHER_COLOURS = {**_RAW, **_LOG, 10: "ITU L*a*b*", 51177: "depth"}


def reasons(page: Page) -> Iterator[str]:
    """Why it cannot be painted without a loss."""
    if page.photometric in _OTHER_COLOURS:
        yield f"its pixels are {_OTHER_COLOURS[page.photometric]}"
    elif page.photometric < 0:
        yield "it does not say what its colours are"
    elif page.photometric not in Photometric.__members__.values():
        yield f"its colours are of kind {page.photometric}"
    if page.coding not in Coding.__members__.values():
        yield f"it is compressed as {_OTHER_CODINGS.get(page.coding, page.coding)}"
    if len(set(page.bits)) > 1 or len(set(page.kind)) > 1 or "?" in page.kind:
        yield "its channels are not alike"
    elif not _depth_is_known(page):
        yield f"it has {page.depth} bits per channel"
    elif not _predictor_is_known(page):
        yield f"its predictor is {page.predictor}"
    yield from _odd_layouts(page)


def refused(title: str, page: Page, reason: str) -> Refused:
    """The refusal of such a page."""
    hint = _hint(page)
    return Refused(
        f"This kind of {title} cannot be marked without loss yet: {reason}.",
        code="unsupported-variant",
        hint=hint,
    )


def _hint(page: Page) -> str:
    """What to do about the first of the reasons."""
    if page.photometric in _RAW:
        return "Develop it to RGB, and mark the result."
    if page.photometric in _LOG:
        return "Save it as RGB in floats of 32 bits, which hold the same range, and mark that."
    if page.coding not in Coding.__members__.values():
        return (
            "Save it with LZW or Deflate, which lose nothing: tiffcp -c zip IN OUT does for most."
        )
    return "Save it as ordinary grey, RGB or CMYK; 16 bits and floats are fine."


def _depth_is_known(page: Page) -> bool:
    if page.kind[0] == "f":
        return page.depth in {16, 32, 64}
    if page.kind[0] == "i":
        return page.depth in {8, 16, 32, 64}
    return 0 < page.depth <= 16 or page.depth in {24, 32, 64}


def _predictor_is_known(page: Page) -> bool:
    match page.predictor:
        case 1:
            return True
        case 2:
            return page.depth in {8, 16, 32, 64}
        case 3:
            return page.kind[0] == "f"
    return False


def _is_webp(page: Page) -> bool:
    colours = page.photometric == Photometric.RGB and page.samples in {3, 4}
    return colours and page.depth == 8 and not page.planar and not page.reversed


def _sampling_is_known(page: Page) -> bool:
    if page.subsampling == (1, 1) or page.coding == Coding.JPEG:
        return True
    whole = not page.block[1] % page.subsampling[1] or page.down == 1
    plain = (page.depth, page.samples, page.planar, page.predictor) == (8, 3, False, 1)
    return plain and whole and {*page.subsampling} <= {1, 2, 4}


def _odd_layouts(page: Page) -> Iterator[str]:
    known = page.photometric in Photometric.__members__.values()
    if known and page.samples < page.colours:
        yield "it has fewer channels than its colours need"
    if page.photometric == Photometric.SEPARATED and page.ink_set != 1:
        yield "its inks are not cyan, magenta, yellow and black"
    if page.photometric == Photometric.PALETTE and (
        page.depth > 8 or len(page.colour_map) != 3 << page.depth or page.samples > 2
    ):
        yield "its palette is unusual"
    if page.coding in FAX and ((page.bits, page.samples) != ((1,), 1) or page.options & 2):
        yield "it is a fax of an unusual kind"
    if page.coding == Coding.JPEG and (page.depth != 8 or page.reversed):
        yield "it is JPEG of more than 8 bits"
    if page.coding == Coding.WEBP and not _is_webp(page):
        yield "it is WebP of an unusual kind"
    if not _sampling_is_known(page):
        yield "its colours are sampled in an unusual way"
    needed = page.across * page.down * page.planes
    if len(page.places) < needed or len(page.lengths) < needed:
        yield "it does not say where its image data is"
