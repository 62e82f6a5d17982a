"""What packing with care saves against rules of thumb, and which resource decides what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.models._pods import items
from planner.models._wanted import Ask
from planner.optimise.baselines import Greedy, first_fit, karpenter_style
from planner.optimise.packing import Boxes, Items, pack
from planner.quantities import RESOURCES

__all__ = ["Case", "busiest_case", "savings"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS: Final = 1e9
"""Unit: looks at an open box. Source: some seconds; beyond, the Karpenter-style pass (one pod after the other, all open
boxes each time) is not run and its figure is absent."""

HELD: Final = (*RESOURCES[:3], "slots")
"""What boxes hold: resources in their order, then places for pods."""


@dataclass(frozen=True)
class Case:
    """A packing that was asked for, and what was opened for it."""

    items: Items
    boxes: Boxes
    opened: Ints
    """[box]."""
    left: int = 0
    """Items without a box."""
    held: Sequence[int] | Ints = range(len(HELD))
    """[resource], position among what boxes hold."""

    @property
    def usd(self) -> float:
        """What was opened costs, in the unit of the boxes."""
        return float(self.opened @ self.boxes.usd)

    @property
    def steps(self) -> float:
        """Open boxes that a pass looks at which takes pods one by one."""
        boxes = float(self.opened.sum())
        return float(np.sum(self.items.count)) * boxes + len(self.items.count) * boxes**2


def busiest_case(ask: Ask, counts: Ints) -> Case:
    """The pods of the busiest period on the nodes that run then; every pod at its largest where nothing scales.

    Wishes to keep apart are left out, for rules of thumb do not know them: a saving is against what ignores them.
    """
    busiest, pods = int(np.argmax(ask.load)), ask.pods
    size, replicas = pods.size[:, busiest, None], pods.replicas[:, busiest, None]
    if not ask.autoscale:
        size, replicas = pods.peak[:, None], pods.replicas.max(axis=1, initial=0)[:, None]
    usd = ask.now_and_then if ask.autoscale else ask.always
    sold = np.isfinite(usd)
    wanted, _ = items(replace(pods, size=size, replicas=replicas), 0, ask.fits[:, sold], apart=False)
    return Case(wanted, Boxes(ask.room[sold], usd[sold]), counts[busiest, sold])


def savings(cases: Sequence[Case], months: float = 1.0) -> dict[str, float]:
    """Named figures: savings as fractions, what one more unit of a resource is worth, and the share of each resource.

    Args:
        cases: packings that together are one cluster.
        months: prices of the boxes in a month (hours of a month where they are per hour).
    """
    cases = [case for case in cases if len(case.items.count) and case.usd > 0]
    if not cases:
        return {}
    figures = _against("first_fit_decreasing", cases, [first_fit(case.items, case.boxes) for case in cases])
    if sum(case.steps for case in cases) <= STEPS:
        passed = [karpenter_style(case.items, case.boxes) for case in cases]
        figures |= _against("karpenter_style", cases, passed)
    return figures | _resources(cases, months)


def _against(name: str, cases: Sequence[Case], peers: Sequence[Greedy]) -> dict[str, float]:
    """The saving, or how many items more the rule leaves without a box, where costs do not compare."""
    ours, theirs = sum(case.usd for case in cases), sum(peer.usd for peer in peers)
    more = sum(int(peer.unplaced.sum()) for peer in peers) - sum(case.left for case in cases)
    if more > 0:
        return {f"left_over_more_by_{name}": float(more)}
    return {f"saving_vs_{name}": 1.0 - ours / theirs} if theirs > 0 else {}


def _resources(cases: Sequence[Case], months: float) -> dict[str, float]:
    """What one more unit is worth in the boxes that are open, and how much of their worth each resource makes up."""
    worth, room = np.zeros(len(HELD)), np.zeros(len(HELD))
    for case in cases:
        price = pack(case.items, case.boxes, effort=0).shadow_prices
        there = case.opened[:, None] * np.asarray(case.boxes.room, float)
        np.add.at(worth, np.asarray(case.held)[: price.shape[1]], (price * there).sum(axis=0))
        np.add.at(room, np.asarray(case.held)[: price.shape[1]], there.sum(axis=0))
    figures = {}
    for name, total, units in zip(HELD, worth.tolist(), room.tolist(), strict=True):
        if total > 0:
            figures[f"shadow_price_{name}_usd_per_month"] = total / units * months
            figures[f"share_of_worth_{name}"] = total / float(worth.sum())
    return figures
