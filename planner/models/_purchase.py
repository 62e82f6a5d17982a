"""What a fleet of instances is bought on: term by term for each sku, or promises that several share, if cheaper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.models._terms import FEE
from planner.models._types import Types
from planner.optimise.buying import (
    PAID_AS_USED,
    SUSTAINED,
    Bill,
    Commitment,
    Order,
    Terms,
    Usage,
    mix,
    reserved,
    savings_rate,
    split,
)
from planner.plan import Line, line

__all__ = ["Purchase", "purchase"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOTHING = 1e-9
"""Unit: hours. Source: below it a quantity is rounding."""
ALIKE = 1e-3
"""Unit: fraction. Source: prices of sizes of one family differ by the rounding of their last digit."""
BOX = ["sku", "provider", "region", "term", "count"]


@dataclass(frozen=True)
class Purchase:
    """Lines of a month, boxes, and how well the promises are used."""

    lines: list[Line]
    boxes: pd.DataFrame
    """Columns sku, provider, region, term, count."""
    coverage: float
    """Share of the usage, at its price on demand, that promises cover."""
    utilisation: float
    """Share of what is promised that is used; 1 where nothing is promised."""
    savings_rate: float
    """Saved against all on demand, as a share of it."""

    @property
    def usd(self) -> float:
        """A month."""
        return sum(entry.usd_per_month for entry in self.lines)

    @property
    def details(self) -> dict[str, float]:
        """Named figures for a plan."""
        return {
            "commitment_coverage": self.coverage,
            "commitment_utilisation": self.utilisation,
            "effective_savings_rate": self.savings_rate,
        }


def purchase(kinds: Types, counts: Ints, hours: Floats, flexible: bool) -> Purchase:
    """The cheapest way found to have `counts` [period, type] instances over `hours` [period].

    Bought apart, each type's mix of terms is the best there is. Where counts change, promises that types share may be
    cheaper: they are chosen by a linear program and charged as a provider's bill charges them. Sustained use is not
    mixed with them. The cheaper of both is taken.
    """
    used = np.flatnonzero(counts.max(axis=0, initial=0))
    fleet = _Fleet(kinds.only(used), counts[:, used], np.asarray(hours, float))
    changes = bool((counts != counts[:1]).any())
    apart = _apart(fleet, () if changes else kinds.shared)
    if not changes or not (kinds.shared or (flexible and np.isfinite(fleet.kinds.factor).any())):
        return apart
    together = _together(fleet, flexible)
    return together if together is not None and together.usd < apart.usd * (1 - ALIKE * ALIKE) else apart


@dataclass(frozen=True)
class _Fleet:
    kinds: Types
    counts: Ints
    hours: Floats

    @property
    def month(self) -> float:
        return float(self.hours.sum())

    @property
    def price(self) -> Floats:
        """[type], on demand, or the lowest other price where that is not sold."""
        price = self.kinds.usd.get("on_demand", np.full(len(self.kinds.sku), np.inf))
        return np.where(np.isfinite(price), price, np.minimum(self.kinds.used, self.kinds.committed))

    @property
    def on_demand_usd(self) -> float:
        """All of it at `price`."""
        return float(self.hours @ (self.counts @ self.price)) if len(self.kinds.sku) else 0.0


def _lines(fleet: _Fleet, k: int, term: str, hours: float) -> Iterator[Line]:
    """The lines of `hours` instance-hours of a type on a term, its part paid at once included."""
    sku = str(fleet.kinds.sku[k])
    for name in (term, term + FEE):
        if (sku, name) in fleet.kinds.at:
            offer = fleet.kinds.offer(sku, name)
            yield line(offer, hours / fleet.month if offer["unit"] == "each" else hours, "compute")


def _apart(fleet: _Fleet, shared: tuple[str, ...]) -> Purchase:
    """Each type by itself; `shared` promises are among its terms where they are always used in full."""
    kinds = fleet.kinds
    offered = [t for t in kinds.usd if t in shared or t not in kinds.shared]
    prices = [{t: float(kinds.usd[t][k]) for t in offered} for k in range(len(kinds.sku))]
    mixes = [split(fleet.counts[:, k], fleet.hours, usd, kinds.factors(k)) for k, usd in enumerate(prices)]
    lines = [entry for k, terms in enumerate(mixes) for entry in _paid(fleet, k, terms)]
    boxes = [_box(fleet, k, term, many) for k, terms in enumerate(mixes) for term, many in terms.count.items()]
    covered, used, promised = np.sum([_promised(fleet, k, terms) for k, terms in enumerate(mixes)] or [(0.0,) * 3], 0)
    total = fleet.on_demand_usd
    return Purchase(
        lines,
        pd.DataFrame(boxes, columns=BOX),
        float(covered) / total if total > 0 else 0.0,
        float(used / promised) if promised > 0 else 1.0,
        savings_rate(total, sum(entry.usd_per_month for entry in lines)),
    )


def _paid(fleet: _Fleet, k: int, terms: Terms) -> Iterator[Line]:
    """The lines of one type's mix."""
    for term, paid in terms.hours.items():
        if term != SUSTAINED:
            yield from _lines(fleet, k, term, paid)
            continue
        tiers = fleet.kinds.tiers(str(fleet.kinds.sku[k]), term)
        for n, part in enumerate(terms.tier_hours):
            if part > NOTHING:
                yield line(tiers.iloc[n], part, "compute")


def _promised(fleet: _Fleet, k: int, terms: Terms) -> tuple[float, float, float]:
    """What promises cover at its price on demand, what of them is used, and what they cost, of one type."""
    held = {t: h for t, h in terms.hours.items() if t not in PAID_AS_USED}
    promised = sum(h * float(fleet.kinds.usd[t][k]) for t, h in held.items())
    ran = float(fleet.hours @ fleet.counts[:, k]) - sum(h for t, h in terms.hours.items() if t in PAID_AS_USED)
    share = ran / sum(held.values()) if held else 0.0
    return ran * float(fleet.price[k]), promised * share, promised


def _box(fleet: _Fleet, k: int, term: str, count: int) -> dict[str, object]:
    offer = fleet.kinds.offer(str(fleet.kinds.sku[k]), term)
    return {**{column: str(offer[column]) for column in BOX[:4]}, "count": count}


@dataclass(frozen=True)
class _Deal:
    """An offer to the mix: a promise, the term it is on, and the type it is of (of a shared one: none)."""

    promise: Commitment
    term: str
    kind: int = -1


def _together(fleet: _Fleet, flexible: bool) -> Purchase | None:
    """Promises shared by types; none where a type is sold on no term paid as used."""
    kinds = fleet.kinds
    paid = {t: usd for t, usd in kinds.usd.items() if t in PAID_AS_USED and t != SUSTAINED}
    price = np.min(list(paid.values()), axis=0) if paid else np.full(len(kinds.sku), np.inf)
    if not np.isfinite(price).all():
        return None
    deals = [*_reservations(kinds, flexible), *_plans(kinds)]
    usage = Usage(fleet.counts.astype(float), price, fleet.hours)
    found = mix(usage, [deal.promise for deal in deals], [deal.kind >= 0 for deal in deals])
    if not found.pieces.any():
        return None
    bill, lines = found.bill, []
    for c, deal in enumerate(deals):
        if deal.kind >= 0:
            lines += list(_lines(fleet, deal.kind, deal.term, found.pieces[c] * fleet.month)) * bool(found.pieces[c])
        else:
            lines += _spent(fleet, bill, c, deal.term)
    left = bill.usage.weight @ bill.left
    cheapest = {k: min(paid, key=lambda t: paid[t][k]) for k in range(len(price))}
    for k in np.flatnonzero(left > NOTHING).tolist():
        lines += _lines(fleet, k, cheapest[k], float(left[k]))
    names = [deal.term for deal in deals]
    total = fleet.on_demand_usd
    return Purchase(
        lines,
        _boxes(fleet, bill, names, cheapest),
        bill.coverage,
        float(bill.used_usd.sum() / bill.committed_usd.sum()),
        savings_rate(total, sum(entry.usd_per_month for entry in lines)),
    )


def _boxes(fleet: _Fleet, bill: Bill, names: list[str], paid: dict[int, str]) -> pd.DataFrame:
    """Each type with the most that run at once, under the term that most of its hours are had on."""
    left = bill.usage.weight @ bill.left
    rows = []
    for k in range(len(fleet.kinds.sku)):
        most = int(np.argmax(bill.covered[:, k])) if len(names) else 0
        term = names[most] if len(names) and bill.covered[most, k] > left[k] else paid[k]
        offered = (str(fleet.kinds.sku[k]), term) in fleet.kinds.at
        box = _box(fleet, k, term if offered else paid[k], int(fleet.counts[:, k].max()))
        rows.append({**box, "term": term})
    return pd.DataFrame(rows, columns=BOX)


def _spent(fleet: _Fleet, bill: Bill, c: int, term: str) -> list[Line]:
    """A promised spend as hours of the types it covers; what it does not use, as hours of the one it covers most."""
    if bill.committed_usd[c] <= NOTHING:
        return []
    promise, hours = bill.commitments[c], bill.covered[c].copy()
    rate = promise.need * promise.usd
    most = int(np.argmax(hours * np.nan_to_num(rate)))
    most = most if np.isfinite(rate[most]) else int(np.nanargmin(rate))
    hours[most] += max(float(bill.unused_usd[c]), 0.0) / rate[most]
    return [
        entry for k in np.flatnonzero(hours > NOTHING).tolist() for entry in _lines(fleet, k, term, float(hours[k]))
    ]


def _reservations(kinds: Types, flexible: bool) -> Iterator[_Deal]:
    """One promise a type; with `flexible`, one a family, of its smallest size that is as cheap a unit as any."""
    apart = [t for t in kinds.usd if t not in PAID_AS_USED and t not in kinds.shared]
    if not apart:
        return
    prices = np.array([kinds.usd[t] for t in apart])
    best, usd = prices.argmin(axis=0), prices.min(axis=0)
    pooled = np.isfinite(kinds.factor) & np.isfinite(usd) & flexible
    for k in np.flatnonzero(np.isfinite(usd) & ~pooled).tolist():
        need = np.where(np.arange(len(usd)) == k, 1.0, np.nan)
        yield _Deal(Commitment(str(kinds.sku[k]), Order.ZONAL_RESERVATION, 1.0, float(usd[k]), need), apart[best[k]], k)
    for family in dict.fromkeys(kinds.family[pooled].tolist()):
        mine = pooled & (kinds.family == family)
        unit = np.where(mine, usd / np.where(pooled, kinds.factor, 1.0), np.inf)
        good = np.flatnonzero(unit <= unit.min() * (1 + ALIKE))
        k = int(good[np.argmin(kinds.factor[good])])
        promise = reserved(str(kinds.sku[k]), (kinds.factor, mine), 1.0, float(kinds.factor[k]), float(usd[k]))
        yield _Deal(promise, apart[best[k]], k)


def _plans(kinds: Types) -> Iterator[_Deal]:
    """Promised spends: one for each family, and one for all."""
    for term in kinds.shared:
        rate = np.where(np.isfinite(kinds.usd[term]), kinds.usd[term], np.nan)
        plan = Commitment(term, Order.COMPUTE_PLAN, 1.0, 1.0, rate)
        if not term.endswith("_family_plan"):
            yield _Deal(plan, term)
            continue
        for family in dict.fromkeys(kinds.family.tolist()):
            need = np.where(kinds.family == family, rate, np.nan)
            yield _Deal(replace(plan, name=family, order=Order.FAMILY_PLAN, need=need), term)
