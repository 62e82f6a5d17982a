"""Instance types for rent as columns: what they hold, and what an hour costs on each term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.errors import PriceBookError, near_miss
from planner.optimise.buying import PAID_AS_USED, Terms, split
from planner.plan import Line, line

__all__ = ["HELD", "Types", "bought", "limiting", "types"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HELD = ("CPU cores", "GiB of memory", "GPUs")
"""What an instance must hold, in the order of the resources; disks are rented apart."""


@dataclass(frozen=True)
class Types:
    """K instance types; `offers` keeps the price row of each sku and term."""

    sku: NDArray[np.str_]
    arch: NDArray[np.str_]
    category: NDArray[np.str_]
    capacity: Floats
    """[type, held resource]."""
    max_pods: Floats
    """NaN where the book does not say."""
    usd: dict[str, Floats]
    """term -> [type], per hour; inf where not sold on that term."""
    offers: pd.DataFrame
    """Price rows indexed by sku and term."""

    @property
    def used(self) -> Floats:
        """[type], the lowest price paid for the hours that run."""
        return self._least([t for t in self.usd if t in PAID_AS_USED])

    @property
    def committed(self) -> Floats:
        """[type], the lowest price paid for every hour."""
        return self._least([t for t in self.usd if t not in PAID_AS_USED])

    def _least(self, terms: Sequence[str]) -> Floats:
        return np.min([self.usd[t] for t in terms], axis=0) if terms else np.full(len(self.sku), np.inf)

    def offer(self, sku: str, term: str) -> pd.Series:
        """The price row of one sku on one term."""
        return self.offers.loc[[(sku, term)]].iloc[0]

    def only(self, keep: Bools | Ints) -> Types:
        """These types, by mask or position."""
        return Types(
            self.sku[keep],
            self.arch[keep],
            self.category[keep],
            self.capacity[keep],
            self.max_pods[keep],
            {t: usd[keep] for t, usd in self.usd.items()},
            self.offers,
        )


def types(market: Catalog, terms: Sequence[str], families: Sequence[str], categories: Sequence[str]) -> Types:
    """The instance types sold on at least one of `terms`, in the order of their names.

    Args:
        market: what is sold where the plan is for.
        terms: allowed terms.
        families: allowed families; none: all.
        categories: allowed categories; none: all.

    Raises:
        PriceBookError: no instance is sold on these terms, or none of these families.
    """
    rows = market.of("vm")
    rows = rows[rows["term"].isin(list(terms))]
    if rows.empty:
        raise PriceBookError(
            f"no vm price on any of the terms {', '.join(terms)}; {_near(terms, market.of('vm'), 'term')}"
        )
    for column, allowed in (("family", families), ("category", categories)):
        kept = rows[rows[column].isin(list(allowed))] if allowed else rows
        if kept.empty:
            raise PriceBookError(f"no vm of {column} {', '.join(allowed)}; {_near(allowed, rows, column)}")
        rows = kept
    shapes = rows.drop_duplicates("sku").sort_values("sku", kind="stable")
    usd = rows.pivot_table(index="sku", columns="term", values="usd_per_unit", aggfunc="first").reindex(shapes["sku"])
    return Types(
        shapes["sku"].to_numpy(str),
        shapes["arch"].to_numpy(str),
        shapes["category"].to_numpy(str),
        shapes[["cpu_cores", "memory_gib", "gpus"]].fillna(0.0).to_numpy(float),
        shapes["max_pods"].to_numpy(float),
        {t: usd[t].fillna(np.inf).to_numpy(float) for t in terms if t in usd.columns},
        rows.drop_duplicates(["sku", "term"]).set_index(["sku", "term"], drop=False).sort_index(),
    )


def _near(wanted: Sequence[str], rows: pd.DataFrame, column: str) -> str:
    return near_miss(wanted[0] if wanted else "", rows[column].astype(str))


def bought(kinds: Types, counts: Ints, hours: Floats) -> tuple[list[Line], pd.DataFrame]:
    """Instance-hour lines and the boxes (sku, provider, region, term, count) for `counts` [period, type]."""
    lines: list[Line] = []
    boxes: list[dict[str, object]] = []
    for k in np.flatnonzero(counts.max(axis=0, initial=0)):
        terms: Terms = split(counts[:, k], hours, {t: float(usd[k]) for t, usd in kinds.usd.items()})
        for term, paid in terms.hours.items():
            entry = line(kinds.offer(str(kinds.sku[k]), term), paid, "compute")
            lines.append(entry)
            place = {"sku": entry.sku, "provider": entry.provider, "region": entry.region, "term": entry.term}
            boxes.append({**place, "count": terms.count[term]})
    return lines, pd.DataFrame(boxes, columns=["sku", "provider", "region", "term", "count"])


def limiting(need: Floats, room: Floats) -> str:
    """Which resource of `need` [resource] no single type of `room` [type, resource] can hold, in words."""
    if np.isnan(need).any():
        return "size unknown: the trace holds neither readings nor an allocation"
    if not len(room):
        return "no type of its architecture is allowed"
    most = room.max(axis=0)
    for name, wanted, largest in zip(HELD, need, most, strict=False):
        if wanted > largest:
            return f"needs {wanted:.4g} {name}, the largest type offers {largest:.4g}"
    parts = ", ".join(f"{wanted:.4g} {name}" for name, wanted in zip(HELD, need, strict=False) if wanted > 0)
    return f"no single type holds {parts} together"
