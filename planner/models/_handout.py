"""One unit, one server: which owned server takes which unit, and what must be bought for the rest. Exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.optimise.solver import Problem, solve

__all__ = ["Handout", "handed_out"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TIE: Final = 1e-5
"""Unit: fraction. Source: lets the cheaper of two owned servers go first and costs no more than the bound gives up."""


_SCALE: Final = 1e4
"""Unit: of the heaviest unit. Source: keeps ties well above a solver's tolerance of 1e-7."""

_WANTED: Final = 10.0
"""Unit: ratio. Source: a unit that can only sit in an owned server outweighs every unit that need not."""


@dataclass(frozen=True)
class Handout:
    """A server of its own for every unit."""

    server: Ints
    """[instance], type; -1: none holds it."""
    new: Bools
    """[instance], whether it is bought."""
    usd: float
    """New servers, and the energy of all work, a month."""
    bound_usd: float


def handed_out(usd: tuple[Floats, Floats], able: tuple[Bools, Bools], left: Ints, count: Ints) -> Handout:
    """A server of its own for each instance: owned ones such that the least must be bought, else the cheapest new one.

    Args:
        usd: [type] a new server, a month; and [unit, type] the energy of a unit's work on it.
        able: [unit, type] whether a type holds a unit; and [type] whether it may be bought.
        left: [type], owned servers to hand out.
        count: [unit], instances.
    """
    fixed, energy = usd
    holds, buyable = able
    buying = holds & buyable
    price = np.where(buying, fixed + energy, np.inf)
    bare = np.where(buying, fixed, np.inf).min(axis=1, initial=np.inf)
    server = np.where(buying.any(axis=1), price.argmin(axis=1), -1)
    placeable = holds & (buyable | (left > 0))
    if not left.any():
        cost = float(count @ np.where(server >= 0, price.min(axis=1, initial=np.inf), 0.0))
        return Handout(np.repeat(server, count), np.repeat(server >= 0, count), cost, cost)
    weight = np.where(np.isfinite(bare), bare, _WANTED * float(fixed.max(initial=1.0)))
    given = _given(weight, (holds, fixed), left, count)
    each = np.where(given >= 0, given, np.repeat(server, count))
    new = (given < 0) & (each >= 0)
    owner = np.repeat(np.arange(len(count)), count)
    seated = each >= 0
    cost = float(fixed[each[new]].sum() + energy[owner[seated], each[seated]].sum())
    return Handout(each, new, cost, min(cost, _least(energy, placeable, (weight, bare), (owner, new, seated))))


def _least(energy: Floats, placeable: Bools, weights: tuple[Floats, Floats], seats: tuple[Ints, Bools, Bools]) -> float:
    """What any hand-out of the same units spends: the purchases it leaves at least, and each unit's least energy."""
    weight, bare = weights
    owner, new, seated = seats
    bought = float(bare[owner[new]].sum())
    slack = 2 * TIE * float(weight[owner[seated & ~new]].sum())
    work = np.where(placeable, energy, np.inf).min(axis=1, initial=np.inf)
    return max(bought - slack, 0.0) + float(work[owner[seated]].sum())


def _given(weight: Floats, able: tuple[Bools, Floats], left: Ints, count: Ints) -> Ints:
    """[instance], the owned type it gets or -1, such that the units with owned servers weigh the most.

    Units that weigh the same and fit the same owned types are interchangeable, so a small transport problem is left;
    its corners are whole numbers.
    """
    holds, fixed = able
    types = np.flatnonzero(left)
    fits = holds[:, types]
    kinds, group = np.unique(np.column_stack([fits, weight]), axis=0, return_inverse=True)
    group = group.reshape(-1)
    many = np.bincount(group, count, minlength=len(kinds))
    which, column = np.nonzero(kinds[:, :-1])
    order = np.argsort(np.argsort(fixed[types], kind="stable"), kind="stable")
    value = kinds[which, -1] * (1 - TIE * order[column] / len(types))
    rows = np.concatenate([which, len(kinds) + column])
    entries = np.tile(np.arange(len(which)), 2)
    matrix = sparse.csr_array((np.ones(len(rows)), (rows, entries)), shape=(len(kinds) + len(types), len(which)))
    upper = np.concatenate([many, left[types]]).astype(float)
    amount = _whole(value, matrix, upper)
    rest = (many - np.bincount(which, amount, minlength=len(kinds))).astype(np.int64)
    owner = np.concatenate([which, np.arange(len(kinds))])
    by_group = np.argsort(owner, kind="stable")
    sequence = np.repeat(
        np.concatenate([types[column], np.full(len(kinds), -1)])[by_group], np.concatenate([amount, rest])[by_group]
    )
    out = np.empty(int(count.sum()), np.int64)
    out[np.argsort(np.repeat(group, count), kind="stable")] = sequence
    return out


def _whole(value: Floats, matrix: sparse.csr_array, upper: Floats) -> Ints:
    if not len(value):
        return np.zeros(0, np.int64)
    lower = np.full(len(upper), -np.inf)
    found = solve(Problem(usd=-value * (_SCALE / value.max()), matrix=matrix, lower=lower, upper=upper, name="handout"))
    return np.rint(found.values).astype(np.int64)
