"""Instance types for rent: which are sold on which terms, what they cost in a month, and what none of them holds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.errors import PriceBookError, near_miss
from planner.models._purchase import purchase
from planner.models._terms import FEE, hourly, sold
from planner.models._types import Types
from planner.optimise.buying import SUSTAINED
from planner.plan import Line
from planner.quantities import HOURS_PER_MONTH

__all__ = ["HELD", "Types", "bought", "limiting", "types"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HELD = ("CPU cores", "GiB of memory", "GPUs")
"""What an instance must hold, in the order of the resources; disks are rented apart."""


@lru_cache(maxsize=32)
def types(
    market: Catalog,
    terms: tuple[str, ...],
    families: tuple[str, ...],
    categories: tuple[str, ...],
    month_hours: float = HOURS_PER_MONTH,
) -> Types:
    """The instance types sold on at least one of `terms`, in the order of their names; worked out once for a market.

    Args:
        market: what is sold where the plan is for.
        terms: allowed terms; with on demand comes sustained use where the provider gives it.
        families: allowed families; none: all.
        categories: allowed categories; none: all.
        month_hours: length of the month, over which what is paid at once is spread.

    Raises:
        PriceBookError: no instance is sold on these terms, or none of these families.
    """
    rows = sold(market, terms, month_hours)
    if rows.empty:
        raise PriceBookError(
            f"no vm price on any of the terms {', '.join(terms)}; {_near(terms, market.of('vm'), 'term')}"
        )
    for column, allowed in (("family", families), ("category", categories)):
        kept = rows[rows[column].isin(list(allowed))] if allowed else rows
        if kept.empty:
            raise PriceBookError(f"no vm of {column} {', '.join(allowed)}; {_near(allowed, rows, column)}")
        rows = kept
    rows = rows.drop_duplicates(["sku", "term", "tier_from"]).sort_values("tier_from", kind="stable")
    shapes = rows.drop_duplicates("sku").sort_values("sku", kind="stable")
    return Types(
        shapes["sku"].to_numpy(str),
        shapes["family"].to_numpy(str),
        shapes["arch"].to_numpy(str),
        shapes["category"].to_numpy(str),
        shapes[["cpu_cores", "memory_gib", "gpus"]].fillna(0.0).to_numpy(float),
        shapes["max_pods"].to_numpy(float),
        _factors(market, shapes["sku"]),
        _prices(rows.assign(usd=hourly(rows, month_hours)), shapes["sku"], terms),
        rows,
        _positions(rows),
    )


def _prices(rows: pd.DataFrame, skus: pd.Series, terms: Sequence[str]) -> dict[str, Floats]:
    """term -> [sku], per hour: tiers by their mean, what is paid at once added to its hours."""
    usd = rows.pivot_table(index="sku", columns="term", values="usd", aggfunc="mean").reindex(skus)
    for term in [t for t in usd.columns if t + FEE in usd.columns]:
        usd[term] += usd[term + FEE]
    order = [t for t in (*terms, SUSTAINED) if t in usd.columns]
    return {t: usd[t].fillna(np.inf).to_numpy(float) for t in dict.fromkeys(order)}


def _positions(rows: pd.DataFrame) -> dict[tuple[str, str], list[int]]:
    """(sku, term) -> its rows."""
    at: dict[tuple[str, str], list[int]] = {}
    for position, key in enumerate(zip(rows["sku"].astype(str), rows["term"].astype(str), strict=True)):
        at.setdefault(key, []).append(position)
    return at


def _factors(market: Catalog, skus: pd.Series) -> Floats:
    """[sku], normalised units by its name, else by the size in it (after the last dot); NaN where no fact tells."""
    facts = market.facts[market.facts["metric"] == "normalisation_factor"]
    known = dict(zip(facts["key"].astype(str), facts["value"].astype(float), strict=True))
    provider = str(market.of("vm")["provider"].iloc[0])
    sizes = [(f"{provider} size {sku}", f"{provider} size {str(sku).rpartition('.')[2]}") for sku in skus]
    return np.array([known.get(own, known.get(size, np.nan)) for own, size in sizes], float)


def _near(wanted: Sequence[str], rows: pd.DataFrame, column: str) -> str:
    return near_miss(wanted[0] if wanted else "", rows[column].astype(str))


def bought(kinds: Types, counts: Ints, hours: Floats, flexible: bool = False) -> tuple[list[Line], pd.DataFrame]:
    """Lines and boxes (sku, provider, region, term, count) for `counts` [period, type] on the best mix of terms.

    With `flexible`, a reservation covers other sizes of its family too.
    """
    paid = purchase(kinds, counts, hours, flexible)
    return paid.lines, paid.boxes


def limiting(need: Floats, room: Floats) -> str:
    """Which resources of `need` [resource] no single type of `room` [type, resource] can hold, in words."""
    if np.isnan(need).any():
        return "size unknown: the trace holds neither readings nor an allocation"
    if not len(room):
        return "no type of its architecture is allowed"
    most = room.max(axis=0)
    over = [
        f"needs {wanted:.4g} {name}, the largest type offers {largest:.4g}"
        for name, wanted, largest in zip(HELD, need, most, strict=False)
        if wanted > largest
    ]
    if over:
        return "; ".join(over)
    parts = ", ".join(f"{wanted:.4g} {name}" for name, wanted in zip(HELD, need, strict=False) if wanted > 0)
    return f"no single type holds {parts} together"
