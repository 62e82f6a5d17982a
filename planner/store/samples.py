"""The samples of a recording: a table of its own, as narrow as what it tells; `usage` shows them with all columns.

A table holds no column that is all null and no recording's id, so it is written about as fast as DuckDB writes.
"""

from __future__ import annotations

import re
from typing import Any, Final

import duckdb

from planner.store.database import run

__all__ = ["copied", "dropped", "dropped_if_empty", "keep", "look_at", "measures", "shown", "table_of", "tells"]

_INSERT: Final = re.compile(r"^(?:\s|--[^\n]*\n)*insert\s+into\s+usage\s+by\s+name\b", re.IGNORECASE)
_NAMED: Final = """
select 1 from duckdb_tables() where database_name = current_database() and schema_name = 'main' and table_name = $table
"""
_ALL: Final = "samples_before"
"""The table that has every column."""

_TABLES: Final = """
select table_name from duckdb_tables() where database_name = current_database() and schema_name = 'main'
and starts_with(table_name, 'samples_') and table_name <> 'samples_before' order by table_name
"""


def table_of(trace_id: str) -> str:
    """The table with a recording's samples, as SQL.

    >>> table_of("0f3a")
    'main.samples_0f3a'
    """
    if not trace_id.isalnum():
        raise ValueError(f"trace id {trace_id!r}: is a hash and no more")
    return f"main.samples_{trace_id}"


def tells(statement: str) -> bool:
    """Whether a statement of a format tells samples.

    >>> tells("-- all\\ninsert into usage by name select 1"), tells("insert into calls by name select 1")
    (True, False)
    """
    return _INSERT.match(statement) is not None


def keep(connection: duckdb.DuckDBPyConnection, statement: str, trace_id: str) -> list[tuple[Any, ...]]:
    """Runs a statement that `tells` samples into the recording's own table, made of the columns that it names."""
    query = _INSERT.sub("", statement.strip().removesuffix(";"))
    told = {str(row[0]) for row in run(connection, f"describe {query}", trace_id)} - {"trace_id"}
    table = table_of(trace_id)
    columns = _columns(connection, _ALL)
    there = _columns(connection, f"samples_{trace_id}")
    words = {name: f"{name} {kind}{' not null' if must else ''}" for name, (kind, must) in columns.items()}
    if not there:
        connection.execute(f"create table {table} ({', '.join(words[name] for name in columns if name in told)})")
    for name in [name for name in columns if there and name in told and name not in there]:
        connection.execute(f"alter table {table} add column {words[name]}")
    rows = run(connection, f"insert into {table} by name select * exclude (trace_id) from ({query})", trace_id)
    look_at(connection, trace_id)
    return rows


def measures(connection: duckdb.DuckDBPyConnection, trace_id: str) -> dict[str, bool]:
    """What samples may tell, and for each whether those of this recording do."""
    there = _columns(connection, f"samples_{trace_id}")
    names = [name for name in _columns(connection, _ALL) if name not in {"workload", "sampled_at"}]
    return {name: not there or name in there for name in names}


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, tuple[str, bool]]:
    """Name, type and whether it must be told, of each column but the recording's id; none where there is no table."""
    if not _is_there(connection, table):
        return {}
    rows = connection.execute(f"select name, type, \"notnull\" from pragma_table_info('main.{table}')").fetchall()
    return {name: (kind, must) for name, kind, must in rows if name != "trace_id"}


def _is_there(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return table == _ALL or bool(connection.execute(_NAMED, {"table": table}).fetchall())


def look_at(connection: duckdb.DuckDBPyConnection, trace_id: str) -> None:
    """Lets `usage` stand for the samples of one recording on this connection: all columns, and no other recording."""
    own = trace_id.isalnum() and _is_there(connection, f"samples_{trace_id}")
    rows = _own(connection, trace_id) if own else f"from main.{_ALL}"
    connection.execute(f"create or replace temp view usage as {rows}")


def _own(connection: duckdb.DuckDBPyConnection, trace_id: str) -> str:
    """All columns of a recording, nulls where it does not tell them; a union with nothing would cost a tenth more."""
    there = _columns(connection, f"samples_{trace_id}")
    columns = _columns(connection, _ALL)
    named = [name if name in there else f"cast(null as {kind}) as {name}" for name, (kind, _) in columns.items()]
    return f"select '{trace_id}' as trace_id, {', '.join(named)} from {table_of(trace_id)}"


def shown(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes view usage of the workspace anew, over all tables of samples."""
    names = [str(row[0]) for row in connection.execute(_TABLES).fetchall()]
    connection.execute(f"create or replace view main.usage as {_view([n.removeprefix('samples_') for n in names])}")


def _view(trace_ids: list[str]) -> str:
    """All columns of the recordings named, and of those in the older table."""
    parts = [f"select '{trace_id}' as trace_id, * from {table_of(trace_id)}" for trace_id in trace_ids]
    return " union all by name ".join([f"from main.{_ALL}", *parts])


def dropped_if_empty(connection: duckdb.DuckDBPyConnection, trace_id: str) -> None:
    """No table for a recording without samples."""
    table = table_of(trace_id)
    if (
        _is_there(connection, f"samples_{trace_id}")
        and not connection.execute(f"select 1 from {table} limit 1").fetchall()
    ):
        connection.execute(f"drop table {table}")
        look_at(connection, trace_id)


def dropped(connection: duckdb.DuckDBPyConnection, trace_id: str) -> None:
    """Takes the table of a recording's samples away, where it has one."""
    connection.execute(f"drop table if exists {table_of(trace_id)}")
    shown(connection)


def copied(connection: duckdb.DuckDBPyConnection, trace_id: str, guest: str) -> None:
    """The samples of a recording out of the attached database `guest`."""
    found = connection.execute(
        "select 1 from duckdb_tables() where database_name = $guest and table_name = $name",
        {"guest": guest, "name": f"samples_{trace_id}"},
    ).fetchall()
    if found:
        connection.execute(f"create table {table_of(trace_id)} as from {guest}.samples_{trace_id}")
        shown(connection)
