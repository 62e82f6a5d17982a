"""What an hour of serverless containers costs, and the bill of a month with its free amounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.errors import PriceBookError, near_miss
from planner.models._container_rules import Billing, Rules
from planner.plan import Category, Line, line, metered
from planner.quantities import SECONDS_PER_HOUR

__all__ = ["Meters", "Tariff", "bill", "free_usd", "lowest_share", "tariffs"]

Floats = NDArray[np.float64]

ARCHES: Final = {"x86_64": ("x86", "amd64"), "arm64": ("arm",)}
"""How price books name processors."""
CATEGORY: Final[Mapping[str, Category]] = {"licence": "licence"}
"""Where a meter does not count as compute."""
_BASE: Final = {
    "vCPU-hour": ("cpu", SECONDS_PER_HOUR),
    "vCPU-second": ("cpu", 1.0),
    "GB-hour": ("memory", SECONDS_PER_HOUR),
    "GB-second": ("memory", 1.0),
    "million requests": ("requests", 1e6),
}
"""What a unit measures, and how many seconds or requests it stands for."""


@dataclass(frozen=True)
class Tariff:
    """One way to pay for instances with one kind of processor, on one term."""

    billing: Billing
    arch: str
    term: str
    rows: dict[str, pd.DataFrame]
    """Price rows of each meter: cpu, memory, idle_cpu, idle_memory, licence, storage, requests; those that are sold."""

    def usd(self, meter: str) -> float:
        """Price of an hour of a core or GiB, or of a request, in the first tier; 0 where it is not billed.

        Where idle time has no price of its own, it costs what busy time costs.
        """
        if meter not in self.rows:
            return self.usd(meter.removeprefix("idle_")) if meter.startswith("idle_") else 0.0
        row = self.rows[meter].iloc[0]
        return float(row["usd_per_unit"]) / base(row)[1] * (1.0 if meter == "requests" else SECONDS_PER_HOUR)

    def per_hour(self, sizes: Floats, storage_gib: float, *, idle: bool = False) -> Floats:
        """[...], usd an hour of an instance of `sizes` [..., (cores, GiB)] and so much scratch disk beyond the free."""
        cpu, memory = (self.usd(f"idle_{m}" if idle else m) for m in ("cpu", "memory"))
        per_core = cpu + self.usd("licence")
        return np.asarray(sizes[..., 0] * per_core + sizes[..., 1] * memory + storage_gib * self.usd("storage"))


@dataclass(frozen=True)
class Meters:
    """What a month takes of the meters of one tariff: seconds of a core or GiB, and requests."""

    cpu: float
    memory: float
    idle_cpu: float
    idle_memory: float
    storage: float
    requests: float

    def of(self, meter: str) -> float:
        """The quantity of one meter; an operating system is licensed by the core as long as it runs."""
        return self.cpu + self.idle_cpu if meter == "licence" else float(getattr(self, meter))


def base(row: pd.Series) -> tuple[str, float]:
    """What the unit of a price row measures, and how many seconds or requests it stands for.

    Raises:
        PriceBookError: containers are not metered by this unit.
    """
    unit = str(row["unit"])
    if unit not in _BASE:
        raise PriceBookError(f"{row['sku']}: {near_miss(unit, _BASE)}")
    return _BASE[unit]


def tariffs(market: Catalog, rules: Rules, arches: Sequence[str], windows: bool, spot: bool) -> list[Tariff]:
    """All ways to pay, of the processors that the provider runs and the market has prices for.

    Raises:
        PriceBookError: a meter that is needed has no price.
    """
    wanted = [a for a in rules.arches if a in arches and _sold(market, a)]
    terms = ["on_demand", "spot"] if spot and len(market.of("container_cpu", "spot")) else ["on_demand"]
    found = []
    for billing in rules.billings:
        for arch in wanted:
            words = (rules.plan, *(("windows",) if windows else ARCHES[arch]), *billing.words)
            found += [Tariff(billing, arch, t, _rows(market, words, t, (windows, billing.per_request))) for t in terms]
    return found


def _sold(market: Catalog, arch: str) -> bool:
    """Whether the names of meters tell this processor, or none at all."""
    names = [str(n).lower() for n in market.of("container_cpu")["sku"].unique()]
    told = {a for a, words in ARCHES.items() for n in names if any(w in n for w in words)}
    return arch in told or not told


def _rows(market: Catalog, words: Sequence[str], term: str, also: tuple[bool, bool]) -> dict[str, pd.DataFrame]:
    windows, requests = also
    out = {m: _tiers(market, f"container_{m}", words, term) for m in ("cpu", "memory")}
    for meter in ("idle_cpu", "idle_memory", "storage"):
        if len(market.of(f"container_{meter}", "on_demand")):
            out[meter] = _tiers(market, f"container_{meter}", words, "on_demand")
    if windows:
        out["licence"] = _tiers(market, "container_licence", words, "on_demand")
    if requests:
        out["requests"] = _tiers(market, "container_requests", words, "on_demand")
    return out


def _tiers(market: Catalog, kind: str, words: Sequence[str], term: str) -> pd.DataFrame:
    """All tiers of the offer whose name holds most of `words`, the first of equals."""
    names = market.of(kind, term)["sku"].astype(str).unique().tolist()
    hits = [sum(word in name.lower() for word in words) for name in names]
    return market.tiers(kind, names[int(np.argmax(hits))] if names else None, term)


def bill(market: Catalog, used: Sequence[tuple[Tariff, Meters]], free: bool) -> list[Line]:
    """The lines of a month; tiers and free amounts run over all that is taken of one offer."""
    given = _allowances(market, free)
    left = {str(row["sku"]): float(row["tier_to"]) * base(row)[1] for row in given}
    lines: list[Line] = []
    for meter, rows, amount in _gathered(used):
        category = CATEGORY.get(meter, "compute")
        paid = amount
        for row in given:
            taken = min(paid, left[str(row["sku"])]) if _covers(row, rows.iloc[0]) else 0.0
            left[str(row["sku"])] -= taken
            paid -= taken
            lines += [line(row, taken / base(row)[1], category)] if taken > 0 else []
        lines += metered(rows, paid / base(rows.iloc[0])[1], category)
    return lines


def _gathered(used: Sequence[tuple[Tariff, Meters]]) -> Iterator[tuple[str, pd.DataFrame, float]]:
    """Meter, price rows and quantity of each offer that is used; idle time without a price of its own is busy time."""
    found: dict[tuple[str, str, str], tuple[str, pd.DataFrame, float]] = {}
    for tariff, taken in used:
        for meter in ("cpu", "memory", "idle_cpu", "idle_memory", "licence", "storage", "requests"):
            at = meter if meter in tariff.rows else meter.removeprefix("idle_")
            if at in tariff.rows and taken.of(meter) > 0:
                rows = tariff.rows[at]
                key = (str(rows["sku"].iloc[0]), str(rows["term"].iloc[0]), at)
                found[key] = (at, rows, taken.of(meter) + (found[key][2] if key in found else 0.0))
    yield from found.values()


def _allowances(market: Catalog, free: bool) -> list[pd.Series]:
    rows = market.of("container_allowance")
    return [rows.iloc[i] for i in range(len(rows))] if free else []


def _covers(allowance: pd.Series, meter: pd.Series) -> bool:
    """Whether a free amount is of a meter: it measures the same, and the words of its name are in the meter's."""
    words = set(str(allowance["sku"]).split("-")) - {"free"}
    return base(allowance)[0] == base(meter)[0] and words <= set(str(meter["sku"]).split("-"))


def free_usd(market: Catalog, sold: Sequence[Tariff], free: bool) -> float:
    """The most that the free amounts can be worth, whichever tariffs are chosen."""
    meters = [rows.iloc[0] for tariff in sold for rows in tariff.rows.values()]
    worth = 0.0
    for row in _allowances(market, free):
        prices = [float(m["usd_per_unit"]) / base(m)[1] for m in meters if _covers(row, m)]
        worth += float(row["tier_to"]) * base(row)[1] * max(prices, default=0.0)
    return worth


def lowest_share(sold: Sequence[Tariff]) -> float:
    """The lowest price of any meter's tiers over that of its first: 1 where nothing gets cheaper by the month."""
    return min(
        (float(rows["usd_per_unit"].min() / rows["usd_per_unit"].iloc[0]) for t in sold for rows in t.rows.values()),
        default=1.0,
    )
