"""Level 1: classes spread fractionally over box types. A small linear program whose resource prices prove a bound."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.optimise.packing.clusters import Clusters, clustered
from planner.optimise.packing.instance import Instance
from planner.optimise.packing.proof import Prices
from planner.optimise.solver import Problem, solve

__all__ = ["Mix", "certified", "exact_sum", "item_prices", "level1", "mixed", "volume_problem"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LAZY_ROWS = 12
"""Unit: rows. Source: with more (sizes by period) the few that bind are looked for instead of writing all of them."""
ROUNDS = 12
"""Unit: programs. Source: usually 2 to 6 periods of a week bind."""


@dataclass(frozen=True)
class Mix:
    """The fractional answer of level 1."""

    clusters: Clusters
    amount: Floats
    """[cluster, box], items."""
    boxes: Floats
    """[box], how many are opened, fractional."""
    price: Floats
    """[box, row], usd integers per unit of size."""
    rows: Ints
    """Rows that were written down."""


def mixed(question: Instance) -> Mix:
    """Solve the volume program, row by row where there are many."""
    clusters = clustered(question)
    kinds = _undominated(question)
    rows = _first_rows(question, clusters)
    while True:
        found = _solved(question, clusters, kinds, rows)
        new = _broken(question, found, rows) if len(rows) < question.size.shape[1] else rows[:0]
        if not len(new) or len(rows) > 2 * ROUNDS:
            return found
        rows = np.union1d(rows, new)


def volume_problem(question: Instance, clusters: Clusters, kinds: Ints, rows: Ints) -> tuple[Problem, Ints, Ints]:
    """The program, and the (cluster, kind) of each of its amounts; boxes follow, then what is left over.

    Amounts are thousandths of all items and prices shares of the dearest box, which keeps the numbers near one.
    """
    cluster, kind = np.nonzero(clusters.fits[:, kinds])
    m, k, d, pairs = len(clusters.count), len(kinds), len(rows), len(cluster)
    total = max(1.0, clusters.count.sum()) / 1000.0
    top = np.maximum(question.room.max(axis=0), 1)[rows]
    share, room = clusters.size[:, rows] / top, question.room[np.ix_(kinds, rows)] / top
    usd = question.usd[kinds] / max(1, question.usd.max())
    pair = np.arange(pairs)
    row = np.concatenate([cluster, np.repeat(m + kind * d, d) + np.tile(np.arange(d), pairs)])
    column = np.concatenate([pair, np.repeat(pair, d)])
    value = np.concatenate([np.ones(pairs), share[cluster].ravel()])
    row = np.concatenate([row, m + np.arange(k * d), np.arange(m)])
    column = np.concatenate([column, pairs + np.repeat(np.arange(k), d), pairs + k + np.arange(m)])
    value = np.concatenate([value, -room.ravel(), np.ones(m)])
    matrix = sparse.csr_array((value, (row, column)), shape=(m + k * d, pairs + k + m))
    left = np.zeros(m)
    if question.limited.any() or not clusters.fits.any(axis=1).all():
        left = 1e3 * (share.sum(axis=1) + 1e-3)
    spare = np.where(question.limited.any() | ~clusters.fits.any(axis=1), np.inf, 0.0)
    most = np.concatenate([np.full(pairs, np.inf), _ceiling(question, kinds, total), spare])
    problem = Problem(
        np.concatenate([np.zeros(pairs), usd, left]),
        matrix,
        np.concatenate([clusters.count / total, np.full(k * d, -np.inf)]),
        np.concatenate([np.full(m, np.inf), np.zeros(k * d)]),
        most,
        name="volume",
    )
    return problem, cluster, kind


def _ceiling(question: Instance, kinds: Ints, total: float) -> Floats:
    return np.where(question.limited[kinds], question.available[kinds] / total, np.inf)


def _solved(question: Instance, clusters: Clusters, kinds: Ints, rows: Ints) -> Mix:
    problem, cluster, kind = volume_problem(question, clusters, kinds, rows)
    outcome = solve(problem)
    m, k, boxes = len(clusters.count), len(kinds), len(question.usd)
    total = max(1.0, clusters.count.sum()) / 1000.0
    amount, opened = np.zeros((m, boxes)), np.zeros(boxes)
    price = np.zeros((boxes, question.size.shape[1]))
    if outcome.solved:
        amount[cluster, kinds[kind]] = outcome.values[: len(cluster)] * total
        opened[kinds] = outcome.values[len(cluster) : len(cluster) + k] * total
        duals = np.maximum(0.0, -outcome.duals[m:].reshape(k, len(rows)))
        top = np.maximum(question.room.max(axis=0), 1)[rows]
        price[np.ix_(kinds, rows)] = duals / top * max(1, question.usd.max())
    return Mix(clusters, amount, opened, _spread_prices(question, price, kinds), rows)


def _spread_prices(question: Instance, price: Floats, kinds: Ints) -> Floats:
    """Prices for the types left out (those of their dominator), and every price raised until its box is paid for."""
    full = price.copy()
    for k in np.setdiff1d(np.arange(len(question.usd)), kinds):
        worth = full[kinds] @ question.room[k]
        usable = kinds[worth <= question.usd[k] * (1 + 1e-9)]
        if len(usable):
            full[k] = full[usable[np.argmax(full[usable] @ question.room[k])]]
    worth = (full * question.room).sum(axis=1)
    raised = np.where((worth > 0) & ~question.limited, question.usd / np.maximum(worth, 1e-280), 1.0)
    return full * raised[:, None]


def _undominated(question: Instance) -> Ints:
    """Types that no other type beats dollar for dollar in every row, for every class that fits."""
    usd, fits = question.usd, question.most > 0
    if question.limited.any() or (usd <= 0).any() or len(usd) < 2:
        return np.arange(len(usd))
    per_usd = question.room / usd[:, None]
    kept: list[int] = []
    for k in np.lexsort((np.arange(len(usd)), -usd)):
        richer = np.array(kept, np.int64)[(per_usd[kept] >= per_usd[k]).all(axis=1)]
        if not (fits[:, richer] | ~fits[:, [k]]).all(axis=0).any():
            kept.append(int(k))
    return np.sort(np.array(kept, np.int64))


def _first_rows(question: Instance, clusters: Clusters) -> Ints:
    d = question.size.shape[1]
    if d <= LAZY_ROWS:
        return np.arange(d)
    weight = clusters.count @ (clusters.size / np.maximum(question.room.max(axis=0), 1))
    resource = _resource(question)
    heaviest = [int(np.flatnonzero(resource == r)[np.argmax(weight[resource == r])]) for r in np.unique(resource)]
    return np.array(sorted(heaviest), np.int64)


def _resource(question: Instance) -> Ints:
    """[row], its resource; slots are -1."""
    return np.where(question.row < 0, -1, question.row % max(1, len(question.scale)))


def _broken(question: Instance, found: Mix, rows: Ints) -> Ints:
    """For each resource and type the row that the fractional answer breaks most."""
    load = found.amount.T @ found.clusters.size
    over = load - found.boxes[:, None] * question.room
    over[:, rows] = 0
    over = over / np.maximum(question.room.max(axis=0), 1) / max(1e-9, found.boxes.sum())
    resource, new = _resource(question), set[int]()
    for r in np.unique(resource):
        here = np.flatnonzero(resource == r)
        for k in range(len(over)):
            worst = here[np.argmax(over[k, here])]
            if over[k, worst] > 1e-6:
                new.add(int(worst))
    return np.array(sorted(new), np.int64)


def certified(question: Instance, price: Floats, placed: Ints) -> Prices:
    """Prices rounded down to integers that provably never exceed a box's price, and the exact bound they prove."""
    usd = question.usd
    worth = (price * question.room).sum(axis=1)
    scale = 2 ** (60 - max(1, int(np.ceil(np.log2(max(2.0, float(usd.max(initial=1)), float(worth.max(initial=1))))))))
    whole = np.floor(price * scale).astype(np.int64)
    for k in np.flatnonzero(~question.limited):
        while (excess := sum(int(p) * int(c) for p, c in zip(whole[k], question.room[k], strict=True))) > int(
            usd[k]
        ) * scale:
            ratio = Fraction(int(usd[k]) * scale, excess)
            whole[k] = [int(p) * ratio.numerator // ratio.denominator for p in whole[k].tolist()]
    return Prices(whole, scale, level1(question, whole, scale, placed))


def item_prices(question: Instance, whole: Ints) -> Ints:
    """[class], the least an item pays for its room in any type it fits."""
    cheapest = np.full(len(question.count), np.iinfo(np.int64).max)
    for k in range(len(question.usd)):
        usable = question.most[:, k] > 0
        cheapest = np.where(usable, np.minimum(cheapest, question.size @ whole[k]), cheapest)
    return np.where((question.most > 0).any(axis=1), cheapest, 0)


def exact_sum(value: Ints, count: Ints) -> int:
    """value @ count for numbers below 2^62 and 2^43, whatever it comes to."""
    thirds = (value & 2**20 - 1, value >> 20 & 2**20 - 1, value >> 40)
    halves = (count & 2**20 - 1, count >> 20)
    return sum(int(v @ n) << 20 * (i + j) for i, v in enumerate(thirds) for j, n in enumerate(halves))


def level1(question: Instance, whole: Ints, scale: int, placed: Ints) -> Fraction:
    """Sum of what placed items pay, less what limited boxes are worth beyond their price. Exact."""
    pays = item_prices(question, whole)
    total = exact_sum(pays, placed)
    for k in np.flatnonzero(question.limited):
        worth = sum(int(p) * int(c) for p, c in zip(whole[k], question.room[k], strict=True))
        total -= int(question.available[k]) * max(0, worth - int(question.usd[k]) * scale)
    return Fraction(max(0, total), scale)
