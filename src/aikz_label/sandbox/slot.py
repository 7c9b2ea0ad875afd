"""A place for one child and one file at a time, seen from the parent."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Mapping
from typing import Any, TypeAlias

from aikz_label.errors import SandboxError
from aikz_label.sandbox.failures import Death, error_from
from aikz_label.sandbox.nursery import Nursery

RECYCLE = 5000  # files after which a child makes room for a new one
_START_LIMIT = 60.0  # seconds for a child to become ready
_GRACE = 2.0  # seconds past a deadline before the parent acts for a child whose own timer is lost
_MAX_ANSWER = 4 * 1024 * 1024
_LAST_WORDS = 4096
_BLOCK = 1 << 16
_DEATHS, _KILLINGS = 2, 4  # of how many children a file is guilty
_STARTS = 3  # for a child that is killed while it starts


Answer: TypeAlias = dict[str, Any] | Death


class Slot:
    """Keeps a child alive, gives it files, and says what became of each.

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
        self._request: Mapping[str, Any] | None = None
        self._died_of_it = 0
        self._until = 0.0
        self._buffer, self._words = bytearray(), bytearray()

    @property
    def busy(self) -> bool:
        """A file is in flight."""
        return self._request is not None

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
        if self._served >= RECYCLE and self._channel is not None:
            self._end()
        self._request, self._died_of_it = request, 0
        self._send(request)

    def _send(self, request: Mapping[str, Any]) -> None:
        if self._channel is None:
            self._start()
        assert self._channel is not None
        self._served += 1
        self._until = time.monotonic() + request["deadline"] + _GRACE
        with contextlib.suppress(OSError):  # its death is read next
            self._channel.sendall(_line(request))

    def take(self) -> Answer | None:
        """What has become of the file, or `None` when that is not known yet."""
        if self._channel is None:
            return None
        try:
            block = self._channel.recv(_BLOCK)
        except BlockingIOError:
            return self._overdue()
        except OSError:
            block = b""
        if not block:
            return self._died()
        self._buffer += block
        if len(self._buffer) > _MAX_ANSWER or (not self.busy):
            return self._settled(Death("crashed", "too much said"))
        if not block.endswith(b"\n"):
            return self._overdue()
        line, self._buffer = bytes(self._buffer), bytearray()
        return self._understood(line)

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
            self._end(kill=self.busy)
        self._request = None

    # --- what became of a file -----------------------------------------------------------------

    def _understood(self, line: bytes) -> Answer | None:
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            return self._settled(Death("crashed", "not understood"))
        if "failed" not in answer:
            self._request = None
            return answer
        how, words = str(answer.get("kind", "")), str(answer.get("message", ""))
        self._end()
        reason = "memory" if answer["failed"] == "memory" else "crashed"
        return self._believed(Death(reason, how, words), _DEATHS)

    def _overdue(self) -> Death | None:
        return self._settled(Death("deadline")) if self.busy and self.seconds_left < 0 else None

    def _settled(self, death: Death) -> Death | None:
        self._end(kill=True)
        busy, self._request = self.busy, None
        return death if busy else None

    def _died(self) -> Answer | None:
        code, words = self._end()
        if not self.busy:
            return None
        if code == -signal.SIGALRM:
            self._request = None
            return Death("deadline")
        how = f"exit {code}" if code >= 0 else _signal(-code)
        reason = "memory" if "memory allocation of" in words else "crashed"
        enough = _KILLINGS if code == -signal.SIGKILL else _DEATHS
        return self._believed(Death(reason, how, words), enough)

    def _believed(self, death: Death, enough: int) -> Death | None:
        """The death when it has happened often enough; before, a new child is asked."""
        assert self._request is not None
        self._died_of_it += 1
        if self._died_of_it >= enough:
            self._request = None
            return death
        self._send(self._request)
        return None

    # --- birth and end -------------------------------------------------------------------------

    def _start(self) -> None:
        for _ in range(_STARTS):
            channel = self._bear()
            words = self._greet(channel)
            if words is None:
                channel.setblocking(False)
                self._selector.register(channel, selectors.EVENT_READ, self)
                return
        self._request = None
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
            self._request = None
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


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def _read_line(channel: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (block := channel.recv(_BLOCK)):
        line += block
    return line
