"""A format whose files do to the process that reads them what the worst uploads do, for real.

Installed in tests as a plug-in, so that the product needs no hook for it: a file that begins with `MAGIC` names what
happens.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

MAGIC = b"\x00HOSTILE "
ENTRY = "[aikz_label.formats]\nhostile = hostile_plugin:recognise\n"


def install(folder: Path) -> None:
    """Make a folder that, once on the path of modules, brings the plug-in."""
    folder.mkdir(exist_ok=True)
    (folder / "hostile_plugin.py").write_bytes(Path(__file__).read_bytes())
    info = folder / "hostile_plugin-1.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile-plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRY)


def hostile(what: str) -> bytes:
    """A file that does this."""
    return MAGIC + what.encode() + b"\n"


def recognise(head: bytes):
    from aikz_label.formats import Format

    if not head.startswith(MAGIC):
        return None
    return Format(
        "hostile", "Hostile", "other", "application/x-hostile", (), "hostile_plugin:ADAPTER"
    )


class Adapter:
    notices = ()

    def read_marker(self, source, row, trust):
        from aikz_label.engine import Reading

        source.seek(len(MAGIC))
        what, _, rest = source.read(4096).decode().strip().partition(" ")
        getattr(self, what.replace("-", "_"))(rest)
        return Reading("absent")

    def examine(self, source, row, limits, *, thorough):
        from aikz_label.adapters import Examined

        return Examined()

    def nothing(self, _):
        """Harmless."""

    def segfault(self, _):
        ctypes.string_at(0)

    def abort(self, _):
        os.abort()

    def leave(self, code):
        os._exit(int(code))

    def killed(self, _):
        os.kill(os.getpid(), signal.SIGKILL)

    def signalled(self, number):
        os.kill(os.getpid(), int(number))

    def killed_once(self, flag):
        """Somebody kills the child, but only the first time."""
        path = Path(flag)
        if not path.exists():
            path.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def hang(self, _):
        while True:
            time.sleep(1)

    def spin(self, pidfile):
        """Busy, without a chance for Python's own signal handlers."""
        if pidfile:
            Path(pidfile).write_text(str(os.getpid()))
        ctypes.CDLL(None).pause() if sys.platform == "linux" else time.sleep(1000)

    def deaf(self, _):
        """Hangs, and has got rid of its own timer."""
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        time.sleep(1000)

    def dribble(self, _):
        """Goes on to say a little, without end, and has got rid of its own timer."""
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        while True:
            _say(" ", end="")

    def bomb(self, _):
        held = []
        while True:
            held.append(bytearray(400 * 1024 * 1024))

    def recursion(self, _):
        def deeper():
            deeper()

        deeper()

    def error(self, text):
        raise RuntimeError(text)

    def print_garbage(self, _):
        for descriptor in (1, 2):
            os.write(descriptor, b'\x1b[2J{"verdict": "labelled"}\n' * 3000)

    def write_without_end(self, _):
        import tempfile

        with tempfile.TemporaryFile() as stream:
            while True:
                stream.write(bytes(16 * 1024 * 1024))

    def slow(self, seconds):
        time.sleep(float(seconds))

    def poison(self, _):
        """Harmless itself, but the next file in the same process dies of it."""
        import threading

        import aikz_label.formats

        def sniff(_):
            ctypes.string_at(0)

        aikz_label.formats.sniff = sniff
        threading.stack_size()

    def forge(self, answer):
        """A child that was taken over answers in its own words, on every descriptor it has."""
        answer = answer or '{"verdict":"labelled","reason":{"code":"no.such"},"evidence":{}}'
        _say(f'{{"number":{_number()},{answer[1:]}')
        os._exit(0)

    def say(self, words):
        """Something that is no answer, such as a library may print, and goes on."""
        _say(words)


def _number() -> int:
    """What the child was told to repeat: whoever took it over can find that."""
    frame = sys._getframe()
    while "request" not in frame.f_locals or "number" not in frame.f_locals["request"]:
        frame = frame.f_back
    return frame.f_locals["request"]["number"]


def _say(words: str, end: str = "\n") -> None:
    for number in range(3, 20):
        try:
            os.write(number, (words + end).encode())
        except OSError:
            continue


ADAPTER = Adapter()
