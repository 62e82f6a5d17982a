"""TraceInfo: what is known of one recording after it was read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

import duckdb

from planner.errors import TraceError

__all__ = ["QUALITY_KEYS", "TraceInfo", "entered", "trace_of"]

QUALITY_KEYS: Final = (
    *(f"stars_{n}" for n in range(1, 6)),
    "active",
    "idle",
    "zombie",
    "unknown",
)
"""Keys of `TraceInfo.quality`; each counts workloads."""

_COLUMNS: Final = (
    "trace_id",
    "name",
    "format",
    "reason",
    "workloads",
    "samples",
    "rejected",
    "lines",
    '"start"',
    '"end"',
    "calls",
    "gb_seconds",
    "notes",
    "quality",
    "charges",
    "flows",
)
"""What is selected from table traces to make a `TraceInfo`, in this order."""


@dataclass(frozen=True)
class TraceInfo:
    """One recording: where it came from, how much of it was read, and how good it is."""

    trace_id: str
    name: str
    format: str
    reason: str
    """Why this format was taken."""
    workloads: int
    samples: int
    """Good rows read; notes tell how many of them were copies of others and are kept once."""
    rejected: int
    """Bad rows, each in table rejects with its file, line and reason."""
    lines: int
    """Data lines read: good ones and rejected ones."""
    start: datetime | None
    end: datetime | None
    """First and last sample, UTC without time zone."""
    calls: int
    gb_seconds: float
    """Calls of functions and their cost in memory and time; 0 where the recording has none. GB = 1024 MB."""
    notes: tuple[str, ...]
    """What was found odd, in sentences."""
    quality: dict[str, int]
    """Counts of workloads by stars and by activity, keys `QUALITY_KEYS`."""
    charges: int = 0
    """Lines of a bill; a recording may be a bill and hold no workloads."""
    flows: int = 0
    """Pairs of a caller and a callee whose traffic is told."""
    repeated: bool = False
    """True where this ingest found the recording already there and added nothing."""


def _from_row(row: Sequence[Any], *, repeated: bool = False) -> TraceInfo:
    """A `TraceInfo` out of the columns `_COLUMNS`."""
    facts = dict(zip((f.name for f in fields(TraceInfo)), row, strict=False))
    facts |= {"calls": round(facts["calls"]), "notes": tuple(facts["notes"]), "quality": json.loads(facts["quality"])}
    facts |= {name: int(facts[name] or 0) for name in ("charges", "flows")}
    return TraceInfo(**facts, repeated=repeated)


def entered(connection: duckdb.DuckDBPyConnection, values: Mapping[str, Any]) -> TraceInfo:
    """Enters a recording in table traces, by its columns but the time; what is known of it then.

    Raises:
        TraceError: it was not kept.
    """
    columns = ", ".join(f'${key} as "{key}"' for key in values)
    connection.execute(f"insert into traces by name select {columns}, now() at time zone 'UTC' as ingested_at", values)
    info = trace_of(connection, values["trace_id"])
    if info is None:
        raise TraceError(f"{values['name']}: was not kept")
    return info


def trace_of(connection: duckdb.DuckDBPyConnection, trace_id: str, *, repeated: bool = False) -> TraceInfo | None:
    """What is known of a recording; None where there is none of that id."""
    query = f"select {', '.join(_COLUMNS)} from traces where trace_id = $id"
    row = connection.execute(query, {"id": trace_id}).fetchone()
    return None if row is None else _from_row(row, repeated=repeated)
