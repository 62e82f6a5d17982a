"""Keeps finished studies: their JSON, and their plans, lines and placements as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb
import pandas as pd

from planner.errors import near_miss
from planner.store.database import transaction

__all__ = ["STUDY_TABLES", "delete", "document", "save", "studies"]

STUDY_TABLES: Final = ("plans", "lines", "placements")
"""Tables of a study, beside its document; their columns are in sql/schema.sql."""


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
    """Takes a study out with all its tables, in one transaction; whether there was one."""
    with transaction(connection):
        known = connection.execute("select 1 from studies where study_id = $id", {"id": study_id}).fetchone()
        _clear(connection, study_id)
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
