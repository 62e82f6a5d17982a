"""The exact way in: every line looked at on its own, so that no bad quote can swallow a good row.

The quick reader is right about clean files and about rows whose fields are wrong; a stray quote makes it take the good
rows behind it for one long field, and it does not tell. Here a file is cut into lines first. A line whose quotes are
legal is a record. Lines whose quotes are not are joined with the next such line if that gives one good record (a
quoted field with a line end in it), else they are rejected, alone.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from planner.store.formats import Input
from planner.store.judge import BLANK, BROKEN_QUOTE, broken, parsed, quoted, reason, reasons
from planner.store.parquet import has_unbounded_times, with_bounded_times
from planner.store.reading import Group, Reject, parquet_rows
from planner.store.sources import Source, open_bytes

__all__ = ["Chunk", "chunks", "encoding_of", "exact_table", "is_broken", "nothing"]

_CHUNK: Final = 1 << 24
_LONGEST_RECORD: Final = 20
"""Most lines that one record may span."""


_Joined = tuple[int, int, str]
"""A record of several lines: the numbers of the first and the last of them, and the text."""


@dataclass(frozen=True)
class Chunk:
    """Some lines of a file; `first` is the number of the first of them."""

    first: int
    lines: list[str]


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
        for source in group.sources:
            found = _parquet(connection, group, source) if group.is_parquet else _text(connection, group, source, notes)
            rejects += found[0]
            records += found[1]
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


def _parquet(connection: duckdb.DuckDBPyConnection, group: Group, source: Source) -> tuple[list[Reject], int]:
    path = source.path
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
    return _keep(connection, group.kind, source, f"select * exclude ({drop}) from judged_rows")


def _text(
    connection: duckdb.DuckDBPyConnection, group: Group, source: Source, notes: list[str]
) -> tuple[list[Reject], int]:
    encoding = encoding_of(source)
    if encoding != "utf-8":
        notes.append(f"{source.name}: is not UTF-8, read as Latin-1")
    rejects: list[Reject] = []
    records = 0
    for chunk in chunks(source, encoding, int(group.kind.header)):
        bad, seen = _judge(connection, group, source, chunk)
        rejects += bad
        records += seen
    return rejects, records


def _judge(
    connection: duckdb.DuckDBPyConnection, group: Group, source: Source, chunk: Chunk
) -> tuple[list[Reject], int]:
    """Rows of a chunk into the table; the bad ones."""
    numbers = np.arange(chunk.first, chunk.first + len(chunk.lines))
    connection.register("chunk", pa.table({"line": numbers, "text": pa.array(chunk.lines, pa.string())}))
    query = f"select line from chunk where {broken(group.kind.delimiter)} order by line"
    places = np.asarray(connection.execute(query).fetchnumpy()["line"], np.int64)
    joined, stray = _mended(connection, group, chunk, places)
    fixed = pa.table({
        "line": pa.array([first for first, _, _ in joined], pa.int64()),
        "text": pa.array([text for _, _, text in joined], pa.string()),
    })  # fmt: skip
    gone = [line for first, last, _ in joined for line in range(first, last + 1)] + stray
    connection.register("joined", fixed)
    connection.register("gone", pa.table({"line": pa.array(gone, pa.int64())}))
    connection.execute("""
        create or replace temp table records as
        select line, text from chunk where text <> '' and line not in (select line from gone)
        union all select line, text from joined
    """)
    connection.execute(f"create or replace temp table judged_rows as {parsed(group.kind, group.layout, 'records')}")
    rejects, seen = _keep(connection, group.kind, source, "from judged_rows")
    strays = [Reject(source.name, line, BROKEN_QUOTE, chunk.lines[line - chunk.first]) for line in stray]
    for name in ("chunk", "joined", "gone"):
        connection.unregister(name)
    return rejects + strays, seen + len(strays)


def _keep(connection: duckdb.DuckDBPyConnection, kind: Input, source: Source, rows: str) -> tuple[list[Reject], int]:
    """Good rows of table judged_rows into the table of the kind; the bad ones, and how many there were of both."""
    connection.execute("set variable exact_label = $label", {"label": source.label})
    file = "getvariable('exact_label') as file"
    exclude = ("" if kind.numbered else "line, ") + "text, reason"
    exclude += ", file" if (kind.named or kind.numbered) and source.kind == "parquet" else ""
    connection.execute(
        f"insert into {kind.name} by name select * exclude ({exclude}), {file} from ({rows}) where reason is null"
    )
    bad = connection.execute(
        "select line, reason, text from judged_rows where reason is not null order by line"
    ).fetchall()
    count = connection.execute("select count(*) from judged_rows").fetchall()[0][0]
    return [Reject(source.name, *row) for row in bad], int(count)


def _mended(
    connection: duckdb.DuckDBPyConnection, group: Group, chunk: Chunk, places: NDArray[np.int64]
) -> tuple[list[_Joined], list[int]]:
    """Broken lines that make one good record with the next broken one; and the rest."""
    pairs = [(a, b) for a, b in pairwise(places.tolist()) if b - a < _LONGEST_RECORD]
    texts = ["\n".join(chunk.lines[a - chunk.first : b + 1 - chunk.first]) for a, b in pairs]
    whole = reasons(connection, group.kind, group.layout, texts)
    good = [(a, b, text) for (a, b), text, why in zip(pairs, texts, whole, strict=True) if why is None]
    parts = list({line for _, _, text in good for line in _bare(text)})
    alone = dict(zip(parts, reasons(connection, group.kind, group.layout, parts), strict=True))
    joined: list[_Joined] = []
    end = 0
    for a, b, text in good:
        if a > end and not _are_rows([alone[line] for line in _bare(text)]):
            joined.append((a, b, text))
            end = b
    # Lines between a broken one and the next are not broken.
    taken = {line for a, b, _ in joined for line in (a, b)}
    return joined, [line for line in places.tolist() if line not in taken]


def _bare(text: str) -> list[str]:
    """The lines of a record without its quotes."""
    return text.replace('"', "").split("\n")


def _are_rows(why: Sequence[str | None]) -> bool:
    """Whether lines are rows with broken quotes rather than pieces of one record: by why each, without its quotes, is
    bad (None: it is good). The first or the last line of a record may look like a row, not both, and none between."""
    return (why[0] is None and why[-1] is None) or any(reason is None for reason in why[1:-1])


def encoding_of(source: Source) -> str:
    """utf-8 where a whole file is that, else latin-1."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with open_bytes(source.path, source.kind) as stream:
            while block := stream.read(_CHUNK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def chunks(source: Source, encoding: str, header: int) -> Iterator[Chunk]:
    """The lines of a file, without its header and without line ends; records are not cut between chunks."""
    skip, first, rest = header, 1, b""
    with open_bytes(source.path, source.kind) as stream:
        start = stream.read(3)
        rest = b"" if start == b"\xef\xbb\xbf" else start
        while True:
            block = stream.read(_CHUNK)
            text = rest + block
            cut = len(text) if not block else _cut(text)
            lines = text[:cut].decode(encoding).replace("\r\n", "\n").split("\n")
            lines = lines[:-1] if text[:cut].endswith(b"\n") or not cut else lines
            while skip and lines:
                skip -= bool(lines[0].strip())
                lines, first = lines[1:], first + 1
            if lines:
                yield Chunk(first, lines)
            first += len(lines)
            if not block:
                return
            rest = text[cut:]


def _cut(text: bytes) -> int:
    """Where a chunk may end: behind a line without quotes, far enough from the end; or behind the last line."""
    end = text.rfind(b"\n") + 1
    at = end
    for _ in range(_LONGEST_RECORD):
        before = text.rfind(b"\n", 0, max(at - 1, 0)) + 1
        if b'"' not in text[before:at]:
            return at
        at = before
    return end
