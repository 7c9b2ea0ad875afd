"""A place for one child, seen from the parent: the file it works on, and the next ones, so that it never waits for us."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, TypeAlias

from aikz_label.errors import SandboxError
from aikz_label.sandbox.failures import Death, error_from
from aikz_label.sandbox.nursery import Nursery
from aikz_label.values import dataclass

RECYCLE = 5000  # files after which a child makes room for a new one
_START_LIMIT = 60.0  # seconds for a child to become ready
_GRACE = 2.0  # seconds past a deadline before the parent acts for a child whose own timer is lost
_MAX_ANSWER = 4 * 1024 * 1024
_LAST_WORDS = 4096
_SHORT = (
    8 * 1024
)  # bytes of a request of which all that a child has fit into the channel, whatever it does
_BLOCK = 1 << 16
_DEEPEST = (
    200  # values within values of an answer; whoever walks it calls itself once or twice for each
)
_DEATHS, _KILLINGS = 2, 4  # of how many children a file is guilty
_STARTS = 3  # for a child that is killed while it starts


Answer: TypeAlias = dict[str, Any] | Death


@dataclass(slots=True)
class _Waiting:
    """A file that was handed over and has no answer yet.

    Attributes:
        number: Told to the child, which repeats it: an answer is of this file or of none.
        request: What is asked.
        deaths: How many children died of it.
        sent: The child has it.
        short: Of its line, and of some more like it, the channel takes the whole.
    """

    number: int
    request: Mapping[str, Any]
    deaths: int = 0
    sent: bool = False
    short: bool = False


class Slot:
    """Keeps a child alive, gives it files, and says what became of each.

    A child takes up its files in the order in which it got them, and not before it has answered for the one before. So of
    those without an answer the first alone can be guilty of its death; the others go to the next child.

    A death counts only when a second, new child dies of the same file: an earlier file may have harmed the first one. One
    that was killed was most likely killed by somebody else, so that has to happen more often.
    """

    def __init__(
        self, setup: Mapping[str, Any], nursery: Nursery, selector: selectors.BaseSelector
    ) -> None:
        self._setup, self._nursery, self._selector = _line(setup), nursery, selector
        self._channel: socket.socket | None = None
        self._messages = -1
        self._process = 0
        self._served = 0
        self._waiting: deque[_Waiting] = deque()
        self._until = 0.0
        self._buffer, self._words = bytearray(), bytearray()

    @property
    def in_flight(self) -> int:
        """How many files were handed over and have no answer yet."""
        return len(self._waiting)

    @property
    def has_room(self) -> bool:
        """Whether it takes another file: its child is not to be replaced before."""
        return not self._waiting or self._served < RECYCLE

    @property
    def seconds_left(self) -> float:
        """Until the parent has to act."""
        return self._until - time.monotonic()

    def give(self, request: Mapping[str, Any]) -> None:
        """Hand over a file.

        Raises:
            SandboxError: No child can be started.
            LabelError: The child refuses its work.
        """
        if self._served >= RECYCLE and self._channel is not None and not self._waiting:
            self._end()
        self._served += 1
        self._waiting.append(_Waiting(self._served, request))
        if self._channel is None:
            self._begin_again()
            return
        if len(self._waiting) == 1:
            self._wind_up()
        self._send(self._waiting[-1])

    def _send(self, one: _Waiting) -> None:
        """Hand it to the child; not before its turn if the channel may not take it while a child is at work."""
        assert self._channel is not None
        line = _line({**one.request, "number": one.number})
        one.short = len(line) <= _SHORT
        before = (other for other in self._waiting if other.number < one.number)
        one.sent = one is self._waiting[0] or (
            one.short and all(other.sent and other.short for other in before)
        )
        if not one.sent:
            return
        with contextlib.suppress(OSError):  # its death is read next
            if not one.short:
                self._channel.settimeout(_GRACE)
            self._channel.sendall(line)
        if not one.short:
            self._channel.setblocking(False)

    def _wind_up(self) -> None:
        """The clock of the first file: it begins when the one before is known to be done."""
        if self._waiting:
            self._until = time.monotonic() + self._waiting[0].request["deadline"] + _GRACE

    def _begin_again(self) -> None:
        """Hand what has no answer to a new child."""
        if not self._waiting:
            return
        self._start()
        for number, one in enumerate(self._waiting, 1):
            one.number = self._served = number
            self._send(one)
        self._wind_up()

    def take(self) -> list[Answer]:
        """What has become of files since, in the order in which they were given."""
        if self._channel is None:
            return []
        try:
            block = self._channel.recv(_BLOCK)
        except BlockingIOError:
            return self._overdue()
        except OSError:
            block = b""
        if not block:
            return self._died()
        self._buffer += block
        *lines, self._buffer = self._buffer.split(b"\n")
        answers: list[Answer] = []
        for line in lines:
            answer = self._understood(bytes(line))
            if isinstance(answer, Death):
                return answers + self._believed(answer, _DEATHS)  # whatever else it said
            answers.append(answer)
        if len(self._buffer) > _MAX_ANSWER:
            return answers + self._guilty(Death("crashed", "too much said"))
        if len(block) == _BLOCK:  # an answer that may wait here since long, and has yet to be read
            self._until = max(self._until, time.monotonic() + _GRACE)
        return answers or self._overdue()

    def listen(self) -> None:
        """Take what the child printed, so that it never waits for a reader; only the last of it is kept."""
        try:
            block = os.read(self._messages, _BLOCK)
        except BlockingIOError:
            return
        if not block:
            self._selector.unregister(self._messages)
            os.close(self._messages)
            self._messages = -1
        self._words += block
        del self._words[:-_LAST_WORDS]

    def close(self) -> None:
        """Let the child go: at once if it is at work, else when it has noticed."""
        if self._channel is not None:
            self._end(kill=bool(self._waiting))
        self._waiting.clear()

    def _overdue(self) -> list[Answer]:
        """The end of a first file whose time is over, even of one that goes on to say a little now and then."""
        late = self._waiting and self.seconds_left < 0
        return self._guilty(Death("deadline")) if late else []

    # --- what became of a file -----------------------------------------------------------------

    def _understood(self, line: bytes) -> Answer:
        """The answer of the first file, after which the clock of the next begins; or how its child failed."""
        answer = _parsed(line)
        number = answer.pop("number", 0) if answer is not None else 0
        if answer is None or not self._waiting or number != self._waiting[0].number:
            self._end(kill=True)
            return Death("crashed", "not understood")
        if "failed" in answer:
            how, words = str(answer.get("kind", "")), str(answer.get("message", ""))
            self._end()
            return Death("memory" if answer["failed"] == "memory" else "crashed", how, words)
        self._waiting.popleft()
        self._wind_up()
        for one in self._waiting:
            if not one.sent:
                self._send(one)
        return answer

    def _died(self) -> list[Answer]:
        code, words = self._end()
        if code == -signal.SIGALRM:
            return self._guilty(Death("deadline"))
        how = f"exit {code}" if code >= 0 else _signal(-code)
        reason = "memory" if "memory allocation of" in words else "crashed"
        enough = _KILLINGS if code == -signal.SIGKILL else _DEATHS
        return self._believed(Death(reason, how, words), enough)

    def _believed(self, death: Death, enough: int) -> list[Answer]:
        """The death of the first file when it has happened often enough; before, a new child is asked."""
        if self._waiting:
            self._waiting[0].deaths += 1
            if self._waiting[0].deaths >= enough:
                return self._guilty(death)
        self._begin_again()
        return []

    def _guilty(self, death: Death) -> list[Answer]:
        """The first file has cost its child, and no doubt about it; the next child goes on with the others."""
        if self._channel is not None:
            self._end(kill=True)
        answers: list[Answer] = [death] if self._waiting else []
        if self._waiting:
            self._waiting.popleft()
        self._begin_again()
        return answers

    # --- birth and end -------------------------------------------------------------------------

    def _start(self) -> None:
        for _ in range(_STARTS):
            channel = self._bear()
            words = self._greet(channel)
            if words is None:
                channel.setblocking(False)
                self._selector.register(channel, selectors.EVENT_READ, self)
                return
        self._waiting.clear()
        raise SandboxError(
            f"A child process does not start. {words}".strip(),
            code="sandbox-start",
            hint="Run `aikz-label doctor` to see what is missing.",
        )

    def _bear(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        messages, write = os.pipe()
        try:
            self._process = self._nursery.start(theirs, write)
        except BaseException:
            ours.close()
            os.close(messages)
            raise
        finally:
            theirs.close()
            os.close(write)
        self._channel, self._messages, self._served = ours, messages, 0
        self._buffer, self._words = bytearray(), bytearray()
        os.set_blocking(messages, False)
        self._selector.register(messages, selectors.EVENT_READ, self.listen)
        return ours

    def _greet(self, channel: socket.socket) -> str | None:
        """Tell a new child its work and wait until it is ready: its imports are no file's fault.

        Returns:
            The last words of one that died of it.
        """
        channel.settimeout(_START_LIMIT)
        answer = {}
        with contextlib.suppress(OSError, ValueError):
            channel.sendall(self._setup)
            answer = json.loads(_read_line(channel))
        if "ready" in answer:
            return None
        _, words = self._end()
        if "refused" in answer:
            self._waiting.clear()
            raise error_from(answer["refused"])
        return words

    def _end(self, *, kill: bool = False) -> tuple[int, str]:
        """Part with the child; returns its exit code, or minus its signal, and its last words."""
        assert self._channel is not None
        if kill:
            with contextlib.suppress(OSError):
                os.kill(self._process, signal.SIGKILL)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(self._channel)
        self._channel.close()
        self._channel = None
        status = self._nursery.reap(self._process)
        if self._messages >= 0:
            self.listen()
        if self._messages >= 0:
            self._selector.unregister(self._messages)
            os.close(self._messages)
            self._messages = -1
        words, self._served = self._words.decode("utf-8", "replace").strip(), 0
        return os.waitstatus_to_exitcode(status), words


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals, which have no names
        return f"signal {number}"


def _parsed(line: bytes) -> dict[str, Any] | None:
    """An answer; `None` for what is none, or is nested so deep that those who walk it would run out of stack."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    shallow = line.count(b"[") + line.count(b"{") <= _DEEPEST
    return answer if shallow or _fits(answer) else None


def _fits(answer: dict[str, Any]) -> bool:
    level: list[Any] = [answer]
    for _ in range(_DEEPEST):
        below = (one.values() if isinstance(one, dict) else one for one in level)
        level = [value for values in below for value in values if isinstance(value, dict | list)]
        if not level:
            return True
    return False


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def _read_line(channel: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (block := channel.recv(_BLOCK)):
        line += block
    return line
