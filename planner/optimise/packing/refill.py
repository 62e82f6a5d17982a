"""Filling boxes anew from a pool of items: the inner loops of ruin and recreate. Compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.compiled import kernel

__all__ = ["cheapest_for_all", "fill", "squeeze"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Counts = NDArray[np.int32]


@kernel
def fill(
    k: int, pool: Ints, active: Ints, count: int, size: Ints, share: Floats, room: Ints, most: Ints,
    group: Ints, cap: Ints, noise: Floats, style: int, out: Ints, rest: Ints, grouped: Ints,
) -> int:  # fmt: skip
    """Fill one box of type k from the pool, each time with what points most where room is left; steps it took."""
    steps = 0
    rows = size.shape[1]
    for r in range(rows):
        rest[r] = room[k, r]
    for g in range(len(cap)):
        grouped[g] = cap[g]
    for a in range(count):
        out[a] = 0
    weight = np.zeros(rows)
    while True:
        steps += count
        best, best_score, best_fit = -1, -1.0, 0
        for r in range(rows):
            weight[r] = rest[r] / max(1, room[k, r])
        for a in range(count):
            i = active[a]
            fit = min(pool[i] - out[a], most[i, k] - out[a])
            if fit <= 0:
                continue
            if group[i] >= 0:
                fit = min(fit, grouped[group[i]])
            if fit <= 0:
                continue
            score, total = 0.0, 1e-12
            for r in range(rows):
                if size[i, r] > 0:
                    if size[i, r] * fit > rest[r]:
                        fit = rest[r] // size[i, r]
                        if fit == 0:
                            break
                    score += share[i, r] * weight[r]
                    total += share[i, r]
            if fit <= 0:
                continue
            if style == 1:
                score = score / np.sqrt(total)
            score *= noise[a]
            if score > best_score:
                best, best_score, best_fit = a, score, fit
        if best < 0:
            return steps
        amount = 1 if best_fit < 6 else best_fit // 3
        out[best] += amount
        i = active[best]
        if group[i] >= 0:
            grouped[group[i]] -= amount
        for r in range(rows):
            rest[r] -= amount * size[i, r]


@kernel
def squeeze(
    b: int, kind: Ints, held: Counts, pool: Ints, active: Ints, count: int, size: Ints, room: Ints, most: Ints,
    group: Ints, cap: Ints, rest: Ints, taken: Ints,
) -> int:  # fmt: skip
    """Put what fits of the pool into the free room of box b; `taken` [active], how many items moved."""
    rows, k, moved = size.shape[1], kind[b], 0
    for r in range(rows):
        rest[r] = room[k, r]
    for i in range(held.shape[1]):
        if held[b, i] > 0:
            for r in range(rows):
                rest[r] -= held[b, i] * size[i, r]
    for a in range(count):
        i = active[a]
        taken[a] = 0
        fit = min(pool[i], most[i, k] - held[b, i])
        for r in range(rows):
            if fit <= 0:
                break
            if size[i, r] > 0:
                fit = min(fit, rest[r] // size[i, r])
        if fit > 0 and group[i] >= 0:
            space = cap[group[i]]
            for j in range(held.shape[1]):
                if group[j] == group[i]:
                    space -= held[b, j]
            for other in range(a):
                if group[active[other]] == group[i]:
                    space -= taken[other]
            fit = min(fit, space)
        if fit > 0:
            taken[a] = fit
            moved += fit
            for r in range(rows):
                rest[r] -= fit * size[i, r]
    return moved


@kernel
def cheapest_for_all(
    pool: Ints, active: Ints, count: int, size: Ints, room: Ints, usd: Ints, most: Ints,
    group: Ints, cap: Ints, free: Ints, load: Ints, grouped: Ints,
) -> int:  # fmt: skip
    """The cheapest type that holds the whole pool, -1 where none does."""
    rows, best = size.shape[1], -1
    for r in range(rows):
        load[r] = 0
    for g in range(len(cap)):
        grouped[g] = 0
    for a in range(count):
        i = active[a]
        for r in range(rows):
            load[r] += pool[i] * size[i, r]
        if group[i] >= 0:
            grouped[group[i]] += pool[i]
    for g in range(len(cap)):
        if grouped[g] > cap[g]:
            return -1
    for k in range(len(usd)):
        if free[k] <= 0 or (best >= 0 and usd[k] >= usd[best]):
            continue
        holds = True
        for r in range(rows):
            if load[r] > room[k, r]:
                holds = False
                break
        if holds:
            for a in range(count):
                if pool[active[a]] > most[active[a], k]:
                    holds = False
                    break
        if holds:
            best = k
    return best
