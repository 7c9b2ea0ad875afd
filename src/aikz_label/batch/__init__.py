"""Many files: each costs at most itself.

`verify_many` is the public function; the command line and the integrations use `verify_rows` below it, and `mark_rows` of
`marking`.
Files are looked at by child processes (`aikz_label.sandbox`), so content can neither crash, hang nor exhaust the caller.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self, TypeAlias

from aikz_label import limits, profile, rules
from aikz_label.asked import Moment, Trust, believing
from aikz_label.config import Config
from aikz_label.errors import UsageError
from aikz_label.files.storage import is_uri
from aikz_label.limits import MIB, Limits
from aikz_label.profile import Profile
from aikz_label.report import Evidence, Message, Report, Verdict, columns, message
from aikz_label.sandbox import wire, work
from aikz_label.sandbox.child import Walls
from aikz_label.sandbox.failures import Death
from aikz_label.sandbox.nursery import Beside, Nursery
from aikz_label.sandbox.pool import Pool
from aikz_label.sandbox.slot import Answer
from aikz_label.values import dataclass

Name: TypeAlias = "str | Path"

DEADLINE = 10.0  # seconds for verifying one file
WALLS = Walls()


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
        UsageError: No such profile, no list of sources, or a number that cannot be right.
    """
    if isinstance(sources, str | Path):  # else each letter would be taken for a file
        raise UsageError("One source is no list of sources.", hint="Use verify_many([source]).")
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
            return rules.judge(lost(Death("crashed", "not understood")), numbers).at(self.uri)
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
        self._here = folder()
        self._pool: Pool[str] = pool_for(order, jobs, deadline, nursery)

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
        for name, answer in self._answers(sources, ordered=ordered, stopping=stopping):
            yield _row(name, answer, self._order, self._deadline)

    def columns(self, sources: Iterable[Name]) -> Generator[list[Any]]:
        """One row of a table for each source, in their order; for children whose order is `tabular`."""
        for name, answer in self._answers(sources, ordered=True):
            yield _columns(name, answer, self._order, self._deadline)

    def _answers(
        self,
        sources: Iterable[Name],
        *,
        ordered: bool,
        stopping: Callable[[], bool] = bool,
    ) -> Iterator[tuple[str, Answer]]:
        requests = (
            (name, {"uri": absolute(self._here, name), "name": name, "deadline": self._deadline})
            for name in (os.fspath(source) for source in sources)
        )
        return self._pool.run(requests, ordered=ordered, stopping=stopping)


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


def pool_for(order: work.Work, jobs: int, deadline: float, nursery: Nursery | None) -> Pool[Any]:
    """Children for one kind of work.

    Raises:
        UsageError: There would be no child, or no time.
    """
    if jobs < 0 or deadline <= 0:
        raise UsageError("The number of jobs and the deadline must be positive.")
    return Pool(work.setup(order), nursery or Beside(), jobs=jobs or processors(), walls=WALLS)


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def folder() -> str:
    """Where relative names start, in the nursery too; empty when that folder is gone."""
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:
        return ""


def absolute(here: str, name: str) -> str:
    """A name as the nursery, which may be elsewhere, can use it."""
    if name == work.STANDARD_INPUT or is_uri(name):
        return name
    return os.path.join(here, name)  # noqa: PTH118


def _row(name: str, answer: Answer, order: work.Verifying, deadline: float) -> Row:
    if isinstance(answer, Death):
        return _dead(name, answer, order, deadline)
    try:
        return read_row(name, answer)
    except (ValueError, TypeError, KeyError):
        return _dead(name, Death("crashed", "not understood"), order, deadline)


def read_row(name: str, answer: Mapping[str, Any]) -> Row:
    """A row from a child, every value of it checked that the parent will use.

    Raises:
        ValueError, TypeError, KeyError: It is not what a child answers.
    """
    wire.load(Message, answer["reason"]).text("en")  # it can be said
    whole = wire.load(str, answer.get("report", ""))
    if not (whole.isascii() and whole.isprintable()):
        raise ValueError("report")
    fields: dict[str, Any] = {
        key: answer[key] for key in ("size", "state", "sha256", "ms", "error") if key in answer
    }
    fields |= {"evidence": answer["evidence"], "whole": whole, "uri": name}
    return wire.load(Row, {**fields, "verdict": answer["verdict"], "reason": answer["reason"]})


def _columns(name: str, answer: Answer, order: work.Verifying, deadline: float) -> list[Any]:
    if not isinstance(answer, Death):
        try:
            return columns.checked(name, answer.get("columns"))
        except ValueError:
            answer = Death("crashed", "not understood")
    row = _dead(name, answer, order, deadline)
    return columns.values(row, row.report(profile.load_profile(order.profile_name)))


def _dead(name: str, death: Death, order: work.Verifying, deadline: float) -> Row:
    evidence = lost(death, deadline)
    report = rules.judge(evidence, profile.load_profile(order.profile_name)).at(name)
    return Row(
        name,
        report.verdict,
        report.reason,
        wire.dump(evidence),
        detail=death.words[-300:],
        whole=report.to_json() if order.whole else "",
    )


def lost(death: Death, deadline: float = DEADLINE) -> Evidence:
    """What can be said of a file whose child did not live to answer."""
    words: dict[str, object] = {"how": death.how}
    if death.reason == "deadline":
        words = {"seconds": f"{deadline:g}"}
    elif death.reason == "memory":
        words = {"limit": WALLS.address_space // MIB}
    return Evidence(problem=message(f"unreadable.{death.reason}", **words))
