"""Very many different items: clusters are poured along the volume program, each box closed with real items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.closing import filled
from planner.optimise.packing.firstfit import downsized, first_fit, in_bulk
from planner.optimise.packing.giants import Recipes, plain
from planner.optimise.packing.instance import Instance, subset
from planner.optimise.packing.piles import EMPTY, Pile, heap
from planner.optimise.packing.volume import mixed

__all__ = ["poured"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AGAIN = 400
"""Unit: items. Source: fewer are packed as well by first fit."""
MOST = 3e6
"""Unit: items. Source: an item takes an entry; of more, so many are packed and taken as often as need be."""
TURNS = 4
"""Unit: programs. Source: each pours nearly all of what the one before it left over."""
NEARLY = 1e-3
"""Unit: share of what an item pays. Source: such boxes suit a cluster as well as those the program chose for it."""


def poured(question: Instance, recipes: Recipes) -> tuple[Pile, Ints]:
    """Boxes in the proportions of `recipes`, giants first; what is left is poured again, then fitted."""
    share = question.count.sum()
    return in_bulk(question, float(share) / MOST, lambda part: _poured(part, recipes.of(part.count.sum() / share)))


def _poured(question: Instance, recipes: Recipes) -> tuple[Pile, Ints]:
    rest, piles = question, [EMPTY]
    if recipes.giant.any():
        piles.append(_along(rest, recipes, recipes.giant))
        rest = _without(rest, piles[-1])
        recipes = plain(mixed(rest))
    for _ in range(TURNS):
        if rest.count.sum() <= AGAIN:
            break
        piles.append(_along(rest, recipes, ~recipes.giant))
        rest = _without(rest, piles[-1])
        if not len(piles[-1].box):
            break
        recipes = plain(mixed(rest))
    ending, left = first_fit(rest)
    return downsized(question, heap([*piles, ending])), left


def _without(question: Instance, pile: Pile) -> Instance:
    count = question.count - pile.covered(len(question.count))
    return subset(question, count, question.available - pile.opened(len(question.usd)))


def _along(question: Instance, recipes: Recipes, which: NDArray[np.bool_]) -> Pile:
    """Whole boxes of the chosen recipes, the largest part of the bill first."""
    order, begin = _ordered(question, recipes)
    living = np.bincount(recipes.owner, question.count > 0, minlength=len(begin) - 1)
    end, stock, free = begin[:-1] + living.astype(np.int64), question.count.copy(), question.available.copy()
    boxes, wanted, piles = recipes.whole(), _wanted(question, recipes), [EMPTY]
    for j in np.argsort(-recipes.boxes * question.usd[recipes.kind], kind="stable"):
        k = recipes.kind[j]
        n = int(min(boxes[j], free[k])) if which[j] else 0
        if n < 1:
            continue
        weight = recipes.price[j] * question.room[k]
        box, item = filled(
            question.size, question.room[k], np.ascontiguousarray(question.most[:, k]), question.group, question.cap,
            weight / max(float(weight.sum()), 1e-300), stock, order, begin, end, recipes.owner,
            wanted[j], np.ascontiguousarray(recipes.amount[:, j]), _dues(recipes, j), n, j,
        )  # fmt: skip
        start = np.concatenate([[0], np.cumsum(np.bincount(box, minlength=n))]).astype(np.int64)
        piles.append(Pile(np.full(n, k), np.ones(n, np.int64), start, item, np.ones(len(item), np.int64)))
        free[k] -= n
    return heap(piles)


def _ordered(question: Instance, recipes: Recipes) -> tuple[Ints, Ints]:
    """Classes by cluster, those in stock first and otherwise in random order; where each cluster begins."""
    dice = np.random.default_rng(0).permutation(len(recipes.owner))
    order = np.lexsort((dice, question.count == 0, recipes.owner))
    return order, np.searchsorted(recipes.owner[order], np.arange(len(recipes.size) + 1)).astype(np.int64)


def _dues(recipes: Recipes, j: int) -> Floats:
    """[cluster], where cumulative rounding starts: anywhere between nothing and one item; giants in the middle."""
    scattered = (np.arange(len(recipes.size)) * 0.6180339887498949 + j * 0.7548776662466927) % 1.0
    dues: Floats = np.where(recipes.amount[:, j] == 1.0, 0.5, scattered).astype(float)
    return dues


def _wanted(question: Instance, recipes: Recipes) -> list[Ints]:
    """For each recipe its clusters, largest items first; a giant's box may also use those that pay there as little."""
    largest = np.argsort(-(recipes.size / np.maximum(question.room.max(axis=0), 1)).max(axis=1), kind="stable")
    pays, used = recipes.size @ recipes.price.T, recipes.amount > 1e-12
    least = np.where(used, pays, np.inf).min(axis=1)[:, None]
    suits = used | (recipes.giant & (pays <= least * (1 + NEARLY)))
    return [largest[suits[largest, j]] for j in range(len(recipes.kind))]
