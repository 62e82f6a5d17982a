"""The quick way in: typed views over CSV and Parquet files, and the count that tells whether a row was lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import duckdb

from planner.errors import TraceError
from planner.store.database import memory_of
from planner.store.formats import Input
from planner.store.judge import Layout, cells_of, good, lacking, layout_of, quoted, reasons, told, trimmed
from planner.store.parquet import nested, parquet_columns, parquet_headers
from planner.store.sources import Source

__all__ = ["Group", "Reject", "groups_of", "nothing_good", "parquet_rows", "quick_rejects", "quick_view"]

_SMALL_MEMORY: Final = 512 << 20
_SMALL_BUFFER: Final = ", buffer_size=8000000"
"""Under less memory files are read in smaller pieces; DuckDB takes 32 MB a thread. Source: loads under small limits."""


_FRACTION: Final = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
_THOUSANDS: Final = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_NULLS: Final = ", nullstr=['', '{}']"
"""Without a word for nothing the option is left out: it makes reading a fifth slower. Source: 50M rows, DuckDB 2.0."""


@dataclass(frozen=True)
class Group:
    """Files of one kind that hold their columns in the same order."""

    kind: Input
    layout: Layout
    sources: tuple[Source, ...]

    @property
    def is_parquet(self) -> bool:
        """Whether the files are Parquet."""
        return self.sources[0].kind == "parquet"


@dataclass(frozen=True, slots=True)
class Reject:
    """A bad row: where it is, why it is bad, and its text."""

    file: str
    line: int
    reason: str
    text: str


def groups_of(connection: duckdb.DuckDBPyConnection, kind: Input, sources: Sequence[Source]) -> list[Group]:
    """The files of a kind, grouped by the order of their columns and by how they are packed."""
    kinds = {source: _written(kind, source) for source in sources}
    packed = {s: kinds[s].delimiter + kinds[s].decimal + _packing(connection, s) for s in sources}
    layouts = [(packed[source], _layout(connection, kinds[source], source), source) for source in sources]
    order = sorted(layouts, key=lambda entry: (entry[0], str(entry[1].fields)))
    grouped = [list(files) for _, files in groupby(order, key=lambda entry: (entry[0], entry[1]))]
    return [Group(kinds[files[0][2]], files[0][1], tuple(source for _, _, source in files)) for files in grouped]


def _written(kind: Input, source: Source) -> Input:
    """The kind as a file of it is written: with its delimiter, and with a comma before fractions where it has that.

    Spreadsheets write semicolons where the comma is taken. One number that can only be so decides it, since a comma
    before three digits may separate thousands; one with a point alone decides against it.
    """
    one = kind.separated(source.head[0] if source.head else kind.delimiter[0])
    if one.delimiter != ";" or not kind.header or source.kind == "parquet":
        return one
    at = [n for n, field in enumerate(layout_of(one, source.head).fields) if field and field[1] == "DOUBLE"]
    rows = [cells_of(line, one.delimiter) for line in source.head[1:]]
    cells = {row[n] for row in rows for n in at if n < len(row)}
    sure = any(_FRACTION.fullmatch(cell) and not _THOUSANDS.fullmatch(cell) for cell in cells)
    return one.with_commas if sure and not any("." in cell and "," not in cell for cell in cells) else one


def _packing(connection: duckdb.DuckDBPyConnection, source: Source) -> str:
    """How a file is packed; of Parquet also the types of its columns, which one reading takes as equal."""
    if source.kind != "parquet":
        return source.kind
    return f"parquet {parquet_columns(connection, source)}"


def _layout(connection: duckdb.DuckDBPyConnection, kind: Input, source: Source) -> Layout:
    headers = list(parquet_columns(connection, source)) if source.kind == "parquet" else []
    if kind.header:
        spelled = parquet_headers(connection, source) if headers else []
        _refuse_twice(kind, source, spelled or cells_of(source.head[0], kind.delimiter))
    if headers:
        return layout_of(kind, [kind.delimiter.join('"' + header.replace('"', '""') + '"' for header in headers)])
    return layout_of(kind, source.head)


def _refuse_twice(kind: Input, source: Source, headers: Sequence[str]) -> None:
    """Stops where two columns of a file are the same one of ours: which of them counts is not ours to choose."""
    spelled: dict[str, str] = {}
    for header, column in zip(headers, kind.columns_of(headers), strict=True):
        if column is not None:
            name = column.name if column.pattern is None else header.strip()
            if name in spelled:
                words = "" if header == spelled[name] == name else f" ({spelled[name]!r} and {header!r})"
                line = "" if source.kind == "parquet" else ", line 1"
                raise TraceError(f"{source.shown}{line}: the header names column {name} twice{words}")
            spelled[name] = header


def quick_view(connection: duckdb.DuckDBPyConnection, name: str, groups: Sequence[Group]) -> None:
    """Makes temporary view `name` of the good rows of a kind of file, straight over the files.

    File names travel as variables, never as SQL text.
    """
    parts = []
    buffer = _SMALL_BUFFER if memory_of(connection) < _SMALL_MEMORY else ""
    for number, group in enumerate(groups):
        variable = f"files_of_{name}_{number}"
        connection.execute(f"set variable {variable} = $paths", {"paths": [str(s.path) for s in group.sources]})
        rows = parquet_rows(connection, group, variable) if group.is_parquet else _csv_rows(group, variable, buffer)
        sound = "true" if group.kind.as_is else good(group.kind, group.layout, quotes=not group.is_parquet)
        parts.append(f"select * from ({rows}) where {sound}")
    connection.execute(f"create temp view {name} as {' union all by name '.join(parts)}")


def _csv_rows(group: Group, variable: str, buffer: str) -> str:
    kind, fields = group.kind, group.layout.fields
    names = [field[0] if field else f"_{i}" for i, field in enumerate(fields)]
    clock = _clock_of(group)
    read_as = {"TIMESTAMP": clock.type, "": "VARCHAR"}
    types = [read_as.get(field[1] if field else "", field[1] if field else "") for field in fields]
    columns = ", ".join(f"{quoted(n)}: '{t}'" for n, t in zip(names, types, strict=True))
    values = [clock.value(quoted(f[0])) if f[1] == "TIMESTAMP" else quoted(f[0]) for f in fields if f]
    named = str(bool(_file(kind))).lower()
    packed = "gzip" if group.sources[0].kind == "gzip" else "none"
    options = _NULLS.format(kind.null) if kind.null else ""
    options += ", decimal_separator=','" if kind.decimal == "," else ""
    return f"""
        select {", ".join([*values, *lacking(kind, group.layout), *_file(kind)])}
        from read_csv(getvariable('{variable}'), auto_detect=false, header={str(kind.header).lower()},
            delim='{kind.delimiter}', quote='"', escape='"', columns={{{columns}}}, filename={named},
            compression='{packed}'{options}, store_rejects=true, rejects_limit=0{buffer}{clock.option})
    """


@dataclass(frozen=True)
class _Clock:
    """How the times of some files are read; a row whose times are told in another way is looked at again."""

    type: str
    expression: str
    option: str = ""

    def value(self, column: str) -> str:
        """SQL for the time in a column."""
        return f"{self.expression.format(column)} as {column}"


_CLOCKS: Final = {
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": _Clock("TIMESTAMP", "{}", ", timestampformat='%Y-%m-%d %H:%M:%S'"),
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d": _Clock("TIMESTAMP", "{}", ", timestampformat='%Y-%m-%dT%H:%M:%S'"),
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ": _Clock("TIMESTAMP", "{}", ", timestampformat='%Y-%m-%dT%H:%M:%SZ'"),
    r"\d+(\.\d+)?": _Clock("DOUBLE", "instant_of({})"),
}
_ANY_CLOCK: Final = _Clock("VARCHAR", "instant({})")
"""Looks at each text for what it is, which takes as long as all else of reading a row."""


def _clock_of(group: Group) -> _Clock:
    """The way in which all times are told in the first lines of the files; any way where they are not alike."""
    at = [number for number, field in enumerate(group.layout.fields) if field is not None and field[1] == "TIMESTAMP"]
    lines = [line for source in group.sources for line in source.head[int(group.kind.header) :]]
    cells = [cells_of(line, group.kind.delimiter) for line in lines]
    times = {row[number] for row in cells for number in at if number < len(row)} - {"", group.kind.null}
    for pattern, clock in _CLOCKS.items():
        if times and all(re.fullmatch(pattern, time) for time in times):
            return clock
    return _ANY_CLOCK


def _file(kind: Input) -> list[str]:
    """SQL for the file's label and its folder where the kind wants them; they are looked up by its path, filename."""
    label = ["(select label from labels where path = filename) as file"] if kind.named or kind.numbered else []
    folder = ["(select folder from labels where path = filename) as folder"] if kind.numbered else []
    return [*label, *folder]


def parquet_rows(connection: duckdb.DuckDBPyConnection, group: Group, variable: str, *, texts: bool = False) -> str:
    """SQL over Parquet files with our columns; with `texts` also the line, the raw texts and the whole row as text."""
    types = parquet_columns(connection, group.sources[0])
    pairs = [(h, f) for h, f in zip(types, group.layout.fields, strict=True) if f is not None]
    cast = "try_cast" if texts else "cast"
    as_it_is = group.kind.as_is and not texts  # what our own table tells of its columns is true, and is looked at later
    said = {
        h: (quoted(h), f[1]) if as_it_is and types[h] == f[1] else _said(group.kind, quoted(h), types[h], f[1])
        for h, f in pairs
    }
    values = [f"{_from_parquet(*said[h], f[1], cast)} as {quoted(f[0])}" for h, f in pairs]
    values += [*lacking(group.kind, group.layout), *_file(group.kind)]
    if texts:
        values += [f"cast({said[h][0]} as varchar) as {quoted('raw ' + f[0])}" for h, f in pairs]
    if texts or group.kind.numbered:
        values.append("file_row_number + 1 as line")
    fields = nested(connection, group.sources[0]) if any("." in h for h, _ in pairs) else {}
    parts = ["*", *(f"{fields[h]} as {quoted(h)}" for h, _ in pairs if h in fields)]
    return f"""
        select {", ".join(values)} from (select {", ".join(parts)}
        from read_parquet(getvariable('{variable}'), filename={str(bool(_file(group.kind))).lower()},
            file_row_number={str(texts or group.kind.numbered).lower()}, union_by_name=false))
    """


def _said(kind: Input, column: str, found: str, wanted: str) -> tuple[str, str]:
    """SQL for what a column says, and its type: of texts as in CSV, where an empty one tells nothing."""
    if found == "BLOB":
        # Older writers do not mark texts as such; bytes that are none stay as DuckDB spells them.
        column, found = f"coalesce(try(decode({column})), cast({column} as varchar))", "VARCHAR"
    if found in ("FLOAT", "DOUBLE"):
        # The footer's least and most leave out NaN, and DuckDB takes a check that both meet as met by all.
        return f"if(isnan({column}), cast('nan' as {found}), {column})", found
    if found != "VARCHAR":
        return column, found
    return told(kind, column if wanted == "VARCHAR" else trimmed(column)), found


def _from_parquet(column: str, found: str, wanted: str, cast: str) -> str:
    if wanted == "TIMESTAMP":
        if found.startswith("TIMESTAMP") or found == "DATE":
            zoned = found.endswith("WITH TIME ZONE")
            return f"{column} at time zone 'UTC'" if zoned else f"{cast}({column} as timestamp)"
        return f"instant({column})" if found == "VARCHAR" else f"instant_of(try_cast({column} as double))"
    return column if found == wanted else f"{cast}({column} as {wanted})"


def quick_rejects(connection: duckdb.DuckDBPyConnection, groups: Sequence[Group]) -> list[Reject] | None:
    """The rows that the CSV reader refused, each with its reason; None where they need a closer look."""
    if all(group.is_parquet for group in groups):
        return []
    rows = connection.execute("""
        select s.file_path, e.line, any_value(e.csv_line),
            bool_or(e.error_type not in ('CAST', 'MISSING COLUMNS', 'TOO MANY COLUMNS')),
        from reject_errors e join reject_scans s using (scan_id, file_id)
        group by all order by all
    """).fetchall()
    if not rows:
        return []
    if any(row[3] for row in rows):
        return None
    found: list[Reject] = []
    for group in groups:
        labels = {str(source.path): source.name for source in group.sources}
        mine = [row for row in rows if row[0] in labels]
        texts = [str(row[2]).rstrip("\r\n") for row in mine]
        why = reasons(connection, group.kind, group.layout, texts)
        if any(reason is None for reason in why):
            return None
        found += [
            Reject(labels[row[0]], row[1], reason or "", text)
            for row, reason, text in zip(mine, why, texts, strict=True)
        ]
    return found


def nothing_good(kind: Input, good_rows: int, rejects: Sequence[Reject]) -> list[str]:
    """Stops where files hold rows and not one is good: then the format is wrong, not the rows.

    What only lies beside the recording does not decide its format: of that, a note.

    Raises:
        TraceError: names the first bad row.
    """
    if good_rows or not rejects:
        return []
    first = rejects[0]
    told = f"{first.file}, line {first.line}: not one row of {kind.name} is good; the first: {first.reason}"
    if not kind.aside:
        raise TraceError(told)
    return [told]
