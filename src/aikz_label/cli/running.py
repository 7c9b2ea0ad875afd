"""What commands over many files share: being interrupted, showing progress, and the table at the end."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from aikz_label.cli.shared import INTERRUPTED, say, stdin

if TYPE_CHECKING:
    from types import FrameType

    from aikz_label.batch.gather import Gathering

_EVERY = 0.2  # seconds between two looks of the progress line
_TERMINATED = 128 + signal.SIGTERM


class Interruption:
    """The first Ctrl-C or termination lets the files in flight finish; the second does not wait.

    Attributes:
        code: The exit code that follows from it; 0 while nobody interrupted.
    """

    def __init__(self) -> None:
        self.code = 0

    def __call__(self) -> bool:
        """Whether to stop."""
        return bool(self.code)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Take the two signals over for a while."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def arrived(number: int, _: FrameType | None) -> None:
            self.code = INTERRUPTED if number == signal.SIGINT else _TERMINATED
            for one, handler in before.items():
                signal.signal(one, handler)
            say("finishing the files in flight; once more to stop at once")

        for number in before:
            signal.signal(number, arrived)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Progress:
    """One line at the bottom of a terminal: how many, how fast, how long still. Silent elsewhere.

    Args:
        verb: What is being done.
        total: Files in all, when known; found out beside the work when it is a function.
        show: Whether to show it at all.
    """

    def __init__(
        self, verb: str, total: int | Callable[[], int] | None, *, show: bool = True
    ) -> None:
        self._verb = verb
        self._show = show and sys.stderr is not None and sys.stderr.isatty()
        self._total = total if isinstance(total, int) else None
        self._started = time.monotonic()
        self._done = 0
        self._drawn = 0.0
        if callable(total) and self._show:
            threading.Thread(target=self._find_total, args=(total,), daemon=True).start()

    def _find_total(self, total: Callable[[], int]) -> None:
        with contextlib.suppress(OSError):
            self._total = total()

    def step(self, counts: Counter[str]) -> None:
        """One file more; the counts are shown at most a few times a second."""
        self._done += 1
        self._draw(counts.total(), counts)

    def frames(self, done: int, total: int) -> None:
        """So many frames of a film are done, of so many."""
        self._done, self._total = done, total
        self._draw(done, Counter())

    def _draw(self, done: int, counts: Counter[str]) -> None:
        now = time.monotonic()
        if self._show and now - self._drawn >= _EVERY:
            from shutil import get_terminal_size  # noqa: PLC0415  # and with it every kind of archive

            self._drawn = now
            width = get_terminal_size().columns - 1
            line = self._line(done, counts)[:width]
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away, before something else is printed."""
        if self._show and self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._drawn = 0.0

    def _line(self, done: int, counts: Counter[str]) -> str:
        seconds = time.monotonic() - self._started
        rate = self._done / seconds if seconds else 0.0
        parts = [f"{self._verb} {done:,}"]
        if self._total:
            parts[0] += f"/{self._total:,}"
        if seconds > 1:
            parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        if self._total and seconds > 2 and rate:
            parts.append(f"{duration((self._total - done) / rate)} left")
        parts += [f"{word} {number:,}" for word, number in counts.most_common()]
        return "  ".join(parts)

    def took(self) -> str:
        """How long it has been, and how fast it went."""
        seconds = time.monotonic() - self._started
        time_taken = duration(seconds) if seconds >= 10 else f"{seconds:.1f} s"
        return f"{time_taken}, {self._done / seconds:,.0f} files/s" if seconds else time_taken


def duration(seconds: float) -> str:
    """A time for people."""
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 60 else f"{minutes / 60:.1f} h"


def table(counts: Counter[str], order: Iterable[str], took: str, notes: Iterable[str]) -> None:
    """The summary: how many files had which outcome, how long it took, what was passed over."""
    rows = [(word, counts[word]) for word in order if counts[word]]
    width = max(len(word) for word, _ in (*rows, ("total", 0)))
    figures = max(len(f"{counts.total():,}"), 5)
    for word, number in rows:
        print(f"  {word.ljust(width)}  {number:>{figures},}", file=sys.stderr)
    print(f"  {'total'.ljust(width)}  {counts.total():>{figures},}  {took}", file=sys.stderr)
    for note in notes:
        print(f"  {note}", file=sys.stderr)


def again(*added: str) -> str:
    """This very command with more flags, for people to copy."""
    import shlex  # noqa: PLC0415

    words = [os.path.basename(sys.argv[0]), *sys.argv[1:]]  # noqa: PTH119
    words += [flag for flag in added if flag not in words]
    return " ".join(map(shlex.quote, words))


def passed_over(skipped: Counter[str]) -> list[str]:
    """What a walk did not look at, one line each."""
    words = {
        "links": "symbolic links, which are not followed",
        "special": "special files, which are not opened",
        "sidecars": "sidecars, read with the files they belong to",
        "ignored": "files or folders that the patterns leave out",
    }
    return [f"not counted: {skipped[key]:,} {text}" for key, text in words.items() if skipped[key]]


def gathered(options: argparse.Namespace, without: Path | None = None) -> Gathering:
    """The files that the options mean."""
    from aikz_label.batch import gather  # noqa: PLC0415

    wanted = gather.Patterns.load(options.ignore_file, options.glob)
    listed = None
    if options.files0_from:
        name = options.files0_from
        listed = stdin() if name == "-" else Path(name).open("rb")  # noqa: SIM115  # to the end of the run
    ours = os.path.abspath(without) if without else ""  # noqa: PTH100
    return gather.Gathering(tuple(options.paths), wanted, listed, without=ours)


def countable(options: argparse.Namespace) -> Callable[[], int] | None:
    """How to find out how many files there are; a list that is still being written cannot be counted."""
    if options.files0_from:
        return None
    return lambda: sum(1 for _ in gathered(options))


def options_for_many(command: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """The options that `verify` and `mark` have in common for many files."""
    group = command.add_argument_group("many files")
    group.add_argument(
        "-j",
        "--jobs",
        type=int,
        default=0,
        metavar="N",
        help="child processes (default: one per processor)",
    )
    group.add_argument("--timeout", type=float, metavar="SECONDS", help="for one file")
    group.add_argument(
        "--files0-from",
        metavar="FILE",
        help="also the files named there, each ended by a NUL byte; - is standard input",
    )
    group.add_argument(
        "-g",
        "--glob",
        action="append",
        default=[],
        metavar="PATTERN",
        help="in folders, only files that match, or with ! none that match; repeatable",
    )
    group.add_argument(
        "--ignore-file",
        type=Path,
        metavar="FILE",
        help="in folders, leave out what its lines match, in the manner of gitignore",
    )
    group.add_argument("--no-progress", action="store_true", help="no progress line on a terminal")
    return group
