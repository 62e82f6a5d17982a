"""The bill of functions: requests, GB-seconds with tiers and free amounts, capacity kept warm, scratch disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.models._rented import offered
from planner.plan import Line, line, metered

__all__ = ["Use", "break_even", "tolls"]

Floats = NDArray[np.float64]

WORDS = {"x86_64": ("x86", "amd64"), "arm64": ("arm",)}
"""How price books name architectures."""
MILLION = 1e6


@dataclass(frozen=True)
class Use:
    """What each class takes of the meters in a month, [class]."""

    requests: Floats
    gb_seconds: Floats
    least_gb_seconds: Floats
    kept_gb_seconds: Floats
    """Capacity kept warm, used or not."""
    warm_gb_seconds: Floats
    """Run time on capacity kept warm."""
    scratch_gb_seconds: Floats
    ghz_seconds: Floats
    """Clock that comes with the memory, where it is billed."""
    free: bool
    """Whether free monthly amounts apply."""

    def weight(self, lines: Sequence[Line]) -> Floats:
        """[class], its part of what the meters cost; less than 1 together where kept capacity stands idle."""
        by_kind = {
            "function_requests": self.requests,
            "function_duration": self.gb_seconds,
            "function_memory": self.gb_seconds,
            "function_cpu": self.ghz_seconds,
            "function_storage": self.scratch_gb_seconds,
            "function_provisioned_duration": self.warm_gb_seconds,
        }
        out = np.zeros(len(self.requests))
        total = sum(e.usd_per_month for e in lines if e.category == "compute")
        for kind, amount in by_kind.items():
            usd = sum(e.usd_per_month for e in lines if e.offer_kind == kind)
            out += usd * amount / max(float(amount.sum()), 1e-300)
        kept, warm = float(self.kept_gb_seconds.sum()), np.minimum(self.warm_gb_seconds, self.kept_gb_seconds)
        out += sum(e.usd_per_month for e in lines if e.offer_kind == "function_provisioned") * warm / max(kept, 1e-300)
        return out / total if total > 0 else out


def tolls(market: Catalog, meters: tuple[str, str], use: Use) -> list[Line]:
    """All lines of a month's calls; `meters` are the architecture and the duration meter (empty: the first).

    The other meters are those of the same plan: price books begin their names alike.

    Raises:
        PriceBookError: a meter that is needed has no price.
    """
    words = _words(market, meters)
    requests = offered(market, "function_requests", words)
    lines = _free(market, (use, words), "million requests", requests, float(use.requests.sum()) / MILLION)
    lines += _run_time(market, meters, words, use)
    taken = {
        "function_provisioned": use.kept_gb_seconds,
        "function_provisioned_duration": use.warm_gb_seconds,
        "function_storage": use.scratch_gb_seconds,
    }
    for kind, amount in taken.items():
        if amount.sum() > 0:
            lines += metered(offered(market, kind, words), float(amount.sum()), "compute")
    return lines


def _words(market: Catalog, meters: tuple[str, str]) -> tuple[str, ...]:
    """What the names of the meters of one plan have in common: the architecture and how they begin."""
    arch, sku = meters
    name = str(offered(market, "function_duration", WORDS[arch], sku)["sku"].iloc[0])
    return (*WORDS[arch], name.partition("-")[0].lower())


def _run_time(market: Catalog, meters: tuple[str, str], words: Sequence[str], use: Use) -> list[Line]:
    """GB-seconds; and processor time where it is billed apart."""
    total, ghz = float(use.gb_seconds.sum()), float(use.ghz_seconds.sum())
    clocks = market.of("function_cpu")
    if ghz > 0 and (clocks["unit"] == "GHz-second").any() and not meters[1]:
        lines = _free(market, (use, words), "GB-second", offered(market, "function_memory", words), total)
        return lines + metered(offered(market, "function_cpu", words), ghz, "compute")
    return _free(
        market, (use, words), "GB-second", offered(market, "function_duration", WORDS[meters[0]], meters[1]), total
    )


def _free(
    market: Catalog, use: tuple[Use, Sequence[str]], unit: str, tiers: pd.DataFrame, quantity: float
) -> list[Line]:
    """The lines of one meter, the free amount of its plan first."""
    taken, words = use
    rows = market.of("function_allowance")
    rows = rows[(rows["unit"] == unit) & rows["sku"].astype(str).str.startswith(words[-1])]
    if not taken.free or rows.empty or quantity <= 0:
        return metered(tiers, quantity, "compute")
    free = min(quantity, float(rows["tier_to"].iloc[0]))
    return [line(rows.iloc[0], free, "compute"), *metered(tiers, quantity - free, "compute")]


def break_even(market: Catalog, meters: tuple[str, str]) -> dict[str, float]:
    """Share of the time that kept capacity must be busy to cost less than calls as they come, where it is sold."""
    kinds = ("function_provisioned", "function_duration", "function_provisioned_duration")
    if any(market.of(kind).empty for kind in kinds):
        return {}
    words = _words(market, meters)
    kept, plain, warm = (float(offered(market, k, words)["usd_per_unit"].iloc[0]) for k in kinds)
    return {"provisioned_break_even": kept / (plain - warm)} if plain > warm else {}
