"""Any bytes whatever: nothing is known of them, so there is only a sidecar, and no notice."""

from __future__ import annotations

import shutil
from typing import BinaryIO

from aikz_label.adapters import Examined, Order, Rendered
from aikz_label.carriers.sidecar import SidecarOnly
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.profile import Profile
from aikz_label.report import Measurement, Notice, NoticeState


class OtherAdapter(SidecarOnly):
    """Files of a format that nobody here handles, marked on request."""

    notices = ()

    def examine(self, source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:  # noqa: ARG002
        """See `Adapter.examine`: there is nothing to be said."""
        return Examined()

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """See `Adapter.render`: the same bytes."""
        if order.notice != "none":
            raise Refused(
                f"{row.title}: there is no way here to write a notice into such a file.",
                code="no-place-for-notice",
                hint="Show the notice where the file is offered, and say so: --notice none --notice-reason TEXT.",
            )
        source.seek(0)
        shutil.copyfileobj(source, destination)
        return Rendered(Notice("none", profile=order.profile.id, reason=order.reason), (), None)

    def check(
        self,
        painted: BinaryIO,  # noqa: ARG002
        row: Format,  # noqa: ARG002
        rendered: Rendered,  # noqa: ARG002
        order: Order,  # noqa: ARG002
    ) -> Measurement | None:
        """See `Adapter.check`: nothing was drawn."""
        return None

    def confirm(self, painted: BinaryIO, signed: BinaryIO, row: Format) -> None:
        """See `Adapter.confirm`: with a sidecar nothing is signed into the file."""

    def measure(
        self,
        source: BinaryIO,  # noqa: ARG002
        row: Format,  # noqa: ARG002
        notice: Notice,  # noqa: ARG002
        origin: Origin,  # noqa: ARG002
        profile: Profile,  # noqa: ARG002
        limits: Limits,  # noqa: ARG002
    ) -> Measurement:
        """See `Adapter.measure`: whatever a record says, it cannot be looked at here."""
        return Measurement(NoticeState.UNKNOWN)


ADAPTER = OtherAdapter()
