"""Recordings that stay in Spark: what is known of them comes here, samples are reduced there by sql/resident.sql.

``spark://HOST:7077/db.samples`` names a table of a standalone cluster, ``sc://HOST:15002/db.samples`` one behind Spark
Connect, ``spark:db.samples`` one of the session on this machine. Columns are those of format planner; a second table
tells sizes: ``...?workloads=db.machines``. Copies, gaps and the order of rows are not looked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import duckdb
import pandas as pd

from planner.demand import Policy
from planner.errors import InputError, TraceError
from planner.store.database import run, statements, transaction
from planner.store.formats import Input, load
from planner.store.measuring import measured
from planner.store.trace import TraceInfo, entered, trace_of

__all__ = ["RESIDENT", "Resident", "home_ends", "home_of", "known", "reduced"]

RESIDENT: Final = ("spark:", "sc://")
"""What an address of a recording that stays where it is begins with."""

_ID_LENGTH: Final = 16
_NOTE: Final = "stays in Spark and is reduced there; copies, gaps and the order of its rows are not looked for"


@dataclass(frozen=True)
class Resident:
    """Where a recording stays: the session to ask, its table of samples, and that of its workloads, if any."""

    session: str
    samples: str
    workloads: str | None = None

    @classmethod
    def at(cls, address: str) -> Resident:
        """The tables that an address names.

        Raises:
            TraceError: it names none.

        >>> Resident.at("spark://host:7077/db.usage?workloads=db.vms")
        Resident(session='spark://host:7077', samples='db.usage', workloads='db.vms')
        >>> Resident.at("spark:usage")
        Resident(session='', samples='usage', workloads=None)
        """
        parts = urlsplit(address)
        samples = parts.path.strip("/")
        if not samples:
            raise TraceError(f"{address}: names no table; expected spark://HOST:PORT/TABLE or spark:TABLE")
        asked = parse_qs(parts.query)
        if set(asked) - {"workloads"}:
            raise TraceError(
                f"{address}: says {', '.join(sorted(set(asked) - {'workloads'}))}, expected workloads=TABLE"
            )
        session = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
        return cls(session, samples, asked.get("workloads", [None])[0])


def known(cursor: Callable[[], duckdb.DuckDBPyConnection], address: str, name: str | None) -> TraceInfo:
    """Enters a recording that stays in Spark: its workloads, their quality and its totals.

    Raises:
        InputError: there is no Spark to ask.
        TraceError: there is no such table, or it holds no sound row.
    """
    home = Resident.at(address)
    with _tables(home) as (ask, rows, listed):
        sums = _plain(ask(_section("sums", {})))
    if sums.empty:
        raise TraceError(
            f"{address}: holds no sound row of {rows:,}; every row needs workload, sampled_at and a measure"
        )
    trace_id = _identity(home, sums)
    with cursor() as connection:
        there = trace_of(connection, trace_id, repeated=True)
        if there is not None:
            return there
        with transaction(connection):
            return _entered(connection, home, (address, name or home.samples, rows), (sums, listed), trace_id)


def _entered(
    connection: duckdb.DuckDBPyConnection,
    home: Resident,
    told: tuple[str, str, int],
    frames: tuple[pd.DataFrame, pd.DataFrame],
    trace_id: str,
) -> TraceInfo:
    address, name, rows = told
    connection.execute("create temp table notes (note varchar)")
    for table, frame in zip(("sums", "listed_there"), frames, strict=True):
        connection.register("frame_there", frame)
        connection.execute(f"create or replace temp table {table} as from frame_there")
        connection.unregister("frame_there")
    (insert,) = statements("resident.sql", "listed")
    run(connection, insert, trace_id)
    connection.execute("insert into resident values ($id, $address)", {"id": trace_id, "address": address})
    totals = measured(connection, trace_id)
    left = rows - int(frames[0]["samples"].sum())
    notes = [
        _NOTE,
        *([f"{left:,} rows are left out: a field that must be there is not, or is not plausible"] * bool(left)),
    ]
    values = {
        **totals, "trace_id": trace_id, "name": name, "format": "planner", "notes": notes, "rejected": 0,
        "lines": rows - left, "reason": f"table {home.samples} of {home.session or 'the Spark session here'}",
    }  # fmt: skip
    return entered(connection, values)


def home_of(connection: duckdb.DuckDBPyConnection, trace_id: str) -> Resident | None:
    """Where a recording stays; None where its samples are here."""
    row = connection.execute("select address from resident where trace_id = $id", {"id": trace_id}).fetchone()
    return None if row is None else Resident.at(str(row[0]))


def home_ends(connection: duckdb.DuckDBPyConnection, trace_id: str) -> list[datetime | None]:
    """Last sample, last call, first sample, first call of a recording that stays in Spark; it has no calls."""
    info = trace_of(connection, trace_id)
    return [None] * 4 if info is None else [info.end, None, info.start, None]


def reduced(
    home: Resident, workloads: pd.DataFrame, policy: Policy, since: datetime
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows per workload and period, and per workload, as sections usage and workloads of sql/demand.sql give them.

    Args:
        home: where the samples are.
        workloads: rows ``number``, ``workload``, ``cpu_cores``, ``memory_gib``.
        policy: which percentiles of which periods, and sizes to assume.
        since: samples before it do not count.
    """
    values = {
        "since": f"cast('{since:%Y-%m-%d %H:%M:%S.%f}' as timestamp)", "periods": policy.periods,
        "cpu_level": policy.cpu_percentile / 100, "memory_level": policy.memory_percentile / 100,
        "cores": _number(policy.assumed_cpu_cores), "gib": _number(policy.assumed_memory_gib),
    }  # fmt: skip
    with _tables(home, workloads[["workload", "cpu_cores", "memory_gib"]]) as (ask, _, _):
        usage, whole = (_plain(ask(_section(name, values))) for name in ("usage", "whole"))
    numbers = workloads.set_index("workload")["number"]
    usage, whole = (rows.assign(number=rows.pop("workload").map(numbers)) for rows in (usage, whole))
    return usage.dropna(subset=["number"]), whole.dropna(subset=["number"])


def _number(value: float | None) -> str:
    return "cast(null as double)" if value is None else f"cast({value!r} as double)"


def _section(name: str, values: Mapping[str, Any]) -> str:
    (statement,) = statements("resident.sql", name)
    return re.sub(r"\$(\w+)", lambda found: str(values[found[1]]), statement.strip().removesuffix(";"))


def _identity(home: Resident, sums: pd.DataFrame) -> str:
    """The same table with the same rows has the same id."""
    told = pd.util.hash_pandas_object(sums.sort_values("workload"), index=False).to_numpy().tobytes()
    return hashlib.sha256(repr(home).encode() + told).hexdigest()[:_ID_LENGTH]


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Numbers as floats, times without nanoseconds, whatever Spark made of them."""
    numbers = [name for name in rows if name not in {"workload", "first", "last"}]
    whole = {name: rows[name].astype("int64") for name in ("samples", "period", *_COUNTS) if name in rows}
    floats = {name: rows[name].astype("float64") for name in numbers if name not in whole}
    times = {name: rows[name].astype("datetime64[us]") for name in ("first", "last") if name in rows}
    return rows.assign(**{str(name): column for name, column in (floats | whole | times).items()})


_COUNTS: Final = ("cpu_amounts", "cpu_shares", "memory_amounts", "memory_shares")

Ask = Callable[[str], pd.DataFrame]


@contextmanager
def _tables(home: Resident, sizes: pd.DataFrame | None = None) -> Iterator[tuple[Ask, int, pd.DataFrame]]:
    """Views ``told`` and ``sizes`` in a session; what asks it, how many rows there are, and the workloads listed."""
    with _session(home) as spark:
        try:
            samples, machines = (load("planner").inputs[n] for n in (0, 1))
            rows = _columns(spark.table(home.samples), samples, home.samples)
            listed = spark.table(home.workloads) if home.workloads else spark.createDataFrame([], "workload string")
            frame = _columns(listed, machines, home.workloads or "").toArrow().to_pandas().drop_duplicates("workload")
            spark.createDataFrame(_sizes(frame if sizes is None else sizes), _SIZES).createOrReplaceTempView("sizes")
            rows.where(_sound(samples)).createOrReplaceTempView("told")
            yield lambda query: spark.sql(query).toArrow().to_pandas(), rows.count() if sizes is None else 0, frame
        except (InputError, TraceError):
            raise
        except Exception as error:
            if not type(error).__module__.startswith("pyspark"):
                raise
            raise TraceError(f"{home.samples}: Spark says: {str(error).splitlines()[0]}") from error


def _sound(kind: Input) -> str:
    """SQL for rows that have what they must and are plausible."""
    there = [f"{column.name} is not null" for column in kind.columns if column.required]
    return " and ".join([*there, *(f"coalesce({check}, true)" for check, _ in kind.checks)])


_SIZES: Final = "workload string, cpu_cores double, memory_gib double"


def _sizes(rows: pd.DataFrame) -> list[tuple[Any, ...]]:
    sizes = (rows[name].astype(float) for name in ("cpu_cores", "memory_gib"))
    numbers = (each.astype(object).where(each.notna(), None).tolist() for each in sizes)
    return list(zip(rows["workload"].tolist(), *numbers, strict=True))


def _columns(table: Any, kind: Input, name: str) -> Any:
    """A table of Spark with the columns of a kind of file, and no others."""
    found = dict(zip(kind.columns_of(table.columns), table.columns, strict=True))
    lacking = [column.name for column in kind.columns if column.required and column not in found]
    if lacking:
        raise TraceError(f"table {name}: has no column {', '.join(lacking)}; it has {', '.join(table.columns)}")
    types = {"VARCHAR": "string", "TIMESTAMP": "timestamp_ntz"}
    told = [(found.get(column), types.get(column.type, column.type.lower()), column.name) for column in kind.columns]
    words = [f"cast({'null' if own is None else f'`{own}`'} as {kind}) as {named}" for own, kind, named in told]
    return table.selectExpr(*words)


@contextmanager
def _session(home: Resident) -> Iterator[Any]:
    """A session of Spark in UTC; ended again where it was not there before.

    Raises:
        InputError: Spark is not installed, or its cluster cannot be reached.
    """
    if find_spec("pyspark") is None:
        raise InputError("a recording in Spark needs the package pyspark: pip install 'planner[spark]'")
    sessions = import_module("pyspark.sql").SparkSession
    before = sessions.getActiveSession()
    quiet = sessions.builder.appName("planner").config("spark.ui.enabled", "false")
    builder = quiet.config("spark.ui.showConsoleProgress", "false")
    if home.session:
        builder = builder.remote(home.session) if home.session.startswith("sc:") else builder.master(home.session)
    try:
        spark = before or builder.getOrCreate()
    except Exception as error:  # Java, Py4J and gRPC have each their own for a cluster that is not there
        told = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{home.session or 'Spark'}: cannot be reached: {told}") from error
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        yield spark
    finally:
        if before is None:
            spark.stop()
