"""Files of a known format into the store: all rows in one transaction, every line a good row or a reject."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from planner.errors import TraceError
from planner.store.counting import count_lines
from planner.store.database import out_of_memory, run, transaction
from planner.store.detect import Found
from planner.store.exact import exact_table, is_broken
from planner.store.formats import Input
from planner.store.judge import flaws, quoted
from planner.store.limits import Limits, refuse_rows
from planner.store.measuring import measured, summed
from planner.store.numbered import numbered_table
from planner.store.reading import Group, Reject, groups_of, nothing_good, quick_rejects, quick_view
from planner.store.repair import gaps, zones
from planner.store.samples import dropped_if_empty, keep, look_at, shown, tells
from planner.store.sources import BROKEN, Source
from planner.store.trace import TraceInfo, entered

__all__ = ["Title", "loaded"]


_TRIPS: Final = (
    *(duckdb.InvalidInputException, duckdb.ConstraintException, duckdb.ConversionException),
    duckdb.IOException,
)
"""What the quick reader raises at rows it cannot read, and where zeros stand behind a gzip stream, as tapes leave them
there; other trouble of files is none of its own."""


_MANY: Final = 1_000
_SMALL_BYTES: Final = 8 << 10
"""So many files that are on average no larger are read line by line: DuckDB 2.0 takes 2 ms to open one."""


class _RowsLostError(Exception):
    """The quick reading of a kind of file did not account for every line; it must be read exactly."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass
class _Loading:
    """What has been read so far of one recording."""

    trace_id: str
    exact: frozenset[str]
    counts: dict[Path, Future[int]]
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: int = 0


@dataclass(frozen=True)
class Title:
    """What a recording is called, what was noted before it was read, and how much of it may be read."""

    name: str
    notes: tuple[str, ...]
    limits: Limits


def loaded(cursor: Callable[[], duckdb.DuckDBPyConnection], found: Found, trace_id: str, title: Title) -> TraceInfo:
    """Reads the files that were found, with every error of a library told in our words.

    Raises:
        TraceError: they cannot be read, hold no good row, or hold more than the limits let in.
    """
    with ThreadPoolExecutor(1) as pool:
        texts = [source for files in found.files.values() for source in files if source.kind != "parquet"]
        counts = {source.path: pool.submit(count_lines, source, title.limits) for source in texts}
        try:
            if title.limits.bounded:
                _heed(cursor, found, counts, title.limits)
            exact = _never_quickly(found)
            if exact:
                _counted(counts)
            return _read(cursor, found, _Loading(trace_id, exact, counts), title)
        except BROKEN as error:
            called = _called(found, title.name, str(error))
            raise TraceError(f"{called}: cannot be read to its end: {error}") from error
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise TraceError(f"{title.name}: {out_of_memory(error)}") from error
        except duckdb.Error as error:
            called = _called(found, title.name, str(error))
            raise TraceError(f"{called}: cannot be read: {str(error).splitlines()[0]}") from error


def _never_quickly(found: Found) -> frozenset[str]:
    """The kinds of files that the quick reader cannot read, or not quickly: by how they begin, or by their sizes."""
    kinds = {kind.name: (kind, found.files.get(kind.name, ())) for kind in found.format.inputs}
    return frozenset(n for n, (kind, files) in kinds.items() if _many_small(files) or _any_broken(kind, files))


def _any_broken(kind: Input, files: Sequence[Source]) -> bool:
    return any(is_broken(kind, source) for source in files)


def _many_small(files: Sequence[Source]) -> bool:
    """Whether opening the files takes the quick reader longer than the exact one takes to read them."""
    if len(files) < _MANY or any(source.kind != "csv" for source in files):
        return False
    return sum(source.path.stat().st_size for source in files) < _SMALL_BYTES * len(files)


def _read(cursor: Callable[[], duckdb.DuckDBPyConnection], found: Found, loading: _Loading, title: Title) -> TraceInfo:
    """Reads quickly; what the quick way cannot account for, exactly, from a clean start."""
    while True:
        fresh = replace(loading, rejects=[], notes=list(title.notes), lines=0)
        try:
            with cursor() as connection, transaction(connection):
                return _load(connection, found, fresh, title.name)
        except _RowsLostError as lost:
            loading = replace(loading, exact=loading.exact | {lost.kind})
            _counted(loading.counts)


def _heed(
    cursor: Callable[[], duckdb.DuckDBPyConnection], found: Found, counts: dict[Path, Future[int]], limits: Limits
) -> None:
    """Stops before anything is loaded where all files together hold too many rows."""
    sources = [source for files in found.files.values() for source in files]
    rows = _counted(counts)
    with cursor() as connection:
        packed = [str(source.path) for source in sources if source.kind == "parquet"]
        rows += _parquet_rows(connection, packed) if packed else 0
    refuse_rows(sources[0], rows, limits)


def _counted(counts: dict[Path, Future[int]]) -> int:
    """Lines of all files. The exact reader holds lines whole, so none may be too long: the count raises that."""
    return sum(count.result() for count in counts.values())


def _parquet_rows(connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> int:
    query = "select sum(num_rows) from parquet_file_metadata($paths)"
    return int(connection.execute(query, {"paths": paths}).fetchall()[0][0])


def _load(connection: duckdb.DuckDBPyConnection, found: Found, loading: _Loading, name: str) -> TraceInfo:
    connection.execute("create temp table notes (note varchar)")
    look_at(connection, loading.trace_id)
    _label(connection, [source for files in found.files.values() for source in files])
    groups = {kind.name: groups_of(connection, kind, found.files.get(kind.name, ())) for kind in found.format.inputs}
    for kind in found.format.inputs:
        _open(connection, kind, groups[kind.name], loading)
    last = max((n for n, statement in enumerate(found.format.statements) if tells(statement)), default=-1)
    for number, statement in enumerate(found.format.statements):
        streamed = [kind for kind in found.format.inputs if _streams(kind, statement, groups, loading)]
        rows = _quickly(connection, statement, loading, streamed)
        for kind in streamed:
            _audit(connection, kind, groups[kind.name])
            _conserve(connection, kind, groups[kind.name], _Rows(int(rows[0][0]), loading))
        if number == last:
            summed(connection, loading.trace_id)
    if last < 0:
        summed(connection, loading.trace_id)
    dropped_if_empty(connection, loading.trace_id)
    shown(connection)
    loading.notes += zones([source for files in found.files.values() for source in files])
    _keep_rejects(connection, loading)
    return _finish(connection, found, loading, name)


def _label(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> None:
    rows = [{"path": str(s.path), "label": s.label, "folder": s.folder} for s in sources]
    table = pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in ("path", "label", "folder")]))
    connection.register("given_labels", table)
    connection.execute("create temp table labels as from given_labels")
    connection.unregister("given_labels")


def _open(connection: duckdb.DuckDBPyConnection, kind: Input, groups: Sequence[Group], loading: _Loading) -> None:
    """Makes the relation NAME that the format's statements read."""
    names = sorted({name for group in groups for name in group.layout.names})
    connection.execute(f"set variable columns_of_{kind.name} = $names", {"names": names})
    if not groups:
        connection.execute(f"create temp table {kind.name} ({_declared(kind)})")
    elif kind.name in loading.exact or _by_lines(kind, groups):
        read = numbered_table if _by_lines(kind, groups) else exact_table
        rejects, records, notes = read(connection, kind, groups)
        loading.notes += nothing_good(kind, records - len(rejects), rejects) + notes
        loading.rejects += rejects
        loading.lines += records
    elif kind.streamed:
        quick_view(connection, kind.name, groups)
    else:
        quick_view(connection, f"quick_{kind.name}", groups)
        _forget_rejects(connection)
        rows = _quickly(connection, f"create temp table {kind.name} as from quick_{kind.name}", loading, [kind])
        _conserve(connection, kind, groups, _Rows(int(rows[0][0]), loading))


def _by_lines(kind: Input, groups: Sequence[Group]) -> bool:
    """Whether the place of a row counts and only the lines tell it; Parquet files number their rows."""
    return kind.numbered and not any(group.is_parquet for group in groups)


def _quickly(
    connection: duckdb.DuckDBPyConnection, statement: str, loading: _Loading, kinds: Sequence[Input]
) -> list[tuple[Any, ...]]:
    """The rows of a statement over files of `kinds`; where the quick reader trips over one, all are read exactly."""
    try:
        if tells(statement):
            return keep(connection, statement, loading.trace_id)
        return run(connection, statement, loading.trace_id)
    except _TRIPS as error:
        if not kinds or (isinstance(error, duckdb.IOException) and "GZIP stream" not in str(error)):
            raise
        raise _RowsLostError(kinds[0].name) from error


def _declared(kind: Input) -> str:
    columns = [f"{quoted(column.name)} {column.type}" for column in kind.columns if column.pattern is None]
    placed = ["line bigint", "folder varchar"] if kind.numbered else []
    return ", ".join([*columns, *placed, "file varchar"])


def _streams(kind: Input, statement: str, groups: dict[str, list[Group]], loading: _Loading) -> bool:
    """Whether the statement read a kind of file row for row."""
    reads = re.search(rf"\bfrom\s+{kind.name}\b", statement) is not None
    return kind.streamed and reads and bool(groups[kind.name]) and kind.name not in loading.exact


def _audit(connection: duckdb.DuckDBPyConnection, kind: Input, groups: Sequence[Group]) -> None:
    """Rows that were read unchecked hold what is demanded of them, or they are all read again."""
    quotes = not all(group.is_parquet for group in groups)
    for flaw in flaws(kind, quotes=quotes) if kind.as_is else ():
        if connection.execute(f"select 1 from usage where {flaw} limit 1").fetchall():
            raise _RowsLostError(kind.name)


@dataclass(frozen=True)
class _Rows:
    good: int
    loading: _Loading


def _conserve(connection: duckdb.DuckDBPyConnection, kind: Input, groups: Sequence[Group], rows: _Rows) -> None:
    """Every line is a good row or a reject, or it is all read again."""
    loading = rows.loading
    rejects = quick_rejects(connection, groups)
    lines = sum(_lines(connection, group, loading) for group in groups)
    if rejects is None or rows.good + len(rejects) != lines:
        raise _RowsLostError(kind.name)
    loading.notes += nothing_good(kind, rows.good, rejects)
    loading.rejects += rejects
    loading.lines += lines


def _lines(connection: duckdb.DuckDBPyConnection, group: Group, loading: _Loading) -> int:
    if group.is_parquet:
        return _parquet_rows(connection, [str(source.path) for source in group.sources])
    return sum(loading.counts[source.path].result() - int(group.kind.header) for source in group.sources)


def _forget_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    for table in ("reject_errors", "reject_scans"):
        connection.execute(f"drop table if exists {table}")


def _keep_rejects(connection: duckdb.DuckDBPyConnection, loading: _Loading) -> None:
    if not loading.rejects:
        return
    columns = {
        name: pa.array([getattr(reject, name) for reject in loading.rejects])
        for name in ("file", "line", "reason", "text")
    }
    connection.register("bad_rows", pa.table(columns))
    connection.execute("insert into rejects by name select $id as trace_id, * from bad_rows", {"id": loading.trace_id})
    connection.unregister("bad_rows")


def _finish(connection: duckdb.DuckDBPyConnection, found: Found, loading: _Loading, name: str) -> TraceInfo:
    """Measures what was read and enters it in table traces."""
    totals = measured(connection, loading.trace_id)
    told = [str(row[0]) for row in connection.execute("select note from notes").fetchall()]
    if not totals["workloads"] and not totals["charges"]:
        raise TraceError(f"{_called(found, name)}: holds no workload; {_lack(found, loading, told)}")
    loading.notes += gaps(connection, loading.trace_id)
    notes = [*loading.notes, *told]
    values = {
        **totals, "trace_id": loading.trace_id, "name": name, "format": found.format.name, "reason": found.reason,
        "rejected": len(loading.rejects), "lines": loading.lines, "notes": notes,
    }  # fmt: skip
    return entered(connection, values)


def _lack(found: Found, loading: _Loading, told: Sequence[str]) -> str:
    """Why rows make no workload: which files are not there, and what the format notes."""
    if not loading.lines:
        return "it has a header at most"
    absent = [k.name for k in found.format.inputs if k.name not in found.files and not (k.aside or k.silent)]
    missing = [f"there is no file of {' or '.join(absent)}"] if absent else []
    good = loading.lines - len(loading.rejects)
    return "; ".join([f"{good:,} good rows of {', '.join(found.files)} were read", *missing, *told])


def _called(found: Found, name: str, message: str = "") -> str:
    """What an error calls the recording: its only file, or the one that a message names, else its name."""
    sources = {source.path: source for files in found.files.values() for source in files}
    named = [source for path, source in sources.items() if str(path) in message] or list(sources.values())
    return named[0].shown if len(named) == 1 else name
