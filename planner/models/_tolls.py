"""The bill of functions: requests, GB-seconds with tiers and free amounts, capacity kept warm, scratch disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.models._rented import offered
from planner.plan import Line, line, metered

__all__ = ["Use", "break_even", "per_call_usd", "tolls"]

Floats = NDArray[np.float64]

WORDS = {"x86_64": ("x86", "amd64"), "arm64": ("arm",)}
"""How price books name architectures."""
HELD = ("function_provisioned", "function_provisioned_duration", "function_snapshot_cache")
"""What is paid for a function that waits, not for its calls."""
MILLION = 1e6


@dataclass(frozen=True)
class Use:
    """What each class takes of the meters in a month, [class]."""

    requests: Floats
    gb_seconds: Floats
    least_gb_seconds: Floats
    ghz_seconds: Floats
    """Clock that comes with the memory, where it is billed."""
    also: dict[str, Floats]
    """Kind of offer -> [class], what is taken of the meters that have neither tiers nor free amounts of their own."""
    poller_hours: float
    """Event pollers before the functions."""
    arch: NDArray[np.str_]
    """Processor that the class runs on."""
    free: bool
    """Whether free monthly amounts apply."""

    def only(self, rows: NDArray[np.bool_]) -> Use:
        """Some of the classes; pollers belong to none of them."""
        by_class = ("requests", "gb_seconds", "least_gb_seconds", "ghz_seconds", "arch")
        also = {kind: amount[rows] for kind, amount in self.also.items()}
        return replace(self, also=also, **{name: getattr(self, name)[rows] for name in by_class})

    def weight(self, lines: Sequence[Line]) -> Floats:
        """[class], its part of what the meters cost; less than 1 together where kept capacity stands idle."""
        by_kind = {
            "function_requests": self.requests,
            "function_duration": self.gb_seconds,
            "function_memory": self.gb_seconds,
            "function_cpu": self.ghz_seconds,
            "function_poller": self.requests,
            **self.also,
        }
        kept = by_kind.pop("function_provisioned", np.zeros(0))
        out = np.zeros(len(self.requests))
        total = sum(e.usd_per_month for e in lines if e.category == "compute")
        for kind, amount in by_kind.items():
            usd = sum(e.usd_per_month for e in lines if e.offer_kind == kind)
            out += usd * amount / max(float(amount.sum()), 1e-300)
        if kept.sum() > 0:
            warm = np.minimum(self.also["function_provisioned_duration"], kept) / float(kept.sum())
            out += sum(e.usd_per_month for e in lines if e.offer_kind == "function_provisioned") * warm
        return out / total if total > 0 else out


def tolls(market: Catalog, use: Use, sku: str = "") -> list[Line]:
    """All lines of a month's calls; `sku` is the duration meter (empty: the first of each architecture).

    The other meters are those of the same plan: price books begin their names alike. Tiers run over all calls of one
    meter; a free amount that several architectures share is theirs in proportion to what they take.

    Raises:
        PriceBookError: a meter that is needed has no price.
    """
    plans = _plans(market, use, sku)
    first = plans[0][0]
    lines = _free(
        market, (use.free, first), offered(market, "function_requests", first), float(use.requests.sum()) / MILLION
    )
    total = float(use.gb_seconds.sum())
    for words, part in plans:
        lines += _run_time(market, (words, sku), part, float(part.gb_seconds.sum()) / total if total > 0 else 1.0)
        for kind, amount in part.also.items():
            if amount.sum() > 0:
                lines += metered(offered(market, kind, words), float(amount.sum()), "compute")
    pollers = use.poller_hours if use.requests.sum() > 0 else 0.0
    return lines + (metered(offered(market, "function_poller", first), pollers, "compute") if pollers > 0 else [])


def _plans(market: Catalog, use: Use, sku: str) -> list[tuple[tuple[str, ...], Use]]:
    """What the names of the meters of each plan have in common, and what is taken of them.

    Architectures that pay by the same duration meter are one plan; without calls there is one that takes nothing.
    """
    arches = sorted(set(use.arch.tolist())) or ["x86_64"]
    named = {a: str(offered(market, "function_duration", WORDS[a], sku)["sku"].iloc[0]) for a in arches}
    found = []
    for name in dict.fromkeys(named.values()):
        of = [a for a in arches if named[a] == name]
        found.append(((*WORDS[of[0]], name.partition("-")[0].lower()), use.only(np.isin(use.arch, of))))
    return found


def _run_time(market: Catalog, meters: tuple[Sequence[str], str], use: Use, share: float) -> list[Line]:
    """GB-seconds; and processor time where it is billed apart. `share` of the free amount is these calls'."""
    words, sku = meters
    total, ghz = float(use.gb_seconds.sum()), float(use.ghz_seconds.sum())
    if ghz > 0 and (market.of("function_cpu")["unit"] == "GHz-second").any() and not sku:
        lines = _free(market, (use.free, words), offered(market, "function_memory", words), total, share)
        return lines + metered(offered(market, "function_cpu", words), ghz, "compute")
    return _free(market, (use.free, words), offered(market, "function_duration", words, sku), total, share)


def _free(
    market: Catalog, plan: tuple[bool, Sequence[str]], tiers: pd.DataFrame, quantity: float, share: float = 1.0
) -> list[Line]:
    """The lines of one meter, its share of the free amount of its plan first."""
    free, words = plan
    rows = _allowance(market.of("function_allowance"), tiers.iloc[0], words[-1])
    if not free or rows.empty or quantity <= 0:
        return metered(tiers, quantity, "compute")
    given = min(quantity, float(rows["tier_to"].iloc[0]) * share)
    return [line(rows.iloc[0], given, "compute"), *metered(tiers, quantity - given, "compute")]


def _allowance(rows: pd.DataFrame, meter: pd.Series, word: str) -> pd.DataFrame:
    """The free amounts of a meter: of its family, else those whose names begin as its plan's do, else the only one."""
    rows = rows[rows["unit"] == meter["unit"]]
    family, told = rows["family"].fillna("").astype(str), meter["family"] if isinstance(meter["family"], str) else ""
    if told and (family == told).any():
        return rows[family == told]
    alike = rows[rows["sku"].astype(str).str.lower().str.startswith(word)]
    unnamed = len(rows) == 1 and not (told and family.iloc[0])
    return alike if len(alike) or not unnamed else rows


def per_call_usd(market: Catalog, use: Use, sku: str = "") -> Floats:
    """[class], what a call costs on average without free amounts, nothing kept warm."""
    also = {kind: amount for kind, amount in use.also.items() if kind not in HELD}
    plain = replace(use, free=False, also=also, poller_hours=0.0)
    lines = tolls(market, plain, sku)
    usd = plain.weight(lines) * sum(e.usd_per_month for e in lines)
    return np.divide(usd, use.requests, out=np.zeros(len(usd)), where=use.requests > 0)


def break_even(market: Catalog, arch: str, sku: str = "") -> dict[str, float]:
    """Share of the time that kept capacity must be busy to cost less than calls as they come, where it is sold."""
    kinds = ("function_provisioned", "function_duration", "function_provisioned_duration")
    if any(market.of(kind).empty for kind in kinds):
        return {}
    name = str(offered(market, "function_duration", WORDS[arch], sku)["sku"].iloc[0])
    words = (*WORDS[arch], name.partition("-")[0].lower())
    kept, plain, warm = (float(offered(market, k, words)["usd_per_unit"].iloc[0]) for k in kinds)
    return {"provisioned_break_even": kept / (plain - warm)} if plain > warm else {}
