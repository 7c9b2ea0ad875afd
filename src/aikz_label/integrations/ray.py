"""Ray Data: verify a dataset of URIs on a cluster.

    import ray
    from aikz_label.integrations.ray import verify_dataset

    ds = ray.data.read_parquet("s3://inventory/2026-11/")        # any dataset with a column `uri`
    verify_dataset(ds, trust="generators.pem").write_parquet("s3://results/2026-11/")

Ray retries a worker that dies for ever; here no file can kill a worker, because a child of the worker looks at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aikz_label.batch import DEADLINE
from aikz_label.integrations.arrow import ArrowVerifier, options

if TYPE_CHECKING:
    from ray.data import Dataset


def verify_dataset(
    dataset: Dataset,
    *,
    column: str = "uri",
    concurrency: int | tuple[int, int] = 1,
    num_cpus: float = 1,
    batch_size: int = 64,
    rows_per_block: int = 2000,
    deadline: float = DEADLINE,
    **verifying: Any,
) -> Dataset:
    """One row for each URI, with fixed columns; lazy, like every transformation of a dataset.

    Args:
        dataset: Any dataset with a column of paths or URIs that every worker can open.
        column: That column's name.
        concurrency: Workers, or the fewest and the most of them. Each keeps one child and its engine warm.
        num_cpus: Processors that Ray sets aside for a worker.
        batch_size: URIs handed over at once.
        rows_per_block: URIs in a block, the unit that Ray schedules, retries and writes.
        deadline: Seconds for one file.
        **verifying: `trust`, `at`, `ocsp`, `measure`, `profile_name`, `config`, `caps`, `digest`, as for
            `aikz_label.integrations.arrow.options`; read here, not on the workers.
    """
    from ray.data import ActorPoolStrategy  # noqa: PLC0415

    least, most = (concurrency, concurrency) if isinstance(concurrency, int) else concurrency
    blocks = dataset.repartition(target_num_rows_per_block=rows_per_block)
    return blocks.map_batches(
        ArrowVerifier,
        fn_constructor_args=(options(**verifying),),
        fn_constructor_kwargs={"column": column, "deadline": deadline},
        batch_format="pyarrow",
        batch_size=batch_size,
        num_cpus=num_cpus,
        compute=ActorPoolStrategy(min_size=least, max_size=most),
    )
