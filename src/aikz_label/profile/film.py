"""Thresholds for when a notice is there in a film; how it looks there is the business of those for pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aikz_label.report import Message, message
from aikz_label.values import dataclass


@dataclass(frozen=True, slots=True)
class FilmProfile:
    """Thresholds in seconds; the data file names the source of each.

    `voice_aloud`: a film that imitates a voice, and has sound, must say the notice too.
    """

    max_late_s: float
    min_opening_s: float
    max_gap_s: float
    min_closing_s: float
    tolerance_s: float
    voice_aloud: bool

    def problems(self, figures: Mapping[str, float]) -> tuple[Message, ...]:
        """Which thresholds these figures miss; the same rule for measured and attested ones.

        A figure that is missing counts as the worst there is, so an incomplete record never passes.
        """
        return tuple(self._problems(figures))

    def _problems(self, figures: Mapping[str, float]) -> Iterator[Message]:
        whole, slack = figures.get("duration_s", 0.0), self.tolerance_s
        late, gap = (figures.get(name, 1e6) for name in ("first_s", "longest_gap_s"))
        if not whole or late > self.max_late_s + slack:
            yield message("notice.film-late", seconds=f"{late:.1f}")
            return
        opening = figures.get("opening_s", 0.0)
        if opening < min(self.min_opening_s, whole) - slack:
            yield message(
                "notice.too-short", seconds=f"{opening:.1f}", min=f"{self.min_opening_s:g}"
            )
        if gap > self.max_gap_s + slack:
            yield message("notice.film-gap", seconds=f"{gap:.0f}", max=f"{self.max_gap_s:g}")
        closing = figures.get("closing_s", 0.0)
        if closing < min(self.min_closing_s, whole) - slack:
            yield message("notice.film-end", min=f"{self.min_closing_s:g}")
