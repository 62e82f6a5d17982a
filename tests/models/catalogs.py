"""Small catalogs and demands made by hand for the tests of models; the rates are the test's, not today's prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planner.catalog import FACT_COLUMNS, OFFER_COLUMNS, Catalog
from planner.demand import WORKLOAD_COLUMNS, Demand
from planner.quantities import HOURS_PER_MONTH

_TEXTS = ("family", "category", "arch", "note")
_OFFER = {
    "provider": "aws",
    "region": "us-east-1",
    "term": "on_demand",
    "unit": "hour",
    "tier_from": 0.0,
    "status": "VERIFIED",
    "source": "made for a test",
    "as_of": "2026-01-01",
}
_WORKLOAD = {
    "count": 1,
    "kind": "vm",
    "arch": "x86_64",
    "interruptible": False,
    "scales_out": False,
    "owner": "",
    "application": "",
    "residency": "",
    "spread_group": "",
}


def offer(sku: str, kind: str, usd: float, **more: Any) -> dict[str, Any]:
    """One price row; what is not given is absent (text empty, numbers NaN) or of aws in us-east-1."""
    empty: dict[str, Any] = {c: "" if c in _TEXTS else np.nan for c in OFFER_COLUMNS}
    return {**empty, **_OFFER, "sku": sku, "kind": kind, "usd_per_unit": usd, **more}


def vm(sku: str, cores: float, gib: float, usd: Mapping[str, float] | float, **more: Any) -> list[dict[str, Any]]:
    """An instance type, one row a term."""
    terms = usd if isinstance(usd, Mapping) else {"on_demand": usd}
    shape = {
        "cpu_cores": cores,
        "memory_gib": gib,
        "gpus": 0.0,
        "family": sku.split(".", maxsplit=1)[0],
        "category": "general",
    }
    shape |= {"arch": "x86_64", "max_pods": 110.0}
    return [offer(sku, "vm", price, **{**shape, "term": term, **more}) for term, price in terms.items()]


def book(*rows: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Catalog:
    """A catalog of rows, and of lists of rows."""
    flat = [r for row in rows for r in ([row] if isinstance(row, Mapping) else row)]
    return Catalog(pd.DataFrame(flat, columns=list(OFFER_COLUMNS)), pd.DataFrame(columns=list(FACT_COLUMNS)))


def demand(*workloads: Mapping[str, Any], hours: Sequence[float] = (HOURS_PER_MONTH,), growth: float = 0.0) -> Demand:
    """A demand; each workload has `busy` and `mean` ([resource] or [period][resource]) beside its columns.

    Without `mean` it uses half of what it needs when busy; `requests_per_s` is a number or [period].
    """
    rows = [{"workload": f"w{i}", **_WORKLOAD, **w} for i, w in enumerate(workloads)]
    frame = pd.DataFrame(rows, columns=list(WORKLOAD_COLUMNS))
    periods = len(hours)
    busy = np.array([_profile(r["busy"], periods) for r in rows]).reshape(len(rows), periods, 4)
    mean = np.array([_profile(r.get("mean", _half(r["busy"])), periods) for r in rows]).reshape(len(rows), periods, 4)
    rps = np.array([np.broadcast_to(r.get("requests_per_s", 0.0), periods) for r in rows]).reshape(len(rows), periods)
    names = [
        n if i == 0 else f"{n}-{i}" for n, c in zip(frame["workload"], frame["count"], strict=True) for i in range(c)
    ]
    owner = np.repeat(np.arange(len(rows)), frame["count"].to_numpy(int)) if rows else np.zeros(0, int)
    members = pd.DataFrame({"workload": pd.Series(names, dtype=object), "class": owner})
    return Demand(frame, members, np.array(hours, float), busy, mean, rps.astype(float), growth)


def _half(busy: Any) -> Any:
    return np.asarray(busy, float) / 2


def _profile(values: Any, periods: int) -> np.ndarray:
    table = np.atleast_2d(np.asarray(values, float))
    full = np.zeros((periods, 4))
    full[:, : table.shape[1]] = table
    return full
