"""The workbook: live totals that another program reckons too, and no text that is a formula."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from planner.report import export

SHEETS = ["Comparison", "Costs by category", "Lines", "Plans", "Cash flow", "Purchases", "Cost by workload", "Unplaced",
          "Assumptions", "About"]  # fmt: skip


def opened(content: bytes, values: bool = False) -> dict[str, list[dict[str, Any]]]:
    """sheet -> rows by head: formulas as they stand, or what they came to when the file was written."""
    book = load_workbook(io.BytesIO(content), data_only=values)
    found = {}
    for sheet in book:
        head, *rows = sheet.iter_rows(values_only=True)
        found[sheet.title] = [dict(zip(head, row, strict=True)) for row in rows]
    return found


def test_every_cost_is_quantity_times_price_as_a_formula_with_source_and_date(study: dict[str, Any]) -> None:
    content = export(study, ".xlsx")
    told, reckoned = opened(content), opened(content, values=True)
    assert list(told) == SHEETS
    assert len(told["Lines"]) == sum(len(plan["lines"]) for plan in study["plans"])
    for row, value in zip(told["Lines"], reckoned["Lines"], strict=True):
        assert row["Source"]
        assert row["As of"]
        key = "USD once" if row["Kind"] == "one-off" else "USD a month"
        assert re.fullmatch(r"=L\d+\*M\d+(/N\d+)?", row[key])
        assert value[key] == pytest.approx(row["Quantity"] * row["USD per unit"] / (row["Life (months)"] or 1))


def test_totals_are_formulas_over_the_lines(study: dict[str, Any]) -> None:
    told = opened(export(study, ".xlsx"))
    assert all("SUMIFS('Lines'!" in row["USD a month"] for row in told["Plans"])
    assert all(row["TCO (USD)"].startswith("=SUM('Cash flow'!") for row in told["Comparison"])
    assert all("SUMIFS" in row["iaas"] for row in told["Cash flow"])


def texts(content: bytes) -> Iterator[str]:
    for sheet in load_workbook(io.BytesIO(content)):
        for row in sheet.iter_rows():
            yield from (cell.value for cell in row if cell.data_type == "s")


def test_no_text_of_a_study_is_a_formula(study: dict[str, Any]) -> None:
    study["scenario"]["name"] = "=cmd|' /C calc'!A0"
    content = export(study, ".xlsx")
    shown = list(texts(content))
    assert not [text for text in shown if re.match(r"\s*[=+\-@]", text)]
    assert {"'=cmd()", "'@sum", "'=HYPERLINK(1)", "'=cmd|' /C calc'!A0"} <= set(shown)
    for name in (n for n in zipfile.ZipFile(io.BytesIO(content)).namelist() if n.startswith("xl/worksheets/")):
        text = zipfile.ZipFile(io.BytesIO(content)).read(name).decode()
        assert "cmd" not in "".join(re.findall(r"<f>(.*?)</f>", text))
        assert "hyperlink" not in text


def forgotten(content: bytes) -> bytes:
    """The workbook without what its formulas came to: who opens it must reckon."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", old.read(name)))
    return out.getvalue()


def recalculated(content: bytes, folder: Path) -> dict[str, list[dict[str, str]]]:
    """sheet -> rows as LibreOffice reckons them."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("needs LibreOffice (Debian: apt install libreoffice-calc)")
    (folder / "book.xlsx").write_bytes(forgotten(content))
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    command = [office, "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", every_sheet]
    subprocess.run([*command, "--outdir", folder, folder / "book.xlsx"], check=True, capture_output=True, timeout=180)
    files = {path.stem.removeprefix("book-"): path for path in folder.glob("book-*.csv")}
    return {name: list(csv.DictReader(path.open(encoding="utf-8"))) for name, path in files.items()}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_libreoffice_reckons_the_same_totals(study: dict[str, Any], tmp_path: Path) -> None:
    told = recalculated(export(study, ".xlsx"), tmp_path)
    totals = {row["Model"]: row for row in told["Comparison"]}
    for entry in study["models"]:
        row = totals[entry["model"]]
        assert float(row["TCO (USD)"]) == pytest.approx(entry["tco_usd"], abs=1e-6)
        assert float(row["Present value (USD)"]) == pytest.approx(entry["npv_usd"], abs=1e-6)
        paid = [float(month[entry["model"]]) for month in told["Cash flow"]]
        assert paid == pytest.approx(entry["cash_usd"], abs=1e-6)
    months = {(row["Model"], int(row["Year"])): float(row["USD a month"]) for row in told["Plans"]}
    sums = {(row["Model"], int(row["Year"])): row["Total (USD a month)"] for row in told["Costs by category"]}
    for plan in study["plans"]:
        assert months[plan["model"], plan["year"]] == pytest.approx(plan["usd_per_month"], abs=1e-6)
        assert float(sums[plan["model"], plan["year"]]) == pytest.approx(plan["usd_per_month"], abs=1e-6)
    assert not [cell for rows in told.values() for row in rows for cell in row.values() if str(cell).startswith("Err:")]
