"""Profiles: versioned numbers for "can be perceived". Data, not code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from aikz_label.errors import UsageError
from aikz_label.profile.film import FilmProfile
from aikz_label.profile.sound import SoundProfile
from aikz_label.report import Message, message
from aikz_label.texts import load_data
from aikz_label.values import dataclass

PROFILES = ("kz", "strict")
DEFAULT = "kz"

# What tells the kinds of obstruction apart; none of these decides whether a notice passes.
_OUTSIDE = 0.02  # share of the badge beyond the picture's edge: found boxes are uncertain by 1.5 %
_LOST = 0.1  # share of the text's pieces without likeness
_TRACE = 0.5  # text likeness from which a pale badge is "too faint" and not "missing"
_SAME_COLOUR = 1.1  # contrast of letters that are there for machines only
_SHINES_THROUGH = 0.02  # luminance of a plate that is no longer black


@dataclass(frozen=True, slots=True)
class ImageProfile:
    """Thresholds for badges on pictures; the data file names the source of each.

    Shares are of the shorter displayed side; `cap` is the height of a capital letter.
    """

    min_cap_px: float
    min_text_share: float
    min_icon_share: float
    min_contrast: float
    min_match: float
    min_text_match: float
    margin_share: float
    max_area: float
    max_small_area: float
    drawing_reserve: float
    measuring_tolerance: float

    def problems(self, figures: Mapping[str, float]) -> tuple[Message, ...]:
        """Which thresholds these figures miss; the same rule for measured and attested ones.

        A figure that is missing counts as zero, so an incomplete record never passes.
        """
        return _drawn_problems(self, figures, self._too_small(figures))

    def _too_small(self, figures: Mapping[str, float]) -> tuple[Message, ...]:
        side, cap = figures.get("short_side_px", 0.0), figures.get("cap_px", 0.0)
        sizes = (
            (cap, max(self.min_cap_px, self.min_text_share * side)),
            (figures.get("icon_cap_px", cap), self.min_icon_share * side),
        )
        for size, floor in sizes:
            if not side or size < floor * self.measuring_tolerance:
                return (message("notice.too-small", cap=f"{size:.1f}", min=f"{floor:.1f}"),)
        return ()


def _drawn_problems(
    numbers: ImageProfile | PageProfile, figures: Mapping[str, float], small: tuple[Message, ...]
) -> tuple[Message, ...]:
    """What keeps a drawn notice from being read; `small` is what its size has against it."""
    obstructed = []
    if figures.get("outside", 0.0) > _OUTSIDE:
        obstructed.append(message("notice.cut-off"))
    elif figures.get("lost", 0.0) > _LOST:
        obstructed.append(message("notice.covered"))
    if obstructed:
        return (*obstructed, *small)
    contrast, text_match = figures.get("contrast", 0.0), figures.get("text_match", 0.0)
    faint = contrast < numbers.min_contrast
    unlike = figures.get("match", 0.0) < numbers.min_match or text_match < numbers.min_text_match
    if unlike and (text_match < _TRACE or not (faint or small)):
        return (message("notice.missing"),)
    return (*(_too_faint(numbers.min_contrast, figures) if faint else ()), *small)


def _too_faint(least: float, figures: Mapping[str, float]) -> tuple[Message, ...]:
    if figures.get("plate_luminance", 0.0) > _SHINES_THROUGH:
        return (message("notice.transparent"),)
    contrast = f"{figures.get('contrast', 0.0):.1f}"
    return (message("notice.too-faint", contrast=contrast, min=f"{least:g}"),)


@dataclass(frozen=True, slots=True)
class PageProfile:
    """Thresholds for stamps on the pages of a document; the data file names the source of each.

    Sizes are points on a page whose shorter side is `reference_pt`, and grow and shrink with it between `min_scale` and
    `max_scale`.
    """

    min_text_pt: float
    reference_pt: float
    min_scale: float
    max_scale: float
    min_contrast: float
    min_match: float
    min_text_match: float
    margin_share: float
    max_area: float
    max_small_area: float
    drawing_reserve: float
    measuring_tolerance: float

    def floor(self, short_side: float) -> float:
        """Least size of the text on a page of that shorter side, pt."""
        scale = min(max(short_side / self.reference_pt, self.min_scale), self.max_scale)
        return self.min_text_pt * scale

    def problems(self, figures: Mapping[str, float]) -> tuple[Message, ...]:
        """Which thresholds these figures miss; the same rule for measured and attested ones.

        A figure that is missing counts as zero, so an incomplete record never passes.
        """
        stamped, without = figures.get("stamped", 0.0), figures.get("without", 0.0)
        if not stamped:
            return (message("notice.missing"),)
        problems = _drawn_problems(self, figures, self._too_small(figures))
        if without:
            words = message(
                "notice.some-pages", count=f"{without:.0f}", pages=f"{stamped + without:.0f}"
            )
            return (words, *problems)
        return problems

    def _too_small(self, figures: Mapping[str, float]) -> tuple[Message, ...]:
        side, size = figures.get("short_side_pt", 0.0), figures.get("text_pt", 0.0)
        if side and size >= self.floor(side) * self.measuring_tolerance:
            return ()
        return (
            message("notice.too-small-page", size=f"{size:.1f}", min=f"{self.floor(side):.1f}"),
        )


@dataclass(frozen=True, slots=True)
class TextProfile:
    """Thresholds for notices in a text; the data file names the source of each."""

    min_match: float
    max_before: float
    repeat_after_words: float
    min_seconds: float
    min_contrast: float
    min_font_px: float

    def problems(self, figures: Mapping[str, float]) -> tuple[Message, ...]:
        """Which thresholds these figures miss; the same rule for measured and attested ones."""
        return tuple(self._problems(figures))

    def _problems(self, figures: Mapping[str, float]) -> Iterator[Message]:
        match = figures.get("match", 0.0)
        if not match:
            yield message("notice.missing")
            return
        if match < self.min_match:
            yield message("notice.incomplete")
        if figures.get("before", 0.0) > self.max_before:
            yield message("notice.late", count=f"{figures['before']:.0f}")
        words, repeats = figures.get("words", 0.0), figures.get("repeats", 0.0)
        if words > self.repeat_after_words and repeats < 2:
            yield message("notice.not-repeated", words=f"{words:.0f}")
        yield from self._concealed(figures)
        yield from self._too_little(figures)

    def _concealed(self, figures: Mapping[str, float]) -> Iterator[Message]:
        """Figures that are there only when a notice is not as we write it; each counts what was found."""
        if figures.get("hidden", 0.0):
            yield message("notice.hidden")
        if figures.get("commented_out", 0.0):
            yield message("notice.commented-out")
        if figures.get("folded", 0.0):
            yield message("notice.folded")
        if figures.get("zero_width", 0.0):
            yield message("notice.zero-width", count=f"{figures['zero_width']:.0f}")
        if figures.get("look_alike", 0.0):
            yield message("notice.look-alike", count=f"{figures['look_alike']:.0f}")

    def _too_little(self, figures: Mapping[str, float]) -> Iterator[Message]:
        """Numbers that only some kinds of text have."""
        contrast = figures.get("contrast", self.min_contrast)
        if contrast <= _SAME_COLOUR:
            yield message("notice.same-colour")
        elif contrast < self.min_contrast:
            least = f"{self.min_contrast:g}"
            yield message("notice.too-faint", contrast=f"{contrast:.1f}", min=least)
        size = figures.get("font_px", self.min_font_px)
        if size < self.min_font_px:
            yield message("notice.too-small", cap=f"{size:.1f}", min=f"{self.min_font_px:g}")
        seconds = figures.get("seconds", self.min_seconds)
        if seconds < self.min_seconds:
            least = f"{self.min_seconds:g}"
            yield message("notice.too-short", seconds=f"{seconds:.1f}", min=least)


@dataclass(frozen=True, slots=True)
class Profile:
    """One reading of the law's words, by name and version."""

    name: str
    version: str
    languages: tuple[str, ...]
    image: ImageProfile
    page: PageProfile
    text: TextProfile
    sound: SoundProfile
    film: FilmProfile

    @property
    def id(self) -> str:
        """Name and version, as recorded in markers and reports: `kz/1`."""
        return f"{self.name}/{self.version}"

    def problems(
        self, kind: str, figures: Mapping[str, float], *, film: bool = False, spoken: bool = False
    ) -> tuple[Message, ...]:
        """Which thresholds the figures of a kind of notice miss.

        Args:
            kind: Of the notice.
            figures: What was measured.
            film: It is in a film, where it also matters when it is there.
            spoken: The notice is spoken besides.
        """
        match kind:
            case "text":
                return self.text.problems(figures)
            case "stamp":
                return self.page.problems(figures)
            case "spoken":
                return self.sound.problems(figures)
        when = self.film.problems(figures) if film else ()
        heard = self.sound.problems(figures) if spoken else ()
        return (*self.image.problems(figures), *when, *heard)


@cache
def load_profile(name: str) -> Profile:
    """Load a profile by name.

    Raises:
        UsageError: There is no profile of that name.
    """
    if name not in PROFILES:
        raise UsageError(f"There is no profile {name!r}.", hint=f"Profiles: {', '.join(PROFILES)}.")
    data = _data(name)
    return Profile(
        data["name"],
        data["version"],
        tuple(data["languages"]),
        ImageProfile(**data["image"]),
        PageProfile(**data["page"]),
        TextProfile(**data["text"]),
        SoundProfile(**data["sound"]),
        FilmProfile(**data["film"]),
    )


def _data(name: str) -> Mapping[str, Any]:
    """The profile's file; where it is based on another, that one with its own numbers in place of some."""
    own = load_data(f"profile_{name}")
    if "base" not in own:
        return own
    merged = dict(_data(own["base"]))
    for key, value in own.items():
        merged[key] = {**merged[key], **value} if isinstance(value, Mapping) else value
    return merged
