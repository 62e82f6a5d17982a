"""Where limited boxes may not hold all: the same question with stand-ins, boxes without end for one item each.

Boxes cost nothing and a stand-in costs one, so the least cost is the fewest items that find no box, and its bound is
proved like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.firstfit import downsized, first_fit
from planner.optimise.packing.instance import ENDLESS, Instance, subset
from planner.optimise.packing.piles import Pile, fold, heap, single
from planner.optimise.packing.whole import Plan

__all__ = ["Lacking"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Lacking:
    """A question whose limited boxes may be too few."""

    asked: Instance

    @property
    def scarce(self) -> Bools:
        """[class], which fit limited boxes only; all others always find one."""
        usable = self.asked.most > 0
        return np.asarray(usable.any(axis=1) & ~usable[:, ~self.asked.limited].any(axis=1))

    @property
    def question(self) -> Instance:
        """Scarce classes only, boxes for nothing, and a stand-in, the last type, that takes one item of any class."""
        asked, m = self.asked, len(self.asked.count)
        ones, inside = np.ones((m, 1), np.int64), max(1, int(asked.count.sum()))
        room = np.vstack([asked.room, asked.size.max(axis=0)])
        slots = np.append(np.full(len(asked.usd), inside), 1)
        return replace(
            asked,
            size=np.ascontiguousarray(np.hstack([asked.size, ones])),
            count=np.where(self.scarce, asked.count, 0),
            room=np.ascontiguousarray(np.column_stack([room, slots])),
            usd=np.append(np.zeros_like(asked.usd), 1),
            most=np.hstack([asked.most, ones]),
            available=np.append(np.where(asked.limited, asked.available, 0), ENDLESS),
            row=np.append(asked.row, -1),
            dollars=np.append(np.zeros_like(asked.dollars), 1.0),
        )

    def begun(self, plan: Plan) -> Plan:
        """A plan as one with stand-ins."""
        scarce, m = self.scarce, len(self.asked.count)
        held = single(plan.pile.box, np.where(scarce, plan.pile.matrix(m), 0), plan.pile.times)
        out = np.flatnonzero(scarce & (plan.left > 0))
        absent = single(np.full(len(out), len(self.asked.usd)), np.eye(m, dtype=np.int64)[out], plan.left[out])
        return Plan(fold(heap([held, absent])), np.zeros(m, np.int64))

    def ended(self, pile: Pile) -> Plan:
        """What stand-ins hold is left over; the classes that are not scarce join in by first fit."""
        real, m = pile.box < len(self.asked.usd), len(self.asked.count)
        held = single(pile.box[real], pile.matrix(m)[real], pile.times[real])
        free = self.asked.available - held.opened(len(self.asked.usd))
        others, left = first_fit(subset(self.asked, np.where(self.scarce, 0, self.asked.count), free))
        absent = np.where(self.scarce, self.asked.count - held.covered(m), 0)
        return Plan(downsized(self.asked, heap([held, others])), left + absent)
