"""The answer: every model side by side, and which of them is the best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.report import show
from planner.report.blocks import Column, Facet, Note, Table
from planner.report.facts import Facts

__all__ = ["best_of", "comparison", "facets", "left_out_words", "reading", "runner_up"]


def comparison(facts: Facts) -> Table:
    """One row a model: what it costs, how full it runs, what it leaves out, how sure the figure is."""
    heads = ("Rank", f"TCO over {show.years(facts.horizon)} (USD)", "Present value (USD)", "First year (USD a month)")
    more = ("Payback", "IRR", "CPU used", "Memory used", "Left out", "Gap to bound")
    columns = (Column("Model"), *(Column(head, "right") for head in (*heads, *more)))
    rows = tuple(_row(facts, entry) for entry in facts.models)
    return Table("Every model, same demand, same service level", columns, rows)


def reading() -> Note:
    """What the columns of the comparison mean."""
    return Note(
        "TCO is all that is paid over the horizon, less what bought machines are still worth at its end. Present value "
        "is the same, discounted. Payback is the first month from which the saving against the baseline stays, if any. "
        "IRR is the yearly rate at which all differences to the baseline are worth nothing: a return where money is "
        "spent first, the price of a loan where it is saved first; it is not given where it is not unique. CPU and "
        "memory used are means over a month of the first year. Models that leave workloads out rank last."
    )


def _row(facts: Facts, entry: Mapping[str, Any]) -> tuple[str, ...]:
    name = str(entry["model"])
    plan = facts.first(name)
    baseline = name == facts.scenario.get("baseline")
    return (
        name,
        show.plain(1 + facts.names.index(name)),
        show.money(entry["tco_usd"]),
        show.money(entry["npv_usd"]),
        show.money(plan["usd_per_month"]),
        "baseline" if baseline else show.months(entry["payback_months"]),
        "baseline" if baseline else show.share(entry["irr"]),
        show.share(plan["utilisation"].get("cpu")),
        show.share(plan["utilisation"].get("memory")),
        show.count(facts.left_out(name)),
        show.gap(plan["certificate"].get("gap")),
    )


def facets(facts: Facts) -> tuple[Facet, ...]:
    """The figures a reader takes away first."""
    best = best_of(facts)
    name = str(best["model"])
    plan = facts.first(name)
    return (
        Facet("Best answer", name, left_out_words(facts.left_out(name))),
        Facet(
            f"TCO over {show.years(facts.horizon)}",
            show.money(best["tco_usd"]),
            "USD, all payments less residual value",
        ),
        Facet("First year", show.money(plan["usd_per_month"]), "USD a month"),
        Facet("CPU in use", show.share(plan["utilisation"].get("cpu")), "of what is provisioned, mean over the month"),
    )


def best_of(facts: Facts) -> Mapping[str, Any]:
    """The model to take: the best ranked, which leaves no more workloads out than any other."""
    return facts.models[0]


def runner_up(facts: Facts) -> Mapping[str, Any] | None:
    """The next best that leaves out no more; None where there is none."""
    best = best_of(facts)
    least = facts.left_out(str(best["model"]))
    rest = [m for m in facts.models if m is not best and facts.left_out(str(m["model"])) == least]
    return rest[0] if rest else None


def left_out_words(number: int) -> str:
    """What a model does with the workloads, in words.

    >>> left_out_words(0), left_out_words(1), left_out_words(1200)
    ('places every workload', 'leaves out 1 workload', 'leaves out 1,200 workloads')
    """
    if not number:
        return "places every workload"
    return "leaves out 1 workload" if number == 1 else f"leaves out {number:,} workloads"
