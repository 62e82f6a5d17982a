"""Why files are of no format, or not of one that was named: what they are nearest to, and what was seen of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from planner.errors import near_miss
from planner.store.documents import Documents
from planner.store.fitting import headers_of, recognised
from planner.store.formats import Format, Input, formats, load
from planner.store.judge import cells_of, layout_of, reasons
from planner.store.parquet import parquet_columns
from planner.store.sources import Source

__all__ = ["seen", "unfit", "why_not"]

_NAMED: Final = 3
_NEAR: Final = 3
"""Fewest columns of a kind that a header names which is nearly one of it."""
_COLUMNS: Final = 20
"""Most columns that are named of a file of no known format."""


def unfit(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], documents: Documents) -> str:
    """Why no format fits: what files tell themselves of it, and what is seen where some tell nothing."""
    silent = list(documents.silent.items())
    told = [why if len(sources) == 1 else f"{source.name}: {why}" for source, why in silent[:_NAMED]]
    if len(silent) < len(sources):
        begin = f"no known trace format. Seen: {seen(connection, sources)}"
        told.append(f"{begin}{_nearest(connection, sources)}. {_known()}")
    return "; ".join(told)


def _nearest(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> str:
    """The kind of file that a header names most columns of, and which it lacks; nothing where it names few."""
    near = []
    for source in (s for s in sources[:_NAMED] if s.kind != "json" and not s.empty):
        for form in map(load, formats()):
            for kind in (kind for kind in form.inputs if kind.header and not kind.is_json and not kind.aside):
                headers = headers_of(connection, kind, source)
                count, lacks = recognised(kind, headers), kind.lacks(headers)
                if count >= _NEAR and lacks and count > len(lacks):
                    near.append((count, f"{source.name} would be {form.name} but for {', '.join(lacks)}"))
    return f"; {max(near)[1]}, which its header lacks" if near else ""


def why_not(connection: duckdb.DuckDBPyConnection, form: Format, source: Source) -> str:
    """Why a file is of none of the kinds of a format, by the kind that it comes nearest to."""
    if source.empty:
        return "is empty"
    if source.kind == "json" or all(kind.is_json for kind in form.inputs):
        return "it holds no JSON document of this format with a row in it"
    kinds = [kind for kind in form.inputs if kind.header and not kind.is_json]
    if not kinds:
        plain = [kind for kind in form.inputs if not kind.is_json]
        fields = len(cells_of(source.head[0], plain[0].delimiter))
        nearest = min(plain, key=lambda kind: abs(len(kind.columns) - fields))
        found = reasons(connection, nearest, layout_of(nearest, source.head), source.head[:1])[0]
        return f"line 1 is no row of {nearest.name}: {found}"
    return min((_lacking(kind, headers_of(connection, kind, source)) for kind in kinds), key=len)


def _lacking(kind: Input, headers: Sequence[str]) -> str:
    missing = kind.lacks(headers)
    near = f"; {near_miss(missing[0], headers)}" if missing and any(headers) else ""
    return f"the header lacks {', '.join(missing)}{near}"


def seen(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> str:
    """How the first files begin."""
    parts = []
    for source in sources[:3]:
        if source.kind == "parquet":
            parts.append(f"{source.name} is Parquet with {_listed(list(parquet_columns(connection, source)))}")
        else:
            parts.append(f"{source.name} begins with {source.head[0][:80] if source.head else 'nothing'!r}")
    return "; ".join(parts) + (f"; and {len(sources) - 3} more files" if len(sources) > 3 else "")


def _listed(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - _COLUMNS:,} more" if len(columns) > _COLUMNS else ""
    return f"columns {', '.join(column[:60] for column in columns[:_COLUMNS])}{more}"


def _known() -> str:
    return "Known formats: " + "; ".join(f"{name} ({title})" for name, title in formats().items())
