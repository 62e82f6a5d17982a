"""Trace formats: what each SQL file of sql/traces declares.

A format file is plain SQL. Its first comment line says what it is. ``create temp table`` declares a kind of file the
format consists of: columns with their types, ``not null`` for what every row must have, ``check`` for what makes a
value plausible, a comment with other spellings of a header (``comment on column t.c is 'Spelling|Other'``). A column
whose name is a regular expression stands for every header that matches it (``not null``: at least one does); it lets
no quote through, since its headers become names in SQL. The table's comment is JSON, see `Input`. Every other
statement runs at ingest, in order: by then each declared table holds the good rows of its files, variable
``columns_of_TABLE`` lists those of its columns that a file has, and ``$trace_id`` is the recording. Samples go in by
``insert into usage by name``; columns that it leaves out take no room. Behind the last of these statements table sums
has a row a workload: samples, first, last, means, maxima (most_COLUMN). So a new format is one file.

In Parquet a field of a struct is a column too, COLUMN.FIELD.

Files of JSON become rows by a select: ``create temp view TABLE_in_document as select ... from document`` says how the
rows of TABLE lie in relation ``document(body json)``, one row a document of a file (JSON lines have many). It knows
sql/functions.sql, not the format's own macros. A table of them that is ``silent`` says why a document has no rows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import duckdb

from planner.bundle import bundled
from planner.kept import kept
from planner.store.database import sql

__all__ = ["Column", "Format", "Input", "formats", "load", "normal"]

_DECLARATION: Final = re.compile(r"^(\s|--[^\n]*\n)*(create\s+temp\s+table\s+\w+\s*\(|comment\s+on\b)", re.IGNORECASE)
_ROWS: Final = re.compile(
    r"^(?:\s|--[^\n]*\n)*create\s+temp\s+view\s+(\w+)_in_document\s+as\s(.*?);?\s*$", re.IGNORECASE | re.DOTALL
)


@cache
def normal(header: str) -> str:
    """A header as we spell columns: small letters, digits and single underscores.

    >>> normal(" CPU usage [%]"), normal("Disk read throughput [KB/s]")
    ('cpu_usage_percent', 'disk_read_throughput_kb_s')
    """
    return re.sub(r"[^a-z0-9]+", "_", header.lower().replace("%", " percent ")).strip("_")


@dataclass(frozen=True)
class Column:
    """One column of a kind of file."""

    name: str
    type: str
    required: bool
    spellings: frozenset[str]
    """Normal spellings of its header."""

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """What the headers match that this column stands for; None for a plain column."""
        return None if self.name.isidentifier() else re.compile(self.name)


@dataclass(frozen=True)
class Input:
    """A kind of file: ``{"header": true, "delimiter": ",;\\t", "streamed": false, "named": false, ...}``.

    A blank as delimiter stands for any number of blanks and tabs, or a comma or semicolon among them.
    """

    name: str
    columns: tuple[Column, ...]
    checks: tuple[tuple[str, tuple[str, ...]], ...]
    """SQL that holds for every good row, and the columns it speaks of."""
    header: bool = True
    delimiter: str = ","
    """What stands between fields; of several characters, the one that a file's header has. Where none is declared, a
    comma, and under a header also a semicolon or a tab, as spreadsheets of many countries write them."""
    decimal: str = "."
    """What stands before the fraction of a number; a comma where the file that is read has it so."""
    streamed: bool = False
    """Large: read straight into our table, row for row, by the one statement that names it."""
    as_is: bool = False
    """Streamed, and its columns come into table usage unchanged: there statistics tell at once whether checks hold."""
    named: bool = False
    """The file's name says something; column ``file`` holds it, without its endings."""
    needed: bool = False
    """Without a file of this kind the recording cannot be read."""
    numbered: bool = False
    """A row's place in its file says something; column ``line`` holds it, from 1, and ``folder`` that of the file."""
    aside: bool = False
    """Lies in the official folder, but is no sign of the format, and the rest is read without a good row of it."""
    null: str = ""
    """A word that stands for nothing, beside an empty field."""
    keys: tuple[str, ...] = ()
    """Of JSON: what every document has at its top; ``|`` between keys of which it has one."""
    tabled: bool = False
    """Of JSON: its rows come as tables too, with the columns declared."""
    silent: bool = False
    """Of JSON: no rows of a recording, but why a document has none: one text for each that has none."""
    rows: str = ""
    """Of JSON: the select over ``document(body json)`` that makes rows of it; empty for files that have rows."""

    @property
    def is_json(self) -> bool:
        """Whether only documents hold it."""
        return bool(self.rows) and not self.tabled

    def separated(self, line: str) -> Input:
        """This kind with the one delimiter that splits the header `line` into most fields.

        >>> Input("a", (), (), delimiter=",;").separated("x;y;z").delimiter
        ';'
        """
        return self if len(self.delimiter) == 1 else self._separated[max(self.delimiter, key=line.count)]

    @cached_property
    def _separated(self) -> dict[str, Input]:
        """This kind with each of its delimiters."""
        return {one: replace(self, delimiter=one) for one in self.delimiter}

    @cached_property
    def with_commas(self) -> Input:
        """This kind with a comma before fractions."""
        return replace(self, decimal=",")

    @cached_property
    def least(self) -> int:
        """Fewest fields that a header of this kind has."""
        return sum(column.required for column in self.columns)

    @cached_property
    def _spelled(self) -> dict[str, int]:
        """The place of the first column of each spelling."""
        places = [(word, n) for n, column in enumerate(self.columns) for word in column.spellings]
        return {word: n for word, n in reversed(places) if self.columns[n].pattern is None}

    @cached_property
    def _patterns(self) -> list[tuple[int, re.Pattern[str]]]:
        """The places of columns that stand for many, and what their headers match."""
        return [(n, column.pattern) for n, column in enumerate(self.columns) if column.pattern is not None]

    def columns_of(self, headers: Sequence[str]) -> list[Column | None]:
        """Which column each header of a file is, the first that it may be; None for those that are none of ours."""
        return [self._column_of(header) for header in headers]

    def _column_of(self, header: str) -> Column | None:
        last = len(self.columns)
        matching = (n for n, pattern in self._patterns if pattern.fullmatch(header.strip()))
        place = min(next(matching, last), self._spelled.get(normal(header), last))
        return self.columns[place] if place < last else None

    def lacks(self, headers: Sequence[str]) -> list[str]:
        """What every row needs and no header names: a column, or one of several."""
        found = {column.name for column in self.columns_of(headers) if column is not None}
        needed: list[tuple[str, ...]] = [(column.name,) for column in self.columns if column.required]
        needed += [names for _, names in self.checks if len(names) > 1]
        return [f"one of {', '.join(some)}" if len(some) > 1 else some[0] for some in needed if not found & set(some)]


@dataclass(frozen=True)
class Format:
    """A trace format: its kinds of files, and the statements that turn them into our tables."""

    name: str
    title: str
    inputs: tuple[Input, ...]
    statements: tuple[str, ...]


def formats() -> dict[str, str]:
    """Every trace format by name, with the sentence that says what it is."""
    return {file.stem: _title(sql("traces", file.name)) for file in sorted(bundled("sql", "traces").glob("*.sql"))}


def _title(text: str) -> str:
    return text.splitlines()[0].removeprefix("--").strip()


_Declared = dict[str, Any]
"""Of one format: its title, rows of DuckDB's catalog about its tables, columns and checks, the selects that make rows
of documents, and the other statements."""


@cache
def load(name: str) -> Format:
    """The format of that name, as its SQL file declares it."""
    told = _declared()[name]
    return Format(name, told["title"], _inputs(told), tuple(told["statements"]))


@cache
def _declared() -> dict[str, _Declared]:
    """What DuckDB reads in the file of each format; kept for this user, since it takes half a second."""
    texts = {name: sql("traces", f"{name}.sql") for name in formats()}
    of = [duckdb.__version__, Path(__file__).read_text(encoding="utf-8"), sql("functions.sql"), *texts, *texts.values()]
    key = hashlib.sha256("\0".join(of).encode()).hexdigest()[:16]
    found: dict[str, _Declared] = json.loads(kept(f"formats-{key}.json", lambda: json.dumps(_all_read(texts))))
    return found


def _all_read(texts: Mapping[str, str]) -> dict[str, _Declared]:
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(texts, pool.map(_read, texts.values()), strict=True))


def _read(text: str) -> _Declared:
    with _scratch().cursor() as scratch:
        parts = [statement.query for statement in scratch.extract_statements(text)]
        scratch.execute("begin")
        scratch.execute(";\n".join(filter(_DECLARATION.match, parts)))
        rows = {found[1]: found[2] for found in map(_ROWS.match, parts) if found}
        asked = {"tables": _TABLES, "columns": _COLUMNS, "checks": _CHECKS}
        told: _Declared = {what: scratch.execute(query).fetchall() for what, query in asked.items()}
        scratch.execute("rollback")
    rest = [part for part in parts if not _DECLARATION.match(part) and not _ROWS.match(part)]
    return {**told, "title": _title(text), "rows": rows, "statements": rest}


@cache
def _scratch() -> duckdb.DuckDBPyConnection:
    """A database to declare tables in, opened once; each cursor has temporary tables of its own."""
    connection = duckdb.connect(":memory:")
    connection.execute(sql("functions.sql"))
    return connection


_TABLES: Final = "select table_name, comment from duckdb_tables() where temporary order by table_oid"
_DELIMITERS: Final = ",;\t"
_COLUMNS: Final = """
select table_name, column_name, data_type, not is_nullable, comment from duckdb_columns()
where database_name = 'temp' order by column_index
"""
_CHECKS: Final = """
select table_name, expression, constraint_column_names from duckdb_constraints()
where database_name = 'temp' and constraint_type = 'CHECK' order by constraint_index
"""


def _inputs(told: _Declared) -> tuple[Input, ...]:
    """The kinds of file that are declared; those that come as JSON have the select that makes rows of them."""
    columns: dict[str, list[Column]] = {}
    checks: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for table, name, kind, must, words in told["columns"]:
        columns.setdefault(table, []).append(Column(name, kind, must, _spellings(name, words)))
    for table, check, names in told["checks"]:
        checks.setdefault(table, []).append((check, tuple(dict.fromkeys(names))))
    found = []
    for table, comment in told["tables"]:
        more = json.loads(comment or "{}")
        more["keys"] = tuple(more.get("keys", ()))
        more.setdefault("delimiter", _DELIMITERS if more.get("header", True) else ",")
        own = tuple(columns[table]), tuple(checks.get(table, ()))
        found.append(Input(table, *own, rows=told["rows"].get(table, ""), **more))
    return tuple(found)


def _spellings(name: str, words: str | None) -> frozenset[str]:
    return frozenset(normal(word) for word in (name, *(words or "").split("|")) if word)
