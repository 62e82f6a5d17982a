"""The advice in plain words: which model, what the next best would cost, and what might change the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.report import show
from planner.report.answer import best_of, left_out_words, runner_up
from planner.report.blocks import Note, Section
from planner.report.facts import Facts, memory

__all__ = ["recommendation"]


def recommendation(facts: Facts) -> Section:
    """Which model, the runner-up, the price of the difference and what would change the answer."""
    notes = [Note(_winner(facts)), *_second(facts), *_against_baseline(facts), *_cheaper_to_run(facts)]
    doubts = [*_cheaper_but_partial(facts), *_open_gaps(facts), *_memory_share(facts), *_stars(facts)]
    return Section("Recommendation", (*notes, *doubts))


def _winner(facts: Facts) -> str:
    best = best_of(facts)
    name = str(best["model"])
    plan = facts.first(name)
    used = plan["utilisation"]
    return (
        f"Take {name}. It {left_out_words(facts.left_out(name))} and costs {show.money(best['tco_usd'])} USD over "
        f"{show.years(facts.horizon)} ({show.money(best['npv_usd'])} USD at present value), "
        f"{show.money(plan['usd_per_month'])} USD a month in the first year. Of what is paid for, "
        f"{show.share(used.get('cpu'))} of the CPU and {show.share(used.get('memory'))} of the memory is in use."
    )


def _second(facts: Facts) -> list[Note]:
    best, other = best_of(facts), runner_up(facts)
    if other is None:
        return [Note("No other model was asked that places as many workloads, so there is no runner-up.")]
    more = other["tco_usd"] - best["tco_usd"]
    relative = show.by_how_much(more, best["tco_usd"])
    word = "more" if more >= 0 else "less, though it ranks behind,"
    per_month = show.money(abs(more) / (12 * facts.horizon))
    price = f"{show.money(abs(more))} USD {word}{relative} over {show.years(facts.horizon)}, {per_month} USD a month"
    return [Note(f"The runner-up is {other['model']}: it costs {price}. {_drivers(facts, best, other)}")]


def _drivers(facts: Facts, best: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    mine, theirs = (facts.categories(str(m["model"])) for m in (best, other))
    change = {c: theirs.get(c, 0.0) - mine.get(c, 0.0) for c in [*mine, *(c for c in theirs if c not in mine)]}
    largest = sorted((c for c in change if abs(change[c]) >= 0.005), key=lambda c: -abs(change[c]))[:3]
    parts = [f"{_more_or_less(change[c])} for {c}" for c in largest]
    monthly = f"In the first year it pays, in USD a month, {', '.join(parts)}." if parts else "Their bills are alike."
    moving = sum(facts.once(str(other["model"])).values()) - sum(facts.once(str(best["model"])).values())
    return monthly + (f" Paid once: {_more_or_less(moving)}." if abs(moving) >= 0.005 else "")


def _more_or_less(usd: float) -> str:
    return f"{show.money(abs(usd))} {'more' if usd > 0 else 'less'}"


def _against_baseline(facts: Facts) -> list[Note]:
    best = best_of(facts)
    base = next((m for m in facts.models if m["model"] == facts.scenario.get("baseline")), None)
    if base is None or base is best:
        return []
    saved = base["tco_usd"] - best["tco_usd"]
    word = "saves" if saved >= 0 else "costs another"
    share = show.by_how_much(saved, base["tco_usd"])
    paid = best["payback_months"]
    payback = "It does not pay back within the horizon." if paid is None else f"It pays back {_when(paid)}."
    return [Note(f"Against {base['model']}, the baseline, it {word} {show.money(abs(saved))} USD{share}. {payback}")]


def _when(paid: float) -> str:
    return "at once" if paid <= 0 else f"after {show.months(paid)}"


def _cheaper_to_run(facts: Facts) -> list[Note]:
    """A model that costs less by the month than the winner, but more to get to."""
    best = best_of(facts)
    least = facts.left_out(str(best["model"]))
    full = [str(m["model"]) for m in facts.models if facts.left_out(str(m["model"])) == least]
    cheapest = min(full, key=lambda name: facts.first(name)["usd_per_month"])
    if cheapest == best["model"]:
        return []
    monthly, once = facts.first(cheapest)["usd_per_month"], sum(facts.once(cheapest).values())
    text = (
        f"By the month, {cheapest} is cheaper to run ({show.money(monthly)} USD in the first year); with "
        f"{show.money(once)} USD paid once to get there, it does not come out ahead within the horizon."
    )
    return [Note(text)]


def _cheaper_but_partial(facts: Facts) -> list[Note]:
    best = best_of(facts)
    least = facts.left_out(str(best["model"]))
    partial = [
        f"{m['model']} ({show.money(m['tco_usd'])} USD, {left_out_words(facts.left_out(str(m['model'])))})"
        for m in facts.models
        if facts.left_out(str(m["model"])) > least and m["tco_usd"] < best["tco_usd"]
    ]
    text = f"Cheaper on paper but not a full answer: {', '.join(partial)}."
    return [Note(text, warning=True)] if partial else []


def _open_gaps(facts: Facts) -> list[Note]:
    """Models that could still come out cheaper than the winner if their plans were as cheap as their bounds."""
    best = best_of(facts)
    least = facts.left_out(str(best["model"]))
    rivals = [m for m in facts.models if m is not best and facts.left_out(str(m["model"])) == least]
    close = [str(m["model"]) for m in rivals if m["tco_usd"] - _still_open(facts, str(m["model"])) < best["tco_usd"]]
    text = (
        f"Not settled by proof: {', '.join(close)}. The gap to the bound is wider than the difference in cost, so "
        "a better packing, if there is one, could change the order."
    )
    return [Note(text, warning=True)] if close else []


def _still_open(facts: Facts, model: str) -> float:
    proofs = [plan["certificate"] for plan in facts.plans(model)]
    return sum(12 * ((proof["usd"] or 0.0) - (proof["bound_usd"] or 0.0)) for proof in proofs)


def _memory_share(facts: Facts) -> list[Note]:
    name = str(best_of(facts)["model"])
    lines = facts.first(name)["lines"]
    total = sum(row["usd_per_month"] for row in lines)
    unsure = sum(row["usd_per_month"] for row in lines if memory(row))
    low, high = (sum(_at(row, end) for row in lines) for end in ("low", "high"))
    text = (
        f"{show.share(unsure / total)} of the monthly cost of {name} rests on prices FROM MEMORY." if unsure > 0 else ""
    )
    spread = (
        f"At the ends of the known price ranges, {name} would cost {show.money(low)} to {show.money(high)} USD a month."
    )
    told = " ".join(part for part in (text, spread if high - low >= 0.005 else "") if part)
    return [Note(told, warning=unsure > 0)] if told else []


def _at(row: Mapping[str, Any], end: str) -> float:
    usd: float = row["usd_per_month"]
    edge, price = row.get(end), row["usd_per_unit"]
    return usd if edge is None or not price else usd * float(edge) / float(price)


def _stars(facts: Facts) -> list[Note]:
    found = facts.trace.get("quality") or {}
    poor = sum(int(found.get(f"stars_{n}", 0)) for n in (1, 2))
    if not poor:
        return []
    text = f"Workloads with at most 40 % of their expected samples: {poor:,}. Their sizes are little more than guesses."
    return [Note(text, warning=True)]
