"""Rendering: which frames get the notice, and the file around them."""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

from aikz_label.adapters import MediaProblem, Order, Rendered
from aikz_label.adapters.video import (
    avc_sets,
    films,
    hevc_sets,
    records,
    smart,
    splice,
    stamping,
    tags,
    units,
)
from aikz_label.adapters.video.coding import Setup
from aikz_label.adapters.video.film import Film, Recoded
from aikz_label.adapters.video.recoding import Decoder, Recoder, Stretch
from aikz_label.adapters.video.stamping import Stamp
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.label import Imitates
from aikz_label.limits import Limits
from aikz_label.notice import wording
from aikz_label.report import Notice
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from aikz_label.adapters.video.spoken.speaking import Spoken


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What `render` leaves for `check`.

    Attributes:
        source: The file that was marked.
        film: The same, taken apart.
        recoded: What came into which slots.
        stamp: What was drawn.
        notice: The record, still without figures.
        spoken: What was spoken into which sounds.
    """

    source: BinaryIO
    film: Film
    recoded: tuple[Recoded, ...]
    stamp: Stamp
    notice: Notice
    spoken: tuple[Spoken, ...] = ()


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
        "avi": ("avi", "Avi"),
        "mkv": ("matroska", "Matroska"),
        "webm": ("matroska", "Matroska"),
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
    with splice.spool() as drawn, ExitStack() as stack:
        work, said = _draw(source, drawn, taken, order)
        work, unsaid, voiced = _spoken(work, drawn, row, order, stack)
        warnings = tags.write(voiced, destination, row, order)
    return Rendered(work.notice, said + unsaid + warnings, work)


def _spoken(
    work: Work, drawn: BinaryIO, row: Format, order: Order, stack: ExitStack
) -> tuple[Work, tuple[str, ...], BinaryIO]:
    """Speak the notice of a film that imitates a voice, and say where that cannot be done."""
    if Imitates.VOICE not in order.label.imitates:
        return work, (), drawn
    from aikz_label.adapters.video.spoken import speaking  # noqa: PLC0415  # few films need it

    said, voiced = speaking.speak(drawn, row, order, stack)
    if said.why not in {"", "no-sound"} and order.profile.film.voice_aloud:
        raise Refused(
            f"The profile {order.profile.name} wants it said aloud that a voice is imitated. {said.messages[-1]}",
            code="not-perceptible",
            hint="Let it be spoken, in a sound that is AAC or PCM and long enough; or use the profile kz.",
        )
    places = (*work.notice.placements, *(one.placement for one in said.spoken))
    notice = replace(work.notice, placements=places, unspoken=said.why)
    return replace(work, notice=notice, spoken=said.spoken), said.messages, voiced


def _draw(
    source: BinaryIO, drawn: BinaryIO, taken: Film, order: Order
) -> tuple[Work, tuple[str, ...]]:
    """Write the film with its notice, and say how."""
    with films.open_film(source) as container, splice.spool() as frames:
        decoder = Decoder(source, taken, container)
        pixels, most = decoder.stream.width * decoder.stream.height, order.limits.max_pixels
        if pixels > most:
            raise MediaProblem("over-limit", what_word="pixels", found=pixels, limit=most)

        def plan(frame: VideoFrame) -> Stamp:
            return stamping.plan(films.view(decoder.stream, frame), frame, order)

        recoder = Recoder(decoder, taken, frames, plan)
        found, why = _stretches(source, taken, decoder, order)
        smartly = found != (_whole(taken),)
        sets = _free_number(source, taken, decoder) if smartly else 0
        told = order.told(sum(one.stop - one.first for one in found))
        recoded = tuple(recoder.recode(one, told, sets) for one in found)
        setup = _setup(taken, recoder, sets, smartly=smartly)
        taken.write(source, drawn, frames, recoded, setup)
    stamp = recoder.stamp
    assert stamp is not None
    notice = Notice(
        "badge",
        order.languages,
        wording.version(),
        order.profile.id,
        records.during(stamp.record, smart.spans(taken, found)),
    )
    said = _said(taken, recoded, decoder.codec, why)
    return Work(source, taken, recoded, stamp, notice), said


def _whole(taken: Film) -> Stretch:
    return Stretch(0, len(taken.slots))


def _stretches(
    source: BinaryIO, taken: Film, decoder: Decoder, order: Order
) -> tuple[tuple[Stretch, ...], str]:
    """What is coded again, and why it is all although less was asked for."""
    if order.video_mode != "smart":
        return (_whole(taken),), ""
    found, why = smart.stretches(taken, source, decoder.codec)
    if found and decoder.codec in units.IDR and not _free_number(source, taken, decoder):
        found, why = (), "all numbers of parameter sets are taken"
    return found or (_whole(taken),), why


def _free_number(source: BinaryIO, taken: Film, decoder: Decoder) -> int:
    """A number for the parameter sets of new frames, beside those that stay in use; 0 where there are none."""
    try:
        within = smart.key_units(taken, source)
        if decoder.codec == "h264":
            return avc_sets.Sets.parse(taken.setup).free_number(within)
        if decoder.codec == "hevc":
            return hevc_sets.Sets.parse(taken.setup).free_number(within)
    except ValueError:
        pass
    return 0


def _setup(taken: Film, recoder: Recoder, sets: int, *, smartly: bool) -> Setup:
    """What decoders need before the first frame, whether it was copied or coded anew."""
    new = recoder.setup
    if not smartly:
        return new
    if sets and new.box[4:8] == b"hvcC":
        return hevc_sets.together(taken.setup, new, sets)
    if sets:
        return avc_sets.together(taken.setup, new)
    return Setup(b"", b"")  # the setup of the source stays, and keyframes bring what differs


def _said(taken: Film, recoded: tuple[Recoded, ...], codec: str, why: str) -> tuple[str, ...]:
    """How much was coded again, and to which size."""
    old = sum(int(taken.slots.size[run.where].sum()) for run in recoded)
    new = sum(int(run.size.sum()) for run in recoded)
    share = sum(map(len, recoded)) / len(taken.slots)
    found = (
        f"{share:.0%} of the frames were coded anew ({codec}): {_megabytes(new)} instead of {_megabytes(old)} MB.",
    )
    return (f"Smart mode was not used: {why}.", *found) if why else found


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f}" if size < 1e7 else f"{size / 1e6:.0f}"
