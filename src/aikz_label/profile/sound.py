"""Thresholds for notices that are heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aikz_label.report import Message, message
from aikz_label.values import dataclass

# Seconds of a sound that are listened to when it is checked: the notice at its start, and the first repeat. Whoever marks
# listens to the end.
LISTENED = 720.0


@dataclass(frozen=True, slots=True)
class SoundProfile:
    """Thresholds for spoken notices; the data file names the source of each.

    Loudness is by BS.1770; "louder by" is against the programme, within the floor and the ceiling.
    """

    dit_s: float
    min_earcon: float
    min_clip: float
    min_whole: float
    aim_louder_by: float
    min_louder_by: float
    max_louder_by: float
    loudness_tolerance: float
    floor_lufs: float
    ceiling_lufs: float
    aim_floor_lufs: float
    aim_peak_dbtp: float
    max_peak_dbtp: float
    min_background_db: float
    background_tolerance_db: float
    max_late_s: float
    max_tempo: float
    repeat_s: float
    repeat_tolerance_s: float
    at_end_from_s: float
    short_below_s: float

    def reference(self, programme: float) -> float:
        """What a notice beside a programme of this loudness is compared with, LUFS."""
        return min(max(programme, self.floor_lufs), self.ceiling_lufs)

    def problems(self, figures: Mapping[str, float]) -> tuple[Message, ...]:
        """Which thresholds these figures miss; the same rule for measured and attested ones.

        A figure that is missing counts as zero, so an incomplete record never passes.
        """
        tempo = figures.get("tempo", 1.0)
        if tempo <= 0 or max(tempo, 1 / tempo) > self.max_tempo:
            return (message("notice.sped-up", times=f"{tempo:.2f}"),)
        signal = figures.get("earcon", 0.0) >= self.min_earcon
        if not signal and not figures.get("languages_heard", 0.0):
            return (message("notice.unheard"),)
        return (*self._parts(figures, signal=signal), *self._level(figures), *self._when(figures))

    def _parts(self, figures: Mapping[str, float], *, signal: bool) -> Iterator[Message]:
        heard, promised = figures.get("languages_heard", 0.0), figures.get("languages", 1.0)
        if not signal or (heard and figures.get("whole", 0.0) < self.min_whole):
            yield message("notice.broken-off")
        if heard < promised or figures.get("clip", 0.0) < self.min_clip:
            yield message("notice.missing-language", heard=f"{heard:.0f}", of=f"{promised:.0f}")

    def _level(self, figures: Mapping[str, float]) -> Iterator[Message]:
        background = figures.get("background_db", 0.0)
        if background < self.min_background_db - self.background_tolerance_db:
            least = f"{self.min_background_db:g}"
            yield message("notice.masked", db=f"{background:.0f}", min=least)
        louder = figures.get("louder_by", -100.0)
        if louder < self.min_louder_by - self.loudness_tolerance:
            yield message("notice.too-quiet", lu=f"{-louder:.0f}")
        elif louder > self.max_louder_by + self.loudness_tolerance:
            yield message("notice.too-loud", lu=f"{louder:.0f}")

    def _when(self, figures: Mapping[str, float]) -> Iterator[Message]:
        late = figures.get("late_s", 0.0)
        if late > self.max_late_s:
            yield message("notice.too-late", seconds=f"{late:.1f}")
        gap = figures.get("gap_s", 0.0)
        if gap > self.repeat_s + self.repeat_tolerance_s:
            yield message("notice.not-again", minutes=f"{gap / 60:.0f}")
