"""CSV for spreadsheets, Parquet for analysis."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from aikz_label.errors import MissingDependency
from aikz_label.report.columns import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_GROUP = 10_000  # rows of one Parquet row group


def write_csv(records: Iterable[dict[str, Any]], stream: TextIO) -> None:
    """One line a file. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(column.name for column in COLUMNS)
    for record in records:
        writer.writerow(_cell(record[column.name]) for column in COLUMNS)


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.lstrip(" '\"").startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def schema() -> pa.Schema:
    """The columns as Arrow types.

    Raises:
        MissingDependency: pyarrow is not installed.
    """
    arrow = _arrow()
    kinds = {
        "text": arrow.string(),
        "integer": arrow.int64(),
        "number": arrow.float64(),
        "truth": arrow.bool_(),
        "texts": arrow.list_(arrow.string()),
    }
    return arrow.schema([arrow.field(column.name, kinds[column.kind]) for column in COLUMNS])


def table(rows: Iterable[list[Any]], columns: pa.Schema) -> pa.Table:
    """Rows as `report.columns.values` gives them, as a table with the schema given."""
    arrow = _arrow()
    fields = zip(*rows, strict=True)
    arrays = [arrow.array(field, of.type) for field, of in zip(fields, columns, strict=False)]
    return arrow.Table.from_arrays(arrays, schema=columns) if arrays else columns.empty_table()


def spark_schema() -> str:
    """The columns as the schema text that `mapInArrow` of Spark takes."""
    kinds = {
        "text": "string",
        "integer": "bigint",
        "number": "double",
        "truth": "boolean",
        "texts": "array<string>",
    }
    return ", ".join(f"{column.name} {kinds[column.kind]}" for column in COLUMNS)


def write_parquet(records: Iterable[dict[str, Any]], stream: BinaryIO) -> None:
    """The same columns, typed.

    Raises:
        MissingDependency: pyarrow is not installed.
        OSError: It cannot be written.
    """
    arrow = _arrow()
    from pyarrow import parquet  # noqa: PLC0415

    columns, group = schema(), []
    with parquet.ParquetWriter(stream, columns, compression="zstd") as writer:
        for record in records:
            group.append(record)
            if len(group) == _GROUP:
                writer.write_table(arrow.Table.from_pylist(group, schema=columns))
                group = []
        writer.write_table(arrow.Table.from_pylist(group, schema=columns))


def _arrow() -> Any:
    try:
        import pyarrow as pa  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingDependency("Parquet", "arrow") from error
    return pa
