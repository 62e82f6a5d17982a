"""Replicas over zones: each zone takes its share of the items, and boxes of every type stand in each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.columns import Columns
from planner.optimise.packing.instance import ENDLESS, Instance
from planner.optimise.packing.piles import Pile, fold

__all__ = ["Zoned", "zoned"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Zoned:
    """A question asked zone by zone: a copy of a class for each zone that it is dealt to, of a box for every zone."""

    question: Instance
    owner: Ints
    """[copy], the class that it is of."""
    zones: int

    def left(self, left: Ints, classes: int) -> Ints:
        """[class], items left over in all zones."""
        return np.bincount(self.owner, left, minlength=classes).astype(np.int64)

    def spread(self, columns: Columns) -> Columns:
        """Filled boxes of a fractional answer as the same in every zone: no zone differs from another."""
        box = (columns.box[:, None] * self.zones + np.arange(self.zones)).ravel()
        here = self.question.most[:, box].T > 0
        content = np.where(here, np.repeat(columns.content, self.zones, axis=0)[:, self.owner], 0)
        return replace(
            columns,
            box=box,
            content=np.minimum(content, self.question.count),
            amount=np.repeat(columns.amount / self.zones, self.zones),
            value=columns.value[self.owner],
            master=columns.master[self.owner],
        )

    def gathered(self, pile: Pile) -> Pile:
        """Boxes over copies as boxes over classes, each with its zone."""
        box, zone = np.divmod(pile.box, self.zones)
        return fold(Pile(box, pile.times, pile.start, self.owner[pile.item], pile.amount, zone))


def zoned(question: Instance) -> Zoned | None:
    """The question zone by zone; none where no class wants more than one zone.

    The items of a group are dealt to its zones in turn, and so are boxes that are limited: an even deal of what is
    given, and some choice among deals that are as even.
    """
    zones = int(question.zones.max(initial=1))
    if zones < 2:
        return None
    owner, zone, count = _dealt(question, zones)
    box, where = np.divmod(np.arange(len(question.usd) * zones), zones)
    here = (zone[:, None] < 0) | (zone[:, None] == where)
    available = _turns(question.available, zones).ravel()
    group = np.where(question.group[owner] < 0, -1, question.group[owner] * zones + np.maximum(zone, 0))
    asked = replace(
        question,
        size=np.ascontiguousarray(question.size[owner]),
        count=count,
        room=np.ascontiguousarray(question.room[box]),
        usd=question.usd[box],
        most=np.where(here, question.most[owner][:, box], 0),
        available=np.where(question.limited[box], available, ENDLESS),
        group=group,
        cap=np.repeat(question.cap, zones),
        zones=np.ones(len(owner), np.int64),
        dollars=question.dollars[box],
    )
    return Zoned(asked, owner, zones)


def _dealt(question: Instance, zones: int) -> tuple[Ints, Ints, Ints]:
    """Copies as (class, zone or -1 where it may be in any, items)."""
    many = question.zones
    turn = np.arange(zones)
    before = _before(question)
    start = np.where(question.team >= 0, question.team, 0)  # groups begin in different zones
    place = (turn[None, :] - start[:, None]) % zones
    usual, ends = before[:, None], (before + question.count)[:, None]
    mine = _nth(ends, place, many[:, None]) - _nth(usual, place, many[:, None])
    table = np.where((place < many[:, None]) & (many[:, None] > 1), mine, 0)
    owner, zone = np.nonzero(table)
    free = np.flatnonzero((many < 2) | (question.count == 0))
    owners = np.concatenate([owner, free])
    where = np.concatenate([zone, np.full(len(free), -1)])
    count = np.concatenate([table[owner, zone], question.count[free]])
    order = np.lexsort((where, owners))
    return owners[order], where[order], count[order].astype(np.int64)


def _nth(items: Ints, place: Ints, zones: Ints) -> Ints:
    """How many of the first `items` that are dealt in turn go to a place."""
    dealt: Ints = np.maximum(0, items - place + zones - 1) // zones
    return dealt


def _before(question: Instance) -> Ints:
    """[class], items of its group in the classes before it."""
    order = np.argsort(question.team, kind="stable")
    ends, team = np.cumsum(question.count[order]), question.team[order]
    begins = ends - question.count[order]
    before = np.empty(len(order), np.int64)
    before[order] = begins - begins[np.searchsorted(team, team)]
    return before


def _turns(available: Ints, zones: int) -> Ints:
    """[box, zone], boxes of each type dealt in turn, every type beginning where the one before it ended."""
    ends = np.cumsum(np.where(available < ENDLESS, available, 0))
    begins = ends - np.where(available < ENDLESS, available, 0)
    place = np.arange(zones)[None, :]
    return _nth(ends[:, None], place, np.array(zones)) - _nth(begins[:, None], place, np.array(zones))
