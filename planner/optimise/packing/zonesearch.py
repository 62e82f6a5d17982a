"""A search zone by zone, along an answer that leaves zones out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from planner.optimise.packing.answer import Found
from planner.optimise.packing.firstfit import first_fit
from planner.optimise.packing.instance import Instance, subset
from planner.optimise.packing.piles import Pile, fold, heap
from planner.optimise.packing.proof import Duals, Prices
from planner.optimise.packing.search import Search, Settings
from planner.optimise.packing.whole import Plan, rounded
from planner.optimise.packing.zones import Zoned

__all__ = ["ZoneSearch"]


class ZoneSearch(Search):
    """Boxes zone by zone; what is proved leaves zones out, as they never make anything cheaper."""

    def __init__(self, question: Instance, wide: Zoned, settings: Settings) -> None:
        super().__init__(wide.question, settings)
        self.wide, self.left = wide, wide.left(wide.question.count - self.question.count, len(question.count))
        self.narrow = Search(subset(question, question.count - self.left), settings)

    def found(self) -> Found:
        """Boxes of all zones, and the bound that holds without zones."""
        found = super().found()
        pile = self.wide.gathered(found.pile)
        return replace(found, pile=pile, left=self.left)

    @property
    def proved(self) -> tuple[Prices, Duals | None]:
        """What proves the bound without zones."""
        return self.narrow.proved

    def _steps(self) -> list[Callable[[], None]]:
        return [self.improve, self.generate, self.refine]

    def generate(self) -> None:
        """Columns without zones, and a plan from the same boxes in every zone."""
        for step in (self.narrow.generate, self.narrow.prove):
            if not self.narrow.done():
                step()
        if hasattr(self.narrow, "columns"):
            self.columns = self.wide.spread(self.narrow.columns)
            plan = rounded(self.question, self.columns, self._seconds(6), self.settings.seed)
            self.plan = self.plan.better(self.question, plan)
        elif not self.question.limited.any():
            self.plan = self.plan.better(self.question, self._along())

    def _along(self) -> Plan:
        """The plan without zones with its boxes dealt to zones; what must be in several has boxes of its own there."""
        pile, zones, owner = self.narrow.plan.pile, self.wide.zones, self.wide.owner
        anywhere, copy = self.narrow.question.zones < 2, np.zeros(len(self.narrow.question.count), np.int64)
        copy[owner] = np.arange(len(owner))
        kept = replace(pile, item=copy[pile.item], amount=np.where(anywhere[pile.item], pile.amount, 0))
        turn = np.arange(len(pile.box))
        dealt: list[Pile] = [
            replace(kept, box=pile.box * zones + z, times=(pile.times + (turn + z) % zones) // zones)
            for z in range(zones)
        ]
        apart, left = first_fit(subset(self.question, np.where(anywhere[owner], 0, self.question.count)))
        return Plan(fold(heap([*dealt, apart])), left)
