"""What is asked of a packing and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.optimise.packing.piles import Pile, placed
from planner.optimise.packing.proof import Evidence, written

__all__ = ["Boxes", "Items", "Packing", "Spread"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Spread:
    """A wish of some classes to keep apart: at most `most_per_box` of `group` in one box, evenly over `zones` zones.

    Every box stands in one zone; boxes of each type may be opened in all of them, limited ones in equal numbers.
    """

    group: str
    most_per_box: int = 1
    zones: int = 1


@dataclass(frozen=True)
class Items:
    """What must be packed: C classes of identical items."""

    size: Floats
    """[class, resource] or [class, period, resource]."""
    count: Ints
    """[class]."""
    spread: tuple[Spread | None, ...] | None = None
    """[class]; classes of one group share the smallest `most_per_box` and the largest `zones` among them."""
    fits: NDArray[np.bool_] | None = None
    """[class, box], which boxes a class may use at all; none: all."""


@dataclass(frozen=True)
class Boxes:
    """What can be opened: B types of boxes."""

    room: Floats
    """[box, resource], what is left for items after all overhead."""
    usd: Floats
    """[box], per hour for rented and per month for bought boxes; one packing never mixes them."""
    max_items: Ints | None = None
    """[box]."""
    available: Ints | None = None
    """[box], none: without end."""


@dataclass(frozen=True)
class Packing:
    """How many boxes of which type, what each holds, and how far from the best that can be."""

    opened: Ints
    """[box], how many of each type."""
    usd: float
    bound_usd: float
    """No packing of the placed items costs less."""
    method: str
    unplaced: Ints
    """[class], items that no box holds."""
    reasons: tuple[str, ...]
    """[class], why items are left over; empty where none are."""
    shadow_prices: Floats
    """[box, resource], what one more unit of a resource in a box of that type is worth."""
    pile: Pile
    """What is opened, as columns."""
    evidence: Evidence
    """What the proof is written from."""
    details: dict[str, float] = field(default_factory=dict)
    """Named figures: seconds of each step, whether a time limit cut it short, the level-1 and level-2 bounds."""

    @property
    def gap(self) -> float:
        """usd / bound - 1; infinite where nothing was proved."""
        if self.bound_usd <= 0:
            return 0.0 if self.usd <= 0 else float("inf")
        return self.usd / self.bound_usd - 1.0

    @cached_property
    def patterns(self) -> tuple[tuple[int, Ints, int], ...]:
        """(box type, items of each class [class], how many boxes hold just that)."""
        return tuple(self.pile.dense(len(self.unplaced)))

    @cached_property
    def proof(self) -> dict[str, Any]:
        """All that is needed to check cost and bound without a solver: plain JSON of integers."""
        return written(self.evidence, self.pile)

    def placement(self) -> pd.DataFrame:
        """One row an item: ``class``, ``item`` (within its class), ``box`` (type), ``number`` (within its type).

        Where some class wants several zones, also ``zone``, the one that the box stands in.
        """
        return placed(self.pile, len(self.unplaced), len(self.opened))
