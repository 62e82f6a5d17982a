"""A search zone by zone, along an answer that leaves zones out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from planner.optimise.packing.answer import Found
from planner.optimise.packing.instance import Instance, subset
from planner.optimise.packing.proof import Duals, Prices
from planner.optimise.packing.search import Search, Settings
from planner.optimise.packing.whole import rounded
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
