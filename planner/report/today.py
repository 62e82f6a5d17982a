"""What is paid now, by the bill that the scenario names, beside what the models would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from planner.report.blocks import Column, Note, Section, Table
from planner.report.facts import Facts
from planner.report.show import count, money

__all__ = ["today"]

_HEADS: Final = ("Effective (USD a month)", "Billed (USD a month)")


def today(facts: Facts) -> tuple[Section, ...]:
    """The bill by service category and by provider, and every model beside it; nothing where no bill is named."""
    paid = facts.today
    if paid is None:
        return ()
    parts = (_table(paid, "service_category", "Service category"), _table(paid, "provider", "Provider"))
    return (Section("What is paid today", (Note(_words(paid)), *_odd(paid), *parts, _beside(facts, paid))),)


def _words(paid: Mapping[str, Any]) -> str:
    span = str(paid["first_month"])
    if paid["last_month"] != paid["first_month"]:
        span += f" to {paid['last_month']}"
    months = "a month" if paid["months"] == 1 else f"{paid['months']} months"
    return (
        f"The bill {paid['name']} holds {count(paid['charges'])} charges of {months} ({span}). A month costs "
        f"{money(paid['effective_usd_per_month'])} USD: the effective cost, in which what was paid ahead is spread "
        f"over what used it; {money(paid['billed_usd_per_month'])} USD a month were billed. A bill may hold more than "
        "the workloads of the recording, or less: compare it with a model only where both are of the same estate."
    )


def _odd(paid: Mapping[str, Any]) -> list[Note]:
    left = int(paid["charges_left_out"])
    words = f"Left out: {count(left)} charges in {', '.join(paid['currencies_left_out'])}, without a rate to USD."
    return [*([Note(words, warning=True)] if left else []), *(Note(str(n), warning=True) for n in paid["notes"])]


def _table(paid: Mapping[str, Any], column: str, title: str) -> Table:
    rows = [(str(row[column]), *_amounts(row)) for row in paid[f"by_{column}"]]
    columns = (Column(title), *(Column(head, "right") for head in _HEADS))
    return Table(f"Paid today, by {title.lower()}", columns, (*rows, ("Total", *_amounts(paid))), total=True)


def _amounts(row: Mapping[str, Any]) -> Sequence[str]:
    return money(row["effective_usd_per_month"]), money(row["billed_usd_per_month"])


def _beside(facts: Facts, paid: Mapping[str, Any]) -> Table:
    now = float(paid["effective_usd_per_month"])
    first = [(name, float(facts.first(name)["usd_per_month"])) for name in facts.names]
    rows = tuple((name, money(usd), money(now - usd)) for name, usd in first)
    heads = ("First year (USD a month)", "Less than today (USD a month)")
    return Table("Every model beside today", (Column("Model"), *(Column(h, "right") for h in heads)), rows)
