"""Measuring the notice of a film: at least one frame in every second for which it is promised.

What is looked at are frames as people see them, at the times at which players show them. The place within each second
changes, so that a notice which is there only now and then is found out. The work is bounded by pixels, not by a clock.
Where a film is too long for that, a sample spread over it is looked at, and the figures say how many seconds were seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from aikz_label.adapters.image import records as pictures
from aikz_label.adapters.video import film, films, hearing, sampling, watching
from aikz_label.adapters.video.promises import Promise, promised, spans
from aikz_label.adapters.video.watching import Watched, decoding
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.notice.badge import Badge
from aikz_label.notice.measure import measure as measure_picture
from aikz_label.notice.measure import worst
from aikz_label.notice.search import search as search_picture
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice, NoticeState, message
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

UNKNOWN = Measurement(NoticeState.UNKNOWN)
_BAD = 8  # looks at which it is wanting settle it: each of them takes twenty times as long as one at a good notice
_SEARCHED = 3  # frames of a film without a record; each takes up to a second


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
        watched = Watched(container, limits)
        seen = _Measuring(watched, notice, origin, profile, limits.max_pixels).measure(known)
    return hearing.joined(seen, hearing.measure(source, notice, origin, profile))


@dataclass(frozen=True, slots=True)
class _Look:
    """What one frame showed, and when that is."""

    seconds: float
    found: Measurement


class _Measuring:
    """One film that is measured."""

    def __init__(
        self, watched: Watched, notice: Notice, origin: Origin, profile: Profile, most: int
    ) -> None:
        self._watched, self._profile, self._most = watched, profile, most
        self._notice, self._origin = notice, origin
        self._drawn: dict[tuple[int, tuple[int, int]], Badge | None] = {}

    def measure(self, known: tuple[Promise, ...]) -> Measurement:
        """Look at what was promised."""
        end = self._watched.end(known[-1].end)
        if any(promise.start >= end for promise in known):
            return UNKNOWN  # nothing is shown at that time
        times = spans(known, end)
        known = tuple(replace(promise, end=min(promise.end, end)) for promise in known)
        whole = sampling.affordable(self._watched, known)
        choose = sampling.every if whole else sampling.spread
        looks: list[_Look] = []
        through = True
        for promise, frame, seconds in choose(self._watched, known):
            looks.append(self._look(frame, seconds, promise))
            if sum(bool(look.found.problems) for look in looks) == _BAD:
                through = False
                break
        if any(look.found.state is NoticeState.UNKNOWN for look in looks):
            return UNKNOWN
        found, times_seen = _worst(looks), [look.seconds for look in looks]
        seen = sampling.all_seen if whole else sampling.enough
        stopped = whole and self._watched.left < 0  # more than was to be expected
        if stopped or not (found.problems or seen(times_seen, known)):
            return UNKNOWN
        all_of_it = whole and through
        watched = sampling.lasts(known) if all_of_it else sampling.looked(times_seen, known)
        looked = {"frames": float(len(looks)), "looked_s": round(watched, 3)}
        figures = (*found.figures, *times.items(), *looked.items())
        problems = (*found.problems, *self._profile.film.problems(times))
        state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
        return Measurement(state, figures, problems)

    def _look(self, frame: VideoFrame, seconds: float, promise: Promise) -> _Look:
        watching.check_pixels(frame.width, frame.height, self._most)  # it may change on the way
        view = films.view(self._watched.stream, frame)
        badge = self._badge(promise, view.size)
        if badge is None:
            return _Look(seconds, UNKNOWN)
        shown = films.Shown(frame, view)
        return _Look(seconds, measure_picture(shown, badge, promise.region, self._profile.image))

    def _badge(self, promise: Promise, size: tuple[int, int]) -> Badge | None:
        """What was drawn, drawn again once for all looks."""
        key = (id(promise), size)
        if key not in self._drawn:
            self._drawn[key] = pictures.drawn_again(
                promise.place, self._notice.languages, self._origin, promise.region, size
            )
        return self._drawn[key]


def _worst(looks: list[_Look]) -> Measurement:
    """The worst look, and when it was if the others are better."""
    found = worst([look.found for look in looks])
    wanting = [look for look in looks if look.found.problems]
    if wanting and len(wanting) < len(looks):
        note = message("notice.film-part", seconds=f"{wanting[0].seconds:.1f}")
        return replace(found, problems=(*found.problems, note))
    return found


def search(
    source: BinaryIO,
    row: Format,  # noqa: ARG001
    profile: Profile,
    limits: Limits,
) -> Found | None:
    """See `Searching.search`: in some keyframes, the first among them; each must have it."""
    found: list[Found] = []
    with films.open_film(source) as container, decoding():
        stream = watching.picture(container, limits)
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
        return hearing.search(source, profile)
    if len(found) < looked:
        return Found(UNKNOWN)
    origins = {one.origin for one in found}
    chosen = worst([one.measurement for one in found])
    return Found(chosen, origins.pop() if len(origins) == 1 else None)


def _spread(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """The first frame, and keyframes evenly spread over the film."""
    first = next(watching.frames(container, stream), None)
    if first is None or first.time is None:
        raise film.damaged()
    yield first
    seen = {first.pts}
    lasts = (container.duration or 0) / 1_000_000
    for number in range(1, _SEARCHED):
        start = first.time + lasts * number / _SEARCHED
        frame = next(watching.frames(container, stream, start), None)
        if frame is not None and frame.pts not in seen:
            seen.add(frame.pts)
            yield frame
