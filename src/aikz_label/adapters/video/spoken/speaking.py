"""Speaking the notice over the sounds of a film."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from aikz_label.adapters import MediaProblem, Order
from aikz_label.adapters.video import films, hearing, splice
from aikz_label.adapters.video.spoken import tracks
from aikz_label.adapters.video.spoken.codings import Coding, Decoder, Form
from aikz_label.adapters.video.spoken.opening import Opening
from aikz_label.adapters.video.spoken.tracks import Unspoken
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.limits import NO_LIMITS
from aikz_label.notice import sound as notices
from aikz_label.notice.sound import Composed, Loudness, Samples
from aikz_label.notice.sound.pyav import settle_layout
from aikz_label.notice.sound.resampling import true_peak
from aikz_label.profile.sound import SoundProfile
from aikz_label.report import Measurement, Notice, NoticeState
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

_LATEST = 45.0  # seconds up to which an older notice is believed to be
_DEEPER = 6.0  # dB more each time, until nothing is clipped
_DEEPEST = 40.0
_BEHIND = 0.5  # seconds of programme that are left behind a notice
# Where each codec is.
_CODINGS = {
    "aac": ("aac", "Aac"),
    "mp3": ("mp3", "Mp3"),
    "opus": ("opus", "Opus"),
    "ac3": ("dolby", "Ac3"),
    "eac3": ("dolby", "Eac3"),
    "flac": ("lossless", "Flac"),
    "alac": ("lossless", "Alac"),
    "pcm_": ("lossless", "Pcm"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """What was spoken into one sound.

    Attributes:
        index: Which of the film's sounds it is, from 0.
        number: By which the container knows it.
        count: How many of its stored pieces are new; 0 where an older notice stays.
        after: From which sample on, as it is played, it must be what it was.
        like: How nearly; see `Coding`.
        placement: The record.
    """

    index: int
    number: int
    count: int
    after: int
    like: str
    placement: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What was spoken into a film.

    Attributes:
        spoken: Each sound with a notice.
        why: Why some sound has none; empty when all have one.
        detail: What is in the way of that sound.
        messages: The same in sentences.
    """

    spoken: tuple[Spoken, ...] = ()
    why: str = ""
    detail: str = ""
    messages: tuple[str, ...] = ()


def speak(source: BinaryIO, row: Format, order: Order, stack: ExitStack) -> tuple[Said, BinaryIO]:
    """Speak the notice over each sound of a film.

    Args:
        source: The film.
        row: Its format.
        order: What is ordered.
        stack: Closes what was needed on the way.

    Returns:
        What was said, and the film with it, which is the source itself when nothing new was.
    """
    with films.open_film(source) as container:
        count = len(container.streams.audio)
    if not count:
        return Said(why="no-sound"), source
    found: list[Spoken] = []
    failed: list[tuple[int, Unspoken]] = []
    current = source
    for index in range(count):
        spool = stack.enter_context(splice.spool())
        try:
            found.append(_speak(current, spool, row, index, order))
        except Unspoken as unspoken:
            failed.append((index, unspoken))
        else:
            current = spool if found[-1].count else current
    why, detail = (failed[0][1].why, failed[0][1].detail) if failed else ("", "")
    messages = (*(_told(one, count) for one in found), *(_missing(*one, count) for one in failed))
    return Said(tuple(found), why, detail, messages), current


def _told(spoken: Spoken, count: int) -> str:
    which = _which(spoken.index, count)
    if not spoken.count:
        return f"The notice that is spoken in {which} already is still heard, and stays."
    seconds = spoken.placement["end"]
    return f"The notice is spoken over the first {seconds:.1f} s of {which}; all later packets are as they were."


def _missing(index: int, unspoken: Unspoken, count: int) -> str:
    detail = f": {unspoken.detail}" if unspoken.detail else ""
    return f"The notice is shown in this film and not spoken in {_which(index, count)}{detail}."


def _which(index: int, count: int) -> str:
    return f"sound {index + 1} of {count}" if count > 1 else "its sound"


def _speak(
    source: BinaryIO, destination: BinaryIO, row: Format, index: int, order: Order
) -> Spoken:
    """One sound.

    Raises:
        Unspoken: It cannot be done there.
    """
    older = next((place for place in order.previous if _is_in(place, index)), None)
    heard = _still_heard(source, older, order) if older is not None else None
    if older is not None and heard is not None and heard.state is NoticeState.PERCEIVABLE:
        return Spoken(index, 0, 0, 0, "exact", {**older, "sound": index})
    signal = dict(heard.figures).get("earcon", 0.0) if heard is not None else 0.0
    # what is on record is only taken out where something of it is heard
    until = _end(older) if older and signal >= order.profile.sound.min_earcon else 0.0
    if index >= hearing.MOST_SOUNDS:
        raise Unspoken("structure", "one of too many")
    if not order.spoken:
        raise Unspoken("requested", "as you asked")
    try:
        return _spoken(source, destination, row, index, until, order)
    except Unspoken:
        raise
    except (MediaProblem, Refused) as problem:
        raise Unspoken("structure", str(problem)) from problem
    except films.errors() as error:
        raise Unspoken("codec", "its packets cannot be decoded, or none like them made") from error


def _spoken(
    source: BinaryIO,
    destination: BinaryIO,
    row: Format,
    index: int,
    until: float,
    order: Order,
) -> Spoken:
    """The same, with whatever goes wrong on the way; nothing of the sound before a second is left to hear."""
    with films.open_film(source) as container:
        stream = container.streams.audio[index]
        number = {"avi": stream.index, "mkv": index, "webm": index, "mka": index}.get(
            row.name, stream.id
        )
        sound = tracks.find(source, row, number, NO_LIMITS)
        coding = _coding(stream, fixed=sound.stored.pieces or sound.stored.fixed)
        skipped = _skipped(container, stream)
        heard = _listened(source, index)
        made = _composed(coding.form, heard, order)
        silent = round(until * coding.form.rate)
        opening = Opening.read(sound, coding, skipped, made, silent)
        programme = Decoder(coding, stream.codec_context).decode(opening.packets)
        if silent:
            _silence(programme, skipped, skipped + silent, coding.form.rate)
        mixed = _mixed(programme, opening, made, heard, order.profile.sound)
        new, after = opening.replaced(mixed, sound.stored)
    sound.write(destination, new)
    if coding.described() != coding.form.setup:
        written = tracks.find(destination, row, number, NO_LIMITS)
        written.redescribe(coding.form.setup, coding.described())
    record = made.placement(0.0) | {"sound": index}
    return Spoken(index, number, len(new), after, coding.like, record)


def _is_in(place: Mapping[str, Any], index: int) -> bool:
    """Whether a record is one of a notice in a sound."""
    return place.get("design") == notices.DESIGN and place.get("sound", 0) == index


def _end(place: Mapping[str, Any]) -> float:
    """When a notice on record ends, seconds; 0 for a record that makes no sense."""
    value = place.get("end")
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        return 0.0
    return float(value)


def _still_heard(source: BinaryIO, place: Mapping[str, Any], order: Order) -> Measurement | None:
    """What is heard of an older notice, measured as if it said what the new one would say."""
    promise = Notice("badge", order.languages, placements=(place,))
    try:
        return hearing.measure(source, promise, order.label.origin, order.profile)
    except MediaProblem:
        return None


def _silence(programme: Samples, start: int, stop: int, rate: int) -> None:
    """Take out what was said before, which cannot be parted from the programme under it."""
    programme[:, start:stop] = 0.0
    rising = programme[:, stop : stop + rate // 20]
    rising *= np.linspace(0.0, 1.0, rising.shape[1], dtype=np.float32)


def _coding(stream: AudioStream, *, fixed: bool) -> Coding:
    """How a sound is coded.

    Raises:
        Unspoken: In a way in which no packets can be made here.
    """
    context = stream.codec_context
    if context is None:
        raise Unspoken("codec", "nobody here knows how it is coded")
    name = context.codec.canonical_name
    form = Form(
        name,
        str(context.profile or ""),
        context.sample_rate,
        settle_layout(context),
        context.layout.nb_channels,
        bytes(context.extradata or b""),
    )
    for prefix, (module, kind) in _CODINGS.items():
        if name == prefix or (prefix.endswith("_") and name.startswith(prefix)):
            if form.rate < notices.MIN_RATE:
                raise Unspoken("codec", f"speech cannot be understood at {form.rate} Hz")
            if form.rate > notices.MAX_RATE:
                raise Unspoken("codec", f"{form.rate} Hz are more than {notices.MAX_RATE}")
            found: type[Coding] = getattr(
                import_module(f"aikz_label.adapters.video.spoken.{module}"), kind
            )
            return found(form, fixed=fixed)
    raise Unspoken("codec", f"no packets of {name} can be made that fit the others")


def _skipped(container: InputContainer, stream: AudioStream) -> int:
    """Samples that players take off at the start."""
    first = next((p for p in container.demux(stream) if p.pts is not None), None)
    if first is None or first.time_base is None:
        raise Unspoken("structure", "it has no packets")
    early = (stream.start_time or 0) - cast("int", first.pts)
    return max(0, round(early * first.time_base * stream.codec_context.sample_rate))


def _listened(source: BinaryIO, index: int) -> Loudness:
    """The loudness of the programme, as far as whoever checks it listens."""
    with notices.decode(source, index) as heard:
        meter, left = notices.Meter(heard.rate, heard.layout), hearing.LISTENED
        for block in heard.blocks():
            meter.push(block)
            left -= block.shape[1] / heard.rate
            if left <= 0:
                break
        return meter.finish()


def _composed(form: Form, heard: Loudness, order: Order) -> Composed:
    """The notice: as loud as what is heard behind it, in the short sentences where the sound is short."""
    numbers = order.profile.sound
    script = notices.script(order.label.origin, order.languages, numbers, order.voices)
    for brief in (False, True):
        last = script.parts(brief=brief)[-1]
        if last.start + last.seconds + _BEHIND <= heard.seconds:
            around = heard.integrated((last.start + last.seconds, heard.seconds))
            return notices.compose(script, form.rate, form.layout, around, numbers, short=brief)
    raise Unspoken("too-short", f"it lasts {heard.seconds:.1f} seconds")


def _mixed(
    programme: Samples, opening: Opening, made: Composed, heard: Loudness, numbers: SoundProfile
) -> Samples:
    """The opening with the notice over it, and the programme so far down that nothing is clipped."""
    start, stop = opening.skipped, opening.skipped + made.samples.shape[1]
    deeper = 0.0
    while True:
        least = replace(numbers, min_background_db=numbers.min_background_db + deeper)
        mixed = notices.Mixer(made, (0.0,), heard, least).apply(programme, -start)
        peak = max(true_peak(channel[start:stop], made.rate) for channel in mixed)
        if peak <= numbers.max_peak_dbtp or deeper >= _DEEPEST:
            return mixed
        deeper += _DEEPER
