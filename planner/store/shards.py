"""Passes of a reduction on other processes or machines: each reads its own Parquet files and runs the same SQL.

The workspace has one process at a time, so what a pass needs is written out first: its workloads' samples and calls.
The folder is the system's temporary one; workers on other machines must see it under the same name (``TMPDIR``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from planner.engine import Fanout
from planner.store.database import memory_of, sql
from planner.store.scratch import scratch

__all__ = ["in_shards", "numbers_of", "rows_of"]

_TABLES = {
    "usage": "select t.* from usage t join numbered n using (workload) "
    "where t.trace_id = $trace_id and n.number % $parts = $part",
    "calls": "select t.* from calls t join numbered n using (workload) "
    "where t.trace_id = $trace_id and n.number % $parts = $part",
    "minutes": "from minutes where trace_id = $trace_id",
    "numbered": "from numbered",
}


@dataclass(frozen=True)
class Shard:
    """One pass: the folder with its tables as Parquet, the statements to run, what they ask for, and its memory."""

    folder: Path
    statements: tuple[str, ...]
    values: Mapping[str, Any]
    memory_bytes: int


def in_shards(
    connection: duckdb.DuckDBPyConnection,
    statements: Sequence[str],
    passes: Sequence[Mapping[str, Any]],
    fanout: Fanout,
) -> list[pd.DataFrame]:
    """The rows of each statement over all passes, in the order of passes, as one process would find them."""
    with scratch("shards") as folder:
        memory = memory_of(connection)
        shards = [
            _written(connection, Shard(folder / str(number), tuple(statements), values, memory))
            for number, values in enumerate(passes)
        ]
        found = fanout.map(reduce_shard, shards)
    return [pd.concat(frames, ignore_index=True) for frames in zip(*found, strict=True)]


def _written(connection: duckdb.DuckDBPyConnection, shard: Shard) -> Shard:
    shard.folder.mkdir()
    for name, query in _TABLES.items():
        connection.execute("set variable shard_file = $path", {"path": str(shard.folder / f"{name}.parquet")})
        rows_of(connection, f"copy ({query}) to (getvariable('shard_file')) (format parquet)", shard.values)
    return shard


def reduce_shard(shard: Shard) -> list[pd.DataFrame]:
    """The rows of each statement for one shard; needs nothing but its folder."""
    settings = partial(dict[str, str | bool | int | float | list[str]], threads=1)
    with duckdb.connect(":memory:", config=settings(memory_limit=f"{shard.memory_bytes}B")) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        connection.execute(sql("functions.sql"))
        for name in _TABLES:
            connection.execute(f"set variable {name}_file = $path", {"path": str(shard.folder / f"{name}.parquet")})
            connection.execute(f"create temp view {name} as from read_parquet(getvariable('{name}_file'))")
        return [numbers_of(connection, statement, shard.values) for statement in shard.statements]


def rows_of(
    connection: duckdb.DuckDBPyConnection, statement: str, values: Mapping[str, Any]
) -> duckdb.DuckDBPyConnection:
    """A query that names some of `values`, run."""
    return connection.execute(statement, _named(statement, values))


def numbers_of(connection: duckdb.DuckDBPyConnection, statement: str, values: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of a query that tells numbers only, handed over in one piece and by all threads."""
    rows: pd.DataFrame = connection.sql(statement, params=_named(statement, values)).to_arrow_table().to_pandas()
    return rows


def _named(statement: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if re.search(rf"\${name}\b", statement)}
