"""Piles: many filled boxes as columns, equal ones folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["EMPTY", "Pile", "fold", "heap", "placed", "remapped", "single"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pile:
    """P patterns in compressed rows: pattern p holds `amount[e]` items of `item[e]` for e in start[p]:start[p + 1]."""

    box: Ints
    """[pattern], type of box."""
    times: Ints
    """[pattern], how many boxes hold just that."""
    start: Ints
    """[pattern + 1]."""
    item: Ints
    """[entry], class."""
    amount: Ints
    """[entry]."""
    zone: Ints | None = None
    """[pattern], none where zones play no part."""

    @property
    def lengths(self) -> Ints:
        """[pattern], how many entries each has."""
        return np.diff(self.start)

    def opened(self, boxes: int) -> Ints:
        """[box], how many boxes of each type."""
        return np.bincount(self.box, self.times, minlength=boxes).astype(np.int64)

    def covered(self, classes: int) -> Ints:
        """[class], how many items sit in all boxes together."""
        weights = self.amount * np.repeat(self.times, self.lengths)
        return np.bincount(self.item, weights, minlength=classes).astype(np.int64)

    def dense(self, classes: int) -> Iterator[tuple[int, Ints, int]]:
        """Each pattern as (box, items of each class [class], times)."""
        for p in range(len(self.box)):
            span = slice(self.start[p], self.start[p + 1])
            row = np.zeros(classes, np.int64)
            row[self.item[span]] = self.amount[span]
            yield int(self.box[p]), row, int(self.times[p])

    def matrix(self, classes: int) -> Ints:
        """[pattern, class], dense."""
        table = np.zeros((len(self.box), classes), np.int64)
        table[np.repeat(np.arange(len(self.box)), self.lengths), self.item] = self.amount
        return table

    def unfolded(self) -> Pile:
        """The same boxes, each as a pattern of its own."""
        which = np.repeat(np.arange(len(self.box)), self.times)
        entries, start = _gather(self.start, which)
        zone = None if self.zone is None else self.zone[which]
        return Pile(
            self.box[which], np.ones(len(which), np.int64), start, self.item[entries], self.amount[entries], zone
        )


def _gather(start: Ints, which: Ints) -> tuple[Ints, Ints]:
    """Entry numbers of the rows `which`, one after the other, and where each begins."""
    lengths = np.diff(start)[which]
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    entries = np.repeat(start[which] - ends[:-1], lengths) + np.arange(ends[-1])
    return entries.astype(np.int64), ends


def single(box: Ints, table: NDArray[np.integer], times: Ints | None = None) -> Pile:
    """A pile from dense rows [pattern, class]."""
    rows, columns = np.nonzero(table)
    start = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(box)))]).astype(np.int64)
    many = np.ones(len(box), np.int64) if times is None else times.astype(np.int64)
    return Pile(box.astype(np.int64), many, start, columns.astype(np.int64), table[rows, columns].astype(np.int64))


EMPTY = single(np.zeros(0, np.int64), np.zeros((0, 0), np.int64))


def heap(piles: Sequence[Pile]) -> Pile:
    """Several piles as one."""
    full = [p for p in piles if len(p.box)]
    if not full:
        return EMPTY
    offsets = np.cumsum([0, *(len(p.item) for p in full)])
    start = np.concatenate([[0], *(p.start[1:] + o for p, o in zip(full, offsets, strict=False))])
    zone = np.concatenate([p.zone for p in full if p.zone is not None]) if full[0].zone is not None else None
    return Pile(
        np.concatenate([p.box for p in full]),
        np.concatenate([p.times for p in full]),
        start.astype(np.int64),
        np.concatenate([p.item for p in full]),
        np.concatenate([p.amount for p in full]),
        zone,
    )


def fold(pile: Pile) -> Pile:
    """Equal boxes folded into one pattern, in a fixed order; entries of a class within a box are summed."""
    keep = pile.times > 0
    rows = np.repeat(np.arange(len(pile.box)), pile.lengths)
    use = keep[rows] & (pile.amount > 0)
    row, item, amount = _summed(rows[use], pile.item[use], pile.amount[use])
    key = _keys(pile, (row, item, amount))
    filled = np.unique(row)
    _, first, inverse = np.unique(key[filled], return_index=True, return_inverse=True)
    times = np.bincount(inverse, pile.times[filled], minlength=len(first)).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(pile.box)))]).astype(np.int64)
    zone = np.zeros(len(pile.box), np.int64) if pile.zone is None else pile.zone
    chosen = filled[first]
    order = np.lexsort((_leading(start, item, chosen), pile.box[chosen], zone[chosen]))
    chosen = chosen[order]
    entries, begin = _gather(start, chosen)
    kept = None if pile.zone is None else pile.zone[chosen]
    return Pile(pile.box[chosen], times[order], begin, item[entries], amount[entries], kept)


def _summed(row: Ints, item: Ints, amount: Ints) -> tuple[Ints, Ints, Ints]:
    """Entries sorted by row and item, the amounts of equal ones added up."""
    if not len(row):
        return row, item, amount
    order = np.lexsort((item, row))
    row, item, amount = row[order], item[order], amount[order]
    first = np.flatnonzero(np.concatenate([[True], (np.diff(row) != 0) | (np.diff(item) != 0)]))
    return row[first], item[first], np.add.reduceat(amount, first)


def _leading(start: Ints, item: Ints, rows: Ints) -> Ints:
    return item[start[rows]] if len(rows) else np.zeros(0, np.int64)


def _keys(pile: Pile, entries: tuple[Ints, Ints, Ints]) -> NDArray[np.uint64]:
    """[pattern], a 64-bit fingerprint of box, zone and content."""
    row, item, amount = entries
    mixed = _scrambled(item.astype(np.uint64) * np.uint64(0x100000001B3) + amount.astype(np.uint64))
    total = np.zeros(len(pile.box), np.uint64)
    np.add.at(total, row, mixed)
    zone = np.zeros(len(pile.box), np.uint64) if pile.zone is None else pile.zone.astype(np.uint64)
    return total + _scrambled(pile.box.astype(np.uint64) * np.uint64(1_000_003) + zone + np.uint64(7))


def _scrambled(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Splitmix64: neighbouring numbers become unrelated ones."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def remapped(pile: Pile, owner: Ints, count: Ints) -> Pile:
    """A pile over folded classes as one over the classes they were folded from.

    Args:
        owner: [class], the folded class of each class.
        count: [class], items to hand out, first come first served in the order of classes.
    """
    if not len(pile.box):
        return pile
    folded = int(owner.max(initial=-1)) + 1
    if np.array_equal(np.bincount(owner, minlength=folded), np.ones(folded)):
        back = np.empty(folded, np.int64)
        back[owner] = np.arange(len(owner))
        return fold(Pile(pile.box, pile.times, pile.start, back[pile.item], pile.amount, pile.zone))
    members = np.lexsort((np.arange(len(owner)), owner))
    asked = np.concatenate([[0], np.cumsum(np.bincount(owner, count, minlength=folded))]).astype(np.int64)
    ends = np.cumsum(count[members])
    bins = _cut(pile, asked, ends)
    order, begin = _begins(bins, asked)
    amount = bins.amount[order]
    first = np.searchsorted(ends, begin, side="right")
    last = np.searchsorted(ends, begin + amount, side="left")
    pieces = last - first + 1
    entry = np.repeat(np.arange(len(order)), pieces)
    member = np.repeat(first - np.cumsum(pieces) + pieces, pieces) + np.arange(len(entry))
    low = np.maximum(begin[entry], ends[member] - count[members][member])
    high = np.minimum((begin + amount)[entry], ends[member])
    row = np.repeat(np.arange(len(bins.box)), bins.lengths)[order][entry]
    back_order = np.argsort(row, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(bins.box)))]).astype(np.int64)
    split = Pile(bins.box, bins.times, start, members[member][back_order], (high - low)[back_order], bins.zone)
    return fold(split)


def _begins(pile: Pile, asked: Ints) -> tuple[Ints, Ints]:
    """Entries by class, then pattern; the number, among all items by class, of the first item in each."""
    order = np.lexsort((np.repeat(np.arange(len(pile.box)), pile.lengths), pile.item))
    held = (pile.amount * np.repeat(pile.times, pile.lengths))[order]
    item, before = pile.item[order], np.cumsum(held) - held
    first = np.searchsorted(item, item, side="left")
    return order, asked[item] + before - before[first]


def _cut(pile: Pile, asked: Ints, ends: Ints) -> Pile:
    """Patterns cut wherever items of another member begin, so that all boxes of one hold the same members' items."""
    order, begin = _begins(pile, asked)
    row = np.repeat(np.arange(len(pile.box)), pile.lengths)[order]
    amount, times = pile.amount[order], pile.times[row]
    entry = np.searchsorted(begin, ends, side="right") - 1
    inside = (entry >= 0) & (ends < (begin + amount * times)[entry])
    entry, passed = entry[inside], ends[inside] - begin[entry[inside]]
    number = passed // amount[entry]
    breaks = np.concatenate([number, number + 1, np.zeros(len(pile.box), np.int64)])
    rows = np.concatenate([row[entry], row[entry], np.arange(len(pile.box))])
    rows, breaks = np.unique(np.stack([rows, breaks])[:, breaks < pile.times[rows]], axis=1)
    until = np.where(np.append(rows[1:], -1) == rows, np.append(breaks[1:], 0), pile.times[rows])
    entries, start = _gather(pile.start, rows)
    zone = None if pile.zone is None else pile.zone[rows]
    return Pile(pile.box[rows], until - breaks, start, pile.item[entries], pile.amount[entries], zone)


def placed(pile: Pile, classes: int, boxes: int) -> pd.DataFrame:
    """One row an item; see `Packing.placement`."""
    bins = pile.unfolded()
    order = np.argsort(bins.box, kind="stable")
    number = np.empty(len(order), np.int64)
    before = np.concatenate([[0], np.cumsum(np.bincount(bins.box, minlength=boxes))])[bins.box]
    number[order] = np.arange(len(order))
    number -= before
    row = np.repeat(np.repeat(np.arange(len(bins.box)), bins.lengths), bins.amount)
    kind = np.repeat(bins.item, bins.amount)
    by_class = np.argsort(kind, kind="stable")
    item = np.empty(len(kind), np.int64)
    item[by_class] = np.arange(len(kind))
    item -= np.concatenate([[0], np.cumsum(np.bincount(kind, minlength=classes))])[kind]
    frame = {"class": kind, "item": item, "box": bins.box[row], "number": number[row]}
    if bins.zone is not None:
        frame["zone"] = bins.zone[row]
    return pd.DataFrame(frame)
