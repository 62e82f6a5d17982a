"""Disks that must be fast: the cheapest sort of volume for size, operations and throughput of each machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.models._rented import disks, offered
from planner.plan import Line, metered

__all__ = ["Need", "volumes"]

Floats = NDArray[np.float64]

METERS = (("block_storage", ""), ("block_iops", "-iops"), ("block_throughput", "-throughput"))
"""Kinds of offers that a volume is paid by, and how their names follow from the volume's."""


@dataclass(frozen=True)
class Need:
    """What the disk of one machine of each class must do."""

    gib: Floats
    """[class]."""
    iops: Floats
    """[class], NaN where unknown."""
    mb_per_s: Floats
    """[class], NaN where unknown."""

    def only(self, keep: NDArray[np.bool_]) -> Need:
        """These classes."""
        return Need(self.gib[keep], self.iops[keep], self.mb_per_s[keep])


@dataclass(frozen=True)
class _Sort:
    """A sort of volume: what comes with it, how far it goes, and what more costs (inf: not sold)."""

    sku: str
    usd: tuple[float, float, float]
    """Of a GB, an operation a second, and a MB/s, a month."""
    included_iops: float
    included_iops_per_gib: float
    included_throughput: float
    included_throughput_per_gib: float
    throughput_per_iops: float
    max_iops_per_gib: float


def volumes(market: Catalog, need: Need, count: NDArray[np.number], words: Sequence[str]) -> list[Line]:
    """Disks for `count` [class] machines; where operations are known, of the cheapest sort that keeps up.

    Sorts are the usual one, that holds most of `words`, and those whose limits the facts of the topic storage tell.
    A volume that is not fast enough is made larger where speed comes with size, and its speed is paid for where that
    is sold. Several are joined where one does not go so far; what comes along is counted once, however many there are.

    Raises:
        PriceBookError: the catalog sells no disks.
    """
    known = np.isfinite(need.iops) & (need.iops > 0)
    sorts = _sorts(market, words) if known.any() and len(market.of("block_storage")) else []
    if not sorts:
        return disks(market, need.gib, count, words)
    fast = need.only(known)
    bought = np.array([_asked(sort, fast) for sort in sorts])
    usd = np.array([_usd(sort, asked) for sort, asked in zip(sorts, bought, strict=True)])
    best = np.argmin(usd, axis=0)
    lines = disks(market, need.gib[~known], count[~known], words)
    for s, sort in enumerate(sorts):
        mine = best == s
        total = bought[s][:, mine] @ count[known][mine]
        for (kind, ending), quantity in zip(METERS, total.tolist(), strict=True):
            if quantity > 0:
                lines += metered(market.tiers(kind, sort.sku + ending), quantity, "storage")
    return _joined(lines)


def _joined(lines: Sequence[Line]) -> list[Line]:
    """Lines of one price row as one."""
    found: dict[tuple[str, float], Line] = {}
    for entry in lines:
        before = found.get((entry.sku, entry.tier_from))
        more = before.quantity if before else 0.0
        found[entry.sku, entry.tier_from] = Line(**{**entry.__dict__, "quantity": entry.quantity + more})
    return list(found.values())


def _sorts(market: Catalog, words: Sequence[str]) -> list[_Sort]:
    facts = market.facts[market.facts["topic"] == "storage"]
    usual = str(offered(market, "block_storage", words)["sku"].iloc[0])
    told = facts.pivot_table(index="key", columns="metric", values="value", aggfunc="first")
    if "max_iops" not in told or usual not in told.index:
        return []
    limited = told.index[told["max_iops"].notna()]
    names = [n for n in market.of("block_storage")["sku"].astype(str).unique() if n == usual or n in limited]
    return [_sort(market, name, told.loc[name]) for name in names if name in told.index]


def _sort(market: Catalog, sku: str, told: pd.Series) -> _Sort:
    prices = [market.of(kind) for kind, _ in METERS]
    usd = [
        rows.loc[rows["sku"] == sku + ending, "usd_per_unit"].min()
        for rows, (_, ending) in zip(prices, METERS, strict=True)
    ]

    def fact(metric: str, otherwise: float) -> float:
        value = told.get(metric, np.nan)
        return otherwise if pd.isna(value) else float(value)

    gb, operation, throughput = (float("inf") if pd.isna(price) else float(price) for price in usd)
    return _Sort(
        sku,
        (gb, operation, throughput),
        fact("included_iops", 0.0),
        fact("included_iops_per_gib", 0.0),
        fact("included_throughput", 0.0),
        fact("included_throughput_per_gib", 0.0),
        fact("throughput_per_iops", np.inf),
        fact("max_iops_per_gib", np.inf),
    )


def _asked(sort: _Sort, need: Need) -> Floats:
    """[meter, class], what one machine buys: GiB, and operations and MB/s beyond what comes along."""
    rate = np.nan_to_num(need.mb_per_s)
    often = np.maximum(need.iops, rate / sort.throughput_per_iops)
    iops = _Speed(often, sort.usd[1], sort.included_iops, sort.included_iops_per_gib)
    throughput = _Speed(rate, sort.usd[2], sort.included_throughput, sort.included_throughput_per_gib)
    size = np.maximum(need.gib, often / sort.max_iops_per_gib)
    size = np.maximum(size, np.maximum(iops.gib, throughput.gib))
    return np.array([size, iops.beyond(size), throughput.beyond(size)])


@dataclass(frozen=True)
class _Speed:
    """Operations or MB/s: what is asked, what more costs (inf: not sold), and what comes along, flat and by size."""

    asked: Floats
    usd: float
    flat: float
    per_gib: float

    @property
    def gib(self) -> Floats:
        """[class], the size that brings along what is asked, where speed comes with size and is not sold."""
        if np.isfinite(self.usd) or self.per_gib <= 0:
            return np.zeros(len(self.asked))
        return np.maximum(self.asked - self.flat, 0.0) / self.per_gib

    def beyond(self, size: Floats) -> Floats:
        """[class], what is bought on top; nothing where it is not sold and so comes along."""
        if not np.isfinite(self.usd):
            return np.zeros(len(self.asked))
        return np.maximum(self.asked - self.flat - self.per_gib * size, 0.0)


def _usd(sort: _Sort, asked: Floats) -> Floats:
    """[class], what one machine's disk costs in a month."""
    with np.errstate(invalid="ignore"):
        parts = [np.where(amount > 0, amount * usd, 0.0) for amount, usd in zip(asked, sort.usd, strict=True)]
    return np.asarray(np.sum(parts, axis=0))
