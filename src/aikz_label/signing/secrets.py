"""Passwords and PINs: from a file, from an environment variable that the user names, or from a person.

Never from a URI and never from the command line: both are shown in process lists, histories and logs.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from aikz_label.errors import SigningError
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from typing_extensions import Buffer

Ask: TypeAlias = Callable[[str], str]
_MAX_BYTES = 1024 * 1024


class Hidden(bytes):
    """Secret bytes. Tools that report errors with the variables of every frame show this instead of them."""

    def __repr__(self) -> str:
        return "<hidden>"

    def __add__(self, other: Buffer) -> Hidden:
        return Hidden(bytes(self) + bytes(other))


@dataclass(frozen=True, slots=True)
class Secrets:
    """Finds secrets.

    Attributes:
        base: Folder that relative paths start from.
        ask: Asks a person; `None` asks at the terminal, if there is one.
    """

    base: Path
    ask: Ask | None = None

    def get(self, where: str, what: str) -> Hidden:
        """The secret itself, UTF-8.

        Args:
            where: `env:NAME`, `file:PATH`, `prompt`, or empty for whichever person is there.
            what: What it opens, for the question and for errors.

        Raises:
            SigningError: It cannot be had there.
            OSError: The file cannot be read.
        """
        kind, _, name = where.partition(":")
        if kind == "env" and name:
            return self._from_environment(name, what)
        if kind == "file" and name:
            return Hidden(read_private(self.base / name).rstrip(b"\r\n"))
        if where not in {"", "prompt"}:
            raise SigningError(
                f"It is not clear where the secret for {what} is.",
                code="signer-secret",
                hint="Use env:NAME, file:PATH or prompt; the secret itself never stands in a URI.",
            )
        return self._from_person(what)

    def _from_environment(self, name: str, what: str) -> Hidden:
        if not os.environ.get(name):
            raise SigningError(
                f"The environment variable {name}, which should hold the secret for {what}, is empty or not set.",
                code="signer-secret",
                hint=f"Set {name} in the environment of this process.",
            )
        return Hidden(os.environ[name].encode("utf-8", "surrogateescape"))

    def _from_person(self, what: str) -> Hidden:
        question = f"Password or PIN for {what}: "
        if self.ask is not None:
            return Hidden(self.ask(question).encode())
        if sys.stdin is None or not sys.stdin.isatty():
            raise SigningError(
                f"A password or PIN is needed for {what}, and nobody is there to ask.",
                code="signer-secret",
                hint="Name its place in the signer URI: env:NAME or file:PATH.",
            )
        from getpass import getpass  # noqa: PLC0415

        return Hidden(getpass(question).encode())


def read_private(path: Path) -> Hidden:
    """Read a file that nobody else on the machine can read.

    Raises:
        SigningError: Others can.
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SigningError(
                f"The key file {path} can be read by other users (mode {stat.S_IMODE(mode):o}).",
                code="signer-mode",
                hint=f"chmod 600 {path}",
            )
        return Hidden(stream.read(_MAX_BYTES))
