"""Many files: each costs at most itself.

`verify_many` is the public function; the command line and the integrations use `verify_rows` and `mark_rows` below it.
Files are looked at by child processes (`aikz_label.sandbox`), so content can neither crash, hang nor exhaust the caller.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

from aikz_label import limits, profile, rules
from aikz_label.api import Moment, Trust, believing
from aikz_label.batch.lasting import marking_deadline
from aikz_label.config import Config
from aikz_label.errors import (
    ConfigError,
    EngineError,
    InvalidLabel,
    Refused,
    SigningError,
    TrustError,
    UsageError,
)
from aikz_label.files.storage import is_uri
from aikz_label.limits import MIB, Limits
from aikz_label.profile import Profile
from aikz_label.report import Evidence, Message, Report, Verdict, message
from aikz_label.sandbox import wire, work
from aikz_label.sandbox.child import Walls
from aikz_label.sandbox.failures import Death, error_from
from aikz_label.sandbox.nursery import Beside, Nursery
from aikz_label.sandbox.pool import Pool
from aikz_label.sandbox.slot import Answer

Name: TypeAlias = "str | Path"

DEADLINE = 10.0  # seconds for verifying one file
_WALLS = Walls()
_MAX_SKETCH = 64 * 1024
_BASE64 = re.compile(r"/9j/[A-Za-z0-9+/]+=*").fullmatch  # of a JPEG


def verify_many(
    sources: Iterable[Name],
    *,
    jobs: int = 0,
    ordered: bool = True,
    deadline: float = DEADLINE,
    trust: Trust | None = None,
    at: Moment | None = None,
    ocsp: str = "",
    measure: bool = False,
    password: str = "",
    profile_name: str = profile.DEFAULT,
    config: str | Path | Config | None = None,
    caps: Limits = limits.DEFAULT,
) -> Iterator[Report]:
    """Verify any number of files, each isolated from the caller and from all others.

    One report for each source, whatever it holds. A file that crashes, hangs or exhausts a child process is `unreadable`,
    with the code `unreadable.crashed`, `unreadable.deadline` or `unreadable.memory`; so is one that cannot be opened, with
    `unreadable.not-opened`. Sources are taken as children become free, so a generator of millions is fine. The children
    end when the iterator is used up or closed.

    Args:
        sources: Paths, or URIs of object storage such as `s3://bucket/key`.
        jobs: How many child processes; one for each processor when 0.
        ordered: Give the reports in the order of the sources; else as they are finished.
        deadline: Seconds for one file.
        trust: As for `verify`.
        at: As for `verify`.
        ocsp: As for `verify`.
        measure: As for `verify`.
        password: As for `verify`, of all that are encrypted.
        profile_name: As for `verify`.
        config: As for `verify`.
        caps: As for `verify`.

    Raises:
        SandboxError: Child processes cannot be run here.
        TrustError: A trust list does not hold.
        UsageError: No such profile, or a number that cannot be right.
    """
    numbers = profile.load_profile(profile_name)
    believed = believing(trust, config, at, ocsp)
    order = work.Verifying(believed, profile_name, measure, caps, password=password)
    rows = verify_rows(sources, order, jobs=jobs, ordered=ordered, deadline=deadline)
    return (row.report(numbers) for row in rows)


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one file after a batch: the words that matter, and the facts behind them.

    Attributes:
        uri: The source as it was named.
        verdict: The one word.
        reason: What decided it.
        evidence: The facts, as `wire.dump` gives them.
        size: Bytes, when it could be opened.
        state: What changes when the file does: its time of change, or the object's version.
        sha256: Of the whole file, when asked for.
        ms: Milliseconds it took.
        detail: The last words of a process that died; untrusted text.
        error: Why it could not be opened: kind, message, code, hint and errno.
        whole: The whole report as a line of JSON, when asked for.
    """

    uri: str
    verdict: Verdict
    reason: Message
    evidence: Mapping[str, Any]
    size: int | None = None
    state: str = ""
    sha256: str = ""
    ms: float = 0.0
    detail: str = ""
    error: Mapping[str, Any] | None = None
    whole: str = ""

    def __post_init__(self) -> None:
        if self.size is not None and not 0 <= self.size < 1 << 63:  # what tables can hold
            raise ValueError("size")

    @property
    def opened(self) -> bool:
        """Whether there was a file to say something about."""
        return self.reason.code != "unreadable.not-opened"

    @property
    def self_issued(self) -> bool:
        """Its marker is intact and believed only because this machine made it."""
        return bool(self.evidence.get("marker", {}).get("self_issued"))

    def report(self, numbers: Profile) -> Report:
        """The whole report, judged again from the facts."""
        try:
            report = rules.judge(wire.load(Evidence, self.evidence), numbers).at(self.uri)
            for said in (report.reason, *report.limits, *(one.message for one in report.findings)):
                said.text("en")  # it can be said
        except (ValueError, KeyError):  # a child that was taken over can say anything
            return rules.judge(_lost(Death("crashed", "not understood")), numbers).at(self.uri)
        return report


class Verifier:
    """Children that verify, kept from one stream of files to the next. Use it as a context manager.

    Args:
        order: What to do with each file.
        jobs: How many children; one for each processor when 0.
        deadline: Seconds for one file.
        nursery: Where children come from; a new one when `None`.
    """

    def __init__(
        self,
        order: work.Verifying,
        *,
        jobs: int = 0,
        deadline: float = DEADLINE,
        nursery: Nursery | None = None,
    ) -> None:
        self._order, self._deadline = order, deadline
        self._here = _folder()
        self._pool: Pool[str] = _pool(order, jobs, deadline, nursery)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the children go."""
        self._pool.close()

    def rows(
        self,
        sources: Iterable[Name],
        *,
        ordered: bool = False,
        stopping: Callable[[], bool] = bool,
    ) -> Generator[Row]:
        """One row for each source.

        Args:
            sources: Paths and URIs.
            ordered: Keep the order.
            stopping: Once it says so, no more files are begun.
        """
        requests = (
            (name, {"uri": _absolute(self._here, name), "name": name, "deadline": self._deadline})
            for name in (os.fspath(source) for source in sources)
        )
        for name, answer in self._pool.run(requests, ordered=ordered, stopping=stopping):
            yield _row(name, answer, self._order, self._deadline)


def verify_rows(
    sources: Iterable[Name],
    order: work.Verifying,
    *,
    jobs: int = 0,
    ordered: bool = False,
    deadline: float = DEADLINE,
    nursery: Nursery | None = None,
    stopping: Callable[[], bool] = bool,
) -> Generator[Row]:
    """One row for each source, by children that go at the end; see `Verifier`."""
    with Verifier(order, jobs=jobs, deadline=deadline, nursery=nursery) as verifier:
        yield from verifier.rows(sources, ordered=ordered, stopping=stopping)


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of one file that was to be marked.

    Attributes:
        source: The file.
        target: Where the labelled one is, or would be.
        row: The finished file, verified; `None` when there is none.
        error: Why there is none.
        warnings: What the caller should know, one English sentence each.
    """

    source: str
    target: str
    row: Row | None = None
    error: Exception | None = None
    warnings: tuple[str, ...] = ()


# What one file shows to be wrong is wrong for all of them.
_FOR_ALL = (ConfigError, EngineError, InvalidLabel, SigningError, TrustError)


def mark_rows(
    pairs: Iterable[tuple[Name, Name]],
    order: work.Marking,
    *,
    jobs: int = 0,
    deadline: float | None = None,
    nursery: Nursery | None = None,
    stopping: Callable[[], bool] = bool,
) -> Generator[Marked]:
    """Mark each source into its target; a refusal, a crash or a hang costs that file only and leaves nothing there.

    Args:
        pairs: Sources and targets.
        order: What to declare, and how.
        jobs: How many children; one for each processor when 0.
        deadline: Seconds for one file; in proportion to its size and its duration when `None`.
        nursery: Where children come from; a new one when `None`.
        stopping: Once it says so, no more files are begun.

    Raises:
        LabelError: Something is wrong for every file: the signer, the configuration, the label.
    """
    here = _folder()
    requests = (
        (
            (source, target),
            {
                "uri": _absolute(here, source),
                "target": _absolute(here, target),
                "deadline": deadline or marking_deadline(source),
            },
        )
        for source, target in ((os.fspath(a), os.fspath(b)) for a, b in pairs)
    )
    pool: Pool[tuple[str, str]] = _pool(order, jobs, deadline or 1.0, nursery)
    with pool:
        answers = pool.run(requests, ordered=True, careful=True, stopping=stopping)
        for (source, target), answer in answers:
            yield _marked(source, target, answer)


def sketches(sources: Iterable[Name]) -> Iterator[tuple[str, str]]:
    """Sources with a small picture of each, a JPEG in base64; without those that have none."""
    here = _folder()
    requests = (
        (name, {"uri": _absolute(here, name), "deadline": DEADLINE})
        for name in (os.fspath(source) for source in sources)
    )
    pool: Pool[str] = _pool(work.Sketching(), 0, DEADLINE, None)
    with pool:
        for name, answer in pool.run(requests):
            jpeg = answer.get("jpeg") if isinstance(answer, dict) else None
            if isinstance(jpeg, str) and len(jpeg) < _MAX_SKETCH and _BASE64(jpeg):
                yield name, jpeg


def _pool(order: work.Work, jobs: int, deadline: float, nursery: Nursery | None) -> Pool[Any]:
    if jobs < 0 or deadline <= 0:
        raise UsageError("The number of jobs and the deadline must be positive.")
    return Pool(work.setup(order), nursery or Beside(), jobs=jobs or processors(), walls=_WALLS)


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _folder() -> str:
    """Where relative names start, in the nursery too; empty when that folder is gone."""
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:
        return ""


def _absolute(folder: str, name: str) -> str:
    if name == work.STANDARD_INPUT or is_uri(name):
        return name
    return os.path.join(folder, name)  # noqa: PTH118


def _row(name: str, answer: Answer, order: work.Verifying, deadline: float) -> Row:
    if isinstance(answer, Death):
        return _dead(name, answer, order, deadline)
    try:
        return _read_row(name, answer)
    except (ValueError, TypeError, KeyError):
        return _dead(name, Death("crashed", "not understood"), order, deadline)


def _read_row(name: str, answer: Mapping[str, Any]) -> Row:
    """A row from a child, every value of it checked that the parent will use."""
    wire.load(Message, answer["reason"]).text("en")  # it can be said
    whole = wire.load(str, answer.get("report", ""))
    if not (whole.isascii() and whole.isprintable()):
        raise ValueError("report")
    fields: dict[str, Any] = {
        key: answer[key] for key in ("size", "state", "sha256", "ms", "error") if key in answer
    }
    fields |= {"evidence": answer["evidence"], "whole": whole, "uri": name}
    return wire.load(Row, {**fields, "verdict": answer["verdict"], "reason": answer["reason"]})


def _dead(name: str, death: Death, order: work.Verifying, deadline: float) -> Row:
    evidence = _lost(death, deadline)
    report = rules.judge(evidence, profile.load_profile(order.profile_name)).at(name)
    return Row(
        name,
        report.verdict,
        report.reason,
        wire.dump(evidence),
        detail=death.words[-300:],
        whole=report.to_json() if order.whole else "",
    )


def _lost(death: Death, deadline: float = DEADLINE) -> Evidence:
    """What can be said of a file whose child did not live to answer."""
    words: dict[str, object] = {"how": death.how}
    if death.reason == "deadline":
        words = {"seconds": f"{deadline:g}"}
    elif death.reason == "memory":
        words = {"limit": _WALLS.address_space // MIB}
    return Evidence(problem=message(f"unreadable.{death.reason}", **words))


def _marked(source: str, target: str, answer: Answer) -> Marked:
    if isinstance(answer, Death):
        problem = _lost(answer, marking_deadline(source)).problem
        assert problem is not None
        lost = Refused(problem.text("en"), code=answer.reason, hint="Nothing was written.")
        return Marked(source, target, error=lost)
    if "refused" in answer:
        refused = error_from(answer["refused"])
        if isinstance(refused, _FOR_ALL):
            raise refused
        return Marked(source, target, error=refused)
    row = _read_row(target, answer)
    return Marked(source, target, row, warnings=tuple(map(str, answer["warnings"])))
