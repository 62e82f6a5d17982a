"""A recording copied from one workspace into another, or taken out of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb

from planner.errors import TraceError
from planner.store.database import transaction
from planner.store.samples import copied, dropped
from planner.store.trace import TraceInfo, trace_of

__all__ = ["adopt", "forget"]

_TABLES = """
select table_name from duckdb_columns() semi join duckdb_tables() using (database_name, schema_name, table_name)
where database_name = current_database() and schema_name = 'main' and column_name = 'trace_id' order by table_name
"""


def adopt(cursor: Callable[[], duckdb.DuckDBPyConnection], path: Path, trace_id: str) -> TraceInfo:
    """Every row about a recording, from the workspace at `path`; nothing where it is here already.

    Raises:
        TraceError: it is not there.
    """
    with cursor() as connection:
        known = trace_of(connection, trace_id)
        if known is not None:
            return replace(known, repeated=True)
        tables = [str(row[0]) for row in connection.execute(_TABLES).fetchall()]
        connection.execute("set variable guest_path = $path", {"path": str(path)})
        connection.execute("attach getvariable('guest_path') as guest (read_only)")
        try:
            return _copied(connection, tables, trace_id)
        finally:
            connection.execute("detach guest")


def _copied(connection: duckdb.DuckDBPyConnection, tables: list[str], trace_id: str) -> TraceInfo:
    with transaction(connection):
        for table in tables:
            rows = f"select * from guest.main.{table} where trace_id = $id"
            connection.execute(f"insert into {table} by name {rows}", {"id": trace_id})
        copied(connection, trace_id, "guest")
        info = trace_of(connection, trace_id)
        if info is None:
            raise TraceError(f"trace {trace_id!r}: is not in the workspace it was to come from")
    return info


def forget(cursor: Callable[[], duckdb.DuckDBPyConnection], trace_id: str) -> bool:
    """Takes every row about a recording out, in one transaction; whether there was one. Studies of it stay."""
    with cursor() as connection:
        if trace_of(connection, trace_id) is None:
            return False
        tables = [str(row[0]) for row in connection.execute(_TABLES).fetchall()]
        with transaction(connection):
            for table in tables:
                connection.execute(f"delete from {table} where trace_id = $id", {"id": trace_id})
            dropped(connection, trace_id)
    return True
