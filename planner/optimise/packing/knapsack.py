"""The most a box can be worth: relaxation by simplex, best-first branch and bound on it. Compiled, in doubles.

A bound is always a Lagrangian one, price·room + sum of high·max(0, value - price·size), which holds for any price ≥ 0:
a simplex stopped early or gone astray makes it weaker, never wrong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.compiled import kernel

__all__ = ["best_box", "relaxed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def relaxed(value: Floats, size: Floats, room: Floats, high: Floats, x: Floats, price: Floats) -> float:
    """Maximise value·x with size·x ≤ room, 0 ≤ x ≤ high; fills x [class] and price [row], returns an upper bound.

    Primal simplex with bounded variables and an explicit inverse of the few rows; size is [row, class].
    """
    d, m = size.shape
    inverse, basis = np.zeros((d, d)), np.empty(d, np.int64)
    level = room.copy()
    for r in range(d):
        basis[r], inverse[r, r] = m + r, 1.0
    state = np.zeros(m, np.int64)  # 0 at zero, 1 at its most, 2 in the basis
    slack_in = np.ones(d, np.bool_)
    pays, move = np.zeros(d), np.zeros(d)
    for _ in range(40 * d + 2 * m):
        for r in range(d):
            pays[r] = 0.0
        for q in range(d):
            if basis[q] < m and value[basis[q]] != 0.0:
                for r in range(d):
                    pays[r] += value[basis[q]] * inverse[q, r]
        enter, sign, steepest = -1, 1.0, 0.0
        for j in range(m):
            if state[j] == 2 or high[j] <= 0.0:
                continue
            gain, weight = value[j], 1e-9
            for r in range(d):
                gain -= pays[r] * size[r, j]
                weight += size[r, j]
            tolerance = 1e-11 * (abs(value[j]) + 1e-9)
            if state[j] == 0 and gain > tolerance and gain / weight > steepest:
                enter, sign, steepest = j, 1.0, gain / weight
            elif state[j] == 1 and gain < -tolerance and -gain / weight > steepest:
                enter, sign, steepest = j, -1.0, -gain / weight
        for r in range(d):
            if not slack_in[r] and pays[r] < -1e-12 and -pays[r] > steepest:
                enter, sign, steepest = m + r, 1.0, -pays[r]
        if enter < 0:
            break
        for q in range(d):
            move[q] = 0.0
            if enter >= m:
                move[q] = inverse[q, enter - m]
            else:
                for r in range(d):
                    move[q] += inverse[q, r] * size[r, enter]
        step = high[enter] if enter < m else np.inf
        leave, at_most = -1, False
        for q in range(d):
            change = sign * move[q]
            if change > 1e-12:
                limit = max(0.0, level[q]) / change
                if limit < step:
                    step, leave, at_most = limit, q, False
            elif change < -1e-12 and basis[q] < m:
                limit = max(0.0, high[basis[q]] - level[q]) / -change
                if limit < step:
                    step, leave, at_most = limit, q, True
        if step == np.inf:
            break
        for q in range(d):
            level[q] -= sign * step * move[q]
        if leave < 0:
            state[enter] = 1 - state[enter]
            continue
        out = basis[leave]
        if out < m:
            state[out] = 1 if at_most else 0
        else:
            slack_in[out - m] = False
        if enter < m:
            level[leave] = step if state[enter] == 0 else high[enter] - step
            state[enter] = 2
        else:
            level[leave] = step
            slack_in[enter - m] = True
        basis[leave] = enter
        pivot = move[leave]
        for r in range(d):
            inverse[leave, r] /= pivot
        for q in range(d):
            if q != leave and move[q] != 0.0:
                for r in range(d):
                    inverse[q, r] -= move[q] * inverse[leave, r]
    bound = 0.0
    for r in range(d):
        price[r] = 0.0
    for q in range(d):
        if basis[q] < m:
            for r in range(d):
                price[r] += value[basis[q]] * inverse[q, r]
    for r in range(d):
        price[r] = max(0.0, price[r])
        bound += price[r] * room[r]
    for j in range(m):
        x[j] = high[j] if state[j] == 1 else 0.0
        if high[j] > 0.0:
            gain = value[j]
            for r in range(d):
                gain -= price[r] * size[r, j]
            if gain > 0.0:
                bound += gain * high[j]
    for q in range(d):
        if basis[q] < m:
            x[basis[q]] = min(high[basis[q]], max(0.0, level[q]))
    return bound


@kernel
def _pushed(heap: Ints, length: int, node: int, key: Floats) -> int:
    """Insert into a heap whose top has the largest key."""
    heap[length] = node
    i = length
    while i > 0 and key[heap[(i - 1) // 2]] < key[heap[i]]:
        heap[i], heap[(i - 1) // 2] = heap[(i - 1) // 2], heap[i]
        i = (i - 1) // 2
    return length + 1


@kernel
def _popped(heap: Ints, length: int, key: Floats) -> int:
    """Take the top away; it is left behind the shortened heap."""
    length -= 1
    heap[0], heap[length] = heap[length], heap[0]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= length:
            return length
        if child + 1 < length and key[heap[child + 1]] > key[heap[child]]:
            child += 1
        if key[heap[child]] <= key[heap[i]]:
            return length
        heap[i], heap[child] = heap[child], heap[i]
        i = child


@kernel
def _filled(value: Floats, size: Floats, room: Floats, high: Floats, price: Floats, x: Floats, out: Floats) -> float:
    """The relaxed answer rounded down and filled up by value per priced size; its worth."""
    d, m = size.shape
    left = room.copy()
    worth = 0.0
    key, heap, waiting = np.zeros(m), np.zeros(m, np.int64), 0
    for j in range(m):
        out[j] = np.floor(x[j] + 1e-7)
        worth += out[j] * value[j]
        weight = 1e-12
        for r in range(d):
            left[r] -= out[j] * size[r, j]
            weight += (price[r] + 1e-9) * size[r, j]
        if value[j] > 0.0:
            key[j] = value[j] / weight * (1.0 + 0.01 * (x[j] - out[j]))
            waiting = _pushed(heap, int(waiting), j, key)
    while waiting > 0:
        waiting = _popped(heap, int(waiting), key)
        j = heap[waiting]
        more = high[j] - out[j]
        for r in range(d):
            if more < 1.0:
                break
            if size[r, j] > 0.0:
                more = min(more, np.floor(left[r] / size[r, j] + 1e-12))
        if more >= 1.0:
            out[j] += more
            worth += more * value[j]
            for r in range(d):
                left[r] -= more * size[r, j]
    return worth


@kernel
def best_box(
    value: Floats, size: Floats, room: Floats, high: Floats, enough: float, step: float, nodes: int, found: Floats
) -> tuple[float, float, int]:
    """The most valuable content of a box: its worth, a proved upper bound, and the relaxations solved.

    Args:
        value: [class], worth of an item.
        size: [row, class] whole numbers as doubles.
        room: [row].
        high: [class], most of each.
        enough: boxes worth no more than this do not matter: the bound may stop there.
        step: worths are multiples of it (0: they are not).
        nodes: how many relaxations may be solved.
        found: [class], filled with the best content met.
    """
    d, m = size.shape
    x, price, trial = np.zeros(m), np.zeros(d), np.zeros(m)
    low, top, left = np.zeros(m), high.copy(), room.copy()
    parent, which = np.full(2 * nodes + 2, -1), np.full(2 * nodes + 2, -1)
    new_low, new_high = np.zeros(2 * nodes + 2), np.zeros(2 * nodes + 2)
    key, heap = np.zeros(2 * nodes + 2), np.zeros(2 * nodes + 2, np.int64)
    best, made, waiting, solved = 0.0, 1, 1, 0
    key[0] = np.inf
    found[:] = 0.0
    follow = -1
    while waiting > 0 or follow >= 0:
        if solved >= nodes:
            break
        if follow >= 0:
            node, follow = follow, -1
        else:
            waiting = _popped(heap, int(waiting), key)
            node = heap[waiting]
        if key[node] <= max(best + step * 0.999, enough) and node > 0:
            continue
        for j in range(m):
            low[j], top[j] = 0.0, high[j]
        up = node
        while up > 0:
            j = which[up]
            low[j] = max(low[j], new_low[up])
            top[j] = min(top[j], new_high[up])
            up = parent[up]
        base, possible = 0.0, True
        for r in range(d):
            left[r] = room[r]
        for j in range(m):
            if low[j] > 0.0:
                base += low[j] * value[j]
                for r in range(d):
                    left[r] -= low[j] * size[r, j]
        for r in range(d):
            possible = possible and left[r] >= -1e-9
            left[r] = max(0.0, left[r])
        if not possible:
            continue
        for j in range(m):
            top[j] -= low[j]
            for r in range(d):
                if top[j] > 0.0 and size[r, j] > 0.0:
                    top[j] = min(top[j], np.floor(left[r] / size[r, j] + 1e-12))
        bound = min(key[node], base + relaxed(value, size, left, top, x, price) * (1.0 + 1e-12))
        solved += 1
        worth = base + _filled(value, size, left, top, price, x, trial)
        if worth > best + 1e-12 * abs(best):
            best = worth
            for j in range(m):
                found[j] = low[j] + trial[j]
        if bound <= max(best + step * 0.999, enough):
            continue
        branch, most = -1, 1e-6
        for j in range(m):
            part = x[j] - np.floor(x[j])
            part = min(part, 1.0 - part)
            if part > 1e-6 and value[j] > 0.0 and (branch < 0 or part * value[j] > most):
                branch, most = j, part * value[j]
        if branch < 0:
            # a whole answer whose relaxation is still above it: only rounding is between, split on any wide class
            for j in range(m):
                if top[j] > 0.0 and value[j] > 0.0 and (branch < 0 or top[j] * value[j] > most):
                    branch, most = j, top[j] * value[j]
            if branch < 0:
                continue
        whole = np.floor(x[branch])
        if whole >= top[branch]:
            whole = top[branch] - 1.0
        for side in range(2):
            child = made
            made += 1
            parent[child], which[child], key[child] = node, branch, bound
            new_low[child], new_high[child] = low[branch], low[branch] + whole
            if side == 1:
                new_low[child], new_high[child] = low[branch] + whole + 1.0, low[branch] + top[branch]
            nearer = 1 if x[branch] - whole > 0.5 else 0
            if side == nearer:
                follow = child
            else:
                waiting = _pushed(heap, int(waiting), int(child), key)
    upper = max(best, enough)
    if follow >= 0:
        upper = max(upper, key[follow])
    for i in range(waiting):
        upper = max(upper, key[heap[i]])
    return best, upper, solved
