"""Animations: a strip under every frame, and the proof that it is there in each of them as it is shown.

Later frames are not decoded to be kept: their bytes are compared. By the rules of all three formats that decides how every
one of them looks. Drawing a frame, and wiping it away when its time is over, changes nothing outside the frame's own box,
and inside it the new pixels depend on nothing but the frame, what was there before, and what was there before that. So, if
the first picture above the strip is the source's, and each later frame has the same bytes, place, disposal, blending and
time, under the same palette and profile, every later picture is the source's too; and if no later frame reaches below the
top of the strip, the strip of the first picture is under all of them. All that is checked for every frame. What is left to
doubt is whether a decoder keeps those rules: an independent one shows a few frames of the source and of the finished file,
out of every kind that there is.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image

from aikz_label.adapters import MediaProblem, Order
from aikz_label.adapters.image import modes, records
from aikz_label.adapters.image.container import Container, Tags, orientation_of, refuse_variant
from aikz_label.adapters.image.frames import (
    Animated,
    Disposal,
    Frame,
    Grown,
    check_cost,
    check_frames,
    sample,
)
from aikz_label.adapters.image.moments import LOOKS, MEASURED, of_all, pixels_of
from aikz_label.adapters.image.picture import PillowPicture
from aikz_label.adapters.image.refusals import LONGEST, damaged, too_long, too_narrow
from aikz_label.limits import NO_LIMITS
from aikz_label.notice import strip, strip_search, wording
from aikz_label.notice.measure import Region, flattened, measure, worst
from aikz_label.notice.search import search
from aikz_label.report import Found, Measurement, Notice, NoticeState

if TYPE_CHECKING:
    from aikz_label.adapters.image.canvas import Box
    from aikz_label.label import Origin
    from aikz_label.notice.badge import Badge
    from aikz_label.profile import ImageProfile, Profile

_LEAST_PSNR = 40.0  # of the copy of the first picture that is shown for a hundredth of a second


class Film:
    """An animation and the strip below it; the note that `render` leaves for `check`."""

    kind = "strip"

    def __init__(self, source: Animated, order: Order) -> None:
        self._source, self._order = source, order
        self._frames = source.frames()
        check_frames(source, self._frames)
        check_cost(source, self._frames, order.limits)
        first = next(shown(source, 1))
        if orientation_of(first) != 1:
            raise refuse_variant("animation", "its metadata turn it")
        width, height = source.size
        old = records.band_top(order.previous, 0, PillowPicture(first), order.profile)
        if old is None and not order.previous:
            old = _found_top(source, first, order.profile)
        self._top = old or height
        profile = order.profile.image
        wider = order.when_too_small == "strip"
        planned = strip.plan(
            width, self._top, order.label.origin, order.languages, profile, wider=wider
        )
        if planned is None:
            raise too_narrow(source.size)
        self._size = planned.width, self._top + planned.height
        if max(self._size) > LONGEST:
            raise too_long(self._size)
        self._strip = planned
        self._grown: Grown | None = None

    def encode(self, tags: Tags) -> bytes:
        """The animation with its strip."""
        self._grown = self._source.with_strip(self._strip.mask(), self._top, tags)
        return self._grown.data

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is no longer quite as it was."""
        found: list[str] = []
        if self._grown is not None and self._grown.longer:
            longer = round(self._grown.longer * 1000)
            found.append(
                f"The first picture is shown {longer} ms longer, to bring the strip with it."
            )
        if self._grown is not None and self._grown.opened:
            found.append(
                "What the first frame of this animation leaves undefined is transparent now, as browsers show it."
            )
        return tuple(found)

    @property
    def placements(self) -> tuple[Mapping[str, Any], ...]:
        """The record of the strip, for all frames."""
        middle = self._strip.middle
        box = self._strip.left, self._top, *middle.mask.size
        return (records.record(strip.DESIGN, self._strip.layout, middle, box, (0, 0, *self._size)),)

    def check(self, container: Container) -> Measurement:
        """Compare every frame with the source's, show some, and measure the strip in them.

        Raises:
            Refused: A frame changed, or the strip is not there in one of them.
        """
        assert isinstance(container, Animated)
        after = container.frames()
        check_frames(container, after)
        self._compare(after)
        if not self._source.same_colours(container):
            raise damaged("its palette or profile changed")
        self._compare_first(container)
        place = self.placements[0]
        where = Region(*(float(place[key]) for key in ("x", "y", "width", "height")))
        count = container.unshown + len(after)
        if any(frame.bottom > self._top for frame in after[1:]):
            images = shown(container, count)  # an earlier strip had something drawn over it
        else:
            images = self._sampled(container)
        return _measured(images, self._strip.middle, where, self._order.profile.image, count)

    def _compare(self, after: tuple[Frame, ...]) -> None:
        """Frame by frame: the same bytes, times and places; only the first may be another."""
        assert self._grown is not None
        first, *later = self._frames
        lead = self._grown.lead
        new = after[1:] if lead else after
        whole = (0, 0, *self._size)
        time = sum(frame.time for frame in after) - sum(frame.time for frame in self._frames)
        if (
            len(new) != len(self._frames)
            or not all(old.same(kept) for old, kept in zip(later, new[1:], strict=True))
            or time != self._grown.longer
            or after[0].box != whole
            or after[0].disposal is not Disposal.KEEP
        ):
            raise damaged("a frame or its time changed")
        # what comes after a copy is as it was, but for its time, and clears as much as it did
        wiped = first.disposal is not Disposal.KEEP
        if lead and not (
            first.same_pixels(new[0]) and wiped is (new[0].disposal is Disposal.CLEAR)
        ):
            raise damaged("the first frame changed")

    def _compare_first(self, container: Animated) -> None:
        """What is shown first looks as it did, above the strip; so does a picture for viewers that know no animations."""
        assert self._grown is not None
        copy = self._grown.lead or self._grown.recoded
        pairs = [(self._source.opening(), container.opening(), _LEAST_PSNR if copy else math.inf)]
        if self._source.unshown:
            old, new = (next(shown(one, 1)) for one in (self._source, container))
            pairs.append((old, new, math.inf))
        for old, new, least in pairs:
            if likeness(*(image.crop(self._above) for image in (old, new))) < least:
                raise damaged("the first picture looks different")

    @property
    def _above(self) -> Box:
        """The edges of what stays."""
        return 0, 0, self._source.size[0], self._top

    def _sampled(self, container: Animated) -> Iterator[Image.Image]:
        """Some frames of the finished file as they are shown, each compared with the source's.

        Raises:
            Refused: One looks different.
        """
        assert self._grown is not None
        lead, hidden, kept = self._grown.lead, self._source.unshown, sample(self._frames)
        long = [number + lead for number in kept]
        before = _excerpt(self._source, kept)
        after = _excerpt(container, [0, *long] if lead else long)
        # around a partial first frame decoders show what they like, and there it was compared by itself
        whole = self._frames[0].box == (0, 0, *self._source.size)
        wanted = shown(before, hidden + len(kept))
        for number, image in enumerate(shown(after, hidden + lead + len(kept))):
            yield image
            if lead and number == hidden:
                continue
            was = next(wanted)
            if whole and number > hidden:
                found = likeness(was.crop(self._above), image.crop(self._above))
                if found < self._source.least_blended:
                    raise damaged("a picture looks different")


def _excerpt(container: Animated, numbers: list[int]) -> Animated:
    return type(container).parse(container.excerpt(numbers), NO_LIMITS, thorough=False)


def _found_top(container: Animated, first: Image.Image, profile: Profile) -> int | None:
    """Where a strip of ours begins that nobody recorded, if every frame shows it."""
    found = strip_search.locate(PillowPicture(first), profile)
    if found is None:
        return None
    measured = measure_frames(container, found.middle, found.where, profile.image, MEASURED)
    return found.top if measured.state is NoticeState.PERCEIVABLE else None


def shown(container: Animated, count: int) -> Iterator[Image.Image]:
    """Pictures as an independent decoder shows them, one after another in the same image object.

    Raises:
        MediaProblem: There are not so many, or one cannot be decoded.
    """
    image = None
    for number in range(count):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about metadata; pixels either load or raise
                image = image or Image.open(BytesIO(container.data), formats=[container.pillow])
                image.seek(number)
                image.decoderconfig = ()  # Pillow adds to it in every frame of an interlaced PNG
                image.load()
        except MemoryError:
            raise MediaProblem("damaged", detail_word="decoder") from None
        except Exception as error:  # decoders raise whatever they like on hostile bytes
            raise MediaProblem("damaged", detail_word="decoder") from error
        yield image


def likeness(first: Image.Image, second: Image.Image) -> float:
    """PSNR in dB of two pictures of one size as they are seen, on white and on black; infinite when equal."""
    pairs = zip(flattened(first), flattened(second), strict=False)
    return min(modes.difference_outside(one, other) for one, other in pairs)


def measure_recorded(
    container: Animated, notice: Notice, origin: Origin, profile: Profile
) -> Measurement:
    """Measure the notice that a marker records; `unknown` when this version cannot have drawn it."""
    frames = container.frames()
    check_frames(container, frames)
    place: Mapping[str, Any] = notice.placements[0] if notice.placements else {}
    where = records.region(place, profile)
    if where is None or notice.wording != wording.version():
        return Measurement(NoticeState.UNKNOWN)
    drawn = records.drawn_again(place, notice.languages, origin, where, container.size)
    if drawn is None:
        return Measurement(NoticeState.UNKNOWN)
    return measure_frames(container, drawn, where, profile.image, MEASURED)


def measure_frames(
    container: Animated, drawn: Badge, where: Region, profile: ImageProfile, most: float
) -> Measurement:
    """Measure a notice in every frame as it is shown; the worst counts.

    Frames in which its place looks exactly alike are measured once.

    Args:
        container: The animation.
        drawn: The badge, or the middle of a strip.
        where: Its place on the canvas.
        profile: Thresholds.
        most: Pixels of all frames beyond which the answer is `unknown`.
    """
    count = container.unshown + len(container.frames())
    if not _affordable(container, count, most):
        return Measurement(NoticeState.UNKNOWN)
    return _measured(shown(container, count), drawn, where, profile, count)


def _measured(
    images: Iterator[Image.Image], drawn: Badge, where: Region, profile: ImageProfile, count: int
) -> Measurement:
    """The worst measurement of pictures that stand for so many frames."""
    measured: dict[bytes, tuple[int, Measurement]] = {}
    for number, image in enumerate(images):
        picture = PillowPicture(image, orientation_of(image))
        look = hashlib.sha256(
            picture.crop(pixels_of(where, picture.size)).convert("RGBA").tobytes()
        )
        if look.digest() in measured:
            continue
        if len(measured) == LOOKS:
            return Measurement(NoticeState.UNKNOWN)
        measured[look.digest()] = number, measure(picture, drawn, where, profile)
    return of_all([*measured.values()], count)


def _affordable(container: Animated, count: int, most: float) -> bool:
    """Whether showing so many frames stays within a number of pixels."""
    return container.size[0] * container.size[1] * count <= most


def search_frames(container: Animated, profile: Profile) -> Found | None:
    """Search for a notice that no marker records: a strip in every frame, anything else in the first and the last."""
    frames = container.frames()
    check_frames(container, frames)
    if not _affordable(container, len(frames), MEASURED):
        return Found(Measurement(NoticeState.UNKNOWN))
    first, last = container.unshown, container.unshown + len(frames) - 1
    seen: list[Image.Image] = []
    for number, image in enumerate(shown(container, 1 + last)):
        if number == first and (one := _strip(container, image, profile)) is not None:
            return one
        if number in {first, last}:
            seen.append(modes.eight_bit(image, image).copy())
    found = [one for one in (search(image, profile) for image in seen) if one is not None]
    if len(found) < len(seen):
        return Found(Measurement(NoticeState.UNKNOWN)) if found else None
    origins = {one.origin for one in found}
    chosen = worst([one.measurement for one in found])
    return Found(chosen, origins.pop() if len(origins) == 1 else None)


def _strip(container: Animated, image: Image.Image, profile: Profile) -> Found | None:
    """A strip in this picture, measured in every frame."""
    found = strip_search.locate(PillowPicture(image, orientation_of(image)), profile)
    if found is None:
        return None
    measured = measure_frames(container, found.middle, found.where, profile.image, MEASURED)
    return Found(measured, found.origin)
