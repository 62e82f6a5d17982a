"""Column generation: a covering program over filled boxes that grows by the boxes its prices ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.optimise.packing.instance import Instance
from planner.optimise.packing.piles import Pile
from planner.optimise.packing.pricing import Priced, View, priced, solved, views
from planner.optimise.solver import Growing, Problem

__all__ = ["Budget", "Columns", "Generation", "Guide", "generated", "homogeneous", "master_problem"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SOLVER_NODES = 100
"""Unit: nodes. Source: most knapsacks of a dozen kinds are proved at the root or soon after, or not at all."""


@dataclass(frozen=True)
class Budget:
    """How long to generate: rounds, relaxations a box, knapsacks for the solver, relaxations x classes, near enough."""

    rounds: int
    nodes: int
    solver_calls: int
    work: float
    gap: float
    deadline: float = inf
    """On the clock of `perf_counter`; only a hard limit in seconds sets it."""
    pace: float = 0.1


@dataclass(frozen=True)
class Guide:
    """Where to start: duals, the bound they prove, and the rows to look at."""

    value: Floats
    bound: float
    rows: Ints


@dataclass(frozen=True)
class Columns:
    """What column generation ended with."""

    box: Ints
    """[column], type."""
    content: Ints
    """[column, class]."""
    amount: Floats
    """[column], how many of each box the fractional answer opens."""
    value: Floats
    """[class], the duals with the best bound, in integers of usd."""
    upper: Floats
    """[box], what a box is worth at most at `value`; infinite where nothing was proved."""
    master: Floats
    """[class], the last duals of the program itself."""
    objective: float
    """Of the fractional answer, in integers of usd; no bound."""
    bound: float
    """The best bound met, in doubles; certified later."""
    rows: Ints
    """Rows that pricing looked at."""


def homogeneous(question: Instance) -> tuple[Ints, Ints]:
    """For each class the box that holds it alone at the least cost an item, and where that is limited, the one without
    end too: (box [column], content [column, class])."""
    each = np.minimum(question.most, np.maximum(question.count, 1)[:, None])
    usable = (question.most > 0) & (question.available > 0)
    rate = np.where(usable, question.usd / np.maximum(each, 1), np.inf)
    endless = np.where(question.limited, np.inf, rate)
    box, other = np.argmin(rate, axis=1), np.argmin(endless, axis=1)
    some = np.isfinite(rate.min(axis=1))
    more = np.flatnonzero(question.limited[box] & np.isfinite(endless.min(axis=1)))
    row, box = np.append(np.flatnonzero(some), more), np.append(box[some], other[more])
    content = np.zeros((len(row), len(each)), np.int64)
    content[np.arange(len(row)), row] = each[row, box]
    return box, content


def master_problem(question: Instance, box: Ints, content: Ints, whole: bool = False) -> Problem:
    """Cover every class at least as often as it counts with no more limited boxes than there are."""
    unit = 1.0 if whole else _unit(question)
    limited = np.flatnonzero(question.limited)
    cover = sparse.csr_array(content.T.astype(float))
    rows = [cover] + [sparse.csr_array((box == k).astype(float)[None, :]) for k in limited]
    endless = np.full(len(limited), -np.inf)
    return Problem(
        question.usd[box] / _dearest(question),
        sparse.csr_array(sparse.vstack(rows)),
        np.concatenate([question.count / unit, endless]),
        np.concatenate([np.full(len(question.count), np.inf), question.available[limited] / unit]),
        whole=np.ones(len(box), bool) if whole else None,
        name="cover",
    )


def _unit(question: Instance) -> float:
    return max(1.0, float(question.count.sum()) / 1000.0)


def _dearest(question: Instance) -> float:
    return max(1.0, float(question.usd.max()))


class Generation:
    """The program, its columns, and the duals around which pricing is steadied."""

    def __init__(self, question: Instance, starts: Iterable[Pile], guide: Guide) -> None:
        self.question, self.rows = question, guide.rows
        self.views: tuple[View, ...] = views(question, guide.rows)
        self.unit = _unit(question)
        box, content = homogeneous(question)
        parts = [(p.box, p.matrix(len(question.count))) for p in starts]
        self.box = np.concatenate([box, *(b for b, _ in parts)])
        self.content = np.vstack([content, *(c for _, c in parts)])
        self.known = {(int(k), row.tobytes()) for k, row in zip(self.box, self.content, strict=True)}
        self.program = Growing(master_problem(question, self.box, self.content))
        self.centre, self.bound, self.nodes = guide.value, guide.bound, 1
        self.upper = np.full(len(question.usd), np.inf)
        self.calls, self.spent, self.solving = 0, 0, 0

    def solved(self) -> tuple[Floats, Floats, float]:
        """Amounts, duals of classes and objective of the program as it stands."""
        outcome = self.program.solve()
        self.solving += self.content.size
        m, usd = len(self.question.count), _dearest(self.question)
        self.scarce = np.zeros(len(self.question.usd))
        self.scarce[self.question.limited] = np.minimum(0.0, outcome.duals[m:]) * usd
        duals = np.maximum(0.0, outcome.duals[:m]) * usd
        return outcome.values * self.unit, duals, outcome.objective * usd * self.unit

    def narrow(self, question: Instance) -> None:
        """Go on with fewer items and boxes; each class keeps a box that holds it alone. Bounds start anew."""
        self.question, self.bound = question, 0.0
        self.views = views(question, self.rows)
        box, content = homogeneous(question)
        content = np.minimum(content, question.count)
        keys = [(int(k), row.tobytes()) for k, row in zip(box, content, strict=True)]
        new = [i for i, key in enumerate(keys) if key not in self.known and content[i].any()]
        self.known.update(keys)
        if new:
            self._add(box[new], content[new])

    def priced(self, value: Floats) -> list[Priced]:
        """Every type priced at `value`."""
        usd = self.question.usd
        found = [
            priced(self.question, view, value, float(usd[view.box]) * (1 - 1e-9), (self.nodes, 0.0))
            for view in self.views
        ]
        self.spent += sum(p.effort for p in found)
        return found

    def exactly(self, duals: Floats, budget: Budget) -> int:
        """Ask the solver where branch and bound left it open; how many new boxes came of it."""
        found = []
        for view, p in zip(self.views, self.priced(duals), strict=True):
            unsettled = p.upper > float(self.question.usd[view.box]) * (1 + 1e-7)
            if unsettled and self.calls < budget.solver_calls:
                self.calls += 1
                better = solved(self.question, view, duals, SOLVER_NODES)
                found.append(Priced(better.content, better.worth, min(p.upper, better.upper), 0))
            else:
                found.append(p)
        self.proved(duals, found)
        return self.grow(found, duals)

    def proved(self, value: Floats, found: list[Priced]) -> None:
        """Keep `value` as the centre if the bound that it proves with the upper bounds found is the best so far."""
        question = self.question
        upper = np.array([p.upper for p in found]) * (1 + 1e-12)
        usd = question.usd.astype(float)
        endless = ~question.limited
        ratio = max(1.0, float((upper[endless] / np.maximum(usd[endless], 1e-9)).max(initial=1.0)))
        lost = (question.available * np.minimum(0.0, usd - upper / ratio))[question.limited].sum()
        bound = float(question.count @ value) / ratio + float(lost)
        if bound > self.bound:
            self.bound, self.centre, self.upper = bound, value, upper

    def grow(self, found: list[Priced], duals: Floats) -> int:
        """Add the boxes that the program's duals ask for; how many were new."""
        new: list[tuple[int, Ints]] = []
        for view, p in zip(self.views, found, strict=True):
            key = (view.box, p.content.tobytes())
            price = float(self.question.usd[view.box]) - self.scarce[view.box]
            if float(duals @ p.content) > price * (1 + 1e-9) + 1e-9 and key not in self.known:
                self.known.add(key)
                new.append((view.box, p.content))
        if new:
            self._add(np.array([k for k, _ in new]), np.array([c for _, c in new]))
        return len(new)

    def _add(self, box: Ints, content: Ints) -> None:
        limited = np.flatnonzero(self.question.limited)
        table = np.hstack([content, (box[:, None] == limited[None, :]).astype(np.int64)])
        self.program.add(self.question.usd[box] / _dearest(self.question), sparse.csc_array(table.T.astype(float)))
        self.box = np.concatenate([self.box, box])
        self.content = np.vstack([self.content, content])

    def converged(self, budget: Budget, hopeless: float = inf) -> tuple[Floats, Floats, float]:
        """Boxes added until none pays, the budget is spent or the bound is `hopeless`: amounts, duals, objective.

        Pricing looks at a mix of the best duals so far and the program's own: a step of the program's duals moves the
        mix by `pace` of the way, twice as far each time that no new box was found, until it stands on them.
        """
        amount, duals, objective = self.solved()
        step = budget.pace
        for _ in range(budget.rounds):
            value = self.centre + step * (duals - self.centre)
            found = self.priced(value)
            self.proved(value, found)
            if self.grow(found, duals):
                amount, duals, objective = self.solved()
                step = max(budget.pace, step * 0.5)
            elif step < 1.0:
                step = min(1.0, step * 2.0)
            elif self.nodes < budget.nodes:
                self.nodes = min(budget.nodes, self.nodes * 20)
            elif self.exactly(duals, budget):
                amount, duals, objective = self.solved()
            else:
                break
            if objective - self.bound <= budget.gap * objective or self.spent > budget.work:
                break
            if self.bound > hopeless or perf_counter() > budget.deadline:
                break
        return amount, duals, objective


def generated(question: Instance, starts: Iterable[Pile], guide: Guide, budget: Budget) -> Columns:
    """Boxes worth opening and duals worth proving, from the level-1 prices on."""
    search = Generation(question, starts, guide)
    amount, duals, objective = search.converged(budget)
    return Columns(
        search.box, search.content, amount, search.centre, search.upper, duals, objective, search.bound, guide.rows
    )
