"""What it costs: by category, by month, and line by line."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from planner.report import show
from planner.report.blocks import Column, Note, Section, Table
from planner.report.charts import stacked_bars, time_curves
from planner.report.facts import Facts, category_hue, in_order

__all__ = ["bill", "bills", "by_category", "cash"]


def by_category(facts: Facts) -> Section:
    """First year's monthly cost of every model, split by category."""
    parts = {name: facts.categories(name) for name in facts.names}
    order = in_order({category for row in parts.values() for category in row})
    rows = [(c, *(show.money(parts[name].get(c, 0.0)) for name in facts.names)) for c in order]
    total = ("Total", *(show.money(facts.first(name)["usd_per_month"]) for name in facts.names))
    columns = (Column("Category"), *(Column(name, "right") for name in facts.names))
    text = (
        "What a month of the first year costs. Bought things are spread evenly over their life; what is paid once, "
        "such as migration, stands apart."
    )
    table = Table("USD a month, first year", columns, (*rows, total), total=True)
    bars = stacked_bars("USD a month, first year", parts, {c: category_hue(c) for c in order})
    return Section("What it costs, by category", (Note(text), bars, table, *_once(facts)))


def _once(facts: Facts) -> list[Table]:
    parts = {name: facts.once(name) for name in facts.names}
    order = in_order({category for row in parts.values() for category in row})
    rows = tuple((c, *(show.money(parts[name].get(c, 0.0)) for name in facts.names)) for c in order)
    columns = (Column("Category"), *(Column(name, "right") for name in facts.names))
    return [Table("USD paid once", columns, rows)] if rows else []


def cash(facts: Facts) -> Section:
    """Cumulative payments by month, as a chart and at each year's end."""
    series = {str(m["model"]): _cumulative(m) for m in facts.models if m.get("cash_usd")}
    if not series:
        return Section("Cash flow", (Note("The study document holds no monthly payments."),))
    last = max(len(row) for row in series.values()) - 1
    months = sorted({*range(0, last + 1, 12), last})
    columns = (Column("Model"), *(Column(f"Month {m}", "right") for m in months))
    rows = tuple((name, *(show.money(row[min(m, len(row) - 1)]) for m in months)) for name, row in series.items())
    text = (
        "All payments up to a month, not discounted: purchases and migration when they are made, running costs at "
        "each month's end; in the last month what bought machines are still worth comes back. Where two curves cross, "
        "the one that falls below has paid back the difference."
    )
    chart = time_curves("Cumulative payments by month (USD)", series, facts.hues)
    return Section("Cash flow", (Note(text), chart, Table("Cumulative payments (USD)", columns, rows)))


def _cumulative(entry: Mapping[str, Any]) -> list[float]:
    return list(accumulate(float(usd) for usd in entry["cash_usd"]))


def bills(facts: Facts) -> Section:
    """Every line of every model's first year: quantity x price, and nothing else is a cost."""
    text = (
        "Each line is a quantity of one price row. Totals are sums of unrounded lines; only what is shown is rounded."
    )
    return Section("The bills, line by line", (Note(text), *(bill(facts, name) for name in facts.names)))


def bill(facts: Facts, name: str) -> Table:
    """Every line of one model's first year."""
    plan = facts.first(name)
    heads = ("Quantity", "USD per unit", "USD a month", "USD once")
    columns = (
        *(Column(h) for h in ("Category", "Type or meter", "Unit", "Term")),
        *(Column(h, "right") for h in heads),
    )
    rows = [_bill_row(row) for row in plan["lines"]]
    once = sum(row["quantity"] * row["usd_per_unit"] for row in plan["lines"] if row["kind"] != "opex")
    total = ("Total", "", "", "", "", "", show.money(plan["usd_per_month"]), show.money(once))
    return Table(f"{name}, first year", columns, (*rows, total), total=True, folded=True)


def _bill_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    once = row["quantity"] * row["usd_per_unit"] if row["kind"] != "opex" else None
    tier = f" from {show.plain(row['tier_from'])}" if row.get("tier_from") else ""
    return (
        str(row["category"]),
        str(row["sku"]),
        f"{row['unit']}{tier}",
        str(row["term"]),
        show.plain(row["quantity"]),
        show.plain(row["usd_per_unit"]),
        show.money(row["usd_per_month"]),
        "" if once is None else show.money(once),
    )
