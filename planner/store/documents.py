"""JSON: documents become rows, by a select that the format declares, and the rows a Parquet file like any other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import duckdb
import numpy as np

from planner.errors import TraceError
from planner.store.formats import Format, Input
from planner.store.sources import Source

__all__ = ["MOST_BYTES", "MOST_DEPTH", "Documents", "flattened"]

MOST_BYTES: Final = 256 * 2**20
"""A document, which is read in memory. Unit: bytes. Source: our choice; ten times as much memory was measured."""
MOST_DEPTH: Final = 200
"""Brackets inside brackets. Unit: levels. Source: our choice; what Kubernetes tells of a pod has about 20."""

_LONGEST_REASON: Final = 400
"""What is relayed of a reason that a document tells. Unit: characters. Source: our choice."""
_BLOCK: Final = 1 << 23
_READ: Final = """
create or replace temp table document as
select json as body from read_json_objects(getvariable('one_file'), format='unstructured',
    maximum_object_size=getvariable('most_bytes'), compression='none')
"""
"""Whatever its name ends in, a file is plain where it is called JSON."""
_KEYS: Final = """
select distinct unnest(json_keys(case json_type(body) when 'ARRAY' then body->0 else body end)) from
(select body from document limit 100)
"""


@dataclass(frozen=True)
class Documents:
    """What the JSON files of a recording hold."""

    rows: dict[tuple[Source, Input], Source] = field(default_factory=dict)
    """For each file and each kind of document that it holds: the file of its rows."""
    silent: dict[Source, str] = field(default_factory=dict)
    """Why files that a format knows hold no row, as they tell it themselves."""


def flattened(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], forms: Sequence[Format]) -> Documents:
    """Each JSON file read once, and its rows of every kind whose keys it has written beside it.

    Raises:
        TraceError: it is broken, too deep or too large.
    """
    kinds = [kind for form in forms for kind in form.inputs if kind.rows]
    found = Documents()
    for source in sources:
        if source.kind != "json":
            continue
        keys = _read(connection, source)
        known = [kind for kind in kinds if all(keys & set(key.split("|")) for key in kind.keys)]
        there = [_flatten(connection, source, kind, found) for kind in known if not kind.silent]
        if not any(there):
            _ask_why(connection, source, [kind for kind in known if kind.silent], found)
    connection.execute("drop table if exists document")
    return found


def _read(connection: duckdb.DuckDBPyConnection, source: Source) -> set[str]:
    """Makes table document; the keys of its first ones."""
    _refuse_depth(source)
    size = source.path.stat().st_size
    try:
        connection.execute("set variable one_file = $path", {"path": [str(source.path)]})
        connection.execute("set variable most_bytes = $size", {"size": min(size + 1024, MOST_BYTES)})
        connection.execute(_READ)
        return {str(row[0]) for row in connection.execute(_KEYS).fetchall()}
    except duckdb.Error as error:
        raise TraceError(f"{source.shown}: {_told(str(error))}") from error


def _told(message: str) -> str:
    if "maximum_object_size" in message:
        return f"is a JSON document of more than {MOST_BYTES:,} bytes; export a shorter stretch of time into each file"
    line = re.sub(r'in file ".*?", ', "", message.splitlines()[0])
    return f"is broken JSON: {line.removeprefix('Invalid Input Error: ')}"


def _refuse_depth(source: Source) -> None:
    """Counts brackets outside of quotes before anything follows them down."""
    depth = most = 0
    quoted, rest = False, b""
    with source.path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            text = rest + block
            text = re.sub(rb"\\.", b"", text, flags=re.DOTALL) if b"\\" in text else text
            rest = b"\\" if text.endswith(b"\\") else b""
            letters = np.frombuffer(text.removesuffix(b"\\"), np.uint8)
            # Parity survives the overflow of bytes; [ ] { } are 0x5b 0x5d 0x7b 0x7d.
            inside = (np.cumsum(letters == ord('"'), dtype=np.uint8) + np.uint8(quoted)) & 1
            opened, closed = ((letters | 32) == ord(bracket) for bracket in "{}")
            step = (opened.view(np.int8) - closed.view(np.int8)) * (1 - inside).view(np.int8)
            levels = depth + np.cumsum(step, dtype=np.int32)
            if len(letters):
                most, depth, quoted = max(most, int(levels.max())), int(levels[-1]), bool(inside[-1])
            if most > MOST_DEPTH:
                raise TraceError(f"{source.shown}: is JSON with more than {MOST_DEPTH} brackets inside each other")


def _flatten(connection: duckdb.DuckDBPyConnection, source: Source, kind: Input, found: Documents) -> bool:
    """Writes the rows of a kind; whether there are any."""
    path = source.path.parent if source.scratch is None else source.scratch
    path = path / f"rows{len(list(path.glob('rows*'))):06d}"
    try:
        connection.execute("set variable rows_file = $path", {"path": str(path)})
        connection.execute(f"copy ({kind.rows}) to (getvariable('rows_file')) (format parquet)")
        count = connection.execute("select count(*) from read_parquet(getvariable('rows_file'))").fetchall()[0][0]
    except duckdb.Error as error:
        raise TraceError(f"{source.shown}: cannot be read as {kind.name}: {str(error).splitlines()[0]}") from error
    if count:
        found.rows[source, kind] = replace(source, path=path, kind="parquet", head=())
    return bool(count)


def _ask_why(connection: duckdb.DuckDBPyConnection, source: Source, kinds: Sequence[Input], found: Documents) -> None:
    """Keeps the first reason why a file holds no row; a document that is not as it should be tells none."""
    for kind in kinds:
        try:
            told = connection.execute(f"{kind.rows} limit 1").fetchall()
        except duckdb.Error:
            continue
        if told:
            found.silent[source] = " ".join(str(told[0][0]).split())[:_LONGEST_REASON]
            return
