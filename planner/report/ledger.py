"""A study document as tidy rows: what a workbook, tables and charges are written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from itertools import groupby
from typing import Any, Final

import pandas as pd

from planner.errors import InputError
from planner.finance import Purchase, purchases
from planner.plan import Line
from planner.report.facts import Facts

__all__ = ["assumptions", "bought", "boxes", "by_year", "costs", "lines", "plans", "spelled", "unplaced"]

_FIELDS: Final = tuple(f.name for f in fields(Line))
_NEEDED: Final = tuple(f.name for f in fields(Line) if f.default is MISSING)
_THING: Final = ("sku", "provider", "region", "term", "offer_kind", "category", "usd_per_unit")
_FORMULA: Final = r"^(?=[\s]*[=+\-@＝＋－＠])|^(?=[\t\r\n])"
"""Text that a spreadsheet would take for a formula. Source: OWASP, CSV injection."""


def spelled(text: pd.Series) -> pd.Series:
    """Text that no spreadsheet takes for a formula: an apostrophe stands before what looks like one.

    >>> spelled(pd.Series(["=cmd()", " @x", "web-01", "-"])).tolist()
    ["'=cmd()", "' @x", 'web-01', "'-"]
    """
    return text.astype(object).where(text.isna(), text.astype(str).str.replace(_FORMULA, "'", regex=True))


def plans(facts: Facts) -> pd.DataFrame:
    """One row a model and year, models by rank: numbered from 1, with its totals, use, proof and gaps."""
    return pd.DataFrame([_plan(plan) for plan in _plans(facts)]).rename_axis("plan").reset_index().assign(
        plan=lambda rows: rows["plan"] + 1
    )  # fmt: skip


def _plans(facts: Facts) -> list[Mapping[str, Any]]:
    return [plan for name in facts.names for plan in facts.plans(name)]


def _plan(plan: Mapping[str, Any]) -> dict[str, Any]:
    proof, used = plan["certificate"], plan["utilisation"]
    return {
        "model": plan["model"],
        "year": plan["year"],
        "usd_per_month": plan["usd_per_month"],
        "usd_once": sum(row["quantity"] * row["usd_per_unit"] for row in plan["lines"] if row["kind"] == "one-off"),
        "cpu_utilisation": used.get("cpu"),
        "memory_utilisation": used.get("memory"),
        "unplaced": len(plan["unplaced"]),
        "certificate_usd": proof["usd"],
        "bound_usd": proof["bound_usd"],
        "gap": proof.get("gap"),
        "method": proof["method"],
    }


def lines(facts: Facts) -> pd.DataFrame:
    """Every line of every plan, with the plan's number, model and year, and what it costs by the month and once.

    Raises:
        InputError: a line lacks something that it is made of.
    """
    rows = [
        {"plan": number, "model": plan["model"], "year": plan["year"]} | row
        for number, plan in enumerate(_plans(facts), 1)
        for row in plan["lines"]
    ]
    frame = pd.DataFrame(rows, columns=["plan", "model", "year", *_FIELDS, "usd_per_month"])
    lacking = [name for name in _NEEDED if frame[name].isna().any()]
    if lacking:
        raise InputError(f"study document: lines lack {', '.join(lacking)}")
    once = frame["quantity"] * frame["usd_per_unit"]
    numbers = {name: frame[name].astype(float) for name in ("tier_from", "lifetime_months", "low", "high")}
    known = frame["status"].astype(object).where(frame["status"].notna(), "not told")
    return frame.assign(**numbers, status=known, usd_once=once.where(frame["kind"] == "one-off", 0.0))


def bought(facts: Facts, told: pd.DataFrame) -> pd.DataFrame:
    """Purchases by month: plan, model, month, quantity, usd, the share left at the end, and the row of its line.

    Args:
        told: what `lines` gave; `line` is a position in it.
    """
    first = told.reset_index(names="line").drop_duplicates(["model", "year", *_THING])
    rows = [_purchase(name, p) for name in facts.names for p in purchases(by_year(facts.plans(name)))]
    found = pd.DataFrame(rows, columns=["model", "year", *_THING, "month", "quantity", "usd", "left"])
    keys = ["model", "year", *_THING]
    types = {key: first[key].dtype for key in keys}
    return found.astype(types).merge(first[["plan", "line", *keys]], on=keys, how="left", validate="many_to_one")


def _purchase(model: str, purchase: Purchase) -> dict[str, Any]:
    thing = {name: getattr(purchase.line, name) for name in _THING}
    told = {"month": purchase.month, "quantity": purchase.quantity, "usd": purchase.usd, "left": purchase.left}
    return {"model": model, "year": purchase.month // 12, **thing, **told}


def by_year(found: Sequence[Mapping[str, Any]]) -> list[list[Line]]:
    """The lines of one model's plans, year by year."""
    return [
        [Line(**{name: row[name] for name in _FIELDS if name in row}) for plan in year for row in plan["lines"]]
        for _, year in groupby(found, key=lambda plan: plan["year"])
    ]


def boxes(facts: Facts) -> pd.DataFrame:
    """Machines by type: plan, model, year, sku, provider, region, term, count."""
    return _each(facts, "boxes", ["sku", "provider", "region", "term", "count"])


def costs(facts: Facts) -> pd.DataFrame:
    """What each workload costs: plan, model, year, workload, usd_per_month."""
    return _each(facts, "cost_by_workload", ["workload", "usd_per_month"])


def unplaced(facts: Facts) -> pd.DataFrame:
    """What was left out: plan, model, year, workload, reason."""
    return _each(facts, "unplaced", ["workload", "reason"])


def assumptions(facts: Facts) -> pd.DataFrame:
    """Every number that a plan rests on, once a model: model, name, value, unit, source, measured."""
    rows = _each(facts, "assumptions", ["name", "value", "unit", "source", "measured"]).drop(columns=["plan", "year"])
    return rows[~rows.astype(str).duplicated()].reset_index(drop=True)


def _each(facts: Facts, part: str, columns: list[str]) -> pd.DataFrame:
    frames = [
        pd.DataFrame(plan.get(part) or [], columns=columns).assign(plan=n, model=plan["model"], year=plan["year"])
        for n, plan in enumerate(_plans(facts), 1)
    ]
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    return pd.concat(filled, ignore_index=True)[["plan", "model", "year", *columns]]
