"""Workbooks: the sheets of a spreadsheet file, as lines of CSV."""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import python_calamine as calamine

from planner.errors import TraceError

__all__ = ["is_workbook", "sheets"]

_PARTS: Final = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
_SHEETS: Final = "xl/worksheets/"
_BREAKS: Final = (OSError, EOFError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile)
"""What reading a part raises that is broken, or packed or encrypted in a way that Office does not."""
_CELL: Final = re.compile(rb"""<(?:\w+:)?c\b[^>]*?\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["'][^>]*[^>/]>""")
_LIKE_THOUSANDS: Final = re.compile(r"[0-9]{1,3}\.[0-9]{3}")
_CHUNK: Final = 1 << 22
_OVERLAP: Final = 256


def is_workbook(path: Path) -> bool:
    """Whether a zip archive is a workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
    return bool(names & set(_PARTS))


def sheets(path: Path, most_bytes: int, most_cells: int) -> Iterator[tuple[str, Iterator[bytes] | None]]:
    """Each sheet's name and its rows as lines of CSV, up to its last row that is not empty; None for a broken sheet.

    Formulas count as the values last computed; a line end inside a cell becomes a blank.

    Raises:
        TraceError: it is broken as a whole, or larger than it may be.
    """
    broken: frozenset[str] = frozenset()
    if zipfile.is_zipfile(path):
        broken = _measure(path, most_bytes, most_cells)
    elif path.stat().st_size > most_bytes:
        raise TraceError(f"{path}: a workbook may have {most_bytes:,} bytes at most")
    try:
        book = calamine.load_workbook(_without(path, broken) if broken else str(path))
    except calamine.CalamineError as error:
        raise TraceError(f"{path}: is no workbook that can be read: {error}") from error
    for name in book.sheet_names:
        yield name, _rows(book, name)


def _rows(book: calamine.CalamineWorkbook, name: str) -> Iterator[bytes] | None:
    try:
        return _lines(book.get_sheet_by_name(name).iter_rows())
    except calamine.CalamineError:
        return None


def _without(path: Path, broken: frozenset[str]) -> io.BytesIO:
    """A workbook without its broken parts: what was not measured to its end must not be read by anything else."""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as rest:
        for part in archive.infolist():
            if part.filename not in broken:
                rest.writestr(part.filename, archive.read(part))
    copy.seek(0)
    return copy


def _measure(path: Path, most_bytes: int, most_cells: int) -> frozenset[str]:
    """Looks at how large the sheets claim to be before anything believes them; reads every part to its end.

    Returns the sheets that break before that; other parts say what the cells of all sheets mean.
    """
    broken = []
    with zipfile.ZipFile(path) as archive:
        total = sum(part.file_size for part in archive.infolist())
        if total > most_bytes:
            raise TraceError(f"{path}: unpacks to {total:,} bytes; a workbook may have {most_bytes:,}")
        for part in archive.infolist():
            try:
                with archive.open(part) as stream:
                    cells = _extent(iter(partial(stream.read, _CHUNK), b""))
            except _BREAKS:
                if not part.filename.startswith(_SHEETS):
                    raise
                broken.append(part.filename)
                continue
            if cells > most_cells:
                raise TraceError(f"{path}: {part.filename} spans {cells:,} cells; a sheet may have {most_cells:,}")
    return frozenset(broken)


def _extent(blocks: Iterable[bytes]) -> int:
    """Rows times columns up to the last cell with something in it."""
    columns: set[bytes] = set()
    rows, rest = 0, b""
    for block in blocks:
        found = _CELL.findall(rest + block)
        columns.update(column for column, _ in found)
        rows = max(rows, max((int(row) for _, row in found), default=0))
        rest = block[-_OVERLAP:]
    return rows * max(map(_number, columns), default=0)


def _number(letters: bytes) -> int:
    """The number of a column.

    >>> _number(b"A"), _number(b"Z"), _number(b"AA"), _number(b"XFD")
    (1, 26, 27, 16384)
    """
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _lines(rows: Iterable[list[Any]]) -> Iterator[bytes]:
    """Lines of CSV. Empty rows wait until one follows that is not, so that trailing ones are dropped."""
    empty = 0
    for row in rows:
        cells = [_text(cell) for cell in row]
        if any(cells):
            yield b"\n" * empty + _line(cells)
            empty = 0
        else:
            empty += 1


def _line(cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().encode()


def _text(cell: Any) -> str:
    """A cell as CSV has it: whole numbers without a fraction, times in ISO 8601.

    A fraction of three digits gets a fourth, or it would look like thousands.

    >>> _text(2.0), _text(2.5), _text(512.125), _text(True), _text("a\\nb"), _text(datetime.date(2026, 1, 2))
    ('2', '2.5', '512.1250', 'True', 'a b', '2026-01-02')
    """
    if isinstance(cell, str):
        return " ".join(cell.split("\n")).replace("\r", "").strip() if "\n" in cell or "\r" in cell else cell
    if isinstance(cell, float):
        text = str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        return f"{text}0" if _LIKE_THOUSANDS.fullmatch(text) else text
    if isinstance(cell, datetime.timedelta):
        return str(cell.total_seconds())
    return cell.isoformat() if isinstance(cell, datetime.date | datetime.time) else str(cell)
