"""One model by itself: what it costs by year and category, what it is made of, how full and how well proved it is."""

from __future__ import annotations

from collections import Counter

from planner.models import MODELS
from planner.report import show
from planner.report.blocks import Block, Column, Facet, Note, Table
from planner.report.capacity import box_rows, reasons
from planner.report.costs import bill
from planner.report.facts import Facts, in_order

__all__ = ["figures", "portrait"]


def figures(facts: Facts, model: str) -> tuple[Facet, ...]:
    """The figures of one model that matter most."""
    entry = next(m for m in facts.models if m["model"] == model)
    rank = 1 + facts.names.index(model)
    return (
        Facet("Rank", f"{rank} of {len(facts.names)}", f"leaves out {show.count(facts.left_out(model))}"),
        Facet(f"TCO over {show.years(facts.horizon)}", show.money(entry["tco_usd"]), "USD"),
        Facet("Present value", show.money(entry["npv_usd"]), "USD"),
        Facet("First year", show.money(facts.first(model)["usd_per_month"]), "USD a month"),
        Facet("Paid once", show.money(sum(facts.once(model).values())), "USD"),
    )


def portrait(facts: Facts, model: str) -> tuple[Block, ...]:
    """What there is to say of one model."""
    kind = MODELS.get(model)
    lead = [Note((kind.__doc__ or "").strip().splitlines()[0])] if kind is not None and kind.__doc__ else []
    return (
        *lead,
        _categories(facts, model),
        *_boxes(facts, model),
        _proof(facts, model),
        *_left(facts, model),
        bill(facts, model),
    )


def _years(facts: Facts, model: str) -> list[Column]:
    return [Column(f"Year {plan['year']}", "right") for plan in facts.plans(model)]


def _categories(facts: Facts, model: str) -> Table:
    plans = facts.plans(model)
    sums = [Counter[str]() for _ in plans]
    for year, plan in zip(sums, plans, strict=True):
        for row in plan["lines"]:
            year[str(row["category"])] += row["usd_per_month"]
    order = [c for c in in_order({c for year in sums for c in year}) if any(year[c] for year in sums)]
    rows = [(category, *(show.money(year[category]) for year in sums)) for category in order]
    total = ("Total", *(show.money(plan["usd_per_month"]) for plan in plans))
    return Table(
        "Cost by category (USD a month)", (Column("Category"), *_years(facts, model)), (*rows, total), total=True
    )


def _boxes(facts: Facts, model: str) -> list[Block]:
    years = [int(plan["year"]) for plan in facts.plans(model)]
    rows = tuple(row[1:] for row in box_rows(facts, model, years))
    if not rows:
        return [Note("Billed by use, without machines of its own.")]
    columns = (*(Column(head) for head in ("Type", "Where", "Term")), *_years(facts, model))
    return [Table("Machines by type: owned, or the most that run at once", columns, rows)]


def _proof(facts: Facts, model: str) -> Table:
    heads = ("CPU used", "Memory used", "Optimised part (USD a month)", "Bound (USD a month)", "Gap to bound")
    columns = (Column("Year"), *(Column(head, "right") for head in heads), Column("Proved by"))
    rows = []
    for plan in facts.plans(model):
        used, proof = plan["utilisation"], plan["certificate"]
        shares = (show.share(used.get("cpu")), show.share(used.get("memory")))
        amounts = (show.money(proof["usd"]), show.money(proof["bound_usd"]), show.gap(proof.get("gap")))
        rows.append((show.plain(plan["year"]), *shares, *amounts, str(proof["method"])))
    return Table("How full it runs, and how far from the best it can be", columns, tuple(rows))


def _left(facts: Facts, model: str) -> list[Block]:
    rows = tuple(row[1:] for row in reasons(facts, model))
    columns = (Column("Workloads", "right"), Column("Years"), Column("Why"), Column("Which", free=True))
    return [Table("Left out, by reason", columns, rows)] if rows else []
