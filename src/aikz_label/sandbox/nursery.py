"""Where children come from: a process that has imported everything, looked at nothing, and forks on request.

Forking costs a few milliseconds where starting an interpreter with the engine costs two hundred, so a stream of crashing
files slows a batch down little. The nursery has one thread, and so is safe to fork whatever its parent does; its children
die with it, and it goes when its parent has gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import sys
import threading
import time
from typing import NoReturn, Protocol

from aikz_label.errors import SandboxError
from aikz_label.sandbox import child

_NATURAL = 1.0  # seconds in which a child that closed its channel may still exit by itself
_MESSAGE = struct.Struct("<cq")
_START, _REAP, _READY, _FAILED, _GONE = b"s", b"r", b"y", b"f", b"g"
_GARBAGE = 700  # new objects after which children look for some, as interpreters do by themselves
_TRIES = 3  # for a nursery that is killed while it starts
_UNKNOWN = int(
    signal.SIGKILL
)  # a child that nobody can ask about any more was killed with its nursery

ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_SPAWN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from aikz_label.sandbox import nursery; nursery.run(int(sys.argv[1]))"
)


class Nursery(Protocol):
    """Starts children and buries them."""

    def start(self, channel: socket.socket, messages: int) -> int:
        """Start a child on its end of a channel, its output going to a descriptor.

        Returns:
            Its process id, which is its own until `reap`.

        Raises:
            SandboxError: It cannot be started.
        """

    def reap(self, process: int) -> int:
        """Wait a moment for a child to end, kill it if it does not, and return its status as `os.wait` gives it."""

    def close(self) -> None:
        """Let everything go."""


class Here:
    """Forks this very process: only where it has one thread and has not touched the engine."""

    def __init__(self, *, keep_input: bool = False) -> None:
        self._keep_input = keep_input

    def start(self, channel: socket.socket, messages: int) -> int:
        """Start a child."""
        return fork(channel, messages, keep_input=self._keep_input)

    def reap(self, process: int) -> int:
        """Bury a child."""
        return bury(process)

    def close(self) -> None:
        """Nothing to let go."""


class Beside:
    """A nursery of its own in another process, over a control channel that carries descriptors."""

    def __init__(self, *, forked: bool = False) -> None:
        self._launch(forked=forked)

    def _launch(self, *, forked: bool) -> None:
        _check_platform()
        forked = forked and _alone()
        for _ in range(_TRIES):
            ours, theirs = socket.socketpair()
            self._control = ours
            try:
                self._process = _fork_nursery(ours, theirs) if forked else _spawn_nursery(theirs)
            except OSError as error:
                ours.close()
                raise _cannot_start(error.strerror or str(error)) from error
            finally:
                theirs.close()
            what, number = self._receive()
            if what == _READY:
                return
            problem = ours.recv(number).decode("utf-8", "replace") if what == _FAILED else ""
            self.close()
            if problem:
                break
        raise _cannot_start(problem)

    def start(self, channel: socket.socket, messages: int) -> int:
        """Start a child; when the nursery itself was killed, its place is taken by another."""
        what, number = self._ask_for(channel, messages)
        if what == _GONE:
            self.close()
            self._launch(forked=False)  # this process may have threads by now
            what, number = self._ask_for(channel, messages)
        if what != _READY:
            raise _cannot_start(os.strerror(number) if what == _FAILED else "")
        return number

    def _ask_for(self, channel: socket.socket, messages: int) -> tuple[bytes, int]:
        with contextlib.suppress(OSError):
            request, descriptors = _MESSAGE.pack(_START, 0), [channel.fileno(), messages]
            socket.send_fds(self._control, [request], descriptors)
        return self._receive()

    def reap(self, process: int) -> int:
        """Bury a child."""
        try:
            self._control.sendall(_MESSAGE.pack(_REAP, process))
        except OSError:
            return _UNKNOWN
        return self._receive()[1]

    def close(self) -> None:
        """End the nursery, and with it every child."""
        self._control.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._process, 0)

    def _receive(self) -> tuple[bytes, int]:
        data = b""
        while len(data) < _MESSAGE.size:
            try:
                block = self._control.recv(_MESSAGE.size - len(data))
            except OSError:
                block = b""
            if not block:
                return _GONE, _UNKNOWN
            data += block
        what, number = _MESSAGE.unpack(data)
        return what, number


def available() -> bool:
    """Whether this operating system has what isolation is made of."""
    return hasattr(os, "fork")


def _alone() -> bool:
    """Whether this process has one thread, native ones included: only then is it safe to fork."""
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
    except OSError:  # no Linux
        return threading.active_count() == 1


def _check_platform() -> None:
    if not available():
        raise SandboxError(
            "Files cannot be isolated on this operating system.",
            code="sandbox-platform",
            hint="Use Linux or macOS, or verify one file at a time.",
        )


def _cannot_start(why: str) -> SandboxError:
    return SandboxError(
        f"No process can be started for looking at files. {why}".strip(),
        code="sandbox-start",
        hint="Run `aikz-label doctor` to see what is missing.",
    )


def _fork_nursery(ours: socket.socket, theirs: socket.socket) -> int:
    process = os.fork()
    if not process:
        ours.close()
        run(theirs.detach())
    return process


def _spawn_nursery(theirs: socket.socket) -> int:
    import json  # noqa: PLC0415
    import subprocess  # noqa: PLC0415

    # -P: a folder of uploads may hold a json.py
    command = [sys.executable, "-P", "-c", _SPAWN, str(theirs.fileno()), json.dumps(sys.path)]
    started = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        env=os.environ | ALONE,
    )
    started.returncode = 0  # buried by `close`, not by the destructor
    return started.pid


def run(number: int) -> NoReturn:
    """Be a nursery on an inherited control channel, until its other end is closed."""
    control = socket.socket(fileno=number)
    code = 1
    try:
        _settle(number)
        try:
            _import_everything()
        except Exception as error:  # noqa: BLE001  # whatever is broken, the parent can say it
            problem = f"{type(error).__name__}: {error}".encode()[:4096]
            control.sendall(_MESSAGE.pack(_FAILED, len(problem)) + problem)
        else:
            control.sendall(_MESSAGE.pack(_READY, 0))
            _listen(control)
            code = 0
    finally:
        os._exit(code)


def _settle(control: int) -> None:
    """Out of the terminal's reach and of its parent's descriptors."""
    with contextlib.suppress(OSError):
        os.setsid()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.environ.update(ALONE)
    _use_one_arena()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.closerange(3, control)
    os.closerange(control + 1, max(control + 1, os.sysconf("SC_OPEN_MAX")))


_M_ARENA_MAX = -8  # of glibc's mallopt


def _use_one_arena() -> None:
    """What `ALONE` says, for a nursery that was forked: the library read its variables before.

    Else each thread of a codec sets 64 MiB of address space aside for itself.
    """
    import ctypes  # noqa: PLC0415

    with contextlib.suppress(OSError, TypeError, AttributeError):  # other libraries have none
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def _import_everything() -> None:
    """What every child needs; adapters of formats whose packages are missing answer for themselves."""
    import gc  # noqa: PLC0415

    from aikz_label import formats  # noqa: PLC0415
    from aikz_label.errors import MissingDependency  # noqa: PLC0415
    from aikz_label.sandbox import marking, sketching, work  # noqa: F401, PLC0415

    for row in formats.FORMATS.values():
        if row.supported:
            with contextlib.suppress(MissingDependency):
                formats.load_adapter(row)
    gc.collect()
    gc.freeze()  # shared pages stay shared
    # the command line's own is for imports; in a child, little garbage can hold large buffers
    gc.set_threshold(min(gc.get_threshold()[0], _GARBAGE))


def _listen(control: socket.socket) -> None:
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, _MESSAGE.size, 2)
        if len(data) < _MESSAGE.size:
            return
        what, number = _MESSAGE.unpack(data)
        if what == _START:
            channel, messages = socket.socket(fileno=descriptors[0]), descriptors[1]
            answer = _READY, 0
            try:
                answer = _READY, fork(channel, messages)
            except OSError as error:
                answer = _FAILED, error.errno or 0
            channel.close()
            os.close(messages)
        else:
            answer = _READY, bury(number)
        control.sendall(_MESSAGE.pack(*answer))


def fork(channel: socket.socket, messages: int, *, keep_input: bool = False) -> int:
    """Start a child of this process."""
    process = os.fork()
    if not process:
        child.serve(channel, messages, keep_input=keep_input)
    return process


def bury(process: int) -> int:
    """Its natural end if that comes soon, else a kill: so that a segmentation fault is not taken for one."""
    until = time.monotonic() + _NATURAL
    pause = 0.0005
    while True:
        try:
            ended, status = os.waitpid(process, os.WNOHANG)
        except ChildProcessError:
            return _UNKNOWN
        if ended:
            return status
        if time.monotonic() > until:
            break
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    return _after_kill(process)


def _after_kill(process: int) -> int:
    """A killed process can still hang inside the kernel, on a file system that has gone away."""
    until = time.monotonic() + _NATURAL
    while time.monotonic() < until:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.01)
    return int(signal.SIGKILL)
