"""Level 2: duals rounded to integers, every type of box bounded from above by proof, one fraction as the answer."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.instance import Instance
from planner.optimise.packing.pricing import View, priced, solved, views
from planner.optimise.packing.proof import Duals

__all__ = ["Care", "level2"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
INFLATED = 1e-9
TOLERANCE = (
    "upper bounds from branch and bound on Lagrangian relaxations in double precision, inflated by 1e-9; "
    "where a solver's dual bound was used, its feasibility tolerance is inside that"
)


@dataclass(frozen=True)
class Care:
    """How hard to prove: relaxations a type, nodes of the solver a type (0: none), and the share not worth proving."""

    nodes: int
    solver_nodes: int
    slack: float


def level2(question: Instance, value: Floats, rows: Ints, care: Care, known: Floats | None = None) -> Duals:
    """The bound that duals `value` [class] prove for the counts of `question`. Valid whatever they are.

    Args:
        known: [box], proved upper bounds on the worth of a box at `value`, as far as there are any.
    """
    dearest = int(question.usd.max())
    scale = 2 ** max(0, 44 - dearest.bit_length())
    whole = np.maximum(0, np.floor(value * scale)).astype(np.int64)
    upper = []
    for view in views(question, rows):
        price = int(question.usd[view.box]) * scale
        told = inf if known is None else float(known[view.box]) * scale * (1 + INFLATED)
        near = told <= price * (1 + care.slack)
        upper.append(ceil(told if near else min(told, _upper(question, view, (whole, price), care))))
    bound = _bound(question, whole, scale, upper)
    return Duals(whole, scale, tuple(upper), bound, TOLERANCE)


def _upper(question: Instance, view: View, priced_at: tuple[Ints, int], care: Care) -> float:
    """A proved upper bound on the worth of a box, tight first and looser where that takes too long."""
    whole, price = priced_at
    value = whole.astype(float)
    exact = priced(question, view, value, price * (1 + 1e-10), (care.nodes // 4 + 1, 1.0)).upper
    if exact > price * (1 + 1e-9) and care.slack > 1e-9:
        looser = priced(question, view, value, price * (1 + care.slack), (care.nodes, 1.0)).upper
        exact = min(exact, looser)
        if exact > price * (1 + care.slack) * (1 + 1e-9) and care.solver_nodes:
            exact = min(exact, solved(question, view, value, care.solver_nodes).upper)
    return exact * (1 + INFLATED) if len(view.classes) else 0.0


def _bound(question: Instance, whole: Ints, scale: int, upper: list[int]) -> Fraction:
    """Sum of duals over ratio, less what limited boxes could still gain; see planner.verify for the same formula."""
    usd, limited = question.usd, question.limited
    ratios = [Fraction(u, scale * int(c)) for u, c, end in zip(upper, usd, limited, strict=True) if not end and c]
    if any(u > 0 and c == 0 and not end for u, c, end in zip(upper, usd, limited, strict=True)):
        return Fraction(0)
    ratio = max([Fraction(1), *ratios])
    total = Fraction(sum(int(p) * int(n) for p, n in zip(whole, question.count, strict=True)), scale) / ratio
    for k in np.flatnonzero(limited):
        total += int(question.available[k]) * min(Fraction(0), int(usd[k]) - Fraction(upper[k], scale) / ratio)
    return max(Fraction(0), total)
