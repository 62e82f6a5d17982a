"""The answer for who reads one page only, in words that need no glossary, and what to weigh before signing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.report import show
from planner.report.advice import recommendation
from planner.report.answer import best_of, left_out_words, runner_up
from planner.report.blocks import Note, Section
from planner.report.capacity import unplaced
from planner.report.facts import Facts
from planner.report.question import quality

__all__ = ["advice", "in_short", "risks"]


def in_short(facts: Facts) -> Section:
    """What was asked, the answer, what the next best costs more, what changes against today."""
    told = [_asked(facts), _answer(facts), _second(facts), _baseline(facts), _sure(facts)]
    return Section("In short", tuple(Note(text) for text in told if text))


def _asked(facts: Facts) -> str:
    ways = len(facts.names)
    return (
        f"This plan asks where {show.count(facts.trace['workloads'])} recorded workloads should run for the next "
        f"{show.years(facts.horizon)}, and what that costs. {'One way was' if ways == 1 else f'{ways} ways were'} "
        "planned for the same demand, at the same service level, from the same price books."
    )


def _answer(facts: Facts) -> str:
    best = best_of(facts)
    average = show.money(best["tco_usd"] / (12 * facts.horizon))
    return (
        f"The answer is {best['model']}. It {left_out_words(facts.left_out(str(best['model'])))}. All payments of "
        f"{show.years(facts.horizon)}, less what bought machines are still worth at the end, come to "
        f"{show.money(best['tco_usd'])} USD: {average} USD in an average month."
    )


def _second(facts: Facts) -> str:
    best, other = best_of(facts), runner_up(facts)
    if other is None:
        return ""
    more = show.money(other["tco_usd"] - best["tco_usd"])
    return f"The next best is {other['model']}. Choosing it instead costs {more} USD more over the same time."


def _baseline(facts: Facts) -> str:
    best = best_of(facts)
    base = next((m for m in facts.models if m["model"] == facts.scenario.get("baseline")), None)
    if base is None:
        return ""
    if base is best:
        return f"That is also what everything is compared with ({base['model']}): nothing planned here beats it."
    saved = base["tco_usd"] - best["tco_usd"]
    word = "saves" if saved >= 0 else "costs"
    return f"Against {base['model']}, the baseline, that {word} {show.money(abs(saved))} USD."


def _sure(facts: Facts) -> str:
    open_points = len([note for note in risks(facts).blocks if isinstance(note, Note) and note.warning])
    counted = "One point" if open_points == 1 else f"{open_points} points"
    told = f"{counted} to weigh before signing: see Risks. " if open_points else ""
    return told + "Every figure leads back to a price with its source and date, at the end of this report."


def advice(facts: Facts) -> Section:
    """The recommendation without its warnings, which stand under the risks."""
    return Section("Recommendation", tuple(b for b in recommendation(facts).blocks if not _warns(b)))


def risks(facts: Facts) -> Section:
    """Everything that might change the answer: doubts about the ranking, the recording, and what does not fit."""
    doubts = [b for part in (recommendation(facts), quality(facts)) for b in part.blocks if _warns(b)]
    left = [_left_out(facts, entry) for entry in facts.models if facts.left_out(str(entry["model"]))]
    notes = (*doubts, *left) or (Note("Nothing was found that would change the answer."),)
    return Section("Risks", (*notes, *unplaced(facts).blocks))


def _left_out(facts: Facts, entry: Mapping[str, Any]) -> Note:
    name = str(entry["model"])
    return Note(f"{name} {left_out_words(facts.left_out(name))}: its cost is that of a smaller task.", warning=True)


def _warns(block: object) -> bool:
    return isinstance(block, Note) and block.warning
