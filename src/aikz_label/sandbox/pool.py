"""Many slots and one stream of files.

One thread, the caller's own, does everything: while nobody asks for the next answer, the children finish what they have and
wait. So memory stays small however many files there are and however slow the caller is. A child has its next file before it
has answered for the one at hand, so that it need not wait while the caller takes its time with the answer; where files take
little time it has several, and the caller's process looks at the answers of several at once (`aikz_label.sandbox.pace`).
"""

from __future__ import annotations

import selectors
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Generic, Self, TypeVar

from aikz_label.errors import SandboxError
from aikz_label.sandbox.child import Walls
from aikz_label.sandbox.failures import Death
from aikz_label.sandbox.nursery import Nursery
from aikz_label.sandbox.pace import Pace
from aikz_label.sandbox.slot import Answer, Slot
from aikz_label.values import fields

Key = TypeVar("Key")


SUSPICIOUS = 20  # deaths without an answer between them, after which the sample is tried
_AHEAD = 4096  # answers kept back for one that is still awaited, when order matters


class Pool(Generic[Key]):
    """Children that share one kind of work. Use it as a context manager.

    Args:
        work: What `work.setup` says.
        nursery: Where children come from; closed with the pool.
        jobs: How many.
        walls: What the operating system holds each to.
    """

    def __init__(
        self, work: Mapping[str, Any], nursery: Nursery, *, jobs: int, walls: Walls | None = None
    ) -> None:
        self._nursery = nursery
        self._selector = selectors.DefaultSelector()
        walls = walls or Walls()
        limits = {one.name: getattr(walls, one.name) for one in fields(walls)}
        self._setup = {**work, "walls": limits}
        self._slots = [Slot(self._setup, nursery, self._selector) for _ in range(jobs)]
        self._at_hand: dict[Slot, deque[tuple[int, Key]]] = {}
        self._doubtful: list[tuple[int, Key, Answer]] = []
        self._stopping: Callable[[], bool] = bool
        self._careful = False
        self._pace: Pace | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the children and their nursery."""
        for slot in self._slots:
            slot.close()
        self._selector.close()
        self._nursery.close()

    def run(
        self,
        requests: Iterable[tuple[Key, Mapping[str, Any]]],
        *,
        ordered: bool = False,
        careful: bool = False,
        stopping: Callable[[], bool] = bool,
    ) -> Iterator[tuple[Key, Answer]]:
        """Answers as they come, or in the order of the requests.

        Args:
            requests: Each a key of the caller's and what the child is asked, with its `deadline` in seconds. They are taken
                one by one as children become free, so a generator of millions is fine.
            ordered: Keep the order; some thousands of answers are held back for one that is late.
            careful: Wait for the first answer before a second child begins, because what is wrong may be wrong for all
                and must not be tried by all: a PIN, say. And give no child a file before it is done with another.
            stopping: Once it says so, no more files are given out; those in flight are finished.

        Raises:
            SandboxError: Children cannot be started, or even the sample kills them.
            LabelError: They refuse the options.
        """
        self._forget()
        self._stopping, self._careful = stopping, careful
        self._pace = None if careful else Pace()
        numbered = _numbered(requests)
        held: dict[int, tuple[Key, Answer]] = {}
        following = 0
        while self._give_out(numbered, room=len(held) < _AHEAD):
            busy = len(self._at_hand)
            entries = [(*self._taken(slot), answer) for slot, answer in self._answers()]
            if self._pace:
                self._pace.note(len(entries), busy)
            if not self._careful:  # the next files, before the caller takes its time with these
                self._give_out(numbered, room=len(held) < _AHEAD)
            for number, key, believed in chain.from_iterable(map(self._believed, entries)):
                if not ordered:
                    yield key, believed
                    continue
                held[number] = key, believed
                while following in held:
                    yield held.pop(following)
                    following += 1
            self._careful = self._careful and not entries
        held |= {number: (key, answer) for number, key, answer in self._believed(None)}
        for number in sorted(held):
            yield held[number]

    def _forget(self) -> None:
        """What an earlier run was left with, by a caller who went away or a source that failed."""
        for slot in self._at_hand:
            slot.close()
        self._at_hand, self._doubtful = {}, []

    def _give_out(
        self, numbered: Iterator[tuple[int, Key, Mapping[str, Any]]], *, room: bool
    ) -> bool:
        """Give every child a file, and then each the next ones; says whether any is at work."""
        fewest = min(slot.in_flight for slot in self._slots)
        for most in range(fewest + 1, 1 + (self._pace.depth if self._pace else 1)):
            for slot in self._slots:
                if slot.in_flight >= most or not slot.has_room:
                    continue
                if self._stopping() or not room or (self._careful and self._at_hand):
                    return bool(self._at_hand)
                following = next(numbered, None)
                if following is None:
                    return bool(self._at_hand)
                number, key, request = following
                self._at_hand.setdefault(slot, deque()).append((number, key))
                slot.give(request)
        return bool(self._at_hand)

    def _taken(self, slot: Slot) -> tuple[int, Key]:
        """Whose answer has come."""
        waiting = self._at_hand[slot]
        entry = waiting.popleft()
        if not waiting:
            del self._at_hand[slot]
        return entry

    def _answers(self) -> Iterator[tuple[Slot, Answer]]:
        """Wait until something happens, and give what is known then."""
        if self._pace and self._pace.nap and all(slot.in_flight > 1 for slot in self._at_hand):
            time.sleep(self._pace.nap)
        left = min(slot.seconds_left for slot in self._at_hand)
        events = self._selector.select(max(0.01, left))
        for event, _ in events:
            if not isinstance(event.data, Slot):
                event.data()
        for slot in list(self._at_hand) if left <= 0 else [e.data for e, _ in events]:
            if isinstance(slot, Slot):
                for answer in slot.take():
                    yield slot, answer

    def _believed(self, entry: tuple[int, Key, Answer] | None) -> list[tuple[int, Key, Answer]]:
        """Deaths wait for something that lives, be it the sample: a broken installation must not invent rows."""
        answer = entry[2] if entry else None
        if entry and isinstance(answer, Death) and answer.reason != "deadline":
            self._doubtful.append(entry)
            if len(self._doubtful) < SUSPICIOUS:
                return []
            entry = None
        elif entry and isinstance(answer, Death):  # a deadline says nothing about the installation
            return [entry]
        if entry is None and self._doubtful:
            self._try_sample()
        believed, self._doubtful = self._doubtful, []
        return [*believed, entry] if entry else believed

    def _try_sample(self) -> None:
        with selectors.DefaultSelector() as selector:
            slot = Slot(self._setup, self._nursery, selector)
            try:
                slot.give({"sample": True, "deadline": 60.0})
                while not (answers := slot.take()):
                    selector.select(0.1)
            finally:
                slot.close()
        if isinstance(died := answers[0], Death):
            raise SandboxError(
                f"Every child dies, even of the sample in this package ({died.how}). {died.words}".strip(),
                code="sandbox-broken",
                hint="The installation is broken: reinstall it, and run `aikz-label doctor`.",
            )


def _numbered(
    requests: Iterable[tuple[Key, Mapping[str, Any]]],
) -> Iterator[tuple[int, Key, Mapping[str, Any]]]:
    for number, (key, request) in enumerate(requests):
        yield number, key, request
