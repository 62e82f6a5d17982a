"""Keeps finished studies: their JSON, and their plans, lines and placements as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb
import pandas as pd

from planner.errors import InputError, near_miss
from planner.store.database import transaction

__all__ = [
    "STUDY_TABLES",
    "delete",
    "document",
    "forget_scenario",
    "name_scenario",
    "placed",
    "placements",
    "save",
    "scenarios",
    "studies",
    "summary",
]

STUDY_TABLES: Final = ("plans", "lines", "placements")
"""Tables of a study, beside its document; their columns are in sql/schema.sql."""

_LONGEST_NAME: Final = 120


def save(
    connection: duckdb.DuckDBPyConnection, study_id: str, tables: Mapping[str, pd.DataFrame], document: str
) -> None:
    """Writes a study, replacing what is there under its id, in one transaction.

    Raises:
        ValueError: a table or column is none of ours.
    """
    _check(connection, tables)
    with transaction(connection):
        _clear(connection, study_id)
        connection.execute(
            "insert into studies values ($id, now() at time zone 'UTC', $json)", _named(study_id, document)
        )
        for name, rows in tables.items():
            _insert(connection, name, study_id, rows)


def delete(connection: duckdb.DuckDBPyConnection, study_id: str) -> bool:
    """Takes a study out with all its tables and names, in one transaction; whether there was one."""
    with transaction(connection):
        known = connection.execute("select 1 from studies where study_id = $id", {"id": study_id}).fetchone()
        _clear(connection, study_id)
        connection.execute("delete from scenarios where study_id = $id", {"id": study_id})
    return known is not None


def _clear(connection: duckdb.DuckDBPyConnection, study_id: str) -> None:
    for name in (*STUDY_TABLES, "studies"):
        connection.execute(f"delete from {name} where study_id = $id", {"id": study_id})


def _named(study_id: str, document: str) -> dict[str, str]:
    return {"id": study_id, "json": document}


def _insert(connection: duckdb.DuckDBPyConnection, name: str, study_id: str, rows: pd.DataFrame) -> None:
    if rows.empty:
        return
    connection.register("rows_of_study", rows.drop(columns="study_id", errors="ignore"))
    statement = f"insert into {name} by name select $id as study_id, * from rows_of_study"
    connection.execute(statement, {"id": study_id})
    connection.unregister("rows_of_study")


def _check(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pd.DataFrame]) -> None:
    for name, rows in tables.items():
        if name not in STUDY_TABLES:
            raise ValueError(f"table {name!r}: {near_miss(name, STUDY_TABLES)}")
        query = "select column_name from duckdb_columns() where table_name = $name"
        known = [row[0] for row in connection.execute(query, {"name": name}).fetchall()]
        for column in rows.columns:
            if column not in known:
                raise ValueError(f"table {name}, column {column!r}: {near_miss(str(column), known)}")


def document(connection: duckdb.DuckDBPyConnection, study_id: str) -> str | None:
    """The JSON of a saved study; None where there is none."""
    row = connection.execute("select document from studies where study_id = $id", {"id": study_id}).fetchone()
    return None if row is None else str(row[0])


def studies(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One row a saved study, newest first: ``study_id``, ``name`` of its scenario, ``saved_at``."""
    query = """
        select study_id, coalesce(try(json_extract_string(document, '$.scenario.name')), study_id) as name, saved_at
        from studies order by saved_at desc, study_id
    """
    return connection.execute(query).df()


def summary(connection: duckdb.DuckDBPyConnection, study_id: str) -> dict[str, str]:
    """What a study is called, without reading all of it: ``name``, ``trace``, ``created_at``; empty: there is none."""
    query = """
    select document ->> '$.scenario.name', document ->> '$.trace.name', document ->> '$.created_at'
    from studies where study_id = $id
    """
    row = connection.execute(query, {"id": study_id}).fetchone()
    return {} if row is None else dict(zip(("name", "trace", "created_at"), map(str, row), strict=True))


def placed(connection: duckdb.DuckDBPyConnection, study_id: str, model: str, most: int) -> pd.DataFrame:
    """Where a model puts each workload in the first year: ``workload``, ``sku``, ``replicas``, at most so many rows."""
    query = """
    select workload, sku, count(*) as replicas from placements
    where study_id = $id and model = $model and year = 0 group by all order by all limit $most
    """
    return connection.execute(query, {"id": study_id, "model": model, "most": most}).df()


def placements(connection: duckdb.DuckDBPyConnection, study_id: str) -> pd.DataFrame | None:
    """Every workload of every plan, as it was saved: model, year, workload, replica, sku, box; None where none is."""
    query = """
    select model, cast(year as bigint) as year, workload, replica, sku, box from placements
    where study_id = $id order by rowid
    """
    rows: pd.DataFrame = connection.execute(query, {"id": study_id}).df()
    return None if rows.empty else rows


def scenarios(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One row a named study, newest first: ``name``, ``study_id``, ``based_on`` (a study), ``saved_at``."""
    return connection.execute("select * from scenarios order by saved_at desc, name").df()


def name_scenario(connection: duckdb.DuckDBPyConnection, name: str, study_id: str, based_on: str | None = None) -> None:
    """Gives a saved study a name of its own.

    Raises:
        InputError: the name is empty, too long or taken, or there is no such study.
    """
    called = name.strip()
    if not called or len(called) > _LONGEST_NAME:
        raise InputError(f"scenario name: expected 1 to {_LONGEST_NAME} characters, got {len(called)}")
    if document(connection, study_id) is None:
        raise InputError(f"study {study_id!r}: not in this workspace")
    values = {"name": called, "id": study_id, "based_on": based_on}
    try:
        connection.execute("insert into scenarios values ($name, $id, $based_on, now() at time zone 'UTC')", values)
    except duckdb.ConstraintException:
        raise InputError(f"scenario {called!r}: the name is taken; choose another, or delete that one first") from None


def forget_scenario(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Takes a name away; the study stays.

    Raises:
        InputError: there is no scenario of that name.
    """
    known = [str(row[0]) for row in connection.execute("select name from scenarios").fetchall()]
    if name not in known:
        raise InputError(f"scenario {name!r}: there is none of that name; {near_miss(name, known)}")
    connection.execute("delete from scenarios where name = $name", {"name": name})
