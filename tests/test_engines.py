"""Arrow batches, as distributed engines hand them over, and a local Ray cluster with a worker that is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

import hostile_plugin
from aikz_label import Label, mark, verify
from aikz_label.exports import tables
from aikz_label.exports.columns import COLUMNS
from aikz_label.integrations.arrow import ArrowVerifier, options, verify_batches
from hostile_plugin import hostile
from support import encoded, missing, picture

try:
    import pyarrow as pa
except ModuleNotFoundError:
    pa = None

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.name != "posix", reason="isolation is made of what POSIX offers"),
]


@pytest.fixture(autouse=True)
def _arrow():
    if pa is None:
        missing("the package pyarrow (dependency group scale)")


@pytest.fixture(scope="module")
def files(tmp_path_factory, config) -> list[str]:
    """Three kinds of files, and one that kills whoever reads it."""
    folder = tmp_path_factory.mktemp("files")
    plain = encoded(picture(size=(64, 48)), "png")
    small = encoded(picture(size=(320, 240)), "jpeg")
    marked = mark(small, None, Label(origin="created"), config=config).data
    paths = []
    for name, data in {"a": plain, "b": marked, "c": b"", "evil": hostile("segfault")}.items():
        (folder / name).write_bytes(data)
        paths.append(str(folder / name))
    return paths


@pytest.fixture
def plugin(tmp_path, monkeypatch) -> Path:
    hostile_plugin.install(tmp_path / "plugin")
    monkeypatch.syspath_prepend(str(tmp_path / "plugin"))
    return tmp_path / "plugin"


def test_a_batch_becomes_a_table(files, plugin, config):
    uris = [*files, "/nowhere", None, files[0]]
    batch = pa.RecordBatch.from_pydict({"n": list(range(7)), "uri": uris})
    with ArrowVerifier(options(config=config, digest=True)) as verifier:
        table = verifier(batch)
        again = verifier(pa.Table.from_batches([batch]))  # the same children
    assert table.schema.equals(tables.schema())
    assert table.drop_columns(["ms"]).equals(again.drop_columns(["ms"]))
    rows = table.to_pylist()
    assert [row["uri"] for row in rows] == [uri or "" for uri in uris]
    assert [row["verdict"] for row in rows] == [
        *(
            "unmarked",
            "labelled",
            "unreadable",
            "unreadable",
            "unreadable",
            "unreadable",
            "unmarked",
        )
    ]
    assert [row["reason"] for row in rows[2:6]] == [
        *(
            "unreadable.empty",
            "unreadable.crashed",
            "unreadable.not-opened",
            "unreadable.not-opened",
        )
    ]
    report = verify(files[1], config=config)
    assert rows[1]["responsible"] == report.declared.responsible.name
    assert len(rows[0]["sha256"]) == 64


def test_partitions_as_spark_hands_them_over(files, config):
    """`df.select("uri").mapInArrow(lambda batches: verify_batches(batches, order), spark_schema())`."""
    partition = [
        pa.RecordBatch.from_pydict({"uri": files[:2]}),
        pa.RecordBatch.from_pydict({"uri": [files[2]]}),
    ]
    out = list(verify_batches(iter(partition), options(config=config)))
    assert all(isinstance(batch, pa.RecordBatch) for batch in out)
    assert [uri for batch in out for uri in batch.column("uri").to_pylist()] == files[:3]
    kinds = {
        "string": pa.string(),
        "bigint": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "array<string>": pa.list_(pa.string()),
    }
    declared = [part.split(" ") for part in tables.spark_schema().split(", ")]
    assert [(name, kinds[kind]) for name, kind in declared] == [
        (f.name, f.type) for f in out[0].schema
    ]


def test_every_column_says_what_it_holds():
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    assert all(column.about for column in COLUMNS)


def kill_a_worker(done: threading.Event, killed: list[int]) -> None:
    """Kill one of Ray's workers while it is at work."""
    while not done.wait(0.05):
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if b"MapWorker" in command.read_bytes() and children_of(int(command.parent.name)):
                    time.sleep(0.5)
                    os.kill(int(command.parent.name), signal.SIGKILL)
                    killed.append(int(command.parent.name))
                    return


def children_of(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]


@pytest.mark.filterwarnings("ignore")  # Ray's own, of which it has many
def test_a_ray_cluster_loses_nothing(files, plugin, config, monkeypatch, tmp_path):
    """A file that kills is one row, and a killed worker neither loses nor doubles any."""
    try:
        import ray
    except ModuleNotFoundError:
        missing("the package ray (dependency group scale)")
    from aikz_label.integrations.ray import verify_dataset

    for name, value in {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
        "PYTHONPATH": os.pathsep.join([str(plugin), str(Path(__file__).parent)]),
    }.items():
        monkeypatch.setenv(name, value)
    slow = tmp_path / "slow"
    slow.write_bytes(hostile("slow 0.02"))
    uris = [files[n % 3] + f"#{n}" for n in range(290)] + [
        files[3] + "#a",
        *(f"{slow}#{n}" for n in range(109)),
    ]
    links = []
    for uri in uris:  # every one of its own name
        path = tmp_path / uri.rpartition("/")[2]
        path.write_bytes(Path(uri.partition("#")[0]).read_bytes())
        links.append(str(path))
    ray.init(
        num_cpus=3, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 1024 * 1024,
        configure_logging=False,
    )  # fmt: skip
    done, killed = threading.Event(), []
    killer = threading.Thread(target=kill_a_worker, args=(done, killed))
    killer.start()
    try:
        dataset = ray.data.from_items([{"uri": uri} for uri in links], override_num_blocks=1)
        verified = verify_dataset(
            dataset, concurrency=2, rows_per_block=50, batch_size=10, config=config
        )
        rows = verified.take_all()
    finally:
        done.set()
        killer.join()
        ray.shutdown()
    assert sorted(row["uri"] for row in rows) == sorted(links)
    assert killed
    assert Counter(row["reason"] for row in rows) == {
        "verdict.unmarked": 97 + 109,
        "verdict.labelled": 97,
        "unreadable.empty": 96,
        "unreadable.crashed": 1,
    }
