"""`exec:PROGRAM?chain=PEM[&arg=…]…[&timeout=SECONDS]`: an external program holds the key.

It gets the bytes to sign on its standard input and the algorithm in the variable `AIKZ_LABEL_ALGORITHM`, and answers
with the signature on its standard output, nothing else. If it fails, what it says on its standard error is passed
on. No shell is involved. A name without a slash is looked up in `PATH`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from pathlib import Path

from aikz_label.errors import SigningError
from aikz_label.signing import Opened, SignerUri
from aikz_label.signing.secrets import Secrets
from aikz_label.texts import escape
from aikz_label.values import dataclass

_TIMEOUT = 30.0
_MAX_TIMEOUT = 600.0
_MAX_OUTPUT = 64 * 1024  # a signature has at most 1024 bytes; the rest is room for messages
_BLOCK = 8192


def open_key(uri: SignerUri, secrets: Secrets) -> Opened:  # noqa: ARG001  # it has its own
    """Find the program; it is started for each signature.

    Raises:
        SigningError: The URI is not right, or there is no such program.
        OSError: The file of certificates cannot be read.
    """
    from aikz_label.signing import profile  # noqa: PLC0415

    uri.check_options("chain", "arg", "timeout")
    chain = uri.option("chain")
    if not chain:
        raise SigningError(
            "An exec: signer needs the certificates of its key.",
            code="signer-chain",
            hint="Add ?chain=PEM, the leaf first.",
        )
    arguments = [value for key, value in uri.options if key == "arg"]
    certificates = (uri.base / chain).read_bytes()
    algorithm = profile.algorithm(profile.load_chain(certificates)[0].public_key())
    command = (str(_program(uri)), *arguments)
    return Opened(certificates, Program(command, algorithm, _seconds(uri.option("timeout"))))


def _program(uri: SignerUri) -> Path:
    name = uri.location
    bare = "/" not in uri.path and "\\" not in uri.path
    found = shutil.which(name.name if bare else name)
    if found is None:
        raise SigningError(
            f"There is no program {name.name if bare else name} that can be run.",
            code="signer-program",
            hint="Name it with its path, and make it executable.",
        )
    return Path(found).absolute()


def _seconds(text: str) -> float:
    try:
        seconds = float(text or _TIMEOUT)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _MAX_TIMEOUT:
        raise SigningError(
            f"The timeout {text!r} is not a number of seconds up to {_MAX_TIMEOUT:.0f}.",
            code="signer-uri",
            hint="Use for example timeout=30.",
        )
    return seconds


@dataclass(frozen=True, slots=True)
class Program:
    """Signs by running a program.

    Attributes:
        command: The program and its arguments.
        algorithm: C2PA name of the algorithm of the key.
        seconds: How long it may take.
    """

    command: tuple[str, ...]
    algorithm: str
    seconds: float

    def __call__(self, data: bytes) -> bytes:
        """Run it once.

        Raises:
            SigningError: It cannot be started, fails, hangs, or says too much or nothing.
        """
        name = Path(self.command[0]).name
        try:
            process = subprocess.Popen(  # noqa: S603  # the user named it; no shell
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "AIKZ_LABEL_ALGORITHM": self.algorithm},
                start_new_session=True,
            )
        except OSError as error:
            raise _failed(f"cannot be started: {error.strerror}", name) from error
        try:
            output, said = _talk(process, data, time.monotonic() + self.seconds)
        except TimeoutError:
            raise _failed(f"did not answer within {self.seconds:g} seconds", name) from None
        except OverflowError:
            raise _failed("says more than a signature can hold", name) from None
        finally:
            _end(process)
        if process.returncode:
            words = escape(said.decode("utf-8", "replace").strip(), 500) or "it says nothing"
            raise _failed(f"failed with exit code {process.returncode}: {words}", name)
        if not output:
            raise _failed("answered with nothing", name)
        return output


def _talk(process: subprocess.Popen[bytes], data: bytes, until: float) -> tuple[bytes, bytes]:
    """Give it the data and collect both outputs, bounded in time and size; then wait for its end."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with contextlib.suppress(BrokenPipeError):  # one that does not read may still answer
        process.stdin.write(data)  # a few kilobytes, less than a pipe holds
        process.stdin.close()
    collected = {process.stdout: b"", process.stderr: b""}
    with selectors.DefaultSelector() as waiting:
        for stream in collected:
            waiting.register(stream, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                stream = process.stdout if key.fileobj is process.stdout else process.stderr
                block = os.read(stream.fileno(), _BLOCK)
                collected[stream] += block
                if len(collected[stream]) > _MAX_OUTPUT:
                    raise OverflowError
                if not block:
                    waiting.unregister(stream)
    try:
        process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    return collected[process.stdout], collected[process.stderr]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing running: the program and whatever it started in its own session."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _failed(what: str, name: str) -> SigningError:
    return SigningError(
        f"The signing program {name} {what}.",
        code="signer-program",
        hint="Run it by hand: it reads the bytes to sign and writes the signature.",
    )
