"""Floats onto an integer grid: exact where the numbers share a unit, on the safe side where they do not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["gridded"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FINEST = 2**30
"""Unit: units in the largest number. Source: 2^30 x 2^30 still fits an int64, and rounding costs less than 1e-8."""
SAME = 1e-12
"""Unit: share of the largest number. Source: a few thousand times the rounding of a double."""


def gridded(up: Floats, down: Floats, finest: int = FINEST) -> tuple[Ints, Ints, Fraction]:
    """Numbers to round up (needs, prices) and numbers to round down (rooms) as integers, and integers per one.

    Multiples of a common unit, however it is scaled, become the same small integers without any rounding.
    """
    known = np.unique(np.concatenate([up, down]))
    known = known[known > 0]
    if not len(known):
        return np.zeros(len(up), np.int64), np.zeros(len(down), np.int64), Fraction(1)
    unit = _unit(known)
    if unit is not None:
        scale = Fraction(1, int(unit)) if float(unit).is_integer() else 1 / Fraction(unit).limit_denominator(10**12)
        return np.rint(up / unit).astype(np.int64), np.rint(down / unit).astype(np.int64), scale
    per_one = finest / known[-1]
    needs = np.ceil(up * per_one - 1e-4).astype(np.int64)
    return needs, np.floor(down * per_one + 1e-4).astype(np.int64), Fraction(per_one)


def _unit(known: Floats) -> float | None:
    """The largest number that all of `known` (ascending, > 0) are multiples of; none where that is too fine."""
    top = float(known[-1])
    if top < 2**53 and np.all(known == np.rint(known)):
        unit = float(np.gcd.reduce(known.astype(np.int64)))
        return unit if top / unit <= FINEST * 512 else None
    divisor = _divisor(known, top)
    if divisor is None:
        return None
    unit = top / round(top / divisor)
    apart = np.abs(known - np.rint(known / unit) * unit)
    return unit if float(apart.max()) <= SAME * top and known[0] > 0.5 * unit else None


def _divisor(known: Floats, top: float) -> float | None:
    """Euclid on all numbers at once, with a tolerance."""
    unit, rest = float(known[0]), known
    while True:
        if unit < top / FINEST:
            return None
        rest = np.abs(rest - np.rint(rest / unit) * unit)
        rest = rest[rest > max(1e-10 * top, 1e-6 * unit)]
        if not len(rest):
            return unit
        rest = np.unique(np.concatenate([rest, [unit]]))
        unit = float(rest[0])
