"""A study at another price of money, or over fewer years: the same plans, so nothing is packed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from planner import finance
from planner.errors import InputError
from planner.plan import Line

__all__ = ["MONEY_ONLY", "revalued"]

MONEY_ONLY: Final = ("discount_rate_per_year", "horizon_years")
"""Settings that `revalued` can change: a rate above -1, and a horizon no longer than that of the study."""

_FIELDS: Final = tuple(field.name for field in fields(Line))


def revalued(document: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The document with costs, present values, paybacks, returns and ranks as `settings` of `MONEY_ONLY` make them.

    The plans are those of the study. A model that weighs moving in over the horizon is not planned again over a
    shorter one. The document keeps its id: it is not the study that is saved under it.

    Raises:
        InputError: a setting needs plans that the study does not hold.
    """
    other = sorted(set(settings) - set(MONEY_ONLY))
    asked = {**document["scenario"], **settings}
    years, rate = int(asked["horizon_years"]), float(asked["discount_rate_per_year"])
    if other or not 1 <= years <= int(document["scenario"]["horizon_years"]) or rate <= -1:
        raise InputError(f"these settings need new plans: {', '.join(other or map(str, settings.items()))}")
    flows = {str(m["model"]): _cash(document, str(m["model"]), years) for m in document["models"]}
    baseline = flows.get(str(asked["baseline"]))
    entries = [_entry(m, flows, baseline, rate) for m in document["models"]]
    order = sorted(entries, key=lambda e: finance.merit(e["unplaced"], e["tco_usd"], e["model"]))
    ranks = {entry["model"]: rank for rank, entry in enumerate(order, 1)}
    plans = [p for p in document["plans"] if p["year"] < years]
    models = [entry | {"rank": ranks[entry["model"]]} for entry in entries]
    return {**document, "scenario": asked, "models": models, "plans": plans}


def _cash(document: Mapping[str, Any], model: str, years: int) -> NDArray[np.float64]:
    plans = sorted((p for p in document["plans"] if p["model"] == model), key=lambda p: int(p["year"]))
    lines = [[Line(**{name: row[name] for name in _FIELDS}) for row in plan["lines"]] for plan in plans]
    return finance.cash_flow(lines, years)


def _entry(
    before: Mapping[str, Any],
    flows: Mapping[str, NDArray[np.float64]],
    baseline: NDArray[np.float64] | None,
    rate: float,
) -> dict[str, Any]:
    cash = flows[str(before["model"])]
    measured = baseline is not None and baseline is not cash
    monthly = finance.internal_rate(baseline - cash) if measured and baseline is not None else None
    return {
        **before,
        "tco_usd": finance.total(cash),
        "npv_usd": finance.present_value(cash, finance.monthly_rate(rate)),
        "payback_months": finance.payback_months(cash, baseline) if measured and baseline is not None else None,
        "irr": None if monthly is None else (1.0 + monthly) ** 12 - 1.0,
        "cash_usd": cash.tolist(),
    }
