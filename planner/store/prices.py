"""Price books: CSV files in our columns, typed, checked and turned into a Catalog."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd

from planner.bundle import bundled
from planner.catalog import FACT_COLUMNS, OFFER_COLUMNS, OFFER_KINDS, Catalog
from planner.errors import PriceBookError, near_miss
from planner.store.database import transaction

__all__ = ["catalog", "shipped_books"]

_REQUIRED: Final = {
    "offers": ("sku", "kind", "provider", "region", "term", "unit", "usd_per_unit", "status", "source", "as_of"),
    "facts": ("topic", "key", "metric", "unit", "status", "source", "as_of"),
}
_UNIQUE: Final = {
    "offers": ("sku", "provider", "region", "term", "tier_from"),
    "facts": ("topic", "key", "metric"),
}


def shipped_books() -> tuple[Path, ...]:
    """Every price book that ships with planner, by name."""
    return tuple(sorted(bundled("datasets", "prices").glob("*.csv")))


def catalog(connection: duckdb.DuckDBPyConnection, books: Sequence[Path]) -> Catalog:
    """The offers and facts of `books`, in the order of the books and their lines.

    Raises:
        PriceBookError: a book cannot be read, or a row of it is malformed; names file, line and field.
    """
    found, tables = _read(tuple(map(_version, books)), tuple(sorted(_types(connection).items())))
    with transaction(connection):
        for table, frame in tables.items():
            connection.execute(f"delete from {table}")
            connection.register("page_of_book", frame)
            connection.execute(f"insert into {table} by name select * from page_of_book")
            connection.unregister("page_of_book")
    return found


def _version(book: Path | str) -> tuple[Path, int, int]:
    """A book as it stands: where, when it was last written, and its size."""
    path = Path(book)
    try:
        told = path.stat()
    except OSError as error:
        raise PriceBookError(f"price book {path}: cannot be read: {error}") from error
    return path, told.st_mtime_ns, told.st_size


@lru_cache(maxsize=4)
def _read(
    versions: tuple[tuple[Path, int, int], ...], types: tuple[tuple[tuple[str, str], str], ...]
) -> tuple[Catalog, dict[str, pd.DataFrame]]:
    """The catalog of some books, and its rows with their book; read once as long as the books stay as they are."""
    pages = [_load(book, dict(types)) for book, *_ in versions]
    offers = [page for table, page in pages if table == "offers"]
    facts = [page for table, page in pages if table == "facts"]
    _check_unique(offers, "offers")
    _check_unique(facts, "facts")
    tables = {"offers": _joined(offers, [*OFFER_COLUMNS, "book"]), "facts": _joined(facts, [*FACT_COLUMNS, "book"])}
    return Catalog(*(frame.drop(columns="book") for frame in tables.values())), tables


def _types(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """(table, column) -> type, of what a book fills."""
    told = "select table_name, column_name, data_type from duckdb_columns() where table_name in ('offers', 'facts')"
    return {(table, column): kind for table, column, kind in connection.execute(told).fetchall()}


def _joined(pages: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    if not pages:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(pages, ignore_index=True)[list(columns)]


def _load(book: Path, types: dict[tuple[str, str], str]) -> tuple[str, pd.DataFrame]:
    table = "facts" if book.name.startswith("facts_") else "offers"
    page = _typed({c: kind for (t, c), kind in types.items() if t == table}, book, _header(book, table))
    if table == "offers":
        _check_offers(page, book)
    return table, page.assign(book=book.name)


def _header(book: Path, table: str) -> list[str]:
    known = FACT_COLUMNS if table == "facts" else OFFER_COLUMNS
    try:
        with book.open(encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines), [])
    except (OSError, UnicodeDecodeError) as error:
        raise PriceBookError(f"price book {book}: cannot be read: {error}") from error
    for name in header:
        if name not in known:
            raise PriceBookError(f"{book.name}, line 1, field {name!r}: no column of ours; {near_miss(name, known)}")
    missing = [name for name in _REQUIRED[table] if name not in header]
    if missing:
        raise PriceBookError(f"{book.name}, line 1: lacks the columns {', '.join(missing)}")
    if len(set(header)) < len(header):
        raise PriceBookError(f"{book.name}, line 1: names a column twice")
    return header


def _typed(types: dict[str, str], book: Path, header: Sequence[str]) -> pd.DataFrame:
    """The rows with the types of our table, in order; text is never null, `line` is the line in the file."""
    rows = _records(book, header)
    numbers = [name for name in header if types[name] == "DOUBLE"]
    for name in numbers:
        text = rows[name].str.strip()
        value = pd.to_numeric(text.where(text != ""), errors="coerce").astype(float)
        bad = (text != "") & ~value.abs().lt(float("inf"))
        if bad.any():
            at = rows[bad].iloc[0]
            raise PriceBookError(f"{book.name}, line {at['line']}, field {name}: expected a number, found {at[name]!r}")
        rows[name] = value
    for name in types.keys() - {"book", *header}:
        rows[name] = float("nan") if types[name] == "DOUBLE" else ""
    if "tier_from" in rows:
        rows["tier_from"] = rows["tier_from"].fillna(0.0)
    return rows


def _records(book: Path, header: Sequence[str]) -> pd.DataFrame:
    """The cells as text, with the line each record ends on."""
    with book.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        next(reader)
        try:
            records = [(*cells, reader.line_num) for cells in reader if cells]
        except csv.Error as error:
            raise PriceBookError(f"{book.name}, line {reader.line_num}: {error}") from error
    width = len(header) + 1
    for record in records:
        if len(record) != width:
            found = f"{len(record) - 1} fields, expected {len(header)}"
            raise PriceBookError(f"{book.name}, line {record[-1]}: {found}")
    frame = pd.DataFrame(records, columns=[*header, "line"])
    return frame.astype(dict.fromkeys(header, "str"))


def _check_offers(page: pd.DataFrame, book: Path) -> None:
    """Each row says what it is, what it costs and who says so."""
    checks = {
        "kind": (~page["kind"].isin(list(OFFER_KINDS)), "one of the kinds of offers"),
        "usd_per_unit": (~(page["usd_per_unit"] >= 0), "a price of 0 or more"),
        **{
            name: (page[name].str.strip() == "", "some text")
            for name in ("sku", "provider", "region", "term", "unit", "status", "source", "as_of")
        },
        "tier_to": (page["tier_to"] <= page["tier_from"], "more than tier_from"),
        "lifetime_months": (page["lifetime_months"] <= 0, "more than 0"),
    }
    for name, (bad, expected) in checks.items():
        if bad.any():
            at = page[bad].iloc[0]
            near = f"; {near_miss(str(at['kind']), OFFER_KINDS)}" if name == "kind" else ""
            where = f"{book.name}, line {at['line']}, field {name}"
            raise PriceBookError(f"{where}: expected {expected}, found {at[name]!r}{near}")


def _check_unique(pages: Sequence[pd.DataFrame], table: str) -> None:
    if not pages:
        return
    rows = pd.concat(pages, ignore_index=True)
    key = list(_UNIQUE[table])
    twice = rows[rows.duplicated(key)]
    if len(twice):
        at = twice.iloc[0]
        what = ", ".join(f"{name} {at[name]!r}" for name in key)
        raise PriceBookError(f"{at['book']}, line {at['line']}: the row of {what} is there twice")
