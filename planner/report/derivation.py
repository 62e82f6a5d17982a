"""Where every figure comes from: bounds, assumptions, and the price rows that were used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from planner.report import show
from planner.report.blocks import Block, Column, Note, Section, Table
from planner.report.facts import Facts, memory

__all__ = ["assumptions", "bounds", "prices"]

_PRICE_KEYS: Final = (
    "sku", "provider", "region", "term", "unit", "tier_from", "usd_per_unit", "low", "high", "status", "as_of", "source"
)  # fmt: skip

_SHARE: Final = "share_of_worth_"
"""Begins the names of figures that tell how much of what boxes are worth a resource makes up."""


def bounds(facts: Facts) -> Section:
    """How far from the best each plan can be, and how to read that."""
    heads = ("Optimised part (USD a month)", "Bound (USD a month)", "Gap")
    columns = (Column("Model"), Column("Year"), *(Column(h, "right") for h in heads), Column("Proved by"))
    rows = tuple(_bound_row(p) for name in facts.names for p in facts.plans(name))
    how = (
        "A bound is a monthly cost that no plan can undercut, whatever its packing, given the same demand, prices and "
        "rules of the model. The gap is how far the plan lies above it: the most that a better packing could still "
        "save. It says nothing of a different model, price or demand. It covers the part of the bill that is "
        "optimised (the machines); lines that follow from it, such as licences or support, are not in it."
    )
    tables = (Table("Plans and their proved bounds", columns, rows), *_packing(facts))
    return Section("How sure: the bounds", (Note(how), *tables))


def _packing(facts: Facts) -> list[Block]:
    """What packing saves and what decides its cost, for the models that pack."""
    told = [(name, facts.first(name).get("details") or {}) for name in facts.names]
    rows = tuple(_packing_row(name, details) for name, details in told if any(k.startswith(_SHARE) for k in details))
    if not rows:
        return []
    how = (
        "Saving: boxes of this plan against those that a rule of thumb opens for the same items (rented clusters: in "
        "their busiest hour, at the price of that hour). Binding is the resource that makes up most of what boxes are "
        "worth; its shadow price is what one unit more of it in every box that is open would be worth, each, a month."
    )
    heads = ("Saving on first-fit decreasing", "Saving on a Karpenter-style pass")
    ends = ("Binding resource", "Its share", "Its shadow price (USD a month)")
    columns = (Column("Model"), *(Column(h, "right") for h in heads), Column(ends[0]))
    columns += tuple(Column(h, "right") for h in ends[1:])
    return [Note(how), Table("What packing saves, first year", columns, rows)]


def _packing_row(name: str, details: Mapping[str, float]) -> tuple[str, ...]:
    shares = {key.removeprefix(_SHARE): value for key, value in details.items() if key.startswith(_SHARE)}
    binding = max(shares, key=lambda resource: (shares[resource], resource))
    price = show.plain(details[f"shadow_price_{binding}_usd_per_month"])
    rules = [_saving(details, rule) for rule in ("first_fit_decreasing", "karpenter_style")]
    return name, *rules, binding.replace("_", " "), show.share(shares[binding]), price


def _saving(details: Mapping[str, float], rule: str) -> str:
    over = details.get(f"left_over_more_by_{rule}")
    if over is not None:
        return f"leaves {show.count(int(over))} more out"
    saving = details.get(f"saving_vs_{rule}")
    return "not run" if saving is None else show.share(saving)


def _bound_row(plan: Mapping[str, Any]) -> tuple[str, ...]:
    proved = plan["certificate"]
    amounts = (show.money(proved["usd"]), show.money(proved["bound_usd"]), show.gap(proved.get("gap")))
    return str(plan["model"]), show.plain(plan["year"]), *amounts, str(proved["method"])


def assumptions(facts: Facts) -> Section:
    """Every number a plan rests on, with unit and source; those all models share first."""
    users: dict[tuple[str, ...], list[str]] = {}
    for name in facts.names:
        for row in (r for p in facts.plans(name) for r in p.get("assumptions") or ()):
            users.setdefault(_assumption_row(row), []).append(name)
    named = {row: tuple(dict.fromkeys(names)) for row, names in users.items()}
    everyone = tuple(facts.names)
    groups = [("All models", everyone), *((name, (name,)) for name in facts.names)] if len(everyone) > 1 else []
    alone = {group for _, group in groups}
    groups += [(", ".join(g), g) for g in dict.fromkeys(named.values()) if g not in alone]
    tables = [_assumption_table(title, [r for r, g in named.items() if g == group]) for title, group in groups]
    text = "Measured: the trace told it. Inferred: derived or set; change it in the scenario file."
    return Section("Assumptions", (Note(text), *(t for t in tables if t.rows)))


def _assumption_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    how = "measured" if row.get("measured") else "inferred"
    return str(row["name"]), show.plain(row["value"]), str(row["unit"]), how, str(row["source"])


def _assumption_table(title: str, rows: list[tuple[str, ...]]) -> Table:
    columns = (
        Column("Name"),
        Column("Value", "right"),
        Column("Unit"),
        Column("How known"),
        Column("Source", free=True),
    )
    return Table(title, columns, tuple(rows), folded=True)


def prices(facts: Facts) -> Section:
    """The price rows behind every line, with source and date; rows FROM MEMORY are marked and show their range."""
    users: dict[tuple[Any, ...], list[str]] = {}
    for name in facts.names:
        for row in (r for p in facts.plans(name) for r in p["lines"]):
            users.setdefault(tuple(row.get(key) for key in _PRICE_KEYS), []).append(name)
    rows = [dict(zip(_PRICE_KEYS, key, strict=True), models=dict.fromkeys(names)) for key, names in users.items()]
    marked = frozenset(i for i, row in enumerate(rows) if memory(row))
    heads = ("Type or meter", "Where and term", "USD", "Per", "Range", "Status", "As of", "Source", "Used by")
    columns = tuple(Column(head, "right" if head == "USD" else "left", free=head == "Source") for head in heads)
    table = Table("Price rows used", columns, tuple(_price_row(row) for row in rows), marked, folded=True)
    return Section("Prices", (*_memory_words(len(marked), len(rows)), table))


def _memory_words(marked: int, total: int) -> list[Block]:
    if not marked:
        return [Note(f"All {total:,} price rows were read from their source; none is from memory.")]
    text = (
        f"Price rows FROM MEMORY (marked †): {marked:,} of {total:,}. Their source was not at hand when the price book "
        "was made. The middle of their range is used; check them before you sign."
    )
    return [Note(text, warning=True)]


def _price_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    where = " ".join(str(row[key]) for key in ("provider", "region", "term") if row[key])
    tier = f" from {show.plain(row['tier_from'])}" if row["tier_from"] else ""
    ends = [show.plain(row[end]) for end in ("low", "high") if row[end] is not None]
    return (
        f"{row['sku']}{' †' if memory(row) else ''}",
        where,
        show.plain(row["usd_per_unit"]),
        f"{row['unit']}{tier}",
        " to ".join(ends),
        str(row["status"] or ""),
        str(row["as_of"]),
        str(row["source"]),
        ", ".join(row["models"]),
    )
