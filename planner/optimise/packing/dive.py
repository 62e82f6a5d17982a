"""Diving: one box after the other is fixed and new ones are generated for what is left; some choices are retaken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, inf
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.columns import Budget, Columns, Generation, Guide
from planner.optimise.packing.firstfit import downsized
from planner.optimise.packing.instance import ENDLESS, Instance, subset
from planner.optimise.packing.piles import single
from planner.optimise.packing.whole import Plan, cost

__all__ = ["Depth", "dived"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TRIES = (
    (0, 0, 0.7, (12, 20)),
    (2, 3, 2.0, (12, 20)),
    (0, 0, 0.7, (60, 400)),
    (2, 3, 2.0, (60, 400)),
    (5, 10, 2.0, (60, 400)),
    (3, 40, 2.0, (60, 400)),
)
"""Other choices on one way down, levels at which they are made, amounts that are fixed together, rounds and nodes of
pricing. Source: limited discrepancy search as in Sadykov et al. 2019, from one plain dive to wide ones; measured:
triplets of 60 and 120 need careful pricing, some VM hosts in half a dozen resources need many quick dives."""
SOLVING = 0.5
"""Unit: relaxations x classes for each column x class of a program solved. Source: measured, both in seconds."""
WHOLE = 1e-6
"""Unit: boxes. Source: amounts this near to a whole number are one."""


@dataclass(frozen=True)
class Depth:
    """How far to dive."""

    steps: int
    """Fractional programs in each dive."""
    budget: Budget
    """For each step; `work` is for all dives together."""
    stop: int
    """The cost that cannot be undercut."""


@dataclass(frozen=True)
class _Way:
    """What has been fixed on the way down, and what that leaves."""

    rest: Ints
    """[class], items to pack."""
    free: Ints
    """[box], boxes left."""
    fixed: tuple[tuple[int, Ints], ...] = ()
    """Type and content of each box."""
    usd: int = 0
    barred: tuple[int, ...] = ()
    """Columns that were chosen first and led elsewhere."""
    level: int = 0

    def with_box(self, question: Instance, box: int, content: Ints) -> _Way:
        """One box more, holding no more than is left; the same where none is left or nothing comes of it."""
        inside = np.minimum(content, self.rest)
        if self.free[box] <= 0 or not inside.any():
            return self
        free = self.free.copy()
        free[box] -= int(free[box] < ENDLESS)
        fixed = (*self.fixed, (box, inside))
        return replace(self, rest=self.rest - inside, free=free, fixed=fixed, usd=self.usd + int(question.usd[box]))


class _Dive:
    """One search: the generation that it shares among all steps, and the best boxes so far."""

    def __init__(self, question: Instance, columns: Columns, best: int, depth: Depth) -> None:
        self.question, self.best, self.depth, self.steps = question, best, depth, 0
        guide = Guide(columns.value, columns.bound, columns.rows)
        self.search = Generation(question, [single(columns.box, columns.content)], guide)
        self.limited = np.flatnonzero(question.limited)
        self.boxes: tuple[tuple[int, Ints], ...] = ()

    def search_all(self) -> None:
        """One dive after the other, until nothing cheaper can be or the work is done."""
        for self.others, self.levels, self.sure, (rounds, nodes) in TRIES:
            if self.best <= self.depth.stop or self._over():
                return
            self.steps, self.search.nodes = 0, nodes
            self.budget = replace(self.depth.budget, rounds=rounds, nodes=nodes)
            self.down(_Way(self.question.count, self.question.available))

    def _over(self) -> bool:
        work = self.search.spent + SOLVING * self.search.solving
        return work > self.depth.budget.work or perf_counter() > self.depth.budget.deadline

    def down(self, way: _Way) -> None:
        """Fix what is whole and the fullest of the rest, go on from there, and come back for other choices."""
        self.steps += 1
        amount = self._fractional(way)
        if amount is None:
            return
        whole = np.floor(amount + WHOLE).astype(np.int64)
        part = np.where(amount - whole > WHOLE, amount - whole, 0.0)
        here = self._with(way, np.repeat(np.arange(len(whole)), whole))
        if not here.rest.any():
            if here.usd < self.best:
                self.best, self.boxes = here.usd, here.fixed
            return
        choices = self.others - len(way.barred) + 1 if way.level < self.levels else 1
        order = [int(p) for p in np.argsort(-part, kind="stable")[: max(1, choices)] if part[p] > 0]
        sure = np.flatnonzero(part >= self.sure)
        for turn, first in enumerate(order):
            if self.best <= self.depth.stop or self.steps >= self.depth.steps or self._over():
                return
            taken = np.union1d(sure, [first]) if turn == 0 else np.array([first])
            barred = (*way.barred, *order[:turn])
            self.down(replace(self._with(here, taken), barred=barred, level=way.level + 1))

    def _with(self, way: _Way, columns: Ints) -> _Way:
        for p in columns:
            way = way.with_box(self.question, int(self.search.box[p]), self.search.content[p])
        return way

    def _fractional(self, way: _Way) -> Floats | None:
        """How many of each box the fractional answer for what is left opens; None where nothing cheaper can follow."""
        search = self.search
        search.narrow(subset(self.question, way.rest, way.free))
        usable = (search.content <= way.rest).all(axis=1) & (way.free[search.box] > 0)
        usable[list(way.barred)] = False
        lower = np.concatenate([way.rest / search.unit, np.full(len(self.limited), -inf)])
        upper = np.concatenate([np.full(len(way.rest), inf), way.free[self.limited] / search.unit])
        search.program.settle(lower, upper, np.where(usable, inf, 0.0))
        most = self.best - 1 - way.usd
        amount, _, objective = search.converged(self.budget, most)
        hopeless = not np.isfinite(objective) or ceil(search.bound * (1 - 1e-9)) > most
        return None if hopeless else amount


def dived(question: Instance, columns: Columns, plan: Plan, depth: Depth) -> Plan:
    """A plan found by diving from the fractional answer, if it is cheaper than `plan`."""
    dive = _Dive(question, columns, cost(question, plan.pile), depth)
    dive.search_all()
    if not dive.boxes:
        return plan
    box = np.array([k for k, _ in dive.boxes], np.int64)
    pile = downsized(question, single(box, np.vstack([c for _, c in dive.boxes])))
    return plan.better(question, Plan(pile, question.count - pile.covered(len(question.count))))
