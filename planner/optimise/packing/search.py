"""The packing engine: a bound at once, then columns, then whole boxes, then a better bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import ceil, inf
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.answer import Found
from planner.optimise.packing.certify import Care, level2
from planner.optimise.packing.columns import Budget, Columns, Guide, generated
from planner.optimise.packing.dive import Depth, dived
from planner.optimise.packing.firstfit import first_fit
from planner.optimise.packing.fluid import poured
from planner.optimise.packing.giants import roomy, shared
from planner.optimise.packing.instance import Instance, subset
from planner.optimise.packing.lacking import Lacking
from planner.optimise.packing.piles import Pile
from planner.optimise.packing.pricing import FEW_ROWS
from planner.optimise.packing.promising import completed
from planner.optimise.packing.proof import Duals, Prices
from planner.optimise.packing.raised import raised
from planner.optimise.packing.recreate import Effort, recreated
from planner.optimise.packing.volume import Mix, certified, item_prices, mixed
from planner.optimise.packing.whole import Plan, chosen, cost, improved, rounded
from planner.optimise.solver import Limits

__all__ = ["Search", "Settings"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MANY_BOXES = 6_000
"""Unit: boxes. Source: with more, ruin and recreate over all of them no longer pays; the tail is improved alone."""
MANY_CLASSES = 3_000
"""Unit: classes. Source: with more, the covering program is not written; items are packed along the volume program."""
SHARES = (0.4, 0.6, 0.85, 1.0)
"""Unit: share of a box. Source: larger items spoil a box; keeping them out of it seldom costs by volume, and the first
two nearly always do best."""
POURED, NEAR = 2e6, 2.4e-3
"""Unit: items in all plans, gap. Source: some twenty seconds for a million items; less may take a second look."""
MINIATURE = 300
"""Unit: boxes. Source: enough for each class to meet most others, few enough to improve in seconds."""
WORK = 1.2e8
"""Unit: relaxations x classes. Source: some ten seconds of branch and bound in all rounds together."""
DIVING = 2e8
"""Unit: relaxations x classes. Source: triplets of 120 need 1.8e8; some fifteen seconds."""
DIVED = 200
"""Unit: boxes. Source: beyond, a dive takes longer than ruin and recreate and gains no more; measured on 300 nodes."""
SWEEPS = 20
"""Unit: relaxations of every type. Source: a dive on less would end before its first box is fixed."""
CHOSEN = 400
"""Unit: boxes. Source: up to here a whole-number program over the known boxes often ends within its node limit."""


@dataclass(frozen=True)
class Settings:
    """How good, how hard, how long, and where the dice start."""

    gap: float
    effort: float
    seconds: float | None
    seed: int

    @property
    def care(self) -> Care:
        """How hard to prove."""
        return Care(int(4000 * self.effort), int(200 * self.effort), max(1e-7, self.gap / 8))


class Search:
    """One search: the best plan and the best proofs so far, and what each step took."""

    def __init__(self, question: Instance, settings: Settings) -> None:
        self.asked, self.settings, self.begun = question, settings, perf_counter()
        self.details: dict[str, float] = {}
        self.cut = False
        pile, left = first_fit(question)
        self.plan = Plan(pile, left)
        self._clock("first_fit_seconds", self.begun)
        if (left[question.most.any(axis=1)] > 0).any() and settings.effort > 0:
            self._place_more()
        self.question = subset(question, question.count - self.plan.left)
        self.plan = Plan(self.plan.pile, np.zeros_like(question.count))
        self.duals: Duals | None = None

    @cached_property
    def mix(self) -> Mix:
        """The fractional answer; a search that proves nothing by itself may never ask for it."""
        begun = perf_counter()
        found = mixed(self.question)
        self._clock("level1_seconds", begun)
        return found

    @cached_property
    def prices(self) -> Prices:
        """What proves level 1."""
        return certified(self.question, self.mix.price, self.question.count)

    def found(self) -> Found:
        """Run the steps until the gap is small enough, the budgets are spent or the time is over."""
        steps = self._steps() if self.settings.effort > 0 and self.cost else []
        for step in steps:
            if self.done():
                break
            begun = perf_counter()
            step()
            self._clock(f"{step.__name__}_seconds", begun)
        left = self.asked.count - self.question.count
        return Found(self.plan.pile, left, *self.proved, self._method(), self.details)

    def _steps(self) -> list[Callable[[], None]]:
        return [self.generate, self.prove, self.complete, self.dive, self.refine]

    @property
    def cost(self) -> int:
        """Integers of usd."""
        return cost(self.question, self.plan.pile)

    @property
    def bound(self) -> int:
        """The best proved bound, rounded up to a whole number of usd integers."""
        prices, duals = self.proved
        return ceil(prices.level1 if duals is None else max(prices.level1, duals.level2))

    @property
    def proved(self) -> tuple[Prices, Duals | None]:
        """What proves the bound."""
        return self.prices, self.duals

    def done(self) -> bool:
        """Whether the gap is small enough or the time over."""
        limit = self.settings.seconds
        if limit is not None and perf_counter() - self.begun > limit:
            self.cut = True
        return self.cut or self.cost <= self.bound * (1 + self.settings.gap)

    def _method(self) -> str:
        if self.settings.effort <= 0:
            return "first fit decreasing; level-1 bound"
        prices, duals = self.proved
        proof = "level-1 bound" if duals is None or duals.level2 < prices.level1 else "level-2 bound"
        return f"column generation, ruin and recreate; {proof}" + ("; cut short by seconds" if self.cut else "")

    def _clock(self, name: str, begun: float) -> None:
        self.details[name] = self.details.get(name, 0.0) + perf_counter() - begun

    def _place_more(self) -> None:
        """Limited boxes did not hold all: look for a plan that leaves fewer items over."""
        share = self.asked.share.sum(axis=1)
        effort = Effort(self._seconds(10), 0, self.settings.seed)
        pile = improved(self.asked, self.plan, share / max(share.max(), 1e-9) * float(self.asked.usd.max()), effort)
        self.plan = self.plan.better(self.asked, pile)
        lacking = Lacking(self.asked)
        if (lacking.scarce & (self.plan.left > 0)).any() and self._seconds(1) > 0:
            self.plan = self.plan.better(self.asked, self._holding_more(lacking))

    def _holding_more(self, lacking: Lacking) -> Plan:
        """The whole search for the fewest items without a box, each of them in a stand-in."""
        other = Search(lacking.question, self.settings)
        other.plan = lacking.begun(self.plan)
        other.begun = self.begun
        return lacking.ended(other.found().pile)

    def _seconds(self, share: float) -> float:
        """A budget in the seconds it would take on a quiet machine, no more than is left of a hard limit."""
        if self.settings.seconds is None:
            return share * self.settings.effort
        spare = self.begun + self.settings.seconds - perf_counter()
        self.cut = self.cut or spare < share * self.settings.effort
        return max(0.0, min(share * self.settings.effort, spare))

    def complete(self) -> None:
        """A whole-number program over all boxes that a cheaper plan could use, where these are few."""
        if hasattr(self, "columns") and self.plan.pile.times.sum() <= CHOSEN:
            limits = Limits(nodes=int(1000 * self.settings.effort), gap=self.settings.gap / 4, seconds=None)
            self.plan = completed(self.question, self.columns, self.plan, limits)

    def dive(self) -> None:
        """Box after box from the fractional answer, where there are few."""
        ease, limit = self.settings.effort, self.settings.seconds
        sweep = self.question.most.size * max(1, self.question.size.shape[1] // FEW_ROWS)
        if not hasattr(self, "columns") or self.plan.pile.times.sum() > DIVED or DIVING * ease < SWEEPS * sweep:
            return
        deadline = inf if limit is None else self.begun + limit
        budget = Budget(0, 0, 0, DIVING * ease, 1e-9, deadline, pace=0.3)
        depth = Depth(int(1500 * ease), budget, self._stop())
        self.plan = dived(self.question, self.columns, self.plan, depth)

    def _stop(self) -> int:
        return max(self.bound, int(self.bound * (1 + self.settings.gap)))

    def improve(self) -> None:
        """Ruin and recreate over boxes that were merely filled."""
        boxes = int(self.plan.pile.times.sum())
        if boxes * len(self.question.count) <= MANY_BOXES * MANY_CLASSES and boxes <= MANY_BOXES:
            effort = Effort(self._seconds(3), self._stop(), self.settings.seed)
            self.plan = improved(self.question, self.plan, self.value, effort)

    def generate(self) -> None:
        """Column generation and the plan that follows from it."""
        question, value = self.question, self.value
        boxes = int(self.plan.pile.times.sum())
        plain = self.plan
        self.improve()
        if len(question.count) > MANY_CLASSES and not self.done():
            self.pour()
        if self.done() or len(question.count) > MANY_CLASSES:
            return
        guide = Guide(value, float(self.prices.level1), self.mix.rows)
        ease, limit = self.settings.effort, self.settings.seconds
        deadline = inf if limit is None else self.begun + limit
        budget = Budget(
            int(800 * ease), int(8000 * ease), int(24 * ease), WORK * ease, self.settings.gap / 10, deadline
        )
        starts = [plain.pile, self.plan.pile if boxes <= MANY_BOXES else self._miniature(boxes)]
        self.columns: Columns = generated(question, starts, guide, budget)
        plan = rounded(question, self.columns, self._seconds(6), self.settings.seed)
        self.plan = self.plan.better(question, plan)

    def pour(self) -> None:
        """Boxes along the volume program, where large items look for large boxes; and the bound for giants."""
        question, spent, before = self.question, 0.0, None
        begun = perf_counter()
        recipes = shared(question, self.mix)
        self.duals = raised(question, self.prices, recipes)
        self._clock("level2_seconds", begun)
        for share in SHARES:
            if spent >= POURED or self.cost <= self.bound * (1 + max(self.settings.gap, NEAR)) or self.done():
                return
            asked = roomy(question, share)
            if before is not None and np.array_equal(asked.most, before):
                continue
            before, mix = asked.most, mixed(asked)
            if mix.boxes @ question.usd < self.cost:
                self.plan = self.plan.better(question, Plan(*poured(asked, shared(asked, mix))))
                spent += float(question.count.sum())

    def _miniature(self, boxes: int) -> Pile:
        """Good boxes from the same question in small: the fractional answer asks for proportions only."""
        count = -(-self.question.count * MINIATURE // boxes)
        small = subset(self.question, count)
        pile, left = first_fit(small)
        effort = Effort(self._seconds(3), 0, self.settings.seed)
        return recreated(small, pile, left, self.value, effort)[0]

    @property
    def value(self) -> Floats:
        """[class], what an item pays at the level-1 prices."""
        return item_prices(self.question, self.prices.price) / self.prices.scale

    def prove(self) -> None:
        """Level 2 from the duals with the best bound."""
        if not hasattr(self, "columns"):
            return
        columns = self.columns
        for value, known in ((columns.value, columns.upper), (columns.master, None)):
            duals = level2(self.question, value, columns.rows, self.settings.care, known)
            if self.duals is None or duals.level2 > self.duals.level2:
                self.duals = duals

    def refine(self) -> None:
        """Ruin and recreate over everything, and a whole-number choice where there are few boxes."""
        question, boxes = self.question, int(self.plan.pile.times.sum())
        value = self.columns.master if hasattr(self, "columns") else self.value
        if hasattr(self, "columns") and boxes <= CHOSEN:
            limits = Limits(nodes=int(200 * self.settings.effort), gap=self.settings.gap / 4, seconds=None)
            self.plan = chosen(question, self.columns, self.plan, limits)
        if not self.done() and boxes <= MANY_BOXES and len(question.count) <= MANY_CLASSES:
            effort = Effort(self._seconds(10), self._stop(), self.settings.seed + 1)
            self.plan = self.plan.better(question, improved(question, self.plan, value, effort))
