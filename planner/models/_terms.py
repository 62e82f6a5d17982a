"""Instances on the terms that are asked for: the rows of the books, and those that follow from two of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from planner.catalog import Catalog
from planner.errors import PriceBookError
from planner.optimise.buying import SUSTAINED
from planner.quantities import HOURS_PER_YEAR, MONTHS_PER_YEAR

__all__ = ["FEE", "SHARED", "hourly", "sold"]

FEE: Final = "_fee"
"""A term paid in part at once has its part paid at once under its own name."""
SHARED: Final = ("_family_plan", "_savings_plan")
"""Terms that promise a spend and not an instance, told by the end of their names."""
COMPUTED: Final = "VERIFIED (computed)"
MEMORY: Final = "FROM MEMORY"


def sold(market: Catalog, terms: Sequence[str], month_hours: float) -> pd.DataFrame:
    """Price rows of instances on `terms`; where the books hold none for a sku, the row that follows from others.

    A row follows from the price on demand and the share of it that a term saves (kind committed_discount, by family),
    from the price without upfront payment and the ratio of a payment option (facts), or, for sustained use, from the
    price on demand and the factors of the parts of a month. Its source names both, its status the weaker of the two.
    Sustained use comes with on demand wherever the provider gives it.
    """
    rows = market.of("vm")
    wanted = [*terms, *([SUSTAINED] if "on_demand" in terms else [])]
    found = [rows[rows["term"].isin(wanted)]]
    found += [_follows(market, rows, term) for term in terms if term not in {"on_demand", SUSTAINED}]
    if SUSTAINED in wanted and SUSTAINED not in set(rows["term"]):
        found.append(_sustained(market, rows, month_hours))
    return pd.concat([part for part in found if len(part)]) if any(map(len, found)) else found[0]


def hourly(rows: pd.DataFrame, month_hours: float) -> pd.Series:
    """What each row costs in an hour of a month, were it paid hour by hour."""
    spread = rows["lifetime_months"].astype(float) * month_hours
    return rows["usd_per_unit"].astype(float) / spread.where(rows["unit"] == "each", 1.0)


def _follows(market: Catalog, rows: pd.DataFrame, term: str) -> pd.DataFrame:
    """Rows on `term`, with its part paid at once, for the skus that have none; by discount, else by payment ratio."""
    there = rows[rows["term"] == term]
    base = rows[(rows["term"] == "on_demand") & ~rows["sku"].isin(there["sku"])]
    direct = _discounted(market, base, term)
    rest = base[~base["sku"].isin(direct["sku"])] if len(direct) else base
    return pd.concat([direct, *_paid_ahead(market, rest, rows, term)])


def _discounted(market: Catalog, base: pd.DataFrame, term: str) -> pd.DataFrame:
    """On demand less the share that `term` saves for its family, or for any."""
    saved = market.of("committed_discount", term)
    if saved.empty or base.empty:
        return base.iloc[:0]
    own = saved.drop_duplicates("family").set_index("family")
    family = base["family"].where(base["family"].isin(own.index), "")
    base, family = base[family.isin(own.index)], family[family.isin(own.index)]
    share = own.reindex(family).set_index(base.index)
    out = base.assign(term=term, usd_per_unit=base["usd_per_unit"] * (1.0 - share["usd_per_unit"]))
    out["low"], out["high"] = (base["usd_per_unit"] * (1.0 - share[end]) for end in ("high", "low"))
    out["as_of"] = share["as_of"]
    out = _told(out, base["status"].eq(MEMORY) | share["status"].eq(MEMORY), " x (1 - share saved), " + share["source"])
    return _at_once(out, 1.0) if term.endswith("all_upfront") else out


def _paid_ahead(market: Catalog, base: pd.DataFrame, rows: pd.DataFrame, term: str) -> list[pd.DataFrame]:
    """From the price without upfront payment: all of a term at once, or a part of it and the rest by the hour."""
    years, _, option = term.partition("_")
    if option not in {"partial_upfront", "all_upfront"} or base.empty:
        return []
    plain = f"{years}_no_upfront"
    before = pd.concat([rows[(rows["term"] == plain) & rows["sku"].isin(base["sku"])], _follows(market, rows, plain)])
    before = before[before["sku"].isin(base["sku"])]
    ratio = _fact(market, before, f"{years}_{option}_vs_no_upfront_price_ratio")
    if ratio is None:
        return []
    usd = before["usd_per_unit"] * float(ratio["value"])
    out = before.assign(term=term, usd_per_unit=usd, low=np.nan, high=np.nan, as_of=str(ratio["as_of"]))
    memory = before["status"].eq(MEMORY) | (ratio["status"] == MEMORY)
    out = _told(out, memory, f" x payment ratio, {ratio['source']}")
    if option == "all_upfront":
        return [_at_once(out, 1.0)]
    part = _fact(market, before, "partial_upfront_share_paid_at_once")
    if part is None:
        return []
    share = float(part["value"])
    out = _told(out, memory | (part["status"] == MEMORY), "", "")
    return [out.assign(usd_per_unit=usd * (1.0 - share)), _at_once(out.assign(term=term + FEE), share)]


def _at_once(rows: pd.DataFrame, share: float) -> pd.DataFrame:
    """Hourly prices as one payment of a `share` of what all hours of the term cost."""
    years = rows["term"].str.extract(r"^(\d+)y", expand=False).astype(float)
    scale = share * years * HOURS_PER_YEAR
    prices = {column: rows[column] * scale for column in ("usd_per_unit", "low", "high")}
    return rows.assign(**prices, unit="each", lifetime_months=years * MONTHS_PER_YEAR)


def _sustained(market: Catalog, rows: pd.DataFrame, month_hours: float) -> pd.DataFrame:
    """The parts of a month as tiers, for the families whose price falls with the hours run."""
    facts = market.facts[market.facts["metric"].astype(str).str.startswith("sustained_use_price_factor")]
    base = rows[rows["term"] == "on_demand"]
    found = []
    for key, parts in facts.groupby("key", sort=False):
        provider, _, families = str(key).partition(" ")
        mine = base[(base["provider"] == provider) & base["family"].isin(families.split(","))]
        width = month_hours / len(parts)
        for n, (_, fact) in enumerate(parts.sort_values("metric").iterrows()):
            end = (n + 1) * width if n + 1 < len(parts) else np.nan
            tier = mine.assign(term=SUSTAINED, usd_per_unit=mine["usd_per_unit"] * float(fact["value"]))
            tier = tier.assign(tier_from=n * width, tier_to=end, as_of=str(fact["as_of"]))
            memory = mine["status"].eq(MEMORY) | (fact["status"] == MEMORY)
            found.append(_told(tier, memory, f" x factor of the part of the month, {fact['source']}"))
    return pd.concat(found) if found else base.iloc[:0]


def _fact(market: Catalog, rows: pd.DataFrame, metric: str) -> pd.Series | None:
    """A figure of the provider that the rows are of; none where there is none."""
    if rows.empty:
        return None
    try:
        return market.fact("commitments", f"{rows['provider'].iloc[0]} any", metric)
    except PriceBookError:
        return None


def _told(rows: pd.DataFrame, memory: pd.Series, why: pd.Series | str, start: str = "computed: ") -> pd.DataFrame:
    return rows.assign(source=start + rows["source"] + why, status=np.where(memory, MEMORY, COMPUTED))
