"""Very many classes as few clusters of alike ones, for linear programs only; packing uses the real items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.instance import Instance

__all__ = ["Clusters", "clustered", "graded"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WHOLE = 600
"""Unit: classes. Source: a program over this many is solved in well under a second; beyond, clusters stand for them."""
LEAVES = 256
"""Unit: clusters. Source: with 64 to 256 the bound loses less than 0.01 % on a million different sizes."""


@dataclass(frozen=True)
class Clusters:
    """Classes standing together: their mean size, their number and where they fit."""

    owner: Ints
    """[class], its cluster."""
    size: Floats
    """[cluster, row]."""
    count: Floats
    """[cluster], items."""
    fits: NDArray[np.bool_]
    """[cluster, box]."""


def graded(question: Instance, members: NDArray[np.bool_], most: int) -> tuple[Ints, int]:
    """[class], the cell of each member among those that leave as much room beside them; how many cells there are."""
    owner = np.zeros(len(question.count), np.int64)
    position = np.log2(np.maximum(1.0 - question.share, 2.0**-10))
    return owner, _split(position, np.flatnonzero(members), most, (owner, 0))


def clustered(question: Instance, of: NDArray[np.bool_] | None = None) -> Clusters:
    """One cluster a class, or k-d median cells in log space where there are very many classes (`of` some, if given)."""
    fits = question.most > 0
    m = len(question.count)
    if m <= WHOLE:
        return Clusters(np.arange(m), question.size.astype(float), question.count.astype(float), fits)
    asked = np.ones(m, bool) if of is None else of
    signature = _alike(fits)
    owner = np.zeros(m, np.int64)
    position = np.log2(question.share + 2.0**-20)
    made = 0
    for s in range(int(signature.max()) + 1):
        members = np.flatnonzero((signature == s) & asked)
        if not len(members):
            continue
        leaves = max(1, round(LEAVES * len(members) / m))
        made = _split(position, members, leaves, (owner, made))
    count = np.bincount(owner, question.count, minlength=made).astype(float)
    weight = np.maximum(question.count, 1e-9)
    total = np.bincount(owner, weight, minlength=made)
    size = np.column_stack([np.bincount(owner, weight * w, minlength=made) / total for w in question.size.T])
    first = np.zeros(made, np.int64)
    first[owner[asked][::-1]] = np.flatnonzero(asked)[::-1]
    return Clusters(owner, size, count, fits[first])


def _alike(fits: NDArray[np.bool_]) -> Ints:
    """[class], a number that classes have in common which fit the same boxes."""
    alike = np.zeros(len(fits), np.int64)
    for bits in np.packbits(fits, axis=1).T:
        alike = np.unique(alike * 256 + bits, return_inverse=True)[1]
    return alike


def _split(position: Floats, members: Ints, leaves: int, out: tuple[Ints, int]) -> int:
    """Halve along the widest axis until there are `leaves` cells; number them on; the next free number."""
    owner, made = out
    if leaves <= 1 or len(members) <= 1:
        owner[members] = made
        return made + 1
    here = position[members]
    axis = int(np.argmax(here.std(axis=0)))
    half = leaves // 2
    cut = len(members) * half // leaves
    order = np.argpartition(here[:, axis], cut) if 0 < cut < len(members) else np.arange(len(members))
    made = _split(position, np.sort(members[order[:cut]]), half, (owner, made)) if cut else made
    return _split(position, np.sort(members[order[cut:]]), leaves - half, (owner, made))
