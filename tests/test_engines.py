"""Arrow batches, as distributed engines hand them over, and a local Ray cluster with a worker that is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

import hostile_plugin
from aikz_label import Label, mark, verify
from aikz_label.exports import tables
from aikz_label.integrations.arrow import ArrowVerifier, options, verify_batches
from aikz_label.report.columns import COLUMNS
from hostile_plugin import hostile
from support import encoded, missing, picture, require_tool

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


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Ray on this machine, its workers able to load the hostile plug-in."""
    try:
        import ray
    except ModuleNotFoundError:
        missing("the package ray (dependency group scale)")
    plugin = tmp_path_factory.mktemp("plugin")
    hostile_plugin.install(plugin)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("RAY_AUTH_MODE", "disabled")
        paths = os.pathsep.join([str(plugin), str(Path(__file__).parent)])
        environment.setenv("PYTHONPATH", paths)
        ray.init(
            num_cpus=3, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 1024 * 1024,
            configure_logging=False,
        )  # fmt: skip
        yield ray
        ray.shutdown()


@pytest.mark.filterwarnings("ignore")  # Ray's own, of which it has many
def test_a_ray_cluster_loses_nothing(cluster, files, config, tmp_path):
    """A file that kills is one row, and a killed worker neither loses nor doubles any."""
    from aikz_label.integrations.ray import verify_dataset

    slow = tmp_path / "slow"
    slow.write_bytes(hostile("slow 0.02"))
    sources = [*(files[n % 3] for n in range(290)), files[3], *([slow] * 109)]
    uris = []
    for number, source in enumerate(sources):
        path = tmp_path / f"{Path(source).name}-{number}"
        path.write_bytes(Path(source).read_bytes())
        uris.append(str(path))
    done, killed = threading.Event(), []
    killer = threading.Thread(target=kill_a_worker, args=(done, killed))
    killer.start()
    try:
        dataset = cluster.data.from_items([{"uri": uri} for uri in uris], override_num_blocks=1)
        verified = verify_dataset(
            dataset, concurrency=2, rows_per_block=50, batch_size=10, config=config
        )
        rows = verified.take_all()
    finally:
        done.set()
        killer.join()
    assert sorted(row["uri"] for row in rows) == sorted(uris)
    assert killed
    assert Counter(row["reason"] for row in rows) == {
        "verdict.unmarked": 97 + 109,
        "verdict.labelled": 97,
        "unreadable.empty": 96,
        "unreadable.crashed": 1,
    }


@pytest.mark.filterwarnings("ignore")
def test_a_job_goes_on_where_it_ended(cluster, files, config, tmp_path):
    """With Ray's checkpoint, as the how-to has it: a second run does only what the first one had not written."""
    import pyarrow.parquet as pq
    from ray.data.checkpoint import CheckpointConfig

    from aikz_label.integrations.ray import verify_dataset

    uris = [f"{tmp_path}/{n}.jpg" for n in range(40)]
    for uri in uris:
        Path(uri).write_bytes(Path(files[1]).read_bytes())
    (tmp_path / "inventory").mkdir()

    def run(name, chosen):
        pq.write_table(pa.table({"uri": chosen}), tmp_path / "inventory" / f"{name}.parquet")
        dataset = cluster.data.read_parquet(str(tmp_path / "inventory"))
        verify_dataset(dataset, rows_per_block=10, config=config).write_parquet(f"{tmp_path}/out")

    context = cluster.data.DataContext.get_current()
    context.checkpoint_config = CheckpointConfig(
        id_column="uri",
        checkpoint_path=str(tmp_path / "checkpoint"),
        delete_checkpoint_on_success=False,  # as if the driver had been killed after these
    )
    try:
        run("first", uris[:25])
        for uri in uris[:25]:
            Path(uri).unlink()  # whoever looked at it again would say so
        run("second", uris[25:])
    finally:
        context.checkpoint_config = None
    rows = pq.read_table(tmp_path / "out").to_pylist()
    assert sorted(row["uri"] for row in rows) == sorted(uris)
    assert {row["verdict"] for row in rows} == {"labelled"}


@pytest.mark.filterwarnings("ignore")
def test_spark_maps_over_the_same_function(files, config, monkeypatch):
    """The example of the how-to, on a Spark of one process."""
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        missing("the package pyspark (dependency group scale)")
    require_tool("java")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.shuffle.partitions", "1").getOrCreate()
    try:
        order = options(config=config)
        df = spark.createDataFrame([(uri,) for uri in files[:3]], "uri string")
        verified = df.select("uri").mapInArrow(
            lambda batches: verify_batches(batches, order), tables.spark_schema()
        )
        rows = {row["uri"]: row for row in verified.collect()}
    finally:
        spark.stop()
    assert [rows[uri]["verdict"] for uri in files[:3]] == ["unmarked", "labelled", "unreadable"]
    assert (
        rows[files[1]]["responsible"] == verify(files[1], config=config).declared.responsible.name
    )
