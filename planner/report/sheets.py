"""The sheets of a workbook: rows as they come out, and the formulas that bring them out again from the lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from planner.finance import cash_flow
from planner.report import ledger
from planner.report.facts import Facts, in_order
from planner.report.question import asked, title

__all__ = ["Sheet", "workbook"]

_LINES: Final = {
    "plan": "Plan", "model": "Model", "year": "Year", "category": "Category", "sku": "Type or meter",
    "provider": "Provider", "region": "Region", "term": "Term", "kind": "Kind", "unit": "Unit",
    "tier_from": "From tier", "quantity": "Quantity", "usd_per_unit": "USD per unit",
    "lifetime_months": "Life (months)", "usd_per_month": "USD a month", "usd_once": "USD once", "low": "Low",
    "high": "High", "status": "Status", "as_of": "As of", "source": "Source",
}  # fmt: skip
_PLANS: Final = {
    "plan": "Plan", "model": "Model", "year": "Year", "usd_per_month": "USD a month", "usd_once": "USD once",
    "usd_in_year": "USD in the year", "by_workload": "Told by workload (USD a month)", "cpu_utilisation": "CPU used",
    "memory_utilisation": "Memory used", "unplaced": "Left out", "certificate_usd": "Optimised part (USD a month)",
    "bound_usd": "Bound (USD a month)", "gap": "Gap to bound", "method": "Proved by",
}  # fmt: skip
_PIN: Final = "$"
"""Stands before a column or row that formulas of other cells do not shift."""
_PLACED: Final = {"plan": "Plan", "model": "Model", "year": "Year", "workload": "Workload"}


@dataclass(frozen=True)
class Sheet:
    """A table of a workbook; its head is in row 1.

    `formulas` name a column's formulas, one a row; what they come to stands in `rows`, for readers that do not
    reckon. `shapes` say what kind of number a column holds: usd, number, share or count.
    """

    name: str
    rows: pd.DataFrame
    formulas: Mapping[str, pd.Series] = field(default_factory=dict)
    shapes: Mapping[str, str] = field(default_factory=dict)

    def column(self, head: str) -> str:
        """The letters of a column."""
        number, letters = list(self.rows.columns).index(head) + 1, ""
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(ord("A") + rest) + letters
        return letters

    def range(self, head: str) -> str:
        """A whole column below its head, for formulas of any sheet."""
        letters = self.column(head)
        return f"'{self.name}'!{_PIN}{letters}{_PIN}2:{_PIN}{letters}{_PIN}{max(2, len(self.rows) + 1)}"

    def cells(self, head: str) -> pd.Series:
        """The place of every cell of a column, such as ``D2``."""
        return self.column(head) + _numbers(self.rows)


def _numbers(rows: pd.DataFrame) -> pd.Series:
    """The row of the sheet that each row stands in."""
    return pd.Series(range(2, len(rows) + 2), index=rows.index).astype(str)


def workbook(facts: Facts) -> list[Sheet]:
    """Every sheet, the answer first.

    Raises:
        InputError: a line of the document lacks something.
    """
    told = ledger.lines(facts)
    lines, costs = _lines(told), _by_workload(facts)
    purchases = _purchases(facts, told, lines)
    plans, cash = _plans(facts, lines, costs), _cash(facts, lines, purchases)
    answer = [_comparison(facts, plans, cash), _categories(facts, told, lines), lines, plans, cash, purchases]
    return [*answer, costs, _unplaced(facts), _assumptions(facts), _about(facts)]


def _lines(told: pd.DataFrame) -> Sheet:
    rows = told[list(_LINES)].rename(columns=_LINES)
    sheet = Sheet("Lines", rows)
    product = "=" + sheet.cells("Quantity") + "*" + sheet.cells("USD per unit")
    spread = product + "/" + sheet.cells("Life (months)")
    once, lasting = told["kind"] == "one-off", told["lifetime_months"].fillna(0) > 0
    monthly = product.where(~lasting, spread).mask(once, "=0")
    money, plain = ("USD a month", "USD once"), ("From tier", "Quantity", "USD per unit", "Low", "High")
    shapes = dict.fromkeys(money, "usd") | dict.fromkeys(plain, "number")
    return Sheet("Lines", rows, {"USD a month": monthly, "USD once": product.where(once, "=0")}, shapes)


def _by_workload(facts: Facts) -> Sheet:
    rows = ledger.costs(facts).rename(columns=_PLACED | {"usd_per_month": "USD a month"})
    return Sheet("Cost by workload", rows, shapes={"USD a month": "usd"})


def _plans(facts: Facts, lines: Sheet, costs: Sheet) -> Sheet:
    told = ledger.plans(facts)
    shown = costs.rows.groupby("Plan")["USD a month"].sum()
    told["usd_in_year"] = 12 * told["usd_per_month"] + told["usd_once"]
    rows = told.assign(by_workload=told["plan"].map(shown).fillna(0.0))[list(_PLANS)].rename(columns=_PLANS)
    sheet, plan = Sheet("Plans", rows), lines.range("Plan")
    own = sheet.cells("Plan")
    formulas = {head: f"=SUMIFS({lines.range(head)},{plan}," + own + ")" for head in ("USD a month", "USD once")}
    formulas["USD in the year"] = "=12*" + sheet.cells("USD a month") + "+" + sheet.cells("USD once")
    told_by = f"=SUMIFS({costs.range('USD a month')},{costs.range('Plan')},"
    formulas["Told by workload (USD a month)"] = told_by + own + ")"
    shapes = {head: "usd" for head in map(str, rows) if "USD" in head}
    return Sheet("Plans", rows, formulas, shapes | dict.fromkeys(("CPU used", "Memory used", "Gap to bound"), "share"))


def _purchases(facts: Facts, told: pd.DataFrame, lines: Sheet) -> Sheet:
    """What is bought when, and in the last month what it is still worth; prices are those of the lines."""
    found = ledger.bought(facts, told)
    worth = found[found["left"] > 0]
    ends = worth["model"].map({name: 12 * len(facts.plans(name)) for name in facts.names})
    back = worth.assign(month=ends, share=-worth["left"], usd=-worth["usd"] * worth["left"])
    rows = pd.concat([found.assign(share=1.0), back], ignore_index=True)
    ranks = {name: rank for rank, name in enumerate(facts.names, 1)}
    heads = {"rank": "Rank", "model": "Model", "month": "Month", "sku": "Type or meter", "quantity": "Quantity",
             "usd_per_unit": "USD per unit", "share": "Part of it", "usd": "USD"}  # fmt: skip
    shown = rows.assign(rank=rows["model"].map(ranks).astype("int64"))[list(heads)].rename(columns=heads)
    sheet = Sheet("Purchases", shown)
    price = f"='Lines'!{lines.column('USD per unit')}" + (rows["line"].astype("int64") + 2).astype(str)
    parts = [sheet.cells(head) for head in ("Quantity", "USD per unit", "Part of it")]
    formulas = {"USD per unit": price, "USD": "=" + parts[0] + "*" + parts[1] + "*" + parts[2]}
    shapes = {"Quantity": "number", "USD per unit": "number", "Part of it": "number", "USD": "usd"}
    return Sheet("Purchases", shown, formulas, shapes)


def _cash(facts: Facts, lines: Sheet, purchases: Sheet) -> Sheet:
    """What is paid by month, and up to it; the last row adds up."""
    flows = {name: cash_flow(ledger.by_year(facts.plans(name))) for name in facts.names}
    rows = pd.DataFrame({name: pd.Series(flow) for name, flow in flows.items()}).fillna(0.0)
    sums = rows.cumsum().add_suffix(", so far")
    months = pd.concat([rows, sums], axis=1).rename_axis("Month").reset_index().rename(columns=str)
    sheet = Sheet("Cash flow", months)
    formulas, number = {}, 1
    for rank, name in enumerate(facts.names, 1):
        years = len(facts.plans(name))
        due = f"SUMIFS({purchases.range('USD')},{purchases.range('Rank')},{rank},{purchases.range('Month')},"
        own = [_due(month, number, years, lines) for month in range(len(months))]
        formulas[name] = "=" + pd.Series(own, index=months.index) + due + sheet.cells("Month") + ")"
        first, here = sheet.column(name), sheet.cells(name)
        formulas[f"{name}, so far"] = f"=SUM({first}{_PIN}2:" + here + ")"
        number += years
    return Sheet("Cash flow", months, formulas, {head: "usd" for head in map(str, months) if head != "Month"})


def _due(month: int, first_plan: int, years: int, lines: Sheet) -> str:
    """The part of a month's payments that comes straight from the lines of one year's plan."""
    before, here = (month - 1) // 12, month // 12
    plan, terms = lines.range("Plan"), ""
    if month and before < years:
        running = f'SUMIFS({lines.range("USD a month")},{plan},{first_plan + before},{lines.range("Kind")},"opex")'
        terms += running + "+"
    if month % 12 == 0 and here < years:
        terms += f"SUMIFS({lines.range('USD once')},{plan},{first_plan + here})+"
    return terms


def _comparison(facts: Facts, plans: Sheet, cash: Sheet) -> Sheet:
    rate = float(facts.scenario.get("discount_rate_per_year") or 0.0)
    found = [_compared(facts, rank, entry, rate) for rank, entry in enumerate(facts.models, 1)]
    rows = pd.DataFrame(found)
    sheet = Sheet("Comparison", rows)
    flows = pd.Series([cash.range(name) for name in facts.names])
    counts = pd.Series([len(facts.plans(name)) for name in facts.names])
    starts = counts.cumsum().shift(fill_value=0) + 2
    once = f"'Plans'!{plans.column('USD once')}"
    last = plans.column("USD once") + (starts + counts - 1).astype(str)
    discount = "(1+" + sheet.cells("Discount rate a year") + f")^({cash.range('Month')}/12)"
    formulas = {
        "TCO (USD)": "=SUM(" + flows + ")",
        "More than the first (USD)": "=" + sheet.cells("TCO (USD)") + f"-{sheet.column('TCO (USD)')}{_PIN}2",
        "Present value (USD)": "=SUMPRODUCT(" + flows + "/" + discount + ")",
        "First year (USD a month)": f"='Plans'!{plans.column('USD a month')}" + starts.astype(str),
        "Paid once (USD)": f"=SUM({once}" + starts.astype(str) + ":" + last + ")",
    }
    shapes = {head: "usd" for head in map(str, rows) if "USD" in head} | {"Payback (months)": "count"}
    shares = ("IRR", "CPU used", "Memory used", "Gap to bound", "Discount rate a year")
    return Sheet("Comparison", rows, formulas, shapes | dict.fromkeys(shares, "share"))


def _compared(facts: Facts, rank: int, entry: Mapping[str, Any], rate: float) -> dict[str, Any]:
    name = str(entry["model"])
    plan = facts.first(name)
    return {
        "Rank": rank,
        "Model": name,
        "TCO (USD)": entry["tco_usd"],
        "More than the first (USD)": entry["tco_usd"] - facts.models[0]["tco_usd"],
        "Present value (USD)": entry["npv_usd"],
        "First year (USD a month)": plan["usd_per_month"],
        "Paid once (USD)": sum(facts.once(name).values()),
        "Payback (months)": entry["payback_months"],
        "IRR": entry["irr"],
        "CPU used": plan["utilisation"].get("cpu"),
        "Memory used": plan["utilisation"].get("memory"),
        "Left out": facts.left_out(name),
        "Gap to bound": plan["certificate"].get("gap"),
        "Discount rate a year": rate,
    }


def _categories(facts: Facts, told: pd.DataFrame, lines: Sheet) -> Sheet:
    """A month of every plan, split by category."""
    order = in_order(set(told["category"].astype(str)))
    sums = told.pivot_table(index="plan", columns="category", values="usd_per_month", aggfunc="sum")
    named = ledger.plans(facts)[["plan", "model", "year"]].set_index("plan")
    rows = named.join(sums.reindex(named.index)[order].fillna(0.0))
    rows = rows.assign(total=rows[order].sum(axis=1)).reset_index()
    heads = {"plan": "Plan", "model": "Model", "year": "Year", "total": "Total (USD a month)"}
    sheet = Sheet("Costs by category", rows.rename(columns=heads))
    column = {c: f"{sheet.column(c)}{_PIN}1" for c in order}
    keys = f"=SUMIFS({lines.range('USD a month')},{lines.range('Plan')},$" + sheet.cells("Plan")
    formulas = {c: keys + f",{lines.range('Category')},{column[c]})" for c in order}
    if order:
        formulas["Total (USD a month)"] = "=SUM(" + sheet.cells(order[0]) + ":" + sheet.cells(order[-1]) + ")"
    return Sheet(sheet.name, sheet.rows, formulas, dict.fromkeys([*order, "Total (USD a month)"], "usd"))


def _unplaced(facts: Facts) -> Sheet:
    return Sheet("Unplaced", ledger.unplaced(facts).rename(columns=_PLACED | {"reason": "Why"}))


def _assumptions(facts: Facts) -> Sheet:
    rows = ledger.assumptions(facts)
    known = rows["measured"].fillna(False).astype(bool).map({True: "measured", False: "inferred"})
    heads = {"model": "Model", "name": "Name", "value": "Value", "unit": "Unit", "how": "How known", "source": "Source"}
    return Sheet("Assumptions", rows.assign(how=known)[list(heads)].rename(columns=heads), shapes={"Value": "number"})


def _about(facts: Facts) -> Sheet:
    rows = [("Study", title(facts)), *asked(facts), *_notes(facts)]
    return Sheet("About", pd.DataFrame(rows, columns=["What", "Told"]))


def _notes(facts: Facts) -> Iterator[tuple[str, str]]:
    yield (
        "How to read it",
        "Totals are formulas over the sheet Lines: change a quantity or a price there to see them move.",
    )
    for note in facts.trace.get("notes") or ():
        yield "Mind", str(note)
