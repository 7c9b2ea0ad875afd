"""The journal of a run: one line of JSON for each file, appended as it is finished, so that a killed run can go on.

The first line says which options the rows were made with; every other line is a row (`aikz_label.batch.Row` as
`wire.dump` gives it). A file that was verified again has a second row, and the newer one counts. A line that cannot be
read costs itself. Here it is written; `aikz_label.batch.recorded` reads one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import aikz_label
from aikz_label import files
from aikz_label.batch import Row
from aikz_label.batch.recorded import SCHEMA, Damage, key_of, lines, parsed
from aikz_label.errors import JournalError
from aikz_label.files.storage import Listed, is_uri
from aikz_label.report import Verdict
from aikz_label.sandbox import wire
from aikz_label.sandbox.work import Verifying, state_of
from aikz_label.values import replace

_SYNC_SECONDS, _SYNC_ROWS = 1.0, 1000
_BEGINS = f'{{"schema":"{SCHEMA}"'.encode()
_VERDICTS = tuple(Verdict)
_MARK = 12  # bytes that are remembered of a state, and of a hash: a million files take 100 MB


def options_of(order: Verifying) -> dict[str, Any]:
    """What must be the same for two runs to share a journal."""
    return {
        "profile": order.profile_name,
        "measure": order.measure,
        "hash": order.digest,
        "trust": [
            hashlib.sha256(f"{listed.kind}\n{listed.pem}".encode()).hexdigest()
            for listed in order.believing.trust
        ],
        "at": str(order.believing.at or ""),
        "ocsp": order.believing.responder,
        "limits": wire.dump(order.caps),
    }


class Journal:
    """A journal that is being written. Use it as a context manager.

    Attributes:
        counts: Files by verdict, those of earlier runs included; a file counts once.
        not_opened: How many of them could not be opened.
        damage: Lines of an earlier run that could not be read.
        earlier: Files that an earlier run had finished.
    """

    def __init__(self, path: Path, options: Mapping[str, Any], *, resume: bool = False) -> None:
        """Open and lock it.

        Raises:
            JournalError: It exists and nobody said to continue it, it is no journal, it was made with other options, or
                another run is writing it.
            OSError: It cannot be opened.
        """
        self.path = path
        self.counts: Counter[str] = Counter()
        self.not_opened = 0
        self.damage = Damage()
        self._seen: dict[bytes, bytes] = {}
        self._hashing = options.get("hash") is True
        self._unsynced, self._synced = 0, time.monotonic()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, 0o666)
        try:
            self._lock()
            self._size = os.fstat(self._descriptor).st_size
            if self._size and not resume:
                raise JournalError(
                    f"There is a journal {path} already.",
                    code="journal-exists",
                    hint="Continue it with --resume, or name another.",
                )
            if self._size:
                self._recall(options)
            self.earlier = len(self._seen)
            self._append(_header(options))
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            os.fdatasync(self._descriptor)
        os.close(self._descriptor)

    def has(self, uri: str) -> bool:
        """Whether an earlier run finished this file, and it is still the same one.

        Of an object only the listing of its bucket tells; one that is named by itself is taken to be the same. Where every
        file is hashed, a local one must also have the same content.
        """
        found = self._seen.get(key_of(uri))
        if found is None:
            return False
        if isinstance(uri, Listed):
            size, state = uri.size, uri.state
        elif is_uri(uri):
            return len(found) > 1
        else:
            try:
                now = os.lstat(uri)
            except (OSError, ValueError):
                return False
            size, state = now.st_size, state_of(Path(uri), now)
        same = found[:_MARK] == _fingerprint(size, state)
        if same and self._hashing and not is_uri(uri):
            return found[_MARK:-1] == _content(_sha256_of(uri))
        return same

    def add(self, row: Row) -> None:
        """Append a row.

        Raises:
            JournalError: There is no room for it; what is there stays whole.
        """
        content = wire.dump(replace(row, whole="", evidence={}))
        self._append({**content, "evidence": row.evidence})  # as it came: it is JSON already
        self._note(row.uri, row.size, row.state, row.verdict, row.sha256, opened=row.opened)

    # --- the file --------------------------------------------------------------------------------

    def _lock(self) -> None:
        import fcntl  # noqa: PLC0415  # isolation needs POSIX as well

        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            raise JournalError(f"{self.path} is not a regular file.", code="journal-not-a-file")
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JournalError(
                f"Another run is writing {self.path}.",
                code="journal-locked",
                hint="Wait for it to end, or name another journal.",
            ) from error

    def _append(self, content: Mapping[str, Any]) -> None:
        line = json.dumps(content, separators=(",", ":")).encode("ascii") + b"\n"
        try:
            written = os.write(self._descriptor, line)
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise JournalError(
                f"The journal {self.path} cannot be written: {error.strerror}.",
                code="journal-not-written",
                hint="Make room and run the same command again with --resume.",
            ) from error
        self._size += len(line)
        self._unsynced += 1
        now = time.monotonic()
        if self._unsynced >= _SYNC_ROWS or now - self._synced >= _SYNC_SECONDS:
            os.fdatasync(self._descriptor)
            self._unsynced, self._synced = 0, now

    def _recall(self, options: Mapping[str, Any]) -> None:
        """Take in what earlier runs wrote; cut off a last line that was torn."""
        with os.fdopen(os.dup(self._descriptor), "rb") as stream:
            stream.seek(0)
            whole = 0
            for number, line in enumerate(lines(stream), 1):
                if not line.endswith(b"\n"):
                    _check_torn(self.path, number, line)
                    break
                whole = stream.tell()
                content = parsed(line)
                if number == 1:
                    _check_header(self.path, content, options)
                elif content is None or not self._recalled(content):
                    self.damage.add(number)
        if whole < self._size:
            os.ftruncate(self._descriptor, whole)
            self._size = whole

    def _recalled(self, content: Mapping[str, Any]) -> bool:
        if content.get("schema") == SCHEMA:  # where another run went on
            return True
        try:
            code = content["reason"]["code"]
            self._note(
                content["uri"],
                content.get("size"),
                content.get("state", ""),
                Verdict(content["verdict"]),
                content.get("sha256", ""),
                opened=code != "unreadable.not-opened",
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return False
        return True

    def _note(
        self,
        uri: str,
        size: int | None,
        state: str,
        verdict: Verdict,
        sha256: str,
        *,
        opened: bool,
    ) -> None:
        key = key_of(uri)
        before = self._seen.get(key)
        if before is not None:
            word = before[-1] & 0x7F
            self.counts[_VERDICTS[word]] -= 1
            self.not_opened -= before[-1] >> 7
        self.counts[verdict] += 1
        self.not_opened += not opened
        last = _VERDICTS.index(verdict) | (not opened) << 7
        content = _content(sha256) if self._hashing else b""
        self._seen[key] = _fingerprint(size, state) + content + bytes([last])


def _header(options: Mapping[str, Any]) -> dict[str, Any]:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "schema": SCHEMA,
        "version": aikz_label.__version__,
        "started": started,
        "options": dict(options),
    }


def _check_header(
    path: Path, content: Mapping[str, Any] | None, options: Mapping[str, Any]
) -> None:
    if content is None or content.get("schema") != SCHEMA:
        raise JournalError(
            f"{path} is not a journal of this version, and is left as it is.",
            code="journal-unknown",
            hint="Name another file.",
        )
    before = content.get("options")
    changed = [
        key for key in options if not isinstance(before, dict) or before.get(key) != options[key]
    ]
    if changed:
        raise JournalError(
            f"{path} was made with other options ({', '.join(changed)}), so its rows cannot be continued.",
            code="journal-options",
            hint="Use the same options and trust lists, or begin another journal.",
        )


def _check_torn(path: Path, number: int, line: bytes) -> None:
    """Somebody else's file is never cut, be it ever so short."""
    shared = min(len(line), len(_BEGINS))
    if number == 1 and line[:shared] != _BEGINS[:shared]:
        _check_header(path, None, {})


def _fingerprint(size: int | None, state: str) -> bytes:
    """What is remembered of a file's state; one that could not be opened is never the same again."""
    if size is None:
        return b""
    return hashlib.blake2b(
        f"{size} {state}".encode("utf-8", "surrogatepass"), digest_size=_MARK
    ).digest()


def _content(sha256: str) -> bytes:
    """What is remembered of a file's content; nothing when its hash is not known."""
    return hashlib.blake2b(sha256.encode(), digest_size=_MARK).digest() if sha256 else b""


def _sha256_of(path: str) -> str:
    """Of a local file; empty when it cannot be read."""
    try:
        with files.open_source(Path(path)) as stream:
            return files.sha256(stream)
    except (OSError, ValueError):
        return ""
