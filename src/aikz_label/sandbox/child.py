"""Inside a child: shed what is not needed, accept the limits, then answer one request at a time.

The deadline is a timer of the kernel with its default action, so it ends even a child that is stuck in native code. The
parent keeps a second clock for a child that has lost its first.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from aikz_label.sandbox.failures import described
from aikz_label.values import dataclass

if TYPE_CHECKING:
    import socket

    from aikz_label.sandbox.work import Work

_PR_SET_PDEATHSIG = 1
_IGNORED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE")


@dataclass(frozen=True, slots=True)
class Walls:
    """What the operating system holds a child to.

    Attributes:
        address_space: Bytes of memory it can map, 1 GiB by default.
        file_size: Bytes it can write into one file; a verifying child writes only what it spools.
        descriptors: Files it can have open.
    """

    address_space: int = 1024 * 1024 * 1024
    file_size: int = 1024 * 1024 * 1024
    descriptors: int = 256


def serve(channel: socket.socket, messages: int, *, keep_input: bool = False) -> NoReturn:
    """Live as a child, until the other end of the channel is closed.

    Args:
        channel: Where requests come from and answers go to.
        messages: Descriptor that takes what libraries print.
        keep_input: Standard input is what will be asked for, so leave it.
    """
    code = 1
    try:
        _quiet(channel.fileno(), messages, keep_input=keep_input)
        with channel.makefile("rb") as requests:
            _answer(channel, requests.readline, dies_with=os.getppid())
        code = 0
    except BaseException as error:  # noqa: BLE001  # nothing of the parent's clean-up may run here
        with contextlib.suppress(Exception):
            os.write(2, f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(code)


def _quiet(channel: int, messages: int, *, keep_input: bool) -> None:
    """Close every inherited descriptor, send all output to `messages`, leave signals to the parent."""
    for name in _IGNORED:  # Ctrl-C reaches the whole group, and the file at hand is innocent
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    nothing = os.open(os.devnull, os.O_RDWR)
    if not keep_input:
        os.dup2(nothing, 0)
    os.dup2(messages, 1)
    os.dup2(messages, 2)
    first = 3
    for kept in sorted({channel}):
        os.closerange(first, kept)
        first = kept + 1
    os.closerange(first, max(first, os.sysconf("SC_OPEN_MAX")))
    # what the parent had buffered is the parent's to print
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115


def _answer(channel: socket.socket, next_line: Any, *, dies_with: int) -> None:
    setup = json.loads(next_line() or b"{}")
    if not setup:
        return
    try:
        work = _prepare(setup)
        _confine(Walls(**setup["walls"]), dies_with)
    except Exception as error:  # noqa: BLE001  # the parent knows what to make of it
        _send(channel, {"refused": described(error)})
        return
    _send(channel, {"ready": os.getpid()})
    while line := next_line():
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, request["deadline"])
        answer = _attempt(work, request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answer["number"] = request["number"]
        _send(channel, answer)
        if (
            "failed" in answer
        ):  # whatever is left of this process is not to be trusted with another file
            return


def _prepare(setup: Mapping[str, Any]) -> Work:
    from aikz_label.sandbox.work import prepare  # noqa: PLC0415  # the engine: only children need it

    return prepare(setup["work"], setup["options"])


def _confine(walls: Walls, dies_with: int) -> None:
    import resource  # noqa: PLC0415

    for name, wanted in (
        (resource.RLIMIT_AS, walls.address_space),
        (resource.RLIMIT_FSIZE, walls.file_size),
        (resource.RLIMIT_NOFILE, walls.descriptors),
        (resource.RLIMIT_CORE, 0),  # a core file would hold whatever was in memory
    ):
        _, hard = resource.getrlimit(name)
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(name, (limit, limit))
    _die_with(dies_with)


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process with its parent, even inside native code; elsewhere the timer does so later."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before the kernel was asked
        os._exit(1)


def _attempt(work: Work, request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        if request.get("sample"):
            work.try_sample()
            return {}
        return work(request)
    except MemoryError as error:
        return {"failed": "memory", **described(error)}
    except Exception as error:  # noqa: BLE001  # the file is at fault, or we are: either way it is one row
        return {"failed": "crashed", **described(error)}


def _send(channel: socket.socket, answer: Mapping[str, Any]) -> None:
    channel.sendall(json.dumps(answer, separators=(",", ":")).encode("ascii") + b"\n")
