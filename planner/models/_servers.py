"""Servers on offer, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.errors import PriceBookError, near_miss
from planner.models._curves import STEPS, curves, performance
from planner.quantities import CPU, HOURS_PER_MONTH, RESOURCES

__all__ = ["Servers", "offered"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEEDED = ("cpu_cores", "memory_gib", "lifetime_months", "idle_watts", "peak_watts", "sockets")
"""What a price row of a server must tell."""


@dataclass(frozen=True)
class Servers:
    """Types of servers: what may be bought and what is owned already."""

    offers: pd.DataFrame
    """[type], price rows."""
    owned: Ints
    """[type], how many were bought in former years."""
    buyable: Bools
    """[type], whether more may be bought."""
    curve: Floats
    """[type, 11], how far from idle to peak power a server has climbed at 0, 10 ... 100 % load."""
    performance: Floats
    """[type], what a thread does per thread of the kind that the demand was measured on."""
    hours_per_month: float = HOURS_PER_MONTH
    """Length of the month that is billed."""

    def column(self, name: str) -> Floats:
        """[type], one column of the price rows as numbers."""
        return np.asarray(self.offers[name], np.float64)

    @property
    def sku(self) -> list[str]:
        """[type]."""
        return [str(s) for s in self.offers["sku"]]

    @property
    def arch(self) -> NDArray[np.str_]:
        """[type]; x86_64 where the row is silent."""
        return np.array([str(a) if isinstance(a, str) and a else "x86_64" for a in self.offers["arch"]], dtype=str)

    @property
    def room(self) -> Floats:
        """[type, 3], threads (of the kind that the demand was measured on), GiB and GPUs."""
        raw = np.nan_to_num(np.asarray(self.offers[list(RESOURCES[:3])], np.float64))
        raw[:, CPU] *= self.performance
        return raw

    @property
    def cores(self) -> Floats:
        """[type], physical cores as licences count them; half the threads where the row is silent."""
        told = self.column("physical_cores")
        return np.where(np.isnan(told), np.ceil(self.column("cpu_cores") / 2), told)

    @property
    def idle_kwh(self) -> Floats:
        """[type], drawn in a month by a server that does nothing."""
        return self.column("idle_watts") * self.hours_per_month / 1000

    @property
    def busy_kwh(self) -> Floats:
        """[type], drawn in a month on top of that by one busy thread, as if power rose in a straight line."""
        return np.asarray(self.climb_watts / self.room[:, CPU] * self.hours_per_month / 1000)

    @property
    def climb_watts(self) -> Floats:
        """[type], from idle to peak."""
        return self.column("peak_watts") - self.column("idle_watts")

    @property
    def bent(self) -> Bools:
        """[type], whether power was measured to rise otherwise than in a straight line."""
        return np.asarray(np.abs(self.curve - STEPS).max(axis=1, initial=0.0) > 0)


def offered(catalog: Catalog, only: Sequence[str], owned: Mapping[str, int]) -> Servers:
    """The servers of a catalog: those named in `only` (none named: all) may be bought, `owned` ones are there.

    Raises:
        PriceBookError: no server is offered, a named one is unknown, or a row lacks what a server must tell.
    """
    rows = catalog.of("server").drop_duplicates("sku").reset_index(drop=True)
    if rows.empty:
        raise PriceBookError("no server price for the chosen provider and region; expected rows of kind 'server'")
    unknown = [sku for sku in [*only, *owned] if sku not in set(rows["sku"])]
    if unknown:
        raise PriceBookError(f"server {unknown[0]!r}: no price row; {near_miss(unknown[0], rows['sku'])}")
    buyable = rows["sku"].isin(list(only)).to_numpy(bool) if only else np.ones(len(rows), bool)
    count = np.array([owned.get(str(sku), 0) for sku in rows["sku"]], np.int64)
    keep = buyable | (count > 0)
    _complete(rows[keep])
    found = rows[keep].reset_index(drop=True)
    return Servers(found, count[keep], buyable[keep], curves(catalog, found), performance(catalog, found))


def _complete(rows: pd.DataFrame) -> None:
    missing = rows[list(NEEDED)].isna().to_numpy()
    if missing.any():
        column = int(np.argmax(missing.any(axis=0)))
        sku = rows["sku"].iloc[int(np.argmax(missing[:, column]))]
        raise PriceBookError(f"server {sku!r}: {NEEDED[column]} is missing, expected a number above 0")
