"""Arrow batches in, Arrow batches out: what every distributed engine calls.

    verifier = ArrowVerifier(trust="generators.pem")
    table = verifier(batch)                    # batch has a column `uri`; one row for each of its rows, in order

URIs travel, not bytes. Inside is the same sandbox as everywhere, so a file that crashes native code is one row, whatever
the engine would have made of it. The columns are those of `aikz_label.report.columns`: the child that looked at a file
gives them, and here they are only checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aikz_label import limits, profile
from aikz_label.asked import Moment, Trust, believing
from aikz_label.batch import DEADLINE, Verifier
from aikz_label.config import Config
from aikz_label.exports import tables
from aikz_label.limits import Limits
from aikz_label.sandbox.work import Verifying
from aikz_label.values import replace

if TYPE_CHECKING:
    import pyarrow as pa


def options(
    *,
    trust: Trust | None = None,
    at: Moment | None = None,
    ocsp: str = "",
    measure: bool = False,
    profile_name: str = profile.DEFAULT,
    config: str | Path | Config | None = None,
    caps: Limits = limits.DEFAULT,
    digest: bool = False,
) -> Verifying:
    """What workers need, read where the job is started: they get the trust lists themselves, not their paths.

    Args:
        trust: As for `verify`.
        at: As for `verify`.
        ocsp: As for `verify`.
        measure: As for `verify`.
        profile_name: As for `verify`.
        config: As for `verify`.
        caps: As for `verify`.
        digest: Also compute the SHA-256 of every file.
    """
    profile.load_profile(profile_name)
    believed = believing(trust, config, at, ocsp)
    return Verifying(believed, profile_name, measure, caps, digest)


class ArrowVerifier:
    """Verifies batch after batch with the same children.

    Args:
        order: What `options` returned.
        column: Name of the column with the URIs.
        jobs: Child processes; one, because engines start a worker for each processor.
        deadline: Seconds for one file.
    """

    def __init__(
        self,
        order: Verifying | None = None,
        *,
        column: str = "uri",
        jobs: int = 1,
        deadline: float = DEADLINE,
    ) -> None:
        self._column = column
        self._schema = tables.schema()
        tabular = replace(order or options(), tabular=True)
        self._verifier = Verifier(tabular, jobs=jobs, deadline=deadline)

    def __call__(self, batch: pa.RecordBatch | pa.Table) -> pa.Table:
        """One row for each URI of a batch, in its order."""
        uris = (uri or "" for uri in batch.column(self._column).to_pylist())
        return tables.table(self._verifier.columns(uris), self._schema)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the children go."""
        self._verifier.close()


def verify_batches(
    batches: Iterable[pa.RecordBatch], order: Verifying | None = None, **settings: Any
) -> Iterator[pa.RecordBatch]:
    """A partition's batches, as `mapInArrow` of Spark and others hand them over.

    Args:
        batches: Each with a column of URIs.
        order: What `options` returned.
        **settings: Of `ArrowVerifier`.
    """
    with ArrowVerifier(order, **settings) as verifier:
        for batch in batches:
            yield from verifier(batch).to_batches()
