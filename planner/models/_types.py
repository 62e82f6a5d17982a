"""Instance types as columns: what they hold, and what an hour of each costs on each term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.models._terms import SHARED
from planner.optimise.buying import PAID_AS_USED, SUSTAINED

__all__ = ["Types"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Types:
    """K instance types; `offers` keeps the price row of each sku and term."""

    sku: NDArray[np.str_]
    family: NDArray[np.str_]
    arch: NDArray[np.str_]
    category: NDArray[np.str_]
    capacity: Floats
    """[type, held resource]."""
    max_pods: Floats
    """NaN where the book does not say."""
    factor: Floats
    """Size within its family in normalised units; NaN where the books do not say."""
    usd: dict[str, Floats]
    """term -> [type], per hour of a whole month, what is paid at once included; inf where not sold on that term."""
    offers: pd.DataFrame
    """Price rows, lower tiers first."""
    at: Mapping[tuple[str, str], list[int]]
    """(sku, term) -> positions of its rows in `offers`; several where a term has tiers."""

    @property
    def used(self) -> Floats:
        """[type], the lowest price paid for the hours that run."""
        return self._least([t for t in self.usd if t in PAID_AS_USED])

    @property
    def committed(self) -> Floats:
        """[type], the lowest price paid for every hour."""
        return self._least([t for t in self.usd if t not in PAID_AS_USED])

    @property
    def promised(self) -> Floats:
        """[type], the lowest price under a promise that several types share; inf where none is allowed."""
        return self._least(self.shared)

    @property
    def shared(self) -> tuple[str, ...]:
        """The terms that promise a spend on several types."""
        return tuple(t for t in self.usd if t.endswith(SHARED))

    def _least(self, terms: Sequence[str]) -> Floats:
        return np.min([self.usd[t] for t in terms], axis=0) if terms else np.full(len(self.sku), np.inf)

    def offer(self, sku: str, term: str) -> pd.Series:
        """The price row of one sku on one term."""
        return self.offers.iloc[self.at[sku, term][0]]

    def tiers(self, sku: str, term: str) -> pd.DataFrame:
        """The price rows of one sku on one term, lowest tier first."""
        return self.offers.iloc[self.at[sku, term]]

    def factors(self, position: int) -> tuple[float, ...]:
        """Prices of the parts of a month with sustained use, as shares of the first; none without."""
        sku = str(self.sku[position])
        if not np.isfinite(self.usd.get(SUSTAINED, np.full(len(self.sku), np.inf))[position]):
            return ()
        prices = self.tiers(sku, SUSTAINED)["usd_per_unit"].to_numpy(float)
        return tuple((prices / prices[0]).tolist())

    def only(self, keep: Bools | Ints) -> Types:
        """These types, by mask or position."""
        columns = ("sku", "family", "arch", "category", "capacity", "max_pods", "factor")
        kept = {name: getattr(self, name)[keep] for name in columns}
        return replace(self, **kept, usd={t: usd[keep] for t, usd in self.usd.items()})
