"""What makes a row bad: one SQL expression that names the reason, made from what a format declares."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa

from planner.store.formats import Column, Input

__all__ = [
    "BLANK",
    "BROKEN_QUOTE",
    "Layout",
    "cells_of",
    "flaws",
    "good",
    "layout_of",
    "parsed",
    "reasons",
    "unless_broken",
]

BROKEN_QUOTE: Final = "broken quote: a quote is opened, closed or doubled where it may not be"

BLANK: Final = " "
BLANKS: Final = r"\s*[,;\s]\s*"
"""What stands between fields whose delimiter is declared as a blank, as a regular expression."""

_WORDS: Final = {
    "DOUBLE": "a number",
    "TIMESTAMP": "a time (ISO 8601, or seconds since 1970)",
    "BOOLEAN": "true or false",
    "VARCHAR": "some text",
}
_READ_BY: Final = {
    "quantity": "a quantity such as 250m, 1.5 or 512Mi",
    "whole_number": "a number such as 1024 or 1,024",
    "instant": "a time (ISO 8601, or seconds since 1970)",
    "is_number": "a number such as 1024 or 1,024",
    "number_or_empty": "a number such as 1024 or 1,024, or nothing",
}
"""What the functions of sql/functions.sql that read a text expect in it."""
_READABLE: Final = re.compile(r"\(*(?:(\"?\w+\"?) IS NULL\) OR \(+)?(\w+)\((\"?\w+\"?)\)(?: IS NOT NULL)?\)*")
"""A check that a text can be read, where there is one."""
_WITHIN: Final = re.compile(r"\(*\w+\(\"?\w+\"?\) BETWEEN ([\w.+-]+) AND ([\w.+-]+)\)*")
"""A check that what a text says lies within bounds."""


@dataclass(frozen=True)
class Layout:
    """The order in which files of one kind hold its columns: for each field our name and type, or None."""

    fields: tuple[tuple[str, str] | None, ...]

    @property
    def names(self) -> frozenset[str]:
        """Our columns that the files have."""
        return frozenset(field[0] for field in self.fields if field is not None)


def cells_of(line: str, delimiter: str) -> list[str]:
    """The fields of one line; none where one is too long to be a field."""
    if delimiter == BLANK:
        return re.split(BLANKS, line.strip())
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def layout_of(kind: Input, head: Sequence[str]) -> Layout:
    """Which field of a file is which column: by its header, or by position where it has none."""
    if not kind.header:
        return Layout(tuple((column.name, column.type) for column in kind.columns))
    headers = cells_of(head[0], kind.delimiter)
    taken: set[str] = set()
    fields: list[tuple[str, str] | None] = []
    for header, column in zip(headers, kind.columns_of(headers), strict=True):
        name = None if column is None else header.strip() if column.pattern is not None else column.name
        known = column is not None and name is not None and name not in taken
        taken.add(name or "")
        fields.append((name or "", column.type) if known and column is not None else None)
    return Layout(tuple(fields))


def quoted(name: str) -> str:
    """A column's name as SQL; names are ours or digits, quoting is for words that SQL keeps to itself."""
    return '"' + name.replace('"', '""') + '"'


def cast(words: str, kind: str) -> str:
    """SQL that turns the SQL text `words` into a value of type `kind`, null where it is none."""
    if kind == "VARCHAR":
        return words
    return f"instant({words})" if kind == "TIMESTAMP" else f"try_cast({words} as {kind})"


def _required(kind: Input, layout: Layout) -> list[Column]:
    return [column for column in kind.columns if column.required and column.name in layout.names]


def lacking(kind: Input, layout: Layout) -> list[str]:
    """SQL for our columns that the files do not have: nulls of their type."""
    absent = [c for c in kind.columns if c.pattern is None and c.name not in layout.names]
    return [f"cast(null as {column.type}) as {quoted(column.name)}" for column in absent]


def good(kind: Input, layout: Layout, *, quotes: bool) -> str:
    """SQL that is true for the good rows among typed ones; with `quotes`, a text with one in it needs a closer look."""
    texts = [field[0] for field in layout.fields if quotes and field is not None and field[1] == "VARCHAR"]
    parts = [f"{quoted(column.name)} is not null" for column in _required(kind, layout)]
    parts += [f"coalesce({check}, true)" for check, _ in kind.checks]
    parts += [f"""not coalesce(contains({quoted(name)}, '"'), false)""" for name in texts]
    return " and ".join(parts) or "true"


def flaws(kind: Input, *, quotes: bool) -> list[str]:
    """SQL conditions that no row of table usage may meet, where the columns of a kind come in as they are."""
    texts = [column.name for column in kind.columns if quotes and column.type == "VARCHAR"]
    return [f"not coalesce({check}, true)" for check, _ in kind.checks] + [f"contains({name}, '\"')" for name in texts]


def reason(kind: Input, layout: Layout, raw: Sequence[str]) -> str:
    """SQL for why a row is bad, null for a good one. `raw` is SQL for each field's text; values go by our names."""
    whens = [
        f"when {words} is not null and {quoted(field[0])} is null then {_said(*field)} || left({words}, 60) || ''''"
        for field, words in zip(layout.fields, raw, strict=True)
        if field is not None and field[1] != "VARCHAR"
    ]
    whens += [f"when {quoted(c.name)} is null then '{c.name}: missing'" for c in _required(kind, layout)]
    whens += [f"when not coalesce({check}, true) then {_broken(check, names, layout)}" for check, names in kind.checks]
    return f"case {' '.join(whens)} end" if whens else "cast(null as varchar)"


def _said(name: str, kind: str) -> str:
    return f"'{name}: expected {_WORDS.get(kind, 'a whole number')}, found '''"


def _broken(check: str, names: tuple[str, ...], layout: Layout) -> str:
    """SQL for the words about a check that does not hold: what was expected, what was found."""
    if check.lower().startswith("(coalesce("):
        return f"'expected at least one of {', '.join(names)}'"
    there = [name for name in names if name in layout.names]
    found = " || ', ' || ".join(f"coalesce(left(cast({quoted(n)} as varchar), 60), 'nothing')" for n in there)
    return f"'{', '.join(names)}: expected {_expected(check)}, found ' || {found or repr('nothing')}"


def _expected(check: str) -> str:
    """What a check asks for, inside quotes of SQL: in words where it asks that a text can be read, else as it is."""
    readable = _READABLE.fullmatch(check)
    if readable is not None and readable[2] in _READ_BY and readable[1] in (None, readable[3]):
        return _READ_BY[readable[2]]
    if (bounds := _WITHIN.fullmatch(check)) is not None:
        return f"{bounds[1]} to {bounds[2]}"
    return (check[1:-1] if check.startswith("(") else check).replace("'", "''")


def parsed(kind: Input, layout: Layout, source: str) -> str:
    """SQL over a relation ``source(line, text, ...)`` of single records: all of that, reason and our columns.

    A record is one line, or several that a legal quoted field joins.
    """
    n, d = len(layout.fields), kind.delimiter
    fields = [
        f"nullif({_cell(i, f)}, '')" if not kind.null else f"nullif(nullif({_cell(i, f)}, ''), '{kind.null}')"
        for i, f in enumerate(layout.fields)
    ]
    values = [f"{cast(words, f[1])} as {quoted(f[0])}" for f, words in zip(layout.fields, fields, strict=True) if f]
    values += lacking(kind, layout)
    return f"""
        select * exclude (f),
            case when len(f) < {n} then 'too few fields: ' || len(f) || ', expected {n}'
                when len(f) > {n} then 'too many fields: ' || len(f) || ', expected {n}'
                else {reason(kind, layout, fields)} end as reason
        from (select *, {", ".join(values)} from (select *, {_split(d)} as f from {source}))
    """


def _cell(number: int, field: tuple[str, str] | None) -> str:
    """SQL for the text of a field; round numbers and times blanks do not count."""
    return f"trim(f[{number + 1}])" if field is not None and field[1] != "VARCHAR" else f"f[{number + 1}]"


def legal(delimiter: str) -> str:
    """A regular expression for one record whose quotes are where they may be."""
    field = rf'("([^"]|"")*"|[^"{delimiter}]*)'
    return f"{field}({delimiter}{field})*"


def unless_broken(delimiter: str) -> str:
    """SQL for the reason of a record, which is the quotes where they are broken."""
    broken = f"""contains(text, '"') and not regexp_full_match(text, '{legal(delimiter)}')"""
    return f"case when {broken} then '{BROKEN_QUOTE}' else reason end"


def _split(delimiter: str) -> str:
    """SQL for the fields of ``text``: the quick way where it has no quote."""
    if delimiter == BLANK:
        return f"regexp_split_to_array(trim(text, ' ' || chr(9)), '{BLANKS}')"
    each = f"""'{delimiter}("(?:[^"]|"")*"|[^"{delimiter}]*)'"""
    unquote = """lambda w: case when starts_with(w, '"') then replace(w[2:-2], '""', '"') else w end"""
    return (
        f"case when contains(text, '\"') then list_transform(regexp_extract_all('{delimiter}' || text, {each}, 1), "
        f"{unquote}) else string_split(text, '{delimiter}') end"
    )


def reasons(
    connection: duckdb.DuckDBPyConnection, kind: Input, layout: Layout, texts: Sequence[str]
) -> list[str | None]:
    """For each record why it is bad, None where it is good."""
    if not texts:
        return []
    table = pa.table({"line": pa.array(range(len(texts)), pa.int64()), "text": pa.array(texts, pa.string())})
    connection.register("judged", table)
    query = f"""
        select {unless_broken(kind.delimiter)} from ({parsed(kind, layout, "judged")}) order by line
    """
    try:
        return [row[0] for row in connection.execute(query).fetchall()]
    finally:
        connection.unregister("judged")
