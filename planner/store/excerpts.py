"""Bounded parts of files, written under the same name: whole where they are small, else stretches of whole lines."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import duckdb
import pyarrow.parquet as pq

from planner.store.sources import Source

__all__ = ["Excerpt", "document", "excerpt"]

_ROWS: Final = 500_000
"""Most rows of a Parquet file that are read."""


@dataclass(frozen=True)
class Excerpt:
    """How much of a file was taken."""

    rows: int
    """Lines or rows of the whole file: counted where all of it was taken, or a footer tells; else estimated."""
    share: float
    """Part of the file that was taken, 0 .. 1."""


def excerpt(connection: duckdb.DuckDBPyConnection, source: Source, target: Path, room: int) -> Excerpt:
    """Writes a part of `source` to `target`: of text so many bytes in all, unpacked, of Parquet the first rows.

    Raises:
        OSError: the file cannot be read.
        EOFError: it is packed, and cut short.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.kind == "parquet":
        return _first_rows(connection, source.path, target)
    if source.kind == "gzip":
        return _unpacked(source.path, target, room)
    size = source.path.stat().st_size
    if source.kind != "csv" or size <= room:
        shutil.copyfile(source.path, target)
        return Excerpt(_lines(target), 1.0)
    return _stretches(source.path, target, room)


def document(connection: duckdb.DuckDBPyConnection, path: Path, rows: Path, target: Path) -> Excerpt:
    """Writes a document to `target`, whole: its rows, a Parquet file, are made anew of it and only counted here."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    return Excerpt(_count(connection, rows), 1.0)


def _stretches(path: Path, target: Path, room: int) -> Excerpt:
    """Beginning, middle and end of a large text."""
    size, part = path.stat().st_size, room // 3
    with path.open("rb") as stream, target.open("wb") as out:
        out.write(_whole_lines(stream.read(part)))
        for place in (size // 2, size - part):
            stream.seek(place)
            stream.readline(part)
            out.write(_whole_lines(stream.read(part)))
    taken = target.stat().st_size
    return Excerpt(round(_lines(target) * size / max(1, taken)), taken / size)


def _whole_lines(text: bytes) -> bytes:
    end = text.rfind(b"\n") + 1
    return text[:end] if end else text + b"\n"


def _unpacked(path: Path, target: Path, room: int) -> Excerpt:
    """The beginning of a packed text."""
    size = path.stat().st_size
    with path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as stream:
        text = stream.read(room)
        whole = not stream.read(1)
        share = 1.0 if whole else min(1.0, raw.tell() / size)
    target.write_bytes(text if whole else _whole_lines(text))
    return Excerpt(round(_lines(target) / share), share)


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return _ends(stream)


def _ends(stream: BinaryIO) -> int:
    ends, last = 0, b"\n"
    while block := stream.read(1 << 20):
        ends, last = ends + block.count(b"\n"), block[-1:]
    return ends + (last != b"\n")


def _first_rows(connection: duckdb.DuckDBPyConnection, path: Path, target: Path) -> Excerpt:
    rows = _count(connection, path)
    if rows <= _ROWS:
        shutil.copyfile(path, target)
        return Excerpt(rows, 1.0)
    part = connection.sql(f"from read_parquet(getvariable('excerpt_of')) limit {_ROWS}").to_arrow_table()
    pq.write_table(part, target)
    return Excerpt(rows, _ROWS / rows)


def _count(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """The rows of a Parquet file; it is then variable excerpt_of."""
    connection.execute("set variable excerpt_of = $path", {"path": str(path)})
    query = "select sum(num_rows) from parquet_file_metadata(getvariable('excerpt_of'))"
    return int(connection.execute(query).fetchall()[0][0] or 0)
