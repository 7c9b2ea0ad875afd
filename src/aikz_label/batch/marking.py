"""Marking many files: the same children, a deadline for each by what it is, and a failure that stays with its file."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable

from aikz_label.batch import WALLS, Name, Row, absolute, folder, pool_for, read_row
from aikz_label.batch.lasting import marking_deadline
from aikz_label.errors import (
    ConfigError,
    EngineError,
    InvalidLabel,
    Refused,
    SigningError,
    TrustError,
)
from aikz_label.limits import MIB
from aikz_label.sandbox import wire
from aikz_label.sandbox.failures import Death, error_from
from aikz_label.sandbox.marking import Marking
from aikz_label.sandbox.nursery import Nursery
from aikz_label.sandbox.pool import Pool
from aikz_label.sandbox.slot import Answer
from aikz_label.values import dataclass


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
    order: Marking,
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
    here = folder()
    requests = (
        (
            (source, target),
            {
                "uri": absolute(here, source),
                "target": absolute(here, target),
                "deadline": deadline or marking_deadline(source),
            },
        )
        for source, target in ((os.fspath(a), os.fspath(b)) for a, b in pairs)
    )
    pool: Pool[tuple[str, str]] = pool_for(order, jobs, deadline or 1.0, nursery)
    with pool:
        answers = pool.run(requests, ordered=True, careful=True, stopping=stopping)
        for (source, target), answer in answers:
            yield _marked(source, target, answer, deadline)


def _marked(source: str, target: str, answer: Answer, deadline: float | None) -> Marked:
    if isinstance(answer, Death):
        return Marked(source, target, error=_why(source, target, answer, deadline))
    try:
        refused = error_from(answer["refused"]) if "refused" in answer else None
        row = read_row(target, answer) if refused is None else None
        warnings = tuple(wire.load(tuple[str, ...], answer.get("warnings", [])))
    except (ValueError, TypeError, KeyError, AttributeError):  # of a child that was taken over
        death = Death("crashed", "not understood")
        return Marked(source, target, error=_why(source, target, death, deadline))
    if isinstance(refused, _FOR_ALL):
        raise refused
    return Marked(source, target, row, refused, warnings)


def _why(source: str, target: str, death: Death, deadline: float | None) -> Refused:
    """A refusal, for a child that did not live to give one."""
    told, todo = {
        "deadline": (
            f"It was not marked within {deadline or marking_deadline(source):g} seconds",
            "Give it longer with --timeout (deadline=), or mark it alone.",
        ),
        "memory": (
            f"Marking it takes more memory than each of many may have ({WALLS.address_space // MIB} MiB)",
            "Mark it alone: one file has no such limit.",
        ),
    }.get(
        death.reason,
        (
            f"The isolated process that marked it died ({death.how})",
            "Try it alone only if you trust where it comes from.",
        ),
    )
    wrote = os.path.lexists(target)  # it may have died after the last step
    left = (
        f"Do not use what is at {target} before it is verified."
        if wrote
        else "Nothing was written."
    )
    return Refused(f"{told}. {left}", code=death.reason, hint=todo)
