"""What the facts of a catalog tell of a server beyond its price row: measured power by load, and speed of a thread."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog

__all__ = ["STEPS", "curves", "performance"]

Floats = NDArray[np.float64]

STEPS: Final = np.linspace(0.0, 1.0, 11)
"""Unit: share of full load. Source: SPECpower_ssj2008 run rules (measured at 100, 90 ... 10 % and active idle)."""

_MEASURED: Final = ("idle_w", *(f"watts_at_{percent}_percent" for percent in range(10, 100, 10)), "peak_w")


def curves(catalog: Catalog, rows: pd.DataFrame) -> Floats:
    """[type, 11], how far from idle to peak power each server has climbed at 0, 10 ... 100 % load.

    Read from facts of topic `power`: `idle_w`, `watts_at_10_percent` ... `watts_at_90_percent` and `peak_w`, under the
    sku of the server or its family and sockets. A straight line where one of them is missing.
    """
    told = _told(catalog, "power", rows, _MEASURED)
    climb = told[:, -1:] - told[:, :1]
    usable = np.isfinite(told).all(axis=1, keepdims=True) & (climb > 0)
    shape = (told - told[:, :1]) / np.where(usable, climb, 1.0)
    return np.asarray(np.where(usable, np.clip(shape, 0.0, None), STEPS))


def performance(catalog: Catalog, rows: pd.DataFrame) -> Floats:
    """[type], what a thread of each server does, as facts of topic `performance`, metric `per_thread` tell; else 1."""
    told = _told(catalog, "performance", rows, ("per_thread",))[:, 0]
    return np.where(told > 0, told, 1.0)


def _told(catalog: Catalog, topic: str, rows: pd.DataFrame, metrics: tuple[str, ...]) -> Floats:
    """[type, metric], the figure under the sku of a server, else under its family and sockets; NaN where none is."""
    facts = catalog.facts[(catalog.facts["topic"] == topic) & catalog.facts["metric"].isin(list(metrics))]
    if facts.empty:
        return np.full((len(rows), len(metrics)), np.nan)
    table = facts.pivot_table(index="key", columns="metric", values="value", aggfunc="first")
    table = table.reindex(columns=list(metrics)).astype(np.float64)
    family = rows["family"].fillna("").astype(str) + " " + rows["sockets"].fillna(1).astype(int).astype(str) + "s"
    own, shared = table.reindex(rows["sku"]).to_numpy(), table.reindex(family).to_numpy()
    return np.where(np.isnan(own).any(axis=1, keepdims=True), shared, own)
