"""How full every model runs, what it is made of, and what it could not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from planner.report import show
from planner.report.blocks import Block, Column, Note, Section, Table
from planner.report.charts import paired_bars
from planner.report.facts import Facts

__all__ = ["box_rows", "boxes", "reasons", "unplaced", "utilisation"]

_MOST_REASONS: Final = 20


def utilisation(facts: Facts) -> Section:
    """Mean use of provisioned CPU and memory, by model and year."""
    text = (
        "Mean over the month of what placed workloads use, as a share of the raw capacity paid for at each hour. "
        "Head room, spare machines and hours in which rented capacity stands idle all lower it."
    )
    years = sorted({int(p["year"]) for p in facts.document["plans"]})
    heads = [f"{what}, year {year}" for what in ("CPU", "Memory") for year in years]
    rows = tuple((name, *_shares(facts, name, years)) for name in facts.names)
    table = Table("Mean use by year", (Column("Model"), *(Column(h, "right") for h in heads)), rows)
    pairs = [(name, what) for name in facts.names for what in ("cpu", "memory")]
    bars = paired_bars("Mean use of what is provisioned, first year", [_bar(facts, *pair) for pair in pairs])
    return Section("How full it runs", (Note(text), bars, table))


def _shares(facts: Facts, name: str, years: list[int]) -> list[str]:
    found = {int(p["year"]): p["utilisation"] for p in facts.plans(name)}
    return [show.share(found.get(year, {}).get(what)) for what in ("cpu", "memory") for year in years]


def _bar(facts: Facts, name: str, what: str) -> tuple[str, str, float, str, int]:
    share = facts.first(name)["utilisation"].get(what)
    label = "CPU" if what == "cpu" else "memory"
    return f"{name}, {label}", label, share or 0.0, show.share(share), facts.hues[name]


def boxes(facts: Facts) -> Section:
    """How many of which type, by model and year."""
    years = sorted({int(p["year"]) for p in facts.document["plans"]})
    heads = (*(Column(h) for h in ("Model", "Type", "Where", "Term")), *(Column(f"Year {y}", "right") for y in years))
    rows = tuple(row for name in facts.names for row in box_rows(facts, name, years))
    if not rows:
        return Section("What it is made of", (Note("No model rents or buys machines."), *_further(facts)))
    metered = [n for n in facts.names if not any(p["boxes"] for p in facts.plans(n))]
    told = [Note(f"Billed by use, without machines of their own: {', '.join(metered)}.")] if metered else []
    table = Table("Machines by type: owned, or the most that run at once", heads, rows)
    return Section("What it is made of", (table, *told, *_further(facts)))


def _further(facts: Facts) -> list[Table]:
    """Figures that only one model has, such as added latency."""
    named = [(name, facts.first(name).get("details") or {}) for name in facts.names]
    rows = [(name, key.replace("_", " "), show.plain(value)) for name, told in named for key, value in told.items()]
    columns = (Column("Model"), Column("Figure"), Column("Value", "right"))
    return [Table("Further figures, first year", columns, tuple(rows), folded=True)] if rows else []


def box_rows(facts: Facts, name: str, years: list[int]) -> list[tuple[str, ...]]:
    """One row a type: model, type, where, term, and how many in each year."""
    counts: dict[tuple[str, str, str], Counter[int]] = {}
    for plan in facts.plans(name):
        for box in plan["boxes"]:
            key = (str(box["sku"]), f"{box['provider']} {box['region']}", str(box["term"]))
            counts.setdefault(key, Counter())[int(plan["year"])] += box["count"]
    return [(name, *key, *(show.count(by_year[year]) for year in years)) for key, by_year in counts.items()]


def unplaced(facts: Facts) -> Section:
    """What did not fit and why: grouped by reason, with counts and the first names."""
    rows = [row for name in facts.names for row in reasons(facts, name)]
    blocks: tuple[Block, ...] = (Note("Every model places every workload in every year."),)
    if rows:
        heads = (
            Column("Model"),
            Column("Workloads", "right"),
            Column("Years"),
            Column("Why"),
            Column("Which", free=True),
        )
        blocks = (Table("Left out, by reason", heads, tuple(rows)),)
    return Section("What did not fit, and why", blocks)


def reasons(facts: Facts, name: str) -> list[tuple[str, ...]]:
    """One row a reason: model, how many workloads, in which years, why, and the first of them."""
    groups: dict[str, dict[int, list[str]]] = {}
    for plan in facts.plans(name):
        for entry in plan["unplaced"]:
            groups.setdefault(str(entry["reason"]), {}).setdefault(int(plan["year"]), []).append(str(entry["workload"]))
    largest = sorted(groups.items(), key=lambda g: -max(len(names) for names in g[1].values()))
    told = [_reason_row(name, reason, by_year) for reason, by_year in largest[:_MOST_REASONS]]
    rest = dict(largest[_MOST_REASONS:])
    return told + ([_rest_row(name, rest)] if rest else [])


def _reason_row(name: str, reason: str, by_year: Mapping[int, list[str]]) -> tuple[str, ...]:
    fullest = max(by_year.values(), key=len)
    return name, show.count(len(fullest)), _span(sorted(by_year)), reason, show.name_list(fullest)


def _rest_row(name: str, rest: Mapping[str, Mapping[int, list[str]]]) -> tuple[str, ...]:
    fullest: list[Any] = [max(by_year.values(), key=len) for by_year in rest.values()]
    years = sorted({year for by_year in rest.values() for year in by_year})
    names = [workload for group in fullest for workload in group]
    return name, show.count(len(names)), _span(years), f"{len(rest):,} other reasons", show.name_list(names)


def _span(years: list[int]) -> str:
    return str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"
