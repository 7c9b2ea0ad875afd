"""Subtitles: a cue of its own at the start, above those of the film."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.text.comments import block
from aikz_label.adapters.text.decoded import Insertion
from aikz_label.adapters.text.document import Document
from aikz_label.carriers import armour
from aikz_label.carriers.embedded import Hole
from aikz_label.label import Label, Origin
from aikz_label.notice import wording

_LINE = 42  # characters of a line of subtitles
_TIME = re.compile(r"(?:(\d{1,4}):)?(\d\d):(\d\d)[,.](\d{3})")
_BREAKS = re.compile(r"[\r\n]*")
_TAG = re.compile(r"<[^<>]{0,200}>|\{\\[^{}]{0,200}\}")
_HEADER = re.compile(r"WEBVTT[^\r\n]*(?:(?:\r\n|\n|\r)[^\r\n]+)*")


class Srt(Document):
    """SubRip. Our cue is number 0, so none of the others gets another number."""

    form = "cue"
    seconds = 4.0
    mark = ","

    def start(self) -> int:
        """See `Document.start`."""
        return len(self.text) - len(self.text.lstrip())

    def end(self) -> int:
        """See `Document.end`."""
        return len(self.text.rstrip())

    def compose(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose`."""
        return self._cue(0, origin, languages) + self.newline

    def compose_last(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose_last`: behind the last cue, or as that."""
        return self.newline * 2 + self._cue(self._last_time(), origin, languages).rstrip()

    def words_of(self, origin: Origin, language: str) -> str:
        """See `Document.words_of`."""
        return wording.short(origin, language)

    def lasts(self, at: int) -> float | None:
        """See `Document.lasts`: from the times of its cue."""
        times = self._shown[1]
        index = max((n for n, (start, _) in enumerate(times) if start <= at), default=-1)
        return times[index][1] if index >= 0 else None

    def visible(self) -> str:
        """See `Document.visible`: what cues say, without times, numbers and tags."""
        return self._shown[0]

    @cached_property
    def _shown(self) -> tuple[str, list[tuple[int, float]]]:
        """The text of all cues, and where in it a cue starts and how long it is shown."""
        pieces: list[str] = []
        times: list[tuple[int, float]] = []
        length, inside = 0, False
        for line in self.text[self.start() :].splitlines():
            if "-->" in line:
                before, _, after = line.partition("-->")
                times.append((length, (_time(after) - _time(before)) / 1000))
                inside = True
            elif not line.strip():
                inside = False
            elif inside:
                piece = _TAG.sub("", line) + "\n"
                pieces.append(piece)
                length += len(piece)
        return "".join(pieces), times

    def _cue(self, at: int, origin: Origin, languages: Iterable[str]) -> str:
        words = [wording.short(origin, language) for language in languages]
        times = f"{self._clock(at)} --> {self._clock(at + int(self.seconds * 1000))}"
        return self.newline.join([*self._head(times), *self._lines(words, tuple(languages)), ""])

    def _head(self, times: str) -> list[str]:
        return ["0", times]

    def _lines(self, words: list[str], languages: tuple[str, ...]) -> list[str]:  # noqa: ARG002
        return ["{\\an8}" + line for line in _filled(words, words)]

    def _clock(self, at: int) -> str:
        seconds, milliseconds = divmod(at, 1000)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours:02}:{minutes:02}:{seconds:02}{self.mark}{milliseconds:03}"

    def _last_time(self) -> int:
        """When the last cue ends that is not ours, in milliseconds."""
        at = self.text.rfind("-->")
        while at >= 0 and self._is_ours(at):
            at = self.text.rfind("-->", 0, at)
        return _time(self.text[at : at + 40]) if at >= 0 else 0

    def _is_ours(self, at: int) -> bool:
        after = self.text[at : at + 300].partition(self.newline * 2)[0]
        return any(
            wording.short(o, language) in after for o in Origin for language in ("kk", "ru", "en")
        )


class Vtt(Srt):
    """WebVTT."""

    mark = "."

    def start(self) -> int:
        """See `Document.start`: the first cue, behind styles, regions and notes."""
        at = self._header()
        arrow = self.text.find("-->", at)
        if arrow < 0:
            return len(self.text)
        blank = self.text.rfind(self.newline * 2, at, arrow)
        at = blank if blank >= 0 else at
        return at + len(_BREAKS.match(self.text, at)[0])  # type: ignore[index]  # matches nothing too

    def _head(self, times: str) -> list[str]:
        return ["aikz-label", f"{times} line:5%"]

    def _lines(self, words: list[str], languages: tuple[str, ...]) -> list[str]:
        tagged = [
            f"<lang {code}>{word}</lang>" for code, word in zip(languages, words, strict=True)
        ]
        return _filled(tagged, words)

    def mirror(self, label: Label) -> tuple[list[Insertion], tuple[str, ...]]:  # noqa: ARG002
        """See `Document.mirror`: nothing but the blank lines around the note that will hold the marker."""
        end = self._header_end()
        there = len(_BREAKS.match(self.text, end)[0]) // len(self.newline)  # type: ignore[index]  # matches nothing too
        missing = max(0, 3 - there)
        return [Insertion(end, self.newline * missing)] if missing else [], ()

    def hole(self) -> Hole:
        """See `Document.hole`: a note behind the header."""
        return block(self.source, self._header(), armour.NOTE, last=False)

    def _header(self) -> int:
        """Behind the header and the blank line that ends it."""
        return min(len(self.text), self._header_end() + 2 * len(self.newline))

    def _header_end(self) -> int:
        found = _HEADER.match(self.text)
        if found is None:
            raise MediaProblem("damaged", detail_word="no-header")
        return found.end()


def _time(text: str) -> int:
    """The first time in a text, in milliseconds; 0 without one."""
    found = _TIME.search(text[:80])
    if found is None:
        return 0
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def _filled(pieces: list[str], words: list[str]) -> list[str]:
    """Pieces in as few lines as their words allow."""
    lines: list[list[str]] = [[]]
    length = 0
    for piece, word in zip(pieces, words, strict=True):
        if lines[-1] and length + 3 + len(word) > _LINE:
            lines.append([])
            length = 0
        length += len(word) + (3 if lines[-1] else 0)
        lines[-1].append(piece)
    return [" · ".join(line) for line in lines]
