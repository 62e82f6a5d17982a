"""What makes a row bad: one SQL expression that names the reason, made from what a format declares."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa

from planner.store.formats import Column, Input

__all__ = [
    "BLANK",
    "BROKEN_QUOTE",
    "Layout",
    "broken",
    "cells_of",
    "flaws",
    "good",
    "layout_of",
    "parsed",
    "reasons",
    "told",
    "trimmed",
    "unless_broken",
]

BROKEN_QUOTE: Final = "broken quote: a quote is opened, closed or doubled where it may not be"

BLANK: Final = " "
BLANKS: Final = r"\s*[,;\s]\s*"
"""What stands between fields whose delimiter is declared as a blank, as a regular expression."""

_UNIT: Final = "chr(31)"
"""SQL for the sign that ASCII made to stand between fields; hardly a text has it."""

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


def cast(words: str, type_: str, decimal: str = ".") -> str:
    """SQL that turns the SQL text `words` into a value of a type, null where it is none.

    Beside fractions behind a comma a point may separate thousands: which it does is not ours to choose.
    """
    if type_ == "VARCHAR":
        return words
    if type_ == "DOUBLE" and decimal == ",":
        return f"try_cast(case when not contains({words}, '.') then replace({words}, ',', '.') end as DOUBLE)"
    return f"instant({words})" if type_ == "TIMESTAMP" else f"try_cast({words} as {type_})"


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


def reason(kind: Input, layout: Layout, raw: Sequence[str], lists: Mapping[str, str] | None = None) -> str:
    """SQL for why a row is bad, null for a good one. `raw` is SQL for each field's text; values go by our names.

    `lists` is SQL for the texts of all fields of a type that patterns found; made of `raw` where it is not told.
    """
    many = _many(kind, layout)
    apart = {place for places in many.values() for place in places}
    whens = [
        f"when {words} is not null and {quoted(f[0])} is null then '{f[0]}: {_said(f[1])}' || left({words}, 60) || ''''"
        for place, (f, words) in enumerate(zip(layout.fields, raw, strict=True))
        if f is not None and f[1] != "VARCHAR" and place not in apart
    ]
    whens += [f"when {quoted(c.name)} is null then '{c.name}: missing'" for c in _required(kind, layout)]
    whens += [f"when not coalesce({check}, true) then {_broken(check, names, layout)}" for check, names in kind.checks]
    first = [f"case {' '.join(whens)} end"] if whens else []
    given = lists or {type_: f"[{', '.join(raw[place] for place in places)}]" for type_, places in many.items()}
    rest = [_of_many(type_, list(many[type_].values()), texts, kind.decimal) for type_, texts in given.items()]
    return f"coalesce({', '.join([*first, *rest, 'cast(null as varchar)'])})"


def _many(kind: Input, layout: Layout) -> dict[str, dict[int, str]]:
    """The fields that patterns found and that are no text, by type: their places and names.

    They are read and judged as one list: with an expression for each, DuckDB plans for a time that grows by the square
    of their number.
    """
    own = {column.name for column in kind.columns}
    many: dict[str, dict[int, str]] = {}
    for place, field in enumerate(layout.fields):
        if field is not None and field[1] != "VARCHAR" and field[0] not in own:
            many.setdefault(field[1], {})[place] = field[0]
    return many


def _of_many(type_: str, names: Sequence[str], texts: str, decimal: str) -> str:
    """SQL for what is wrong with the first of many fields of one type; `texts` is SQL for the list of their texts."""
    called = ", ".join(f"'{name}'" for name in names)
    flaw = f"[{called}][i] || ': {_said(type_)}' || left(w, 60) || ''''"
    flaws_of = f"lambda w, i: case when w is not null and {cast('w', type_, decimal)} is null then {flaw} end"
    return f"list_filter(list_transform({texts}, {flaws_of}), lambda said: said is not null)[1]"


def _said(type_: str) -> str:
    return f"expected {_WORDS.get(type_, 'a whole number')}, found ''"


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
    n, many = len(layout.fields), _many(kind, layout)
    fields = [told(kind, _cell(place, field)) for place, field in enumerate(layout.fields)]
    texts = {type_: f"texts_{number}" for number, type_ in enumerate(many)}
    read = {
        place: f"values_of_{texts[type_]}[{number}]"
        for type_, places in many.items()
        for number, place in enumerate(places, 1)
    }
    values = [
        f"{read.get(place) or cast(fields[place], field[1], kind.decimal)} as {quoted(field[0])}"
        for place, field in enumerate(layout.fields)
        if field is not None
    ]
    rows = f"select *, {', '.join([*values, *lacking(kind, layout)])} from ({_listed(kind, many, source)})"
    return f"""
        select * exclude ({", ".join(["f", *texts.values(), *(f"values_of_{name}" for name in texts.values())])}),
            case when len(f) < {n} then 'too few fields: ' || len(f) || ', expected {n}'
                when len(f) - cast(len(f) = {n + 1} and f[{n + 1}] = '' as int) > {n}
                then 'too many fields: ' || len(f) || ', expected {n}'
                else {reason(kind, layout, fields, texts)} end as reason
        from ({rows})
    """


def _listed(kind: Input, many: Mapping[str, Mapping[int, str]], source: str) -> str:
    """SQL for the fields ``f`` of each record, and for each type of `many` lists of the texts and of the values."""
    rows = f"select *, {_split(kind.delimiter)} as f from {source}"
    for number, (type_, places) in enumerate(many.items()):
        chosen = f"list_select(f, {[place + 1 for place in places]})"
        text, value = told(kind, trimmed("w")), cast("w", type_, kind.decimal)
        rows = f"select *, list_transform({chosen}, lambda w: {text}) as texts_{number} from ({rows})"
        rows = f"select *, list_transform(texts_{number}, lambda w: {value}) as values_of_texts_{number} from ({rows})"
    return rows


def told(kind: Input, words: str) -> str:
    """SQL for a text, null where it is empty or the kind's word for nothing."""
    return f"nullif({words}, '')" if not kind.null else f"nullif(nullif({words}, ''), '{kind.null}')"


def _cell(number: int, field: tuple[str, str] | None) -> str:
    """SQL for the text of a field; round numbers and times blanks and tabs do not count."""
    return trimmed(f"f[{number + 1}]") if field is not None and field[1] != "VARCHAR" else f"f[{number + 1}]"


def trimmed(words: str) -> str:
    """SQL for a text without the blanks and tabs around it."""
    return f"trim({words}, ' ' || chr(9))"


def legal(delimiter: str) -> str:
    """A regular expression for one record whose quotes are where they may be; blanks behind one do not count."""
    field = rf'("([^"]|"")*" *|[^"{delimiter}]*)'
    return f"{field}({delimiter}{field})*"


def broken(delimiter: str) -> str:
    """SQL that is true for a record whose quotes are not where they may be."""
    return f"""contains(text, '"') and not regexp_full_match(text, '{legal(delimiter)}')"""


def unless_broken(delimiter: str) -> str:
    """SQL for the reason of a record, which is the quotes where they are broken."""
    return f"case when {broken(delimiter)} then '{BROKEN_QUOTE}' else reason end"


def _split(delimiter: str) -> str:
    """SQL for the fields of ``text``: the quick way where it has no quote."""
    if delimiter == BLANK:
        return f"regexp_split_to_array({trimmed('text')}, '{BLANKS}')"
    each = f"""'{delimiter}("(?:[^"]|"")*" *|[^"{delimiter}]*)'"""
    unquote = """lambda w: case when starts_with(w, '"') then replace(rtrim(w)[2:-2], '""', '"') else w end"""
    # What lies between quotes of a legal record is every second piece; the pattern takes five times as long.
    apart = f"""lambda piece, n: if(n % 2 = 1, replace(piece, '{delimiter}', {_UNIT}), piece)"""
    pieces = f"""array_to_string(list_transform(string_split(text, '"'), {apart}), '"')"""
    return (
        f"case when not contains(text, '\"') then string_split(text, '{delimiter}') "
        f"when contains(text, {_UNIT}) then list_transform(regexp_extract_all('{delimiter}' || text, {each}, 1), "
        f"{unquote}) else list_transform(string_split({pieces}, {_UNIT}), {unquote}) end"
    )


def reasons(
    connection: duckdb.DuckDBPyConnection, kind: Input, layout: Layout, texts: Sequence[str]
) -> list[str | None]:
    """For each record why it is bad, None where it is good."""
    if not texts:
        return []
    table = pa.table({"line": pa.array(range(len(texts)), pa.int64()), "text": pa.array(texts, pa.string())})
    connection.register("judged", table)
    whole = f"(from judged where not ({broken(kind.delimiter)}))"
    query = f"select line, reason from ({parsed(kind, layout, whole)})"
    try:
        found: list[str | None] = [BROKEN_QUOTE] * len(texts)
        for line, why in connection.execute(query).fetchall():
            found[line] = why
        return found
    finally:
        connection.unregister("judged")
