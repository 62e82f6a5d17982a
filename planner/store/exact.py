"""The exact way in: every line looked at on its own, so that no bad quote can swallow a good row.

The quick reader is right about clean files and about rows whose fields are wrong; a stray quote makes it take the good
rows behind it for one long field, and it does not tell. Here a file is cut into lines first. A line whose quotes are
legal is a record. Lines whose quotes are not are joined with the next such line if that gives one good record (a
quoted field with a line end in it), else they are rejected, alone.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from planner.store.formats import Input
from planner.store.judge import BLANK, BROKEN_QUOTE, broken, parsed, quoted, reason, reasons
from planner.store.lines import LONGEST_RECORD, Batch, batches
from planner.store.parquet import has_unbounded_times, with_bounded_times
from planner.store.reading import Group, Reject, parquet_rows
from planner.store.sources import Source

__all__ = ["exact_table", "is_broken", "nothing"]

_Joined = tuple[int, int, str]
"""A record of several lines: the places in their batch of the first and the last of them, and the text."""


def is_broken(kind: Input, source: Source) -> bool:
    """Whether the first lines of a text have a quote where none may be, whatever stands below them.

    The quick reader takes as long as the exact one to find out that it cannot read a file full of them.
    """
    if kind.delimiter == BLANK or not any('"' in line for line in source.head):
        return False
    # The quick reader passes over blanks behind a quote.
    lines = [re.sub('" +', '"', line) + "\n" for line in source.head]
    try:
        deque(csv.reader(lines, delimiter=kind.separated(lines[0]).delimiter, strict=True), maxlen=0)
    except csv.Error as error:
        return "expected after" in str(error)
    return False


def exact_table(
    connection: duckdb.DuckDBPyConnection, kind: Input, groups: Sequence[Group]
) -> tuple[list[Reject], int, list[str]]:
    """Makes temporary table NAME of the good rows; the bad ones, the records seen, and notes."""
    connection.execute(f"create temp table {kind.name} as {nothing(groups)}")
    rejects: list[Reject] = []
    notes: list[str] = []
    records = 0
    for group in groups:
        for bad, seen in _parquets(connection, group) if group.is_parquet else _texts(connection, group, notes):
            rejects += bad
            records += seen
    return rejects, records, notes


def nothing(groups: Sequence[Group]) -> str:
    """SQL for no rows with the columns of the kind, and with those that a pattern finds in any of the groups."""
    kind = groups[0].kind
    plain = [(c.name, c.type) for c in kind.columns if c.pattern is None]
    found = [field for group in groups for field in group.layout.fields if field is not None]
    # Headers that differ in case alone are one column to SQL.
    columns = {name.lower(): (name, type_) for name, type_ in [*plain, *found]}
    nulls = [f"cast(null as {type_}) as {quoted(name)}" for name, type_ in columns.values()]
    placed = ["cast(null as bigint) as line", "cast(null as varchar) as folder"] if kind.numbered else []
    return f"select {', '.join([*nulls, *placed, 'cast(null as varchar) as file'])} where false"


def _parquets(connection: duckdb.DuckDBPyConnection, group: Group) -> Iterator[tuple[list[Reject], int]]:
    for source in group.sources:
        yield _parquet(connection, group, source)


def _parquet(connection: duckdb.DuckDBPyConnection, group: Group, source: Source) -> tuple[list[Reject], int]:
    kind, path = group.kind, source.path
    if source.scratch is not None and has_unbounded_times(source):
        path = source.scratch / "bounded.parquet"
        with_bounded_times(source, path)
    connection.execute("set variable exact_file = $path", {"path": [str(path)]})
    rows = parquet_rows(connection, group, "exact_file", texts=True)
    raw = [quoted(f"raw {f[0]}") if f else "null" for f in group.layout.fields]
    names = ", ".join(f"'{f[0]}=' || coalesce({quoted('raw ' + f[0])}, '')" for f in group.layout.fields if f)
    connection.execute(f"""
        create or replace temp table judged_rows as
        select *, concat_ws(', ', {names}) as text, {reason(group.kind, group.layout, raw)} as reason from ({rows})
    """)
    drop = ", ".join(quoted(f"raw {f[0]}") for f in group.layout.fields if f)
    connection.execute("set variable exact_label = $label", {"label": source.label})
    rows = f"select * exclude ({drop}{', file' if kind.named or kind.numbered else ''}) from judged_rows"
    bad, seen = _keep(connection, kind, f"select *, getvariable('exact_label') as file from ({rows})")
    return [Reject(source.name, *row) for row in bad], seen


def _texts(connection: duckdb.DuckDBPyConnection, group: Group, notes: list[str]) -> Iterator[tuple[list[Reject], int]]:
    for batch in batches(group.sources, int(group.kind.header), notes):
        yield _judge(connection, group, batch)


def _judge(connection: duckdb.DuckDBPyConnection, group: Group, batch: Batch) -> tuple[list[Reject], int]:
    """Rows of a batch into the table; the bad ones."""
    kind, names = group.kind, [source.name for source in group.sources]
    stray = _records(connection, group, batch)
    connection.execute(f"create or replace temp table judged_rows as {parsed(kind, group.layout, 'records')}")
    bad, seen = _keep(connection, kind, "select * exclude (source, place) from judged_rows", "source, line")
    rejects = [Reject(names[source], *row) for source, *row in bad]
    places = zip(stray.tolist(), *(told.tolist() for told in batch.places(stray)), strict=True)
    rejects += [Reject(names[source], line, BROKEN_QUOTE, batch.texts[number]) for number, source, line in places]
    return rejects, seen + len(stray)


def _records(connection: duckdb.DuckDBPyConnection, group: Group, batch: Batch) -> NDArray[np.int64]:
    """Makes table records of a batch's records of one line or of several; the lines that are of none."""
    connection.register("chunk", _numbered(group, batch))
    query = f"select place from chunk where {broken(group.kind.delimiter)} order by place"
    places = np.asarray(connection.execute(query).fetchnumpy()["place"], np.int64)
    joined, stray = _mended(connection, group, batch, places)
    gone = np.concatenate([*(np.arange(first, last + 1) for first, last, _ in joined), stray])
    fixed = {"place": [first for first, _, _ in joined], "whole": [text for _, _, text in joined]}
    types = pa.schema([("place", pa.int64()), ("whole", pa.string())])
    connection.register("joined", pa.table(fixed, types))
    connection.register("gone", pa.table({"place": gone.astype(np.int64)}))
    connection.execute("""
        create or replace temp table records as
        select * from chunk where text <> '' and place not in (select place from gone)
        union all select * exclude (whole) replace (whole as text) from chunk join joined using (place)
    """)
    for name in ("chunk", "joined", "gone"):
        connection.unregister(name)
    return stray


def _numbered(group: Group, batch: Batch) -> pa.Table:
    """The rows of a batch with their place in it, and with what their files are called."""
    table = batch.table()
    labels = pa.array([source.label for source in group.sources], pa.string()).take(table["source"])
    return table.append_column("place", pa.array(range(table.num_rows), pa.int64())).append_column("file", labels)


def _keep(
    connection: duckdb.DuckDBPyConnection, kind: Input, rows: str, place: str = "line"
) -> tuple[list[tuple[Any, ...]], int]:
    """Good `rows` of table judged_rows into the table of the kind; of the bad place, reason and text; all counted."""
    exclude = ("" if kind.numbered else "line, ") + "text, reason"
    connection.execute(
        f"insert into {kind.name} by name select * exclude ({exclude}) from ({rows}) where reason is null"
    )
    bad = connection.execute(
        f"select {place}, reason, text from judged_rows where reason is not null order by {place}"
    ).fetchall()
    count = connection.execute("select count(*) from judged_rows").fetchall()[0][0]
    return bad, int(count)


def _mended(
    connection: duckdb.DuckDBPyConnection, group: Group, batch: Batch, places: NDArray[np.int64]
) -> tuple[list[_Joined], NDArray[np.int64]]:
    """Broken lines that make one good record with the next broken one; and the rest."""
    near = (np.diff(places) < LONGEST_RECORD) & (np.diff(batch.places(places)[0]) == 0)
    pairs = list(zip(places[:-1][near].tolist(), places[1:][near].tolist(), strict=True))
    texts = ["\n".join(batch.texts[a : b + 1]) for a, b in pairs]
    whole = reasons(connection, group.kind, group.layout, texts)
    good = [(a, b, text) for (a, b), text, why in zip(pairs, texts, whole, strict=True) if why is None]
    parts = list({line for _, _, text in good for line in _bare(text)})
    alone = dict(zip(parts, reasons(connection, group.kind, group.layout, parts), strict=True))
    joined: list[_Joined] = []
    end = -1
    for a, b, text in good:
        if a > end and not _are_rows([alone[line] for line in _bare(text)]):
            joined.append((a, b, text))
            end = b
    # Lines between a broken one and the next are not broken.
    taken = [line for a, b, _ in joined for line in (a, b)]
    return joined, np.setdiff1d(places, np.array(taken, np.int64), assume_unique=True)


def _bare(text: str) -> list[str]:
    """The lines of a record without its quotes."""
    return text.replace('"', "").split("\n")


def _are_rows(why: Sequence[str | None]) -> bool:
    """Whether lines are rows with broken quotes rather than pieces of one record: by why each, without its quotes, is
    bad (None: it is good). The first or the last line of a record may look like a row, not both, and none between."""
    return (why[0] is None and why[-1] is None) or any(reason is None for reason in why[1:-1])
