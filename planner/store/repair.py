"""Odd data told and handled by named rules: duplicates, conflicts, clocks, zones, units, capacity, gaps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import duckdb
from pydantic import BaseModel, ConfigDict, Field

from planner.store.database import memory_of, statements
from planner.store.samples import look_at, table_of
from planner.store.sources import Source

__all__ = ["Repair", "copies", "gaps", "oddities", "order", "repair", "zones"]

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d(?::?\d\d)?)?(?![\d:])")
_BYTES_PER_ROW: Final = 256
"""Memory that a search for duplicates takes a row, with room to spare; measured with DuckDB 2.0."""


class Repair(BaseModel):
    """Where ordinary data ends and a finding begins."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rows_looked_at: int = Field(default=1_000_000, gt=0)
    """Rows of whole workloads that are searched for duplicates first; all are, where these have some. Unit: rows.
    Source: a third of a second on two cores, measured with DuckDB 2.0."""

    most_cores: float = Field(default=2048, gt=0)
    """No machine has more. Unit: cores. Source: HPE Superdome Flex 280 and AWS u7inh, 1,920 vCPU and fewer."""

    most_memory_gib: float = Field(default=49152, gt=0)
    """No machine has more. Unit: GiB. Source: HPE Superdome Flex, 48 TiB; AWS u7inh, 32 TiB."""

    tolerance: float = Field(default=1.05, ge=1)
    """How many times its size a workload may measure before that is told. Unit: times.
    Source: readings of hypervisors at full load, Bitbrains GWA-T-12, reach 1.05."""


def repair(connection: duckdb.DuckDBPyConnection, trace_id: str, rules: Repair) -> bool:
    """Looks for rows told twice, which table paces must not count; whether there were any and some are gone.

    Findings go to the temporary table repairs.
    """
    connection.execute(
        "create temp table repairs (rule varchar, found bigint, unit varchar, workloads bigint, done varchar)"
    )
    at_once = min(rules.rows_looked_at, memory_of(connection) // _BYTES_PER_ROW)
    values = {"trace_id": trace_id, "part": 0, "rows": at_once}
    _run(connection, "parts", values)
    parts = connection.execute("select coalesce(max(part), -1) + 1 from looked_at").fetchall()[0][0]
    if not parts or not _repeated(connection, values):
        return False
    for number in range(parts):
        if number == 0 or _repeated(connection, {**values, "part": number}):
            _run(connection, "found", {**values, "part": number})
    return copies(connection) > 0


def _repeated(connection: duckdb.DuckDBPyConnection, values: dict[str, object]) -> bool:
    """Whether a part of the workloads has moments told more than once; their table is made."""
    _run(connection, "search", values)
    if values["part"] == 0:
        _run(connection, "forward", values)
    return bool(connection.execute("select 1 from moments_twice limit 1").fetchall())


def oddities(connection: duckdb.DuckDBPyConnection, trace_id: str, rules: Repair) -> None:
    """What is odd in the workloads as they were measured, for the temporary table repairs."""
    most = {"cores_most": rules.most_cores, "gib_most": rules.most_memory_gib}
    _run(connection, "whole", {"trace_id": trace_id, "tolerance": rules.tolerance, **most})


def copies(connection: duckdb.DuckDBPyConnection) -> int:
    """Good rows that were read and not kept, since another says the same."""
    query = "select coalesce(sum(found), 0) from repairs where rule = 'duplicates'"
    return int(connection.execute(query).fetchall()[0][0])


def gaps(connection: duckdb.DuckDBPyConnection, trace_id: str) -> list[str]:
    """All findings as notes, those of gaps among them: to be called once the quality of each workload is known."""
    _run(connection, "gaps", {"trace_id": trace_id})
    query = """
        select rule, sum(found), any_value(unit), sum(workloads), any_value(done) from repairs group by rule
        having sum(found) > 0 order by min(rowid)
    """
    return [_note(*row) for row in connection.execute(query).fetchall()]


def _note(rule: str, found: int, unit: str, workloads: int, done: str) -> str:
    """A finding as a sentence.

    >>> _note("gaps", 3, "stretches", 2, "nothing is filled in")
    'gaps: 3 stretches in 2 workloads: nothing is filled in'
    >>> _note("units", 2, "workloads", 0, "taken as recorded")
    'units: 2 workloads: taken as recorded'
    """
    return f"{rule}: {found:,} {unit}" + (f" in {workloads:,} workloads" if workloads else "") + f": {done}"


def _run(connection: duckdb.DuckDBPyConnection, section: str, values: dict[str, object]) -> None:
    """Runs a section of sql/repair.sql; its own_samples is the table with the samples of the recording."""
    for text in statements("repair.sql", section):
        named = {name: value for name, value in values.items() if re.search(rf"\${name}\b", text)}
        connection.execute(text.replace("own_samples", table_of(str(values["trace_id"]))), named)


def zones(sources: Sequence[Source]) -> list[str]:
    """A note where the first lines of the files tell times in more than one way.

    >>> from pathlib import Path
    >>> zones([Source(Path("a"), "a", "csv", ("v,2024-01-01 00:00:00Z,1", "v,2024-01-01T01:00+02:00,1"))])
    ['zones: times at +02:00 and at Z: each is read with its own offset, one without counts as UTC']
    """
    found = {match or "no offset" for source in sources for line in source.head for match in _TIME.findall(line)}
    if len(found) < 2:
        return []
    told = " and at ".join(sorted(found))
    return [f"zones: times at {told}: each is read with its own offset, one without counts as UTC"]


def order(connection: duckdb.DuckDBPyConnection, trace_id: str) -> list[str]:
    """A note on rows that come before an earlier one of their workload; only where rows were read in order."""
    look_at(connection, trace_id)
    if connection.execute("select 1 from usage limit 1").fetchone() is None:
        return []
    query = f"""
        select count(*), count(distinct workload) from (
            select workload, sampled_at < lag(sampled_at) over (partition by workload order by rowid) as late
            from {table_of(trace_id)}
        ) where late
    """
    rows, workloads = connection.execute(query).fetchall()[0]
    done = "stand behind a later one: the order of rows does not matter, every reduction goes by time"
    return [_note("out of order", rows, "rows", workloads, done)] if rows else []
