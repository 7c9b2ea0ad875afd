"""Sound alone in a container of films: nobody looks, so the notice is spoken over the start of each sound.

What a notice cannot be put before, since its packets are in fragments, or of a codec whose first packet needs the start of
the stream, gets it like the sound of a film: only the packets of its first seconds are coded anew.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

from aikz_label.adapters import Order, Rendered
from aikz_label.adapters.video import comparing, film, films, hearing, tags
from aikz_label.adapters.video.spoken import proving, speaking
from aikz_label.adapters.video.spoken.speaking import Said, Spoken
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.notice import wording
from aikz_label.report import Measurement, Notice
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from av.container import InputContainer

_WHOLE = "Convert it to WAV, FLAC or plain M4A, and mark that."
_WHY = {
    "no-sound": "it holds no sound",
    "too-short": "it is too short for a notice over its start",
    "codec": "no packets like its own can be made",
    "structure": "its packets cannot be replaced",
}


@dataclass(frozen=True, slots=True)
class Work:
    """What `render` leaves for `check`.

    Attributes:
        source: The file that was marked.
        notice: The record, still without figures.
        spoken: What was spoken into which sounds.
    """

    source: BinaryIO
    notice: Notice
    spoken: tuple[Spoken, ...]


def render(source: BinaryIO, destination: BinaryIO, row: Format, order: Order) -> Rendered:
    """See `Adapter.render`.

    Raises:
        MediaProblem: The file is damaged.
        Refused: Some of its sounds cannot get a notice.
    """
    if order.notice == "none":
        warnings = tags.write(source, destination, row, order)
        notice = Notice("none", profile=order.profile.id, reason=order.reason)
        return Rendered(notice, warnings, None)
    _check_length(source, row, order)
    with ExitStack() as stack:
        said, voiced = speaking.speak(source, row, replace(order, spoken=True), stack)
        if said.why:
            raise _refused(row, said)
        warnings = tags.write(voiced, destination, row, order)
    notice = Notice(
        "spoken",
        order.languages,
        wording.version(),
        order.profile.id,
        tuple(one.placement for one in said.spoken),
    )
    return Rendered(notice, said.messages + warnings, Work(source, notice, said.spoken))


def check(painted: BinaryIO, row: Format, rendered: Rendered, order: Order) -> Measurement | None:
    """See `Adapter.check`: every packet that was not replaced is there, at its time, and the notice is heard."""
    work = rendered.reference
    if not isinstance(work, Work):
        return None
    heard = {one.index for one in work.spoken if one.count}
    comparing.compare_streams(work.source, painted, heard, None)
    for one in work.spoken:
        if one.count:
            proving.check(work.source, painted, row, one)
    found = hearing.measure(painted, work.notice, order.label.origin, order.profile, alone=True)
    return found or hearing.UNKNOWN


def _check_length(source: BinaryIO, row: Format, order: Order) -> None:
    """Only the start of such a sound can be spoken over, and a long one must say its notice again."""
    numbers = order.profile.sound
    most = numbers.repeat_s + numbers.repeat_tolerance_s
    if numbers.at_end_from_s > 0:
        most = min(most, numbers.at_end_from_s)
    with films.open_film(source) as container:
        seconds = _seconds(container)
    if seconds > most:
        raise Refused(
            f"This kind of {row.title} takes a notice at its start only, and its {seconds / 60:.0f} minutes need it again.",
            code="unsupported-variant",
            hint=_WHOLE,
        )


def _seconds(container: InputContainer) -> float:
    """How long the longest of its sounds lasts, by its packets: what browsers record does not tell, or tells too little."""
    last = (container.duration or 0) / 1_000_000
    try:
        for packet in container.demux(container.streams.audio):
            if packet.pts is not None and packet.time_base is not None:
                begin = packet.stream.start_time or 0
                last = max(last, float((packet.pts - begin) * packet.time_base))
    except films.errors() as error:
        raise film.damaged() from error
    return last


def _refused(row: Format, said: Said) -> Refused:
    detail = f" ({said.detail.rstrip('.')})" if said.detail else ""
    return Refused(
        f"No notice can be spoken in this {row.title}: {_WHY.get(said.why, said.why)}{detail}.",
        code="unsupported-variant",
        hint=_WHOLE,
    )
