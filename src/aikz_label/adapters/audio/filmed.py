"""Sound in containers of films: M4A, and Matroska and WebM without a picture.

What the containers hold besides sound, the marker above all, is read and written as of films. A notice goes before the
programme, which stays as it is; where nothing can go before its packets, it is spoken over their start, see
`video.spoken.alone`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from aikz_label.adapters import Order, Rendered
from aikz_label.adapters.audio import ADAPTER as PLAIN
from aikz_label.adapters.audio import mirrored
from aikz_label.adapters.audio.container import OnlyOver
from aikz_label.adapters.video import VideoAdapter
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice
from aikz_label.values import replace


class Filmed(VideoAdapter):
    """Sound alone in MP4, QuickTime, 3GP, Matroska and WebM."""

    notices = ("spoken",)

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """See `Adapter.render`; what was spoken over already is spoken over again."""
        from aikz_label.adapters.video.spoken import alone  # noqa: PLC0415  # numpy and FFmpeg

        if _over(order.previous):
            return alone.render(source, destination, row, order)
        try:
            return self._before(source, destination, row, order)
        except OnlyOver as before:
            try:
                return alone.render(source, destination, row, order)
            except Refused as over:
                raise Refused(f"{before} {over}", code=over.code, hint=over.hint) from over

    def _before(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """Write the file with a notice before its programme.

        Raises:
            OnlyOver: None can go there.
        """
        from aikz_label.adapters.video import splice, tags  # noqa: PLC0415
        from aikz_label.adapters.video.spoken import alone  # noqa: PLC0415

        if mirrored(source, row, order.limits):
            return PLAIN.render(source, destination, row, order)
        if order.notice == "none":
            return alone.render(source, destination, row, order)
        with splice.spool() as spoken:
            rendered = PLAIN.render(source, spoken, row, order)
            warnings = tags.write(spoken, destination, row, order)
        return replace(rendered, warnings=rendered.warnings + warnings)

    def check(
        self, painted: BinaryIO, row: Format, rendered: Rendered, order: Order
    ) -> Measurement | None:
        """See `Adapter.check`."""
        from aikz_label.adapters.audio import speaking  # noqa: PLC0415
        from aikz_label.adapters.video.spoken import alone  # noqa: PLC0415

        if isinstance(rendered.reference, speaking.Spoken):
            return PLAIN.check(painted, row, rendered, order)
        return alone.check(painted, row, rendered, order)

    def measure(
        self,
        source: BinaryIO,
        row: Format,
        notice: Notice,
        origin: Origin,
        profile: Profile,
        limits: Limits,
    ) -> Measurement:
        """See `Adapter.measure`; a record that names a sound is of a notice over it."""
        from aikz_label.adapters.video import hearing  # noqa: PLC0415  # numpy and FFmpeg

        if _over(notice.placements):
            found = hearing.measure(source, notice, origin, profile, alone=True)
            return found or hearing.UNKNOWN
        return PLAIN.measure(source, row, notice, origin, profile, limits)

    def search(
        self, source: BinaryIO, row: Format, profile: Profile, limits: Limits
    ) -> Found | None:
        """See `Searching.search`."""
        return PLAIN.search(source, row, profile, limits)


def _over(placements: Sequence[Mapping[str, Any]]) -> bool:
    """Whether places on record are of a notice over a sound, which they name."""
    return any("sound" in place for place in placements)


ADAPTER = Filmed()
