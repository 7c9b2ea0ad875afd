"""Measuring the notice of a film: at least one frame in every second for which it is promised.

What is looked at are frames as people see them, at the times at which players show them. The place within each second
changes, so that a notice which is there only now and then is found out. The work is bounded by pixels, not by a clock:
where a film is too long for that, only its keyframes are looked at, which can show that something is wrong and not that
all is well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import records as pictures
from aikz_label.adapters.video import film, films, hearing
from aikz_label.adapters.video.promises import Promise, promised, spans
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.notice.measure import measure as measure_picture
from aikz_label.notice.measure import worst
from aikz_label.notice.search import search as search_picture
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice, NoticeState, message

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

UNKNOWN = Measurement(NoticeState.UNKNOWN)
_LOOK = 15_000_000  # pixels that looking at one frame costs, as against decoding them
_SHARE = 2  # of the pixels of an animation that is marked, since a verification has less time
_WITHIN = 0.618  # how much later in its second each look is than the one before
_APART = 1.7  # seconds between two looks that still leave no second out
_KEY_LOOKS = 60  # at keyframes of a long film
_SEARCHED = 3  # frames of a film without a record; each takes up to a second
_AT_ONCE = 0.002  # seconds by which a frame may be earlier than its record, which is rounded


def measure(
    source: BinaryIO,
    row: Format,  # noqa: ARG001  # libav knows
    notice: Notice,
    origin: Origin,
    profile: Profile,
    limits: Limits,
) -> Measurement:
    """See `Adapter.measure`."""
    known = promised(notice, profile)
    if not known:
        return UNKNOWN
    with films.open_film(source) as container, decoding():
        watching = _Watching(container, notice, origin, profile, limits)
        seen = watching.measure(known)
    return hearing.joined(seen, hearing.measure(source, notice, origin, profile))


@contextmanager
def decoding() -> Iterator[None]:
    """While libav decodes: what it cannot is a problem with the content."""
    try:
        yield
    except films.errors() as error:
        raise film.damaged() from error


@dataclass(frozen=True, slots=True)
class _Look:
    """What one frame showed, and when that is."""

    seconds: float
    found: Measurement


class _Watching:
    """One film that is looked at."""

    def __init__(
        self,
        container: InputContainer,
        notice: Notice,
        origin: Origin,
        profile: Profile,
        limits: Limits,
    ) -> None:
        self._container, self._profile = container, profile
        self._notice, self._origin = notice, origin
        self._stream = _picture(container, limits)
        self._left = limits.max_shown // _SHARE
        self._most = limits.max_pixels
        first = next(frames(container, self._stream), None)
        if first is None or first.time is None:
            raise film.damaged()
        self._zero = first.time
        self._pixels = first.width * first.height

    def measure(self, known: tuple[Promise, ...]) -> Measurement:
        """Look at everything that was promised."""
        end = self._end(known)
        if any(promise.start >= end for promise in known):
            return UNKNOWN  # nothing is shown at that time
        times = spans(known, end)
        known = tuple(replace(promise, end=min(promise.end, end)) for promise in known)
        whole = self._affordable(known)
        looks: list[_Look] = []
        for promise in known:
            seen = tuple(self._every(promise) if whole else self._keys(promise, known))
            if (not seen and whole) or self._left < 0:
                return UNKNOWN  # no frame is shown then, or more than was to be expected
            looks += seen
        if any(look.found.state is NoticeState.UNKNOWN for look in looks) or not looks:
            return UNKNOWN
        found = _worst(looks)
        if not whole and not found.problems and not _complete(looks, known):
            return UNKNOWN
        figures = (*found.figures, *times.items(), ("frames", float(len(looks))))
        problems = (*found.problems, *self._profile.film.problems(times))
        state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
        return Measurement(state, figures, problems)

    def _affordable(self, known: tuple[Promise, ...]) -> bool:
        """Whether all frames of these times can be decoded within the budget."""
        rate = float(self._stream.average_rate or 30)
        seconds = sum(promise.end - promise.start for promise in known)
        return seconds * (rate * self._pixels + _LOOK) <= self._left

    def _every(self, promise: Promise) -> Iterator[_Look]:
        """The first frame, one in each second, and the last."""
        due, number, seen, last = promise.start, 0, -1.0, None
        self._stream.codec_context.skip_frame = "NONREF"
        for frame, seconds in self._between(promise):
            last = frame
            if seconds < due - _AT_ONCE:
                continue
            yield self._look(frame, seconds, promise)
            seen = seconds
            number = max(number + 1, int(seconds - promise.start) + 1)
            due = promise.start + number + number * _WITHIN % 1
        if last is not None and self._seconds(last) > seen:
            yield self._look(last, self._seconds(last), promise)

    def _keys(self, promise: Promise, known: tuple[Promise, ...]) -> Iterator[_Look]:
        """Keyframes, evenly spread."""
        step = max(1.0, sum(one.end - one.start for one in known) / _KEY_LOOKS)
        due = promise.start
        self._stream.codec_context.skip_frame = "NONKEY"
        for frame, seconds in self._between(promise):
            if seconds >= due - _AT_ONCE:
                yield self._look(frame, seconds, promise)
                due = seconds + step

    def _between(self, promise: Promise) -> Iterator[tuple[VideoFrame, float]]:
        """Frames that are shown within a time, and when."""
        for frame in frames(self._container, self._stream, self._zero + promise.start):
            self._left -= frame.width * frame.height
            if self._left < 0:
                return
            seconds = self._seconds(frame)
            if seconds >= promise.end - _AT_ONCE:
                return
            if seconds >= promise.start - _AT_ONCE:
                yield frame, seconds

    def _seconds(self, frame: VideoFrame) -> float:
        if frame.time is None:
            raise film.damaged()
        return frame.time - self._zero

    def _look(self, frame: VideoFrame, seconds: float, promise: Promise) -> _Look:
        _check_pixels(frame.width, frame.height, self._most)  # which may change on the way
        view = films.view(self._stream, frame)
        languages, where = self._notice.languages, promise.region
        badge = pictures.drawn_again(promise.place, languages, self._origin, where, view.size)
        if badge is None:
            return _Look(seconds, UNKNOWN)
        image = films.displayed(frame, view)
        return _Look(seconds, measure_picture(image, badge, where, self._profile.image))

    def _end(self, known: tuple[Promise, ...]) -> float:
        """When the film ends: by its packets, whatever its header says."""
        base = float(self._stream.time_base or 0)
        usual = 1 / float(self._stream.average_rate or 30)
        seek(self._container, self._stream, self._zero + known[-1].start)
        end = 0.0
        for packet in self._container.demux(self._stream):
            if packet.pts is not None:
                lasts = packet.duration * base if packet.duration else usual
                end = max(end, packet.pts * base + lasts - self._zero)
        return end


def _picture(container: InputContainer, limits: Limits) -> VideoStream:
    """The stream that is shown, before anything of it is decoded."""
    stream = films.picture(container)
    _check_pixels(stream.width, stream.height, limits.max_pixels)
    return stream


def _check_pixels(width: int, height: int, most: int) -> None:
    if width * height > most:
        raise MediaProblem("over-limit", what_word="pixels", found=width * height, limit=most)


def frames(
    container: InputContainer, stream: VideoStream, start: float | None = None
) -> Iterator[VideoFrame]:
    """Decoded frames, from the keyframe before a time on."""
    if start is not None:
        seek(container, stream, start)
    yield from container.decode(stream)


def seek(container: InputContainer, stream: VideoStream, seconds: float) -> None:
    """Go to the keyframe before a time; a film that cannot be sought in is read from its start."""
    base = stream.time_base
    place = int(seconds / base) if base else 0
    try:
        container.seek(place, stream=stream)
    except films.errors():
        container.seek(0)


def _worst(looks: list[_Look]) -> Measurement:
    """The worst look, and when it was if the others are better."""
    found = worst([look.found for look in looks])
    wanting = [look for look in looks if look.found.problems]
    if wanting and len(wanting) < len(looks):
        note = message("notice.film-part", seconds=f"{wanting[0].seconds:.1f}")
        return replace(found, problems=(*found.problems, note))
    return found


def _complete(looks: list[_Look], known: tuple[Promise, ...]) -> bool:
    """Whether no second of what was promised was left out."""
    for promise in known:
        inside = [one.seconds for one in looks if promise.start <= one.seconds <= promise.end]
        times = [promise.start, *inside, promise.end]
        if any(later - earlier > _APART for earlier, later in pairwise(times)):
            return False
    return True


def search(
    source: BinaryIO,
    row: Format,  # noqa: ARG001
    profile: Profile,
    limits: Limits,
) -> Found | None:
    """See `Searching.search`: in some keyframes, the first among them; each must have it."""
    found: list[Found] = []
    with films.open_film(source) as container, decoding():
        stream = _picture(container, limits)
        stream.codec_context.skip_frame = "NONKEY"
        looked = 0
        for frame in _spread(container, stream):
            if frame.width * frame.height > limits.max_pixels:
                return Found(UNKNOWN)
            looked += 1
            image = films.displayed(frame, films.view(stream, frame))
            one = search_picture(image, profile)
            found += [one] if one else []
    if not found:
        return None
    if len(found) < looked:
        return Found(UNKNOWN)
    origins = {one.origin for one in found}
    chosen = worst([one.measurement for one in found])
    return Found(chosen, origins.pop() if len(origins) == 1 else None)


def _spread(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """The first frame, and keyframes evenly spread over the film."""
    first = next(frames(container, stream), None)
    if first is None or first.time is None:
        raise film.damaged()
    yield first
    seen = {first.pts}
    lasts = (container.duration or 0) / 1_000_000
    for number in range(1, _SEARCHED):
        start = first.time + lasts * number / _SEARCHED
        frame = next(frames(container, stream, start), None)
        if frame is not None and frame.pts not in seen:
            seen.add(frame.pts)
            yield frame
