"""Videos: MP4, QuickTime, 3GP, AVI, Matroska, WebM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label import engine
from aikz_label.adapters import Examined, Order, Rendered
from aikz_label.adapters.video import marking, structure
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice
from aikz_label.trust import TrustList

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey


class VideoAdapter:
    """All videos. What decodes or draws is imported when it is needed: it costs more start-up than a verification."""

    notices = ("badge",)

    def examine(self, source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:
        """See `Adapter.examine`."""
        return structure.examine(source, row, limits, thorough=thorough)

    def read_marker(
        self, source: BinaryIO, row: Format, trust: tuple[TrustList, ...]
    ) -> engine.Reading:
        """See `Adapter.read_marker`."""
        return marking.read_marker(source, row, trust)

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """See `Adapter.render`."""
        from aikz_label.adapters.video import rendering  # noqa: PLC0415

        return rendering.render(source, destination, row, order)

    def check(
        self, painted: BinaryIO, row: Format, rendered: Rendered, order: Order
    ) -> Measurement | None:
        """See `Adapter.check`."""
        from aikz_label.adapters.video import comparing  # noqa: PLC0415

        return comparing.check(painted, row, rendered, order)

    def write_marker(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,
        manifest: dict[str, Any],
        key: SigningKey,
        parent: engine.Parent | None,
    ) -> None:
        """See `Adapter.write_marker`."""
        marking.write_marker(source, destination, row, manifest, key, parent)

    def confirm(self, painted: BinaryIO, signed: BinaryIO, row: Format) -> None:
        """See `Adapter.confirm`."""
        marking.confirm(painted, signed, row)

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
        from aikz_label.adapters.video import measuring  # noqa: PLC0415

        return measuring.measure(source, row, notice, origin, profile, limits)

    def search(
        self, source: BinaryIO, row: Format, profile: Profile, limits: Limits
    ) -> Found | None:
        """See `Searching.search`."""
        from aikz_label.adapters.video import measuring  # noqa: PLC0415

        return measuring.search(source, row, profile, limits)


ADAPTER = VideoAdapter()
