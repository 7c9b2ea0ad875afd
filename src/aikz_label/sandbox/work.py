"""What a child can be asked for. Each kind of work is a frozen set of options that is called with one request at a time."""

from __future__ import annotations

import errno
import importlib
import io
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from aikz_label import files, limits, profile, rules
from aikz_label.carriers import sidecar
from aikz_label.carriers.sidecar import Sidecar
from aikz_label.checking import verify_stream
from aikz_label.errors import LabelError, MissingDependency, SourceError
from aikz_label.files import storage
from aikz_label.joining import Believing
from aikz_label.limits import Limits
from aikz_label.profile import Profile
from aikz_label.report import Evidence, MarkerState, Report, columns, message
from aikz_label.sandbox import wire
from aikz_label.sandbox.failures import described
from aikz_label.values import dataclass, field

STANDARD_INPUT = "\0stdin"  # no file has it; a child of the command line reads its own input


class Work(Protocol):
    """A request in, an answer out; both as JSON."""

    def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do it for one file."""

    def try_sample(self) -> None:
        """Do it for the sample that this package brings, to tell a broken installation from hostile files.

        Raises:
            LabelError: It does not work.
        """


@dataclass(frozen=True, slots=True)
class Verifying:
    """Options of `verify` for many files.

    Attributes:
        believing: Whom to believe, as of when, and whom to ask.
        profile_name: Profile whose numbers a notice must reach.
        measure: Measure even what is attested, and search.
        caps: Limits while reading.
        digest: Also compute the SHA-256 of every file.
        whole: Also answer with the whole report as JSON.
        tabular: Answer with the columns of a table, and with them alone.
        sidecar: Path of the sidecar of the one file that is verified; looked for beside each when empty.
        password: Of encrypted documents.
    """

    believing: Believing = field(default_factory=Believing)
    profile_name: str = profile.DEFAULT
    measure: bool = False
    caps: Limits = limits.DEFAULT
    digest: bool = False
    whole: bool = False
    tabular: bool = False
    sidecar: str = ""
    password: str = field(default="", repr=False)

    def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Verify one file, and say which bytes those were."""
        started = time.perf_counter()
        report, facts = self._look(request["uri"])
        facts["ms"] = round(1000 * (time.perf_counter() - started), 1)
        if self.tabular:
            facts.pop("error", None)
            return {"columns": columns.values(columns.Facts(request["name"], **facts), report)}
        answer = {
            "verdict": str(report.verdict),
            "reason": wire.dump(report.reason),
            "evidence": wire.dump(report.evidence),
            **facts,
        }
        if self.whole:
            answer["report"] = report.at(request["name"]).to_json()
        return answer

    def _look(self, uri: str) -> tuple[Report, dict[str, Any]]:
        facts: dict[str, Any] = {}
        try:
            with opened(uri, self.caps) as (stream, beside, found):
                facts |= found
                if self.digest:
                    facts["sha256"] = files.sha256(stream)
                given = sidecar.given(self.sidecar) if self.sidecar else beside
                report = self._verify(stream, given)
                if given is None and _may_have_sidecar(uri, report):
                    report = self._verify(stream, sidecar.find_object(uri))
                return report, facts
        except MissingDependency as error:
            problem = message("unreadable.missing-package", package=error.hint)
        except OSError as error:
            if getattr(error, "code", "") == "source-changed":
                problem = message("unreadable.changed")
            else:
                problem = message("unreadable.not-opened", why_word=why(error))
                facts["error"] = described(error)
        return rules.judge(Evidence(problem=problem), self._numbers), facts

    @property
    def _numbers(self) -> Profile:
        return profile.load_profile(self.profile_name)

    def _verify(self, stream: BinaryIO, beside: Sidecar | None) -> Report:
        return verify_stream(
            stream,
            self.believing,
            self._numbers,
            self.caps,
            measure=self.measure,
            beside=beside,
            password=self.password,
        )

    def try_sample(self) -> None:
        """Verify the sample."""
        report = self._verify(io.BytesIO(sample()), None)
        if not report.evidence.marker.ours:
            raise LabelError(f"The built-in sample is {report.verdict}: {report.reason.text('en')}")


# Each kind in a module that is imported where it is asked for.
_KINDS = {"Verifying": __name__}
_KINDS |= {name: f"aikz_label.sandbox.{name.lower()}" for name in ("Marking", "Sketching")}


def setup(work: Work) -> dict[str, Any]:
    """Work as JSON, for a child that will do it."""
    return {"work": type(work).__name__, "options": wire.dump(work)}


def prepare(name: str, options: Mapping[str, Any]) -> Work:
    """What `setup` described."""
    kind: type[Work] = getattr(importlib.import_module(_KINDS[name]), name)
    return wire.load(kind, options)


def why(error: OSError) -> str:
    """Why a file could not be opened, as a word of the group `word`."""
    if isinstance(error, SourceError):
        return {"symlink": "a-link", "not-a-file": "not-a-file"}.get(error.code, "io-error")
    words = {
        errno.ENOENT: "not-found",
        errno.ENOTDIR: "not-found",
        errno.EACCES: "no-permission",
        errno.EPERM: "no-permission",
        errno.ELOOP: "a-link",
        errno.ENAMETOOLONG: "not-found",
    }
    return words.get(error.errno or 0, "io-error")


def _may_have_sidecar(uri: str, report: Report) -> bool:
    """Every request costs, so one is looked for only beside an object that holds no marker itself."""
    return storage.is_uri(uri) and report.evidence.marker.state is MarkerState.ABSENT


@contextmanager
def opened(uri: str, caps: Limits) -> Iterator[tuple[BinaryIO, Sidecar | None, dict[str, Any]]]:
    """The one descriptor through which a file is identified, hashed and verified; and its sidecar."""
    if uri == STANDARD_INPUT:
        with open(0, "rb", closefd=False) as piped, files.spool(piped, caps.max_bytes) as stream:
            yield stream, None, {}
        return
    if storage.is_uri(uri):
        with storage.open_object(uri) as (stream, size, state):
            yield stream, None, {"size": size, "state": state}
        return
    path = Path(uri)
    with files.open_source(path) as stream:
        found = os.fstat(stream.fileno())
        beside = sidecar.beside(path)
        facts = {"size": found.st_size, "state": _state(found, beside)}
        yield stream, sidecar.first_of(path, beside), facts


def state_of(path: Path, found: os.stat_result) -> str:
    """What tells one state of a local file from another: its times (nobody can set the second), and its sidecar's."""
    return _state(found, sidecar.beside(path))


def _state(found: os.stat_result, beside: Sequence[tuple[str, os.stat_result]]) -> str:
    times = (f"+{one.st_ctime_ns}" for _, one in beside)
    return f"{found.st_mtime_ns}.{found.st_ctime_ns}{''.join(times)}"


def sample() -> bytes:
    """The bytes of the sample."""
    return resources.files("aikz_label").joinpath("data", "sample.png").read_bytes()
