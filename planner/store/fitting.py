"""How well a file fits a kind of file: by its header, or by its first lines where the kind has none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final

import duckdb

from planner.store.formats import Input
from planner.store.judge import BLANK, cells_of, layout_of, reasons
from planner.store.parquet import parquet_columns
from planner.store.sources import Source

__all__ = ["fits_of", "headers_of", "recognised"]

_LINES_JUDGED: Final = 20
_LEAST_GOOD: Final = 0.5
"""More than this share of the first lines of a file without header are good rows if it is of a kind."""
_MOST: Final = 0.5
"""A header above a file of a kind without one names more than this share of the kind's columns."""
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|nan|inf", re.IGNORECASE)


def fits_of(
    connection: duckdb.DuckDBPyConnection,
    kind: Input,
    sources: Sequence[Source],
    told: frozenset[Source] | None = None,
) -> list[int]:
    """How well each file fits a kind: columns recognised, 0 where it is not of the kind."""
    if kind.is_json:
        return [0] * len(sources)
    if kind.header:
        return _named_fits(connection, kind, sources)
    likely = [s for s in sources if s not in (told or ()) and _is_likely(kind, s.head[:_LINES_JUDGED])]
    if not likely:
        return [0] * len(sources)
    heads = [source.head[:_LINES_JUDGED] for source in likely]
    lines = [line for head in heads for line in head]
    good = iter([reason is None for reason in reasons(connection, kind, layout_of(kind, lines), lines)])
    rows = {source: list(islice(good, len(head))) for source, head in zip(likely, heads, strict=True)}
    fitting = {s for s, sound in rows.items() if sum(sound) > _LEAST_GOOD * len(sound)}
    if told is not None:
        fitting -= {s for s in fitting if not rows[s][0] and _is_foreign(kind, s.head[0])}
    return [int(source in fitting) * len(kind.columns) for source in sources]


def _is_foreign(kind: Input, line: str) -> bool:
    """Whether a first line that is no row is a header, and not one of this kind: all words, most of them not ours."""
    cells = cells_of(line, kind.delimiter)
    words = any(cells) and not any(_NUMBER.fullmatch(cell) for cell in cells)
    return words and recognised(kind, cells) <= _MOST * len(cells)


def _named_fits(connection: duckdb.DuckDBPyConnection, kind: Input, sources: Sequence[Source]) -> list[int]:
    """As `fits_of`, of a kind with a header; each header is looked at once, many files may have the same."""
    seen: dict[object, int] = {}
    fits = []
    for source in sources:
        key = source.head[0] if source.head else source.path
        if key not in seen:
            seen[key] = _fit(kind, headers_of(connection, kind, source))
        fits.append(seen[key])
    return fits


def headers_of(connection: duckdb.DuckDBPyConnection, kind: Input, source: Source) -> list[str]:
    """The columns that a file names, read as one of a kind; none where it is empty."""
    if source.kind == "parquet":
        return list(parquet_columns(connection, source))
    return [] if source.empty else cells_of(source.head[0], kind.separated(source.head[0]).delimiter)


def _fit(kind: Input, headers: Sequence[str]) -> int:
    return 0 if len(headers) < kind.least or kind.lacks(headers) else recognised(kind, headers)


def _is_likely(kind: Input, lines: Sequence[str]) -> bool:
    """Whether lines may have as many fields as a kind without header has columns, told by a look at the delimiters."""
    text, more = "".join(lines), len(kind.columns) - 1
    found = sum(map(text.count, " \t,;" if kind.delimiter == BLANK else kind.delimiter))
    if kind.delimiter == BLANK or '"' in text or found < _LEAST_GOOD * len(lines) * more:
        return bool(lines) and found >= _LEAST_GOOD * len(lines) * more
    return sum(line.count(kind.delimiter) == more for line in lines) > _LEAST_GOOD * len(lines)


def recognised(kind: Input, headers: Sequence[str]) -> int:
    """How many headers are columns of a kind."""
    return sum(column is not None for column in kind.columns_of(headers))
