"""What is known of a recording once its rows are in: sums of each workload, its pace and quality, the totals."""

from __future__ import annotations

from typing import Any, Final

import duckdb

from planner.store.database import run, statements
from planner.store.repair import Repair, copies, oddities, repair
from planner.store.samples import look_at, measures

__all__ = ["measured", "summed"]

_MEANS: Final = ("cpu_cores", "cpu_percent", "memory_gib", "memory_percent")


def summed(connection: duckdb.DuckDBPyConnection, trace_id: str) -> None:
    """Makes temporary table sums, one row a workload with samples: how many, from when to when, means and maxima.

    Maxima are called ``most_`` and the column; columns that the recording does not tell are null, and cost nothing.
    """
    look_at(connection, trace_id)
    told = measures(connection, trace_id)
    means = [f"avg({name}) as {name}" if told[name] else f"cast(null as double) as {name}" for name in _MEANS]
    most = [f"{f'max({name})' if here else 'cast(null as double)'} as most_{name}" for name, here in told.items()]
    amounts = ", ".join(means + most)
    connection.execute(f"""
        create or replace temp table sums as
        select workload, count(*) as samples, min(sampled_at) as first, max(sampled_at) as last, {amounts}
        from usage group by workload
    """)


def measured(connection: duckdb.DuckDBPyConnection, trace_id: str) -> dict[str, Any]:
    """The totals of a recording, as columns of table traces; by the way rows told twice go, and tables get filled.

    `summed` comes first. Findings are in the temporary table repairs, quality in ours.
    """
    rules = Repair()
    _run(connection, "paces", trace_id, rules.rows_looked_at)
    if repair(connection, trace_id, rules):
        summed(connection, trace_id)
        _run(connection, "paces", trace_id, rules.rows_looked_at)
    _run(connection, "quality", trace_id)
    oddities(connection, trace_id, rules)
    rows = _run(connection, "totals", trace_id)
    names = [str(column[0]) for column in connection.description or ()]
    totals = dict(zip(names, rows[0], strict=True))
    return {**totals, "samples": totals["samples"] + copies(connection)}


def _run(connection: duckdb.DuckDBPyConnection, section: str, trace_id: str, few: int = 0) -> list[tuple[Any, ...]]:
    """The rows of the last statement of a section of sql/measure.sql; `few` samples are all looked at one by one."""
    for statement in statements("measure.sql", section)[:-1]:
        run(connection, statement.replace("$few", str(few)), trace_id)
    return run(connection, statements("measure.sql", section)[-1], trace_id)
