"""Parquet files: the columns they have and how they spell them, and times that DuckDB cannot hold."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from planner.errors import TraceError
from planner.store.sources import Source

__all__ = ["has_unbounded_times", "nested", "parquet_columns", "parquet_headers", "with_bounded_times"]

_RENAMED: Final = re.compile(r"_\d+$")
"""How DuckDB ends the name of a column that stands there a second time."""
_SCHEMA: Final = """
select name, coalesce(num_children, 0), logical_type is null and converted_type is null
from parquet_schema(getvariable('one_file'))
"""
_MOST: Final = {"s": 9_223_372_022_400, "ms": 9_223_372_022_400_000}
"""The latest moment, and negated the earliest, that DuckDB tells, in units of a coarser clock."""


@lru_cache(maxsize=1 << 14)
def parquet_columns(connection: duckdb.DuckDBPyConnection, source: Source) -> dict[str, str]:
    """The columns of a Parquet file and their types, behind them fields of structs; looked up once a connection.

    Raises:
        TraceError: the file is broken.
    """
    try:
        connection.execute("set variable one_file = $path", {"path": [str(source.path)]})
        columns = _described(connection, "*")
        fields = nested(connection, source) if any(kind.startswith("STRUCT(") for kind in columns.values()) else {}
        listed = ", ".join(f'{value} as "{_doubled(name)}"' for name, value in fields.items())
        return {**columns, **(_described(connection, listed) if listed else {})}
    except duckdb.Error as error:
        raise TraceError(f"{source.shown}: is a broken Parquet file: {str(error).splitlines()[0]}") from error


def _described(connection: duckdb.DuckDBPyConnection, listed: str) -> dict[str, str]:
    rows = connection.execute(f"describe select {listed} from read_parquet(getvariable('one_file'))").fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def _doubled(name: str) -> str:
    return name.replace('"', '""')


def parquet_headers(connection: duckdb.DuckDBPyConnection, source: Source) -> list[str]:
    """The columns of `parquet_columns` as the file spells them: DuckDB renames those that differ in case at most."""
    columns = list(parquet_columns(connection, source))
    if not any(map(_RENAMED.search, columns)):
        return columns
    names = [name for name, level, _ in _elements(connection, source) if level == 1]
    return [*names, *columns[len(names) :]]


@lru_cache(maxsize=1 << 14)
def nested(connection: duckdb.DuckDBPyConnection, source: Source) -> dict[str, str]:
    """SQL for each field of a struct at the top of a Parquet file, by the name COLUMN.FIELD."""
    elements = _elements(connection, source)
    taken = {name.lower() for name, level, _ in elements if level == 1}
    fields: dict[str, str] = {}
    column, plain = "", False
    for name, level, is_group in elements:
        if level == 1:
            column, plain = name, is_group
        called = f"{column}.{name}"
        if level == 2 and plain and called.lower() not in taken:
            taken.add(called.lower())
            fields[called] = f'"{_doubled(column)}"."{_doubled(name)}"'
    return fields


def _elements(connection: duckdb.DuckDBPyConnection, source: Source) -> list[tuple[str, int, bool]]:
    """What the schema lists: name, level (1 at the top), whether it is a struct, which is a group and no more."""
    connection.execute("set variable one_file = $path", {"path": [str(source.path)]})
    (_, count, _), *rows = connection.execute(_SCHEMA).fetchall()
    open_groups, found = [count], []
    for name, children, is_plain in rows:
        found.append((str(name), len(open_groups), bool(children and is_plain)))
        open_groups[-1] -= 1
        open_groups += [children] if children else []
        while open_groups and not open_groups[-1]:
            open_groups.pop()
    return found


def has_unbounded_times(source: Source) -> bool:
    """Whether DuckDB stops at a time of the file: one in milliseconds that is too large in microseconds."""
    with pq.ParquetFile(source.path) as file:
        coarse = [field.name for field in file.schema_arrow if _fine(field.type) != field.type]
        batches = file.iter_batches(columns=coarse) if coarse else ()
        return any(not column.equals(_clipped(column)) for batch in batches for column in batch)


def with_bounded_times(source: Source, target: Path) -> None:
    """Writes the file again, with times that DuckDB can hold: later ones become the last it can, earlier the first."""
    with pq.ParquetFile(source.path) as file:
        schema = pa.schema([field.with_type(_fine(field.type)) for field in file.schema_arrow])
        with pq.ParquetWriter(target, schema) as out:
            for batch in file.iter_batches():
                out.write_batch(pa.RecordBatch.from_arrays([_bounded(column) for column in batch], schema=schema))


def _fine(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) and kind.unit in _MOST else kind


def _clipped(column: pa.Array) -> pa.Array:
    most = _MOST[column.type.unit]
    early = pc.min_element_wise(column.cast(pa.int64()), most, skip_nulls=False)
    return pc.max_element_wise(early, -most, skip_nulls=False).cast(column.type)


def _bounded(column: pa.Array) -> pa.Array:
    fine = _fine(column.type)
    return column if fine == column.type else _clipped(column).cast(fine)
