"""A study as tables in one archive: models, plans, lines, purchases, cash, boxes, workloads and what is assumed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Final

import pandas as pd

from planner.finance import cash_flow
from planner.report import ledger
from planner.report.facts import Facts
from planner.report.formats import Source
from planner.report.show import plain

__all__ = ["as_csv", "as_parquet", "tables"]

_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that an archive can tell: the same study gives the same bytes."""


def tables(source: Source) -> dict[str, pd.DataFrame]:
    """name -> rows; placements only where they are at hand, for a document does not hold them.

    Raises:
        InputError: the document is no study.
    """
    facts = Facts(source.document)
    told = ledger.lines(facts)
    found = {
        "models": _models(facts),
        "plans": ledger.plans(facts),
        "lines": told,
        "purchases": ledger.bought(facts, told).drop(columns="line"),
        "cash": _cash(facts),
        "boxes": ledger.boxes(facts),
        "cost_by_workload": ledger.costs(facts),
        "unplaced": ledger.unplaced(facts),
        "assumptions": ledger.assumptions(facts).assign(value=lambda rows: rows["value"].map(plain)),
    }
    return found if source.placements is None else found | {"placements": source.placements}


def _models(facts: Facts) -> pd.DataFrame:
    rows = pd.DataFrame([{k: v for k, v in entry.items() if k != "cash_usd"} for entry in facts.models])
    numbers = {name: rows[name].astype(float) for name in ("tco_usd", "npv_usd", "payback_months", "irr")}
    return rows.assign(**numbers, rank=range(1, len(rows) + 1))


def _cash(facts: Facts) -> pd.DataFrame:
    """What is paid by month: model, month, usd."""
    flows = [pd.DataFrame({"usd": cash_flow(ledger.by_year(facts.plans(n)))}).assign(model=n) for n in facts.names]
    rows = pd.concat(flows).rename_axis("month").reset_index()
    return rows[["model", "month", "usd"]]


def as_csv(source: Source) -> bytes:
    """The tables as CSV files; no text in them is a formula."""
    return _archive(tables(source), "csv", _csv)


def as_parquet(source: Source) -> bytes:
    """The tables as Parquet files."""
    return _archive(tables(source), "parquet", _parquet)


def _csv(rows: pd.DataFrame) -> bytes:
    texts = rows.select_dtypes(["object", "str", "category"]).columns
    written = rows.assign(**{str(name): ledger.spelled(rows[name]) for name in texts})
    return bytes(written.to_csv(index=False, lineterminator="\n").encode("utf-8", "replace"))


def _parquet(rows: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    rows.to_parquet(out, index=False)
    return out.getvalue()


def _archive(found: Mapping[str, pd.DataFrame], ending: str, write: Callable[[pd.DataFrame], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, rows in found.items():
            entry = zipfile.ZipInfo(f"{name}.{ending}", _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, write(rows))
    return out.getvalue()
