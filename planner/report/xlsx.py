"""A study as a workbook: every total is a formula over the lines, and no text becomes one."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import pandas as pd
from xlsxwriter import Workbook
from xlsxwriter.format import Format as Style
from xlsxwriter.worksheet import Worksheet

from planner.report import sheets
from planner.report.facts import Facts
from planner.report.formats import Source
from planner.report.ledger import spelled
from planner.report.sheets import Sheet
from planner.report.show import plain

__all__ = ["written"]

_MOST_ROWS: Final = 1_048_000
_LONGEST: Final = 32_000
"""A sheet ends at row 1,048,576 and a cell at 32,767 characters. Source: Microsoft, Excel specifications and limits."""
_SHAPES: Final = {"usd": "#,##0.00", "number": "#,##0.##########", "share": "0.0%", "count": "#,##0"}
"""How the kinds of numbers are shown."""
_UNDATED: Final = "2000-01-01"
_OPTIONS: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}


def written(source: Source) -> bytes:
    """The workbook.

    Raises:
        InputError: the document is no study.
    """
    facts, file = Facts(source.document), io.BytesIO()
    with Workbook(file, _OPTIONS) as book:
        book.set_properties({"title": "planner", "created": _made(source.document)})
        book.set_calc_mode("auto")
        styles = {name: book.add_format({"num_format": shape}) for name, shape in _SHAPES.items()}
        styles |= {"head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})}
        for sheet in sheets.workbook(facts):
            _fill(book.add_worksheet(sheet.name), sheet, styles)
    return file.getvalue()


def _made(document: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(document.get("created_at") or _UNDATED))


def _fill(page: Worksheet, sheet: Sheet, styles: Mapping[str, Style]) -> None:
    rows = _fitting(sheet.rows)
    page.freeze_panes(1, 2)
    if len(rows):
        page.autofilter(0, 0, len(rows), len(rows.columns) - 1)
    for place, head in enumerate(rows.columns):
        page.write_string(0, place, str(spelled(pd.Series([head]))[0]), styles["head"])
        style = styles.get(sheet.shapes.get(head, ""))
        page.set_column(place, place, _width(rows[head], style is not None, head))
        if head in sheet.formulas:
            for row, formula, value in zip(range(1, len(rows) + 1), sheet.formulas[head], rows[head], strict=False):
                page.write_formula(row, place, formula, style, value)
        else:
            page.write_column(1, place, _cells(rows[head]), style)


def _fitting(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that a sheet can hold; a last one tells how many it could not."""
    if len(rows) <= _MOST_ROWS:
        return rows
    told = pd.DataFrame([[f"and {len(rows) - _MOST_ROWS:,} more, see the tables", *[None] * (len(rows.columns) - 1)]])
    return pd.concat([rows.iloc[:_MOST_ROWS].astype(object), told.set_axis(rows.columns, axis=1)], ignore_index=True)


def _cells(column: pd.Series) -> list[Any]:
    """Numbers as they are, all else as text that is no formula; nothing where there is nothing."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(object).where(column.notna(), None).tolist()
    number = column.map(lambda value: isinstance(value, int | float) and not isinstance(value, bool))
    text = spelled(column.map(plain)).str.slice(0, _LONGEST).map(_whole)
    return column.where(number, text).where(column.notna(), None).tolist()


def _whole(text: str) -> str:
    """Text without halves of characters, which no file of this kind can hold."""
    return text.encode("utf-8", "replace").decode()


def _width(column: pd.Series, number: bool, head: str) -> int:
    if number:
        return max(14, min(24, len(head) // 2 + 2))
    longest = int(column.map(plain).str.len().max()) if len(column) else 0
    return min(60, max(longest, len(head) // 2) + 2)
