"""Runs sql/demand.sql: millions of samples become rows per workload and period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd

from planner.demand import QUALITY_COLUMNS, Policy
from planner.engine import HERE, Fanout
from planner.errors import TraceError
from planner.store.database import sql
from planner.store.profiles import Reduced
from planner.store.pruning import numbered_last, pruned
from planner.store.resident import home_ends, home_of, reduced
from planner.store.samples import look_at, measures
from planner.store.shards import in_shards, numbers_of, rows_of

__all__ = ["SLOT_SECONDS", "reduce", "replayed"]

SLOT_SECONDS: Final = 300.0
"""A replay averages samples over slots of this length. Unit: s. Source: pace of the Azure, Bitbrains, Google traces."""


_BYTES_PER_VALUE: Final = 64
_BYTES_PER_CALL: Final = 128
_BYTES_PER_GROUP: Final = 512
"""Memory that an exact percentile takes for one sample, for one minute of calls, and for one workload and period, with
room to spare; measured with DuckDB 2.0 (50 million samples of a million groups go through in 2 GB, not in 1.5). They
do not spill, so workloads go through in as many passes as it takes."""

_LONG_AGO: Final = datetime(1, 1, 1)  # noqa: DTZ001 - times of the store are UTC without zone

_NUMBERED: Final = """
create or replace temp table numbered as
select
    row_number() over (order by workload) - 1 as number, * exclude (trace_id, seconds_per_request),
    case when kind = 'function' then coalesce(seconds_per_request, $seconds) else seconds_per_request end
        as seconds_per_request, kind = 'function' and seconds_per_request is null as seconds_unknown,
    memory_gib_per_request is null as memory_unknown
from workloads where trace_id = $trace_id
"""

_TOTALS: Final = """
select
    (select max(sampled_at) from usage where trace_id = $trace_id),
    (select max(minute) from minutes where trace_id = $trace_id),
    (select min(sampled_at) from usage where trace_id = $trace_id),
    (select min(minute) from minutes where trace_id = $trace_id),
    (select count(*) from usage where trace_id = $trace_id),
    (select count(*) from calls where trace_id = $trace_id),
    (select count(*) from workloads where trace_id = $trace_id),
    parse_formatted_bytes(current_setting('memory_limit'))
"""

_AVERAGES: Final = """
select exact_sum(calls * seconds_per_call) / nullif(sum(calls) filter (seconds_per_call is not null), 0),
    exact_sum(calls * memory_mb / 1024) / nullif(sum(calls) filter (memory_mb is not null), 0), count(*)
from calls where trace_id = $trace_id
"""


def reduce(connection: duckdb.DuckDBPyConnection, trace_id: str, policy: Policy, fanout: Fanout = HERE) -> Reduced:
    """The recording, reduced to the periods of `policy`; in as many passes as memory asks for, or the engine likes.

    Raises:
        TraceError: it holds functions whose run time or memory nobody tells.
    """
    look_at(connection, trace_id)
    seconds, gib = _call_averages(connection, trace_id, policy)
    connection.execute(_NUMBERED, {"trace_id": trace_id, "seconds": seconds})
    *ends, rows, called, count, memory = connection.execute(_TOTALS, {"trace_id": trace_id}).fetchall()[0]
    home = home_of(connection, trace_id)
    since, hours = _window(ends if home is None else home_ends(connection, trace_id), policy)
    values = {
        "trace_id": trace_id, "since": since, "periods": policy.periods, "seconds": seconds,
        "cpu_level": policy.cpu_percentile / 100, "memory_level": policy.memory_percentile / 100,
        "cores": policy.assumed_cpu_cores, "gib": policy.assumed_memory_gib,
    }  # fmt: skip
    told = measures(connection, trace_id)
    usage, calls, whole = (pruned(section, policy, told) for section in ("usage", "calls", "workloads"))
    parts = max(1 + _most_bytes(policy, rows, called, count) // memory, fanout.shards)
    passes = [{**values, "parts": parts, "part": part} for part in range(parts)]
    usage = numbered_last(usage) if parts == 1 else usage
    asked = [usage, calls, whole] if told["network_out_mib_per_s"] or told["disk_iops"] else [usage, calls]
    rows_of_usage, rows_of_calls, *of_whole = _passed(connection, asked, passes, fanout)
    workloads = _frame(connection, "select * from numbered order by number", {})
    if home is not None:
        rows_of_usage, whole_there = reduced(home, workloads, policy, since)
        of_whole = [whole_there]
    workloads["memory_gib_per_request"] = workloads["memory_gib_per_request"].astype("Float64").fillna(gib)
    joined = _with_sums(workloads, rows_of_usage, of_whole)
    return Reduced(
        workloads=joined,
        usage=rows_of_usage.drop(columns=list(_COUNTS)),
        calls=rows_of_calls,
        quality=_quality(connection, trace_id),
        hours=hours,
        traffic=_traffic(connection, trace_id, since),
    )


def _most_bytes(policy: Policy, rows: int, called: int, workloads: int) -> int:
    """What the percentiles of all samples and minutes of calls take at once; the 100th is a maximum and takes none."""
    percentiles = max(1, (policy.cpu_percentile < 100) + (policy.memory_percentile < 100))
    groups = min(rows + called, workloads * policy.periods)
    return rows * percentiles * _BYTES_PER_VALUE + called * _BYTES_PER_CALL + groups * _BYTES_PER_GROUP


_COUNTS: Final = ("cpu_amounts", "cpu_shares", "memory_amounts", "memory_shares")
_TOLD: Final = ("network_mib_per_s", "disk_iops")
"""Columns that an inventory may tell where there are no samples."""


def _with_sums(workloads: pd.DataFrame, usage: pd.DataFrame, whole: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Each workload with the numbers of its samples, and with means that an inventory tells where there are none."""
    numbers = usage["number"].to_numpy(np.int64)
    counts = {name: np.bincount(numbers, usage[name], len(workloads)).astype(np.int64) for name in _COUNTS}
    empty = pd.DataFrame({"number": pd.Series(dtype=np.int64), **{name: pd.Series(dtype=np.float64) for name in _TOLD}})
    joined = workloads.assign(**counts).merge(whole[0] if whole else empty, on="number", how="left")
    told = {name: joined[name].astype("Float64").fillna(joined[f"told_{name}"].astype("Float64")) for name in _TOLD}
    return joined.assign(**told)


def _frame(connection: duckdb.DuckDBPyConnection, statement: str, values: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of a query, which names some of `values`."""
    return rows_of(connection, statement, values).df()


def _passed(
    connection: duckdb.DuckDBPyConnection,
    statements: Sequence[str],
    passes: Sequence[Mapping[str, Any]],
    fanout: Fanout,
) -> list[pd.DataFrame]:
    """The rows of each statement over all passes: one after the other here, or spread over an engine."""
    if not fanout.here:
        return in_shards(connection, statements, passes, fanout)
    found = ([numbers_of(connection, each, values) for values in passes] for each in statements)
    return [rows[0] if len(rows) == 1 else pd.concat(rows, ignore_index=True) for rows in found]


def _window(ends: list[datetime | None], policy: Policy) -> tuple[datetime, float]:
    """From when samples count, and how many hours of the clock have any."""
    last = max((moment for moment in ends[:2] if moment is not None), default=None)
    first = min((moment for moment in ends[2:] if moment is not None), default=None)
    if first is None or last is None:
        return _LONG_AGO, float("inf")
    if policy.window_days is not None:
        first = max(first, last - timedelta(days=policy.window_days))
    hours = (last.replace(minute=0, second=0) - first.replace(minute=0, second=0)).total_seconds() / 3600
    return first, hours // 1 + 1


def _call_averages(connection: duckdb.DuckDBPyConnection, trace_id: str, policy: Policy) -> tuple[float, float]:
    """Seconds and GiB of the average call, for functions of which they are unknown.

    Raises:
        TraceError: no call tells them.
    """
    seconds, gib, calls = connection.execute(_AVERAGES, {"trace_id": trace_id}).fetchall()[0]
    gib = policy.assumed_memory_gib if gib is None else gib
    seconds = policy.assumed_seconds_per_request if seconds is None else seconds
    if calls and seconds is None:
        raise TraceError(
            f"trace {trace_id}: tells how often functions were called, not how long they ran; add durations, or state "
            "assumed_seconds_per_request under [demand]"
        )
    if calls and gib is None:
        hint = "add it, or state assumed_memory_gib under [demand]"
        raise TraceError(f"trace {trace_id}: tells nothing of the memory of functions; {hint}")
    return float(seconds or 0.0), float(gib or 0.0)


_TRAFFIC: Final = """
with told as (
    select * from traffic where trace_id = $trace_id and (sampled_at is null or sampled_at >= $since)
),
times as (select count(distinct sampled_at) as n from told)
select caller, callee,
    exact_sum(requests_per_s / case when sampled_at is null then 1 else n end) as requests_per_s,
    exact_sum(mib_per_s / case when sampled_at is null then 1 else n end) as mib_per_s
from told, times group by caller, callee order by caller, callee
"""


def _traffic(connection: duckdb.DuckDBPyConnection, trace_id: str, since: datetime) -> pd.DataFrame | None:
    """The mean traffic of each pair; a pair that is not told at a time had none then. None where there is none."""
    rows = _frame(connection, _TRAFFIC, {"trace_id": trace_id, "since": since})
    return None if rows.empty else rows


def _quality(connection: duckdb.DuckDBPyConnection, trace_id: str) -> pd.DataFrame:
    query = f"select {', '.join(QUALITY_COLUMNS)} from quality where trace_id = $id order by workload"
    return connection.execute(query, {"id": trace_id}).df()


def replayed(
    connection: duckdb.DuckDBPyConnection, trace_id: str, tables: Mapping[str, pd.DataFrame], policy: Policy
) -> pd.DataFrame:
    """How often and how badly each box was short, by sql/replay.sql; `tables` are its seats and rooms."""
    if home_of(connection, trace_id) is not None:
        raise TraceError(
            f"trace {trace_id}: its samples stay in Spark, and a replay looks at each; ingest a copy of it"
        )
    look_at(connection, trace_id)
    *ends, _, _, _, _ = connection.execute(_TOTALS, {"trace_id": trace_id}).fetchall()[0]
    values = {
        "trace_id": trace_id, "since": _window(ends, policy)[0], "seconds": int(SLOT_SECONDS),
        "cores": policy.assumed_cpu_cores, "gib": policy.assumed_memory_gib,
    }  # fmt: skip
    for name, rows in tables.items():
        connection.register(name, rows)
    return _frame(connection, sql("replay.sql"), values)
