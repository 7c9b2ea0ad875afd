"""Rendering: which frames get the notice, and the file around them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO, cast

from aikz_label.adapters import Order, Rendered
from aikz_label.adapters.video import films, records, stamping, tags
from aikz_label.adapters.video.film import Film, Recoded
from aikz_label.adapters.video.recoding import Decoder, Recoder, Stretch
from aikz_label.adapters.video.stamping import Stamp
from aikz_label.formats import Format
from aikz_label.limits import MIB, Limits
from aikz_label.notice import wording
from aikz_label.report import Notice

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_IN_MEMORY = 64 * MIB


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What `render` leaves for `check`.

    Attributes:
        source: The file that was marked.
        film: The same, taken apart.
        recoded: What came into which slots.
        stamp: What was drawn.
    """

    source: BinaryIO
    film: Film
    recoded: tuple[Recoded, ...]
    stamp: Stamp
    notice: Notice


def parse(source: BinaryIO, row: Format, limits: Limits) -> Film:
    """Take a file apart.

    Raises:
        MediaProblem: Damaged, or over a limit.
        Refused: It holds what cannot be kept.
    """
    module, name = {
        "mp4": ("isobmff", "IsoFilm"),
        "mov": ("isobmff", "IsoFilm"),
        "3gp": ("isobmff", "IsoFilm"),
    }[row.name]
    kind: type[Film] = getattr(import_module(f"aikz_label.adapters.video.{module}"), name)
    return kind.parse(source, limits)


def render(source: BinaryIO, destination: BinaryIO, row: Format, order: Order) -> Rendered:
    """See `Adapter.render`."""
    if order.notice == "none":
        warnings = tags.write(source, destination, row, order)
        notice = Notice("none", profile=order.profile.id, reason=order.reason)
        return Rendered(notice, warnings, None)
    taken = parse(source, row, order.limits)
    with _spool() as drawn:
        work = _draw(source, drawn, taken, order)
        warnings = tags.write(drawn, destination, row, order)
    return Rendered(work.notice, warnings, work)


def _draw(source: BinaryIO, drawn: BinaryIO, taken: Film, order: Order) -> Work:
    with films.open_film(source) as container, _spool() as frames:
        decoder = Decoder(source, taken, container)

        def plan(frame: VideoFrame) -> Stamp:
            return stamping.plan(films.view(decoder.stream, frame), frame, order)

        recoder = Recoder(decoder, taken, frames, plan)
        recoded = (recoder.recode(Stretch(0, len(taken.slots)), lambda _: None),)
        taken.write(source, drawn, frames, recoded, recoder.setup)
        duration = taken.seconds
    stamp = recoder.stamp
    assert stamp is not None
    notice = Notice(
        "badge",
        order.languages,
        wording.version(),
        order.profile.id,
        records.during(stamp.record, ((0.0, duration),)),
    )
    return Work(source, taken, recoded, stamp, notice)


@contextmanager
def _spool() -> Iterator[BinaryIO]:
    """A place for what waits: in memory while it is small."""
    with cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)) as spool:
        yield spool
