"""All exports of one study say the same, to the cent: every model and every year."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from planner.errors import InputError
from planner.report import FORMATS, export

Totals = dict[tuple[str, str], Decimal]
"""(model, what) -> cents; what is tco, or the number of a year, which costs so much a month."""


def cents(usd: float) -> Decimal:
    return Decimal(f"{usd:.12g}").quantize(Decimal("0.01"), ROUND_HALF_UP)


def of_document(study: dict[str, Any]) -> Totals:
    years = {(p["model"], str(p["year"])): cents(p["usd_per_month"]) for p in study["plans"]}
    return years | {(m["model"], "tco"): cents(m["tco_usd"]) for m in study["models"]}


def of_json(content: bytes) -> Totals:
    return of_document(json.loads(content))


def of_xlsx(content: bytes) -> Totals:
    book = load_workbook(io.BytesIO(content), data_only=True)
    rows = {name: list(book[name].iter_rows(min_row=2, values_only=True)) for name in ("Comparison", "Plans")}
    years = {(str(row[1]), str(row[2])): cents(row[3]) for row in rows["Plans"]}
    return years | {(str(row[1]), "tco"): cents(row[2]) for row in rows["Comparison"]}


def of_tables(content: bytes) -> Totals:
    archive = zipfile.ZipFile(io.BytesIO(content))
    if "plans.csv" in archive.namelist():
        plans, models = (list(csv.DictReader(io.TextIOWrapper(archive.open(f"{n}.csv")))) for n in ("plans", "models"))
    else:
        found = (pq.read_table(io.BytesIO(archive.read(f"{n}.parquet"))) for n in ("plans", "models"))
        plans, models = (table.to_pylist() for table in found)
    years = {(r["model"], str(r["year"])): cents(float(r["usd_per_month"])) for r in plans}
    return years | {(r["model"], "tco"): cents(float(r["tco_usd"])) for r in models}


def of_focus(rows: list[dict[str, Any]], once: dict[tuple[str, str], float]) -> Totals:
    sums: dict[tuple[str, str], float] = {}
    for row in rows:
        for key, amount in ((row["x_PlanYear"], "EffectiveCost"), ("tco", "BilledCost")):
            place = (row["SubAccountId"], key)
            sums[place] = sums.get(place, 0.0) + float(row[amount])
    return {k: cents(usd if k[1] == "tco" else (usd - once.get(k, 0.0)) / 12) for k, usd in sums.items()}


def of_text(text: str, years: int) -> Totals:
    """What a person reads: one comparison, and the totals of each model's own table of categories."""
    found: Totals = {}
    for model, tco in re.findall(r"^(\w+)\s+\d+\s+([\d,]+\.\d\d)\s+[\d,]+\.\d\d", text, flags=re.MULTILINE):
        found.setdefault((model, "tco"), Decimal(tco.replace(",", "")))
    for model, body in re.findall(r"Model: (\w+)\n(.*?)(?=Model: |\Z)", text, flags=re.DOTALL):
        totals = re.findall(rf"Total((?:\s+[\d,]+\.\d\d){{{years}}})", body)[0].split()
        found |= {(model, str(year)): Decimal(usd.replace(",", "")) for year, usd in enumerate(totals)}
    return found


def paid_once(plan: dict[str, Any]) -> float:
    return float(sum(r["quantity"] * r["usd_per_unit"] for r in plan["lines"] if r["kind"] == "one-off"))


@pytest.mark.slow
def test_all_exports_agree_to_the_cent(study: dict[str, Any]) -> None:
    expected = of_document(study)
    once = {(p["model"], str(p["year"])): paid_once(p) for p in study["plans"]}
    files = {suffix: export(study, suffix) for suffix in FORMATS}
    charges = list(csv.DictReader(io.StringIO(files[".focus.csv"].decode())))
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(files[".pdf"])).pages]
    assert of_json(files[".json"]) == expected
    assert of_xlsx(files[".xlsx"]) == expected
    assert of_tables(files[".csv.zip"]) == expected
    assert of_tables(files[".parquet.zip"]) == expected
    assert of_focus(charges, once) == expected
    assert of_focus(pq.read_table(io.BytesIO(files[".focus.parquet"])).to_pylist(), once) == expected
    assert of_text("\n".join(pages[2:]), years=2) == expected
    for suffix in (".md", ".html"):
        text = files[suffix].decode()
        assert all(f"{usd:,}" in text for (_, what), usd in expected.items() if what in {"tco", "0"})


def test_no_cell_of_a_table_is_a_formula(study: dict[str, Any]) -> None:
    archive = zipfile.ZipFile(io.BytesIO(export(study, ".csv.zip")))
    for name in archive.namelist():
        rows = list(csv.reader(io.TextIOWrapper(archive.open(name), newline="")))
        bad = [cell for row in rows for cell in row if re.match(r"\s*[=+@]|\s*-(?![\d.])", cell)]
        assert not bad, name
    assert "'=cmd()" in archive.read("cost_by_workload.csv").decode()


def test_placements_go_into_the_tables_where_they_are_at_hand(study: dict[str, Any]) -> None:
    import pandas as pd

    placed = pd.DataFrame(
        {"model": ["iaas"], "year": [0], "workload": ["=cmd()"], "replica": [0], "sku": ["m7i"], "box": [0]}
    )
    archive = zipfile.ZipFile(io.BytesIO(export(study, ".csv.zip", placed)))
    assert archive.read("placements.csv").decode().splitlines()[1] == "iaas,0,'=cmd(),0,m7i,0"
    assert "placements.csv" not in zipfile.ZipFile(io.BytesIO(export(study, ".csv.zip"))).namelist()


def test_every_format_has_a_name_a_media_type_and_refuses_what_is_no_study() -> None:
    for suffix, each in FORMATS.items():
        assert suffix.startswith(".")
        assert each.name
        assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", each.mime)
        with pytest.raises(InputError, match="study lacks scenario"):
            export({}, suffix)


def test_a_format_without_its_library_says_what_to_install(
    study: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    monkeypatch.delitem(__import__("sys").modules, "planner.report.xlsx", raising=False)
    with pytest.raises(InputError, match=r"needs xlsxwriter.*planner\[report\]"):
        export(study, ".xlsx")
