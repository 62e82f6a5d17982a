"""Whole boxes from a fractional answer: rounded down, the rest dived for, and the tail improved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.columns import Columns, master_problem
from planner.optimise.packing.firstfit import downsized, first_fit
from planner.optimise.packing.instance import Instance, subset
from planner.optimise.packing.piles import EMPTY, Pile, heap, single
from planner.optimise.packing.recreate import Effort, recreated
from planner.optimise.solver import Limits, Outcome, solve

__all__ = ["Plan", "chosen", "cost", "improved", "picked", "rounded"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DIVES = 25
"""Unit: programs. Source: each fixes what is whole and the fullest tenth of the rest; 25 leave next to nothing."""
PROMISING = 1200
"""Unit: columns. Source: the dive seldom takes one beyond the thousand that are nearest to paying."""


@dataclass(frozen=True)
class Plan:
    """Boxes and what found none."""

    pile: Pile
    left: Ints
    """[class]."""

    def better(self, question: Instance, other: Plan) -> Plan:
        """The one that leaves less over, or else costs less."""
        mine, theirs = (self.left.sum(), cost(question, self.pile)), (other.left.sum(), cost(question, other.pile))
        return other if theirs < mine else self


def cost(question: Instance, pile: Pile) -> int:
    """Integers of usd."""
    opened = pile.opened(len(question.usd))
    return sum(int(n) * int(c) for n, c in zip(opened, question.usd, strict=True))


def rounded(question: Instance, columns: Columns, seconds: float, seed: int) -> Plan:
    """A plan near the fractional answer: whole parts, then a dive, then ruin and recreate on what is left of it."""
    kept, rest = _floored(question, columns.box, columns.content, (columns.amount, question.count))
    box, content = _promising(question, columns)
    free = question.available - kept.opened(len(question.usd))
    dived, rest = _dived(subset(question, rest, free), box, content)
    tail = subset(question, question.count - kept.covered(len(question.count)), free)
    ending, left = first_fit(subset(question, rest, free - dived.opened(len(question.usd))))
    pile = downsized(tail, heap([dived, ending]))
    pile, left = recreated(tail, pile, left, columns.value, Effort(seconds, 0, seed))
    return Plan(downsized(question, heap([kept, downsized(tail, pile)])), left)


def _promising(question: Instance, columns: Columns) -> tuple[Ints, Ints]:
    """Columns that the fractional answer uses or nearly uses."""
    loss = question.usd[columns.box] - columns.content @ columns.master
    loss = np.where(columns.amount > 1e-9, -1.0, loss / np.maximum(question.usd[columns.box], 1))
    order = np.argsort(loss, kind="stable")[:PROMISING]
    return columns.box[order], columns.content[order]


def _floored(question: Instance, box: Ints, content: Ints, wanted: tuple[Floats, Ints]) -> tuple[Pile, Ints]:
    """As many whole boxes of each column as asked for and not too many; what is still to be packed."""
    amount, count = wanted
    rest = count.copy()
    free = question.available.copy()
    times = np.zeros(len(box), np.int64)
    for p in np.argsort(-amount, kind="stable"):
        whole = int(amount[p] + 1e-6)
        if whole < 1:
            break
        inside = np.flatnonzero(content[p])
        times[p] = min(whole, int((rest[inside] // content[p, inside]).min(initial=whole)), int(free[box[p]]))
        rest[inside] -= times[p] * content[p, inside]
        free[box[p]] -= times[p]
    used = times > 0
    return (single(box[used], content[used], times[used]) if used.any() else EMPTY), rest


def _dived(question: Instance, box: Ints, content: Ints) -> tuple[Pile, Ints]:
    """Solve for what is left, fix what is (nearly) whole, again and again; boxes fixed and what is still left."""
    fixed: list[Pile] = []
    rest, free = question.count.copy(), question.available.copy()
    for _ in range(DIVES):
        use = np.flatnonzero((content <= rest).all(axis=1) & (free[box] > 0))
        if not len(use) or not rest.any():
            break
        here = subset(question, rest, free)
        outcome = _covering(here, box[use], content[use])
        if not outcome.solved:
            break
        amount = outcome.values
        order = np.argsort(-amount, kind="stable")
        most = max(1, len(order[amount[order] > 0.3]) // 10)
        chosen_ = np.zeros(len(amount))
        chosen_[order[:most]] = np.maximum(1.0, np.floor(amount[order[:most]] + 1e-6))
        whole = np.maximum(np.floor(amount + 1e-6), chosen_) * (amount > 0.3)
        pile, rest = _floored(here, box[use], content[use], (whole, rest))
        if not len(pile.box):
            break
        free = free - pile.opened(len(question.usd))
        fixed.append(pile)
    return heap(fixed), rest


def _covering(question: Instance, box: Ints, content: Ints) -> Outcome:
    """The covering program over given boxes where classes that none of them holds are left out."""
    problem = master_problem(question, box, content)
    unit = max(1.0, float(question.count.sum()) / 1000.0)
    held = np.asarray(content.any(axis=0))
    lower = problem.lower.copy()
    lower[: len(held)] = np.where(held, lower[: len(held)], 0.0)
    problem = type(problem)(problem.usd, problem.matrix, lower, problem.upper, name="dive")
    outcome = solve(problem)
    return type(outcome)(outcome.status, outcome.objective, outcome.bound, outcome.values * unit, outcome.duals)


def improved(question: Instance, plan: Plan, value: Floats, effort: Effort) -> Plan:
    """Ruin and recreate over all boxes."""
    pile, left = recreated(question, plan.pile, plan.left, value, effort)
    return Plan(downsized(question, pile), left)


def chosen(question: Instance, columns: Columns, plan: Plan, limits: Limits, most: int = 2500) -> Plan:
    """The best choice among the known boxes and those of the plan (a whole-number program), if it beats the plan."""
    worth = columns.content @ columns.master
    order = np.argsort(question.usd[columns.box] - worth, kind="stable")[:most]
    box = np.concatenate([columns.box[order], plan.pile.box])
    content = np.vstack([columns.content[order], plan.pile.matrix(len(question.count))])
    return picked(question, (box, content), plan, limits)


def picked(question: Instance, known: tuple[Ints, Ints], plan: Plan, limits: Limits) -> Plan:
    """The best choice among boxes `known` (type, content) by a whole-number program, if it beats the plan."""
    box, content = known
    outcome = solve(master_problem(question, box, content, whole=True), limits)
    if not outcome.solved:
        return plan
    times = np.rint(outcome.values).astype(np.int64)
    pile = _exact(question, box, content, times)
    left = question.count - pile.covered(len(question.count))
    return plan.better(question, Plan(downsized(question, pile), left))


def _exact(question: Instance, box: Ints, content: Ints, times: Ints) -> Pile:
    """Boxes that cover too much, with the surplus taken out."""
    which = np.repeat(np.arange(len(box)), times)
    table = content[which]
    before = np.cumsum(table, axis=0) - table
    kept: Ints = np.clip(question.count - before, 0, table)
    return single(box[which], kept)
