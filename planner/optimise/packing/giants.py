"""Giants: items of which no box holds two. Each asks for a box of its own, whose remaining room others share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.optimise.packing.clusters import Clusters, clustered, graded
from planner.optimise.packing.instance import Instance, subset
from planner.optimise.packing.volume import Mix
from planner.optimise.solver import Problem, solve

__all__ = ["Recipes", "giants", "plain", "roomy", "shared"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
GROUPS = 32
"""Unit: groups. Source: graded by the room they leave, so many tell those that spoil a box from those that do not."""
KINDS = 3
"""Unit: types of boxes for a group. Source: the cheapest by level-1 prices; the program hardly ever takes the third."""


@dataclass(frozen=True)
class Recipes:
    """What boxes hold on average, and how many of each there are."""

    owner: Ints
    """[class], its cluster."""
    size: Floats
    """[cluster, row]."""
    kind: Ints
    """[recipe], type of box."""
    amount: Floats
    """[cluster, recipe], items in one box."""
    boxes: Floats
    """[recipe], fractional."""
    price: Floats
    """[recipe, row], usd integers per unit of size."""
    group: Ints
    """[recipe], group of the giant in it, -1 where none."""

    @property
    def giant(self) -> Bools:
        """[recipe], whether a giant is in it."""
        return self.group >= 0

    def of(self, share: float) -> Recipes:
        """As many boxes of each as a share of the items needs."""
        return replace(self, boxes=self.boxes * share)

    def whole(self) -> Ints:
        """[recipe], boxes rounded down, but for giants, each of which needs one."""
        boxes = np.floor(self.boxes + 1e-6).astype(np.int64)
        for g in range(self.group.max(initial=-1) + 1):
            mine = np.flatnonzero(self.group == g)
            lacking = round(float(self.boxes[mine].sum())) - int(boxes[mine].sum())
            boxes[mine[np.argsort(boxes[mine] - self.boxes[mine], kind="stable")[:lacking]]] += 1
        return boxes


@dataclass(frozen=True)
class _Grouped:
    """Giants in groups, each with the types of boxes that might hold it."""

    large: Bools
    """[class]."""
    owner: Ints
    """[class], its group; 0 for others."""
    size: Floats
    """[group, row]."""
    count: Floats
    """[group]."""
    group: Ints
    """[recipe], -1 where no giant is in it."""
    kind: Ints
    """[recipe]."""


def roomy(question: Instance, most: float) -> Instance:
    """The same question where no item may take more than `most` of a box if one is larger for it by a fifth."""
    share = np.zeros(question.most.shape)
    for size, room in zip(question.size.T, question.room.T, strict=True):
        np.maximum(share, size[:, None] / np.maximum(room, 1), out=share)
    fits = question.most > 0
    least = np.where(fits, share, np.inf).min(axis=1)
    allowed = share <= np.maximum(most, least * 1.2)[:, None]
    return replace(question, most=np.where(fits & allowed, question.most, 0))


def plain(mix: Mix) -> Recipes:
    """The volume program's answer, a recipe for each type of box."""
    used = np.flatnonzero(mix.boxes > 0)
    amount = mix.amount[:, used] / mix.boxes[used]
    clusters = mix.clusters
    return Recipes(
        clusters.owner, clusters.size, used, amount, mix.boxes[used], mix.price[used], np.full(len(used), -1)
    )


def giants(question: Instance) -> Bools:
    """[class], of which no box holds two, nor one of them and one of another class of them.

    They need more than half of one and the same row in the largest box that they fit into.
    """
    fits = question.most > 0
    widest = np.column_stack([np.where(fits, room, 0).max(axis=1) for room in question.room.T])
    asked = (question.count > 0) & fits.any(axis=1)
    large = (2 * question.size > widest) & asked[:, None]
    return large[:, int(np.argmax((question.share.sum(axis=1) * question.count) @ large))]


def shared(question: Instance, mix: Mix) -> Recipes:
    """The volume program once more with a recipe for each kind of box that a giant may stand in."""
    large = giants(question)
    if not large.any() or question.limited.any():
        return plain(mix)
    common = clustered(subset(question, np.where(large, 0, question.count)), ~large)
    grouped = _grouped(question, mix, large)
    beside = np.where(grouped.group[:, None] >= 0, grouped.size[grouped.group], 0)
    room: Floats = (question.room[grouped.kind] - beside).astype(float)
    fits = common.fits[:, grouped.kind] & (common.size[:, None, :] <= room + 1e-9).all(axis=2)
    if (~fits.any(axis=1) & (common.count > 0)).any():
        return plain(mix)
    return _solved(question, common, grouped, (room, fits)) or plain(mix)


def _grouped(question: Instance, mix: Mix, large: Bools) -> _Grouped:
    """Groups graded by the room left beside a giant, in the types of boxes where that costs least."""
    owner, groups = graded(question, large, GROUPS)
    count = np.bincount(owner[large], question.count[large], minlength=groups).astype(float)
    total = [np.bincount(owner[large], (question.count * w)[large], minlength=groups) for w in question.size.T]
    size = np.column_stack(total) / count[:, None]
    kinds = np.flatnonzero(mix.boxes > 0)
    members = np.flatnonzero(large)[::-1]
    first = np.zeros(groups, np.int64)
    first[owner[members]] = members
    rest = question.room - size[:, None, :]
    usable = (question.most[first] > 0) & (rest >= 0).all(axis=2)
    worth = (np.maximum(rest, 0) @ mix.price[kinds].T).min(axis=2)
    cheapest = np.argsort(np.where(usable, question.usd - worth, np.inf), axis=1, kind="stable")[:, :KINDS]
    group, place = np.nonzero(np.take_along_axis(usable, cheapest, axis=1))
    none = np.full(len(kinds), -1)
    return _Grouped(large, owner, size, count, np.append(none, group), np.append(kinds, cheapest[group, place]))


def _solved(question: Instance, common: Clusters, grouped: _Grouped, places: tuple[Floats, Bools]) -> Recipes | None:
    """The program over clusters and groups; none where it has no answer."""
    problem, cluster, recipe = _problem(question, common, grouped, places)
    outcome = solve(problem)
    if not outcome.solved:
        return None
    m, groups, rows = len(common.count), len(grouped.count), question.size.shape[1]
    total, pairs, giant = _unit(question), len(cluster), np.flatnonzero(grouped.group >= 0)
    boxes = np.maximum(0.0, outcome.values[pairs:]) * total
    amount = np.zeros((m + groups, len(boxes)))
    amount[cluster, recipe] = outcome.values[:pairs] * total
    amount /= np.maximum(boxes, 1e-300)
    amount[m + grouped.group[giant], giant] = 1.0
    price = np.maximum(0.0, -outcome.duals[m : m + rows * len(boxes)].reshape(len(boxes), rows))
    price *= max(1, question.usd.max()) / np.maximum(question.room.max(axis=0), 1)
    owner = np.where(grouped.large, m + grouped.owner, common.owner)
    size = np.vstack([common.size, grouped.size])
    return Recipes(owner, size, grouped.kind, amount, boxes, price, grouped.group)


def _unit(question: Instance) -> float:
    return max(1.0, float(question.count.sum())) / 1000.0


def _problem(
    question: Instance, common: Clusters, grouped: _Grouped, places: tuple[Floats, Bools]
) -> tuple[Problem, Ints, Ints]:
    """As the volume program: every item has a place, no recipe's room is exceeded; and every giant has a box."""
    room, fits = places
    cluster, recipe = np.nonzero(fits)
    m, j, d, pairs = len(common.count), len(room), room.shape[1], len(cluster)
    top, total = np.maximum(question.room.max(axis=0), 1), _unit(question)
    giant, pair = np.flatnonzero(grouped.group >= 0), np.arange(pairs)
    needs = m + recipe[:, None] * d + np.arange(d)
    row = [cluster, needs.ravel(), m + np.arange(j * d), m + j * d + grouped.group[giant]]
    column = [pair, np.repeat(pair, d), pairs + np.repeat(np.arange(j), d), pairs + giant]
    value = [np.ones(pairs), (common.size[cluster] / top).ravel(), -(room / top).ravel(), np.ones(len(giant))]
    shape = (m + j * d + len(grouped.count), pairs + j)
    matrix = sparse.csr_array((np.concatenate(value), (np.concatenate(row), np.concatenate(column))), shape=shape)
    problem = Problem(
        np.append(np.zeros(pairs), question.usd[grouped.kind] / max(1, question.usd.max())),
        matrix,
        np.concatenate([common.count / total, np.full(j * d, -np.inf), grouped.count / total]),
        np.concatenate([np.full(m, np.inf), np.zeros(j * d), np.full(len(grouped.count), np.inf)]),
        name="giants",
    )
    return problem, cluster, recipe
