"""Sound in containers of films: M4A, and Matroska and WebM without a picture.

What the containers hold besides sound, the marker above all, is read and written as of films. A notice goes before the
programme of a plain M4A, which stays as it is; over the start of all others, see `video.spoken.alone`.
"""

from __future__ import annotations

from typing import BinaryIO

from aikz_label.adapters import Order, Rendered
from aikz_label.adapters.audio import ADAPTER as PLAIN
from aikz_label.adapters.audio.container import OnlyOver
from aikz_label.adapters.video import VideoAdapter
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice, NoticeState


class Filmed(VideoAdapter):
    """Sound that can only be spoken over."""

    notices = ("spoken",)

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """See `Adapter.render`."""
        from aikz_label.adapters.video.spoken import alone  # noqa: PLC0415  # numpy and FFmpeg

        return alone.render(source, destination, row, order)

    def check(
        self, painted: BinaryIO, row: Format, rendered: Rendered, order: Order
    ) -> Measurement | None:
        """See `Adapter.check`."""
        from aikz_label.adapters.video.spoken import alone  # noqa: PLC0415

        return alone.check(painted, row, rendered, order)

    def measure(
        self,
        source: BinaryIO,
        row: Format,  # noqa: ARG002  # FFmpeg knows
        notice: Notice,
        origin: Origin,
        profile: Profile,
        limits: Limits,  # noqa: ARG002  # a notice is at the start
    ) -> Measurement:
        """See `Adapter.measure`."""
        from aikz_label.adapters.video import hearing  # noqa: PLC0415  # numpy and FFmpeg

        found = hearing.measure(source, notice, origin, profile, alone=True)
        return found or Measurement(NoticeState.UNKNOWN)

    def search(
        self,
        source: BinaryIO,
        row: Format,  # noqa: ARG002
        profile: Profile,
        limits: Limits,  # noqa: ARG002
    ) -> Found | None:
        """See `Searching.search`."""
        from aikz_label.adapters.video import hearing  # noqa: PLC0415

        return hearing.search(source, profile, alone=True)


class M4aSound(Filmed):
    """M4A, and sound alone in MP4, QuickTime and 3GP."""

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """See `Adapter.render`."""
        try:
            return PLAIN.render(source, destination, row, order)
        except OnlyOver as before:
            try:
                return super().render(source, destination, row, order)
            except Refused as over:
                raise Refused(f"{before} {over}", code=over.code, hint=over.hint) from over

    def check(
        self, painted: BinaryIO, row: Format, rendered: Rendered, order: Order
    ) -> Measurement | None:
        """See `Adapter.check`."""
        from aikz_label.adapters.audio import speaking  # noqa: PLC0415

        if isinstance(rendered.reference, speaking.Spoken):
            return PLAIN.check(painted, row, rendered, order)
        return super().check(painted, row, rendered, order)

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
        if any("sound" in place for place in notice.placements):
            return super().measure(source, row, notice, origin, profile, limits)
        return PLAIN.measure(source, row, notice, origin, profile, limits)

    def search(
        self, source: BinaryIO, row: Format, profile: Profile, limits: Limits
    ) -> Found | None:
        """See `Searching.search`."""
        return PLAIN.search(source, row, profile, limits)


M4A = M4aSound()
MATROSKA = Filmed()
