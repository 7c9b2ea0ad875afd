"""A track of pictures: one notice on every one of them, drawn in the numbers of its codec.

The pictures come and go one at a time; only the place and the mask of the notice are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.heif import stream
from aikz_label.adapters.image.heif.picture import as_seen, with_nclx
from aikz_label.adapters.image.heif.planes import decibels
from aikz_label.adapters.image.picture import Picture
from aikz_label.adapters.image.refusals import cannot_grow

if TYPE_CHECKING:
    from PIL import Image

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.heif.planes import Coding, Planes
    from aikz_label.adapters.image.heif.stream import Coded
    from aikz_label.adapters.image.heif.tracks import Film, Track


class Moment:
    """One of the pictures, as people see it.

    Attributes:
        size: Width and height, px.
    """

    __slots__ = ("_coding", "_film", "_opacity", "_planes", "size")

    def __init__(self, film: Film, planes: Planes, coding: Coding, opacity: Planes | None) -> None:
        self.size = film.track.size
        self._film, self._planes, self._coding, self._opacity = film, planes, coding, opacity

    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """See `Picture.crop`."""
        left, top, right, bottom = edges
        view = self._film.track.view
        box = view.inward((left, top, right - left, bottom - top))
        light = self._planes.light(box, self._coding)
        opacity = self._opacity.light(box, self._opacity.coding)[..., :1] if self._opacity else None
        premultiplied = opacity is not None and bool(self._film.track.targets(b"prem"))
        return as_seen(
            light, opacity, self._coding.light, view.orientation, premultiplied=premultiplied
        )


class MovingPicture(Picture):
    """All pictures of a film under one notice.

    Attributes:
        film: The tracks.
    """

    __slots__ = ("_first", "_mask", "_most", "film")

    def __init__(self, film: Film, most_pixels: int) -> None:
        view = film.track.view
        super().__init__(view.crop[2:], view.orientation)
        self.film = film
        self._most = most_pixels
        self._mask: Image.Image | None = None
        self._first: Moment | None = None

    def paint(self, mask: Image.Image, box: Box) -> None:
        """See `Picture.paint`; every picture gets it when it comes."""
        assert self._mask is None, "there is one notice"
        self._mask, self.painted = mask, box

    def _cut(self, edges: tuple[int, int, int, int]) -> Picture:  # noqa: ARG002  # refused
        """See `Picture`; pictures of a track cannot grow without coding them all in another size."""
        raise cannot_grow("it is one of many that follow each other")

    @property
    def _inner(self) -> Box | None:
        """The box in the pictures as they are coded."""
        if self.painted is None:
            return None
        left, top = self.film.track.view.crop[:2]
        return left + self.painted[0], top + self.painted[1], *self.painted[2:]

    # --- one after another ------------------------------------------------------------------------------------------

    def _pictures(self) -> Iterator[Planes]:
        """The pictures with the notice."""
        for planes in stream.decode(self.film.track, self._most):
            if self._mask is not None and self._inner is not None:
                planes.paint(self._mask, self._inner, self._coding(planes))
            yield planes

    def _opacities(self) -> Iterator[Planes]:
        """How opaque they are, fully where the notice is."""
        if self.film.alpha is None:
            return
        for planes in stream.decode(self.film.alpha, self._most):
            if self._inner is not None:
                planes.fill(self._inner)
            yield planes

    def _coding(self, planes: Planes) -> Coding:
        return with_nclx(self.film.track.described, planes.coding)

    @property
    def moving(self) -> int:
        """See `Picture.moving`."""
        return len(self.film.track.samples)

    def moments(self) -> Iterator[Moment]:
        """See `Picture.moments`."""
        opacities = self._opacities()
        for planes in self._pictures():
            opacity = next(opacities, None)
            yield Moment(self.film, planes, self._coding(planes), opacity)

    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """See `Picture.crop`; of the first picture."""
        self._first = self._first or next(self.moments(), None)
        if self._first is None:
            raise MediaProblem("damaged", detail_word="frames")
        return self._first.crop(edges)

    # --- coding and comparing ---------------------------------------------------------------------------------------

    def coded(self) -> dict[int, Coded]:
        """What takes the place of the samples, by track; opacity is coded anew only where it changes, without loss."""
        if self._mask is None:
            return {}
        track, alpha = self.film.track, self.film.alpha
        found = {track.number: stream.encode(track, self._pictures, lossless=False)}
        if alpha is not None and self._covers_what_is_transparent(alpha):
            found[alpha.number] = stream.encode(alpha, self._opacities, lossless=True)
        return found

    def _covers_what_is_transparent(self, alpha: Track) -> bool:
        assert self._inner is not None
        return any(planes.fill(self._inner) for planes in stream.decode(alpha, self._most))

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`; of all pictures together, and 0 when one is shown at another time."""
        if not isinstance(other, MovingPicture) or not _alike(self.film, other.film):
            return 0.0
        inner = self._inner
        if box is not None and inner is None:
            left, top = self.film.track.view.crop[:2]
            inner = (left + box[0], top + box[1], *box[2:])
        hidden = [inner] if inner else []
        worst = float("inf")
        pairs = [(self._pictures(), other._pictures()), (self._opacities(), other._opacities())]  # noqa: SLF001
        for mine, its in pairs:
            for first, second in zip(mine, its, strict=True):
                errors = first.errors(second, hidden)
                worst = min(worst, decibels(*errors) if errors else 0.0)
        return worst


def _alike(before: Film, after: Film) -> bool:
    """Both show as many pictures in the same way, at the same times."""
    if (before.alpha is None) is not (after.alpha is None):
        return False
    pairs = [(before.track, after.track)]
    if before.alpha is not None and after.alpha is not None:
        pairs.append((before.alpha, after.alpha))
    return all(
        (one.number, one.kind, one.coded_size, one.view, one.speaks_of)
        == (other.number, other.kind, other.coded_size, other.view, other.speaks_of)
        and shown_at(one) == shown_at(other)
        for one, other in pairs
    )


def shown_at(track: Track) -> tuple[list[int], int]:
    """When pictures of a track are shown, in order, and how long all of it takes."""
    return sorted(start for start, _ in track.times), sum(length for _, length in track.times)
