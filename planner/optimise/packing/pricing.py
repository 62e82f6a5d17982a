"""Pricing: the most valuable box of each type, found quickly, and bounded from above by proof."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.optimise.packing.compiled import kernel
from planner.optimise.packing.instance import Instance
from planner.optimise.packing.knapsack import best_box
from planner.optimise.solver import Limits, Problem, solve

__all__ = ["FEW_ROWS", "Priced", "View", "priced", "solved", "trimmed", "views"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
GROUPS = 12
"""Unit: rows. Source: more spread groups than this are left to trimming, the relaxation stays valid without them."""


FEW_ROWS = 8
"""Unit: rows. Source: up to so many, a relaxation takes about as long as with one."""


@dataclass(frozen=True)
class View:
    """One type of box as a knapsack: only the classes it can hold and the rows that are looked at."""

    box: int
    classes: Ints
    size: Floats
    """[row, class]."""
    room: Floats
    high: Floats


@dataclass(frozen=True)
class Priced:
    """What pricing one type found."""

    content: Ints
    """[class], feasible in every row."""
    worth: float
    upper: float
    """Proved: no content of this type is worth more."""
    effort: int
    """Relaxations solved x classes."""


def views(question: Instance, rows: Ints) -> tuple[View, ...]:
    """Every type of box as a knapsack over `rows` (a choice of rows relaxes the question, so bounds stay valid)."""
    out = []
    for k in range(len(question.usd)):
        classes = np.flatnonzero((question.most[:, k] > 0) & (question.count > 0))
        size = question.size[np.ix_(classes, rows)].T.astype(float)
        room = question.room[k, rows].astype(float)
        groups = np.unique(question.group[classes])
        groups = groups[groups >= 0][:GROUPS]
        member = (question.group[classes][None, :] == groups[:, None]).astype(float)
        size = np.ascontiguousarray(np.vstack([size, member]))
        room = np.concatenate([room, question.cap[groups].astype(float)])
        high = np.minimum(question.most[classes, k], question.count[classes]).astype(float)
        out.append(View(k, classes, size, room, high))
    return tuple(out)


def priced(question: Instance, view: View, value: Floats, enough: float, budget: tuple[int, float]) -> Priced:
    """The best content of one type for the worth of each class; `budget` is (relaxations, step of worths)."""
    nodes, step = budget
    content = np.zeros(len(question.count), np.int64)
    if not len(view.classes):
        return Priced(content, 0.0, 0.0, 0)
    found = np.zeros(len(view.classes))
    here = np.ascontiguousarray(value[view.classes])
    scale = np.maximum(view.room, 1.0)
    worth, upper, nodes = best_box(
        here, view.size / scale[:, None] if step == 0 else view.size, np.ones_like(scale) if step == 0 else view.room,
        view.high, enough, step, nodes, found,
    )  # fmt: skip
    content[view.classes] = np.rint(found).astype(np.int64)
    trimmed(question.size, question.room[view.box], question.group, question.cap, value, content)
    effort = nodes * len(here) * max(1, len(view.room) // FEW_ROWS)
    return Priced(content, min(worth, float(value @ content)), upper, effort)


def solved(question: Instance, view: View, value: Floats, nodes: int) -> Priced:
    """The same by the solver, which cuts where branch and bound would count: its dual bound is the proved one."""
    here = value[view.classes]
    top = max(1e-300, float(here.max(initial=0.0)))
    scale = np.maximum(view.room, 1.0)
    problem = Problem(
        -here / top,
        sparse.csr_array(view.size / scale[:, None]),
        np.full(len(view.room), -np.inf),
        np.ones(len(view.room)) * (1 + 1e-9),
        view.high,
        np.ones(len(here), bool),
        "box",
    )
    outcome = solve(problem, Limits(nodes=nodes, gap=1e-7))
    content = np.zeros(len(question.count), np.int64)
    if outcome.solved:
        content[view.classes] = np.rint(outcome.values).astype(np.int64)
        trimmed(question.size, question.room[view.box], question.group, question.cap, value, content)
    upper = -outcome.bound * top * (1 + 1e-9) if np.isfinite(outcome.bound) else np.inf
    return Priced(content, float(value @ content), upper, 0)


@kernel
def trimmed(size: Ints, room: Ints, group: Ints, cap: Ints, value: Floats, content: Ints) -> None:
    """Take items out, the least valuable for what they relieve first, until every row and group is kept."""
    m, rows = size.shape
    load = np.zeros(rows, np.int64)
    inside = np.zeros(max(1, len(cap)), np.int64)
    for i in range(m):
        if content[i] > 0:
            for r in range(rows):
                load[r] += content[i] * size[i, r]
            if group[i] >= 0:
                inside[group[i]] += content[i]
    while True:
        worst, over, full = -1, 0.0, -1
        for r in range(rows):
            if load[r] > room[r] and (load[r] - room[r]) / max(1, room[r]) > over:
                worst, over = r, (load[r] - room[r]) / max(1, room[r])
        for g in range(len(cap)):
            if inside[g] > cap[g]:
                full = g
        if worst < 0 and full < 0:
            return
        out, least = -1, np.inf
        for i in range(m):
            if content[i] > 0 and ((full >= 0 and group[i] == full) or (full < 0 and size[i, worst] > 0)):
                relief = value[i] if full >= 0 else value[i] / size[i, worst]
                if relief < least:
                    out, least = i, relief
        content[out] -= 1
        for r in range(rows):
            load[r] -= size[out, r]
        if group[out] >= 0:
            inside[group[out]] -= 1
