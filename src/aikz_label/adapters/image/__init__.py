"""Pictures: JPEG, PNG, and still WebP, AVIF and HEIC with 8 bits per channel."""

from __future__ import annotations

import io
from functools import cache
from importlib import import_module
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from aikz_label import engine
from aikz_label.adapters import Examined, MediaProblem, Order, Rendered
from aikz_label.adapters.image import metadata
from aikz_label.adapters.image.container import Container
from aikz_label.adapters.image.frames import Animated
from aikz_label.adapters.image.window import Window
from aikz_label.carriers import native
from aikz_label.carriers.native import NativeCarrier
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import DEFAULT, NO_LIMITS, Limits
from aikz_label.notice import wording
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice
from aikz_label.trust import TrustList
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.adapters.image.animation import Film
    from aikz_label.adapters.image.drawing import Painting
    from aikz_label.signing import SigningKey


class ImageAdapter(NativeCarrier):
    """All pictures, still and animated; the container classes know the formats."""

    notices = ("badge", "strip")

    def examine(self, source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:
        """See `Adapter.examine`."""
        container = _parse(source, row, limits, thorough=thorough, whole=thorough)
        mirrors = tuple(islice(metadata.read(container, limits), _MAX_MIRRORS))
        sides = container.sides
        # of several pictures the record does not say which one it measured, so only what all of them share is known
        figures = (("short_side_px", float(*sides)),) if len(sides) == 1 else ()
        return Examined(mirrors, container.has_marker, figures, *container.unprotected())

    def read_marker(
        self, source: BinaryIO, row: Format, trust: tuple[TrustList, ...]
    ) -> engine.Reading:
        """See `Adapter.read_marker`; the engine gets no store whose lengths lie, nor a file where none can be found."""
        if not _container(row.name).embeds:
            return engine.Reading("absent")
        try:
            outline = _parse(source, row, _OUTLINE, thorough=False, whole=False)
            stores = tuple(outline.stores())
        except MediaProblem:
            return engine.Reading("failed")
        return native.read(source, row, trust, stores)

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """See `Adapter.render`."""
        container = _parse(source, row, order.limits, thorough=True)
        try:
            container.check_variant()
        except Refused as refusal:
            _refuse_small(container, order, refusal)
        tags, warnings = metadata.written(container, order)
        warnings += container.warnings
        if order.notice == "none" or container.no_notice:
            destination.write(container.with_tags(tags))
            reason = order.reason or container.no_notice
            notice = Notice("none", profile=order.profile.id, reason=reason)
            return Rendered(notice, warnings, None)
        painting = _painting(container, order)
        destination.write(painting.encode(tags))
        notice = Notice(
            painting.kind,
            order.languages,
            wording.version(),
            order.profile.id,
            painting.placements,
        )
        return Rendered(notice, warnings + painting.warnings, painting)

    def check(
        self,
        painted: BinaryIO,
        row: Format,
        rendered: Rendered,
        order: Order,  # noqa: ARG002  # the painting has it
    ) -> Measurement | None:
        """See `Adapter.check`."""
        if rendered.reference is None:
            return None
        painting: Painting | Film = rendered.reference
        return painting.check(_parse(painted, row, NO_LIMITS, thorough=False))

    def write_marker(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,
        manifest: dict[str, Any],
        key: SigningKey,
        parent: engine.Parent | None,
    ) -> None:
        """See `Adapter.write_marker`; twice, when the file tells places that the marker moves and it must know how far."""
        kind = _container(row.name)
        kind.write_marker(source, destination, row, manifest, key, parent)
        if kind.laid_out_like is Container.laid_out_like:
            return
        container = _parse(source, row, NO_LIMITS, thorough=False)
        signed = _parse(destination, row, NO_LIMITS, thorough=False)
        moved = container.laid_out_like(signed)
        if moved is not None:
            destination.seek(0)
            destination.truncate()
            kind.write_marker(io.BytesIO(moved), destination, row, manifest, key, parent)

    def confirm(self, painted: BinaryIO, signed: BinaryIO, row: Format) -> None:
        """See `Adapter.confirm`: part by part, the two files are the same but for the marker."""
        before = _parse(painted, row, NO_LIMITS, thorough=False)
        after = _parse(signed, row, NO_LIMITS, thorough=False)
        if not after.has_marker or any(
            first != second for first, second in zip_longest(before.parts(), after.parts())
        ):
            raise Refused(
                "The C2PA engine changed more of this file than the marker.",
                code="content-changed",
                hint="Nothing was written. Re-save the file with another program and try again.",
            )

    def measure(
        self,
        source: BinaryIO,
        row: Format,
        notice: Notice,
        origin: Origin,
        profile: Profile,
        limits: Limits,
    ) -> Measurement:
        """See `Adapter.measure`."""
        from aikz_label.adapters.image import drawing  # noqa: PLC0415

        container = _parse(source, row, limits, thorough=False)
        return drawing.measure_recorded(container, notice, origin, profile)

    def search(
        self, source: BinaryIO, row: Format, profile: Profile, limits: Limits
    ) -> Found | None:
        """See `Searching.search`."""
        from aikz_label.adapters.image import drawing  # noqa: PLC0415

        return drawing.search_whole(_parse(source, row, limits, thorough=False), profile)


ADAPTER = ImageAdapter()
_MAX_MIRRORS = 50
_OUTLINE = replace(NO_LIMITS, max_parts=DEFAULT.max_parts)  # the engine walks all parts as well


@cache
def _container(name: str) -> type[Container]:
    """The class of a format, imported when the first such file comes."""
    module, kind = {
        "jpeg": ("jpeg", "Jpeg"),
        "png": ("png", "Png"),
        "webp": ("webp", "WebP"),
        "gif": ("gif", "Gif"),
        "avif": ("heif.container", "Avif"),
        "heic": ("heif.container", "Heic"),
        "bmp": ("bmp", "Bmp"),
        "ico": ("ico", "Ico"),
        "jp2": ("jp2", "Jp2"),
        "tiff": ("tiff", "Tiff"),
        "dng": ("tiff.dng", "Dng"),
        "jxl": ("jxl.container", "Jxl"),
    }[name]
    found: type[Container] = getattr(import_module(f"{__name__}.{module}"), kind)
    return found


def _painting(container: Container, order: Order) -> Painting | Film:
    """What draws the notice. numpy and Pillow come with it, which cost more start-up than a whole verification."""
    if isinstance(container, Animated) and container.moving:
        from aikz_label.adapters.image.animation import Film  # noqa: PLC0415

        return Film(container, order)
    from aikz_label.adapters.image.drawing import Painting  # noqa: PLC0415

    return Painting(container, order)


def _refuse_small(container: Container, order: Order, refusal: Refused) -> None:
    """Of two reasons the one that can be seen: a picture too small for a notice, whatever its coding."""
    if order.notice != "none" and not container.no_notice and order.when_too_small == "refuse":
        from aikz_label.adapters.image.refusals import too_small  # noqa: PLC0415
        from aikz_label.notice import badge  # noqa: PLC0415

        width, height = container.size
        origin, profile = order.label.origin, order.profile.image
        turned = ((width, height), (height, width))
        if not any(badge.plan(*size, origin, order.languages, profile) for size in turned):
            raise too_small(container.size) from refusal
    raise refusal


def _parse(
    source: BinaryIO, row: Format, limits: Limits, *, thorough: bool, whole: bool = True
) -> Container:
    """Take the file apart; not `whole` leaves unread what nobody looks at, for metadata only."""
    size = source.seek(0, io.SEEK_END)
    if size > limits.max_bytes:
        raise MediaProblem("over-limit", what_word="bytes", found=size, limit=limits.max_bytes)
    if isinstance(source, io.BytesIO):
        data = source.getvalue()  # no copy
    elif whole:
        source.seek(0)
        data = source.read(size)
    else:  # a window does with slices, indices and len() what bytes do
        data = cast("bytes", Window(source))
    return _container(row.name).parse(data, limits, thorough=thorough)
