"""Rows of an example file as what the planner works on: workloads as a Demand, price rows as a Catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from planner.catalog import FACT_COLUMNS, OFFER_COLUMNS, OFFER_KINDS, OFFER_NUMBERS, TERMS, UNITS, Catalog
from planner.conformance.question import Table
from planner.demand import WORKLOAD_COLUMNS, Demand
from planner.errors import near_miss
from planner.quantities import CPU, MEMORY, RESOURCES, SECONDS_PER_HOUR

__all__ = ["Fact", "PriceRow", "Work", "as_catalog", "as_demand"]

Floats = NDArray[np.float64]
Profile = float | list[float] | list[list[float]]

_REQUIRED: Final = ("sku", "kind", "unit", "usd_per_unit")
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {"kind": OFFER_KINDS, "unit": UNITS, "term": TERMS}


class Work(Table):
    """A class of workloads. Told by what it needs, or by its calls, from which need and use then follow."""

    name: str = ""
    count: int = Field(default=1, ge=1)
    type: Literal["vm", "function", "container", "server"] = "vm"
    owner: str = ""
    application: str = ""
    cpu_cores: float = np.nan
    memory_gib: float = np.nan
    gpus: float = 0.0
    storage_gib: float = 0.0
    arch: Literal["x86_64", "arm64"] = "x86_64"
    residency: str = ""
    spread_group: str = ""
    interruptible: bool = False
    scales_out: bool = False
    seconds_per_request: float = np.nan
    memory_gib_per_request: float = np.nan
    cores_per_request: float = np.nan
    network_gib_per_month: float = 0.0
    disk_iops: float = np.nan
    busy: Profile | None = None
    """What must be provided in each period, in the order of the resources; none: what one request takes."""
    mean: Profile | None = None
    """What is used on average; none: what requests use while they run, else all that is needed."""
    requests_per_s: float | list[float] | None = None
    """In each period."""
    calls_per_month: float | None = None
    """Instead of `requests_per_s`: calls in the month of the example."""

    def row(self, number: int) -> dict[str, Any]:
        """The columns of a Demand; what has no name is called by its number."""
        own = {c: getattr(self, c) for c in WORKLOAD_COLUMNS if c in type(self).model_fields}
        return {**own, "workload": self.name or f"w{number}", "kind": self.type}

    def rate(self, hours: Floats) -> Floats:
        """[period], requests a second."""
        if self.calls_per_month is not None:
            return np.full(len(hours), self.calls_per_month / (float(hours.sum()) * SECONDS_PER_HOUR))
        return np.asarray(np.broadcast_to(np.asarray(self.requests_per_s or 0.0, float), len(hours)))

    def needs(self, hours: Floats) -> tuple[Floats, Floats]:
        """[period, resource] twice, what it must have and what it uses."""
        one = np.nan_to_num([self.cores_per_request, self.memory_gib_per_request])
        busy = _profile(one.tolist() if self.busy is None else self.busy, len(hours))
        if self.mean is not None:
            return busy, _profile(self.mean, len(hours))
        if np.isnan(self.seconds_per_request):
            return busy, busy
        flight = self.rate(hours) * self.seconds_per_request
        mean = np.zeros_like(busy)
        mean[:, [CPU, MEMORY]] = flight[:, None] * one
        return busy, mean


def _profile(values: Profile, periods: int) -> Floats:
    """[period, resource]; one row holds for all periods, resources that are not told are 0."""
    table = np.atleast_2d(np.asarray(values, float))
    full = np.zeros((periods, len(RESOURCES)))
    full[:, : table.shape[1]] = table
    return full


def as_demand(work: Sequence[Work], hours: Sequence[float]) -> Demand:
    """The demand of workloads over periods of so many hours a month.

    Raises:
        ValueError: the hours are no month, or a profile has other periods.
    """
    length = np.asarray(hours, float)
    frame = pd.DataFrame([w.row(i) for i, w in enumerate(work)], columns=list(WORKLOAD_COLUMNS))
    needs = [w.needs(length) for w in work]
    shape = (len(work), len(length), len(RESOURCES))
    busy, mean = (np.array([need[k] for need in needs]).reshape(shape) for k in (0, 1))
    rates = np.array([w.rate(length) for w in work]).reshape(shape[:2])
    owner = np.repeat(np.arange(len(work)), frame["count"].to_numpy(int)) if work else np.zeros(0, int)
    nth = pd.Series(owner).groupby(owner).cumcount()
    names = frame["workload"].to_numpy(object)[owner]
    told = pd.Series(names).where(nth == 0, pd.Series(names).astype(str) + "-" + nth.astype(str))
    return Demand(frame, pd.DataFrame({"workload": told.astype(object), "class": owner}), length, busy, mean, rates)


def _checked(row: dict[str, float | str]) -> dict[str, float | str]:
    for column in row:
        if column not in OFFER_COLUMNS:
            raise ValueError(f"{column!r}: no column of a price row; {near_miss(column, OFFER_COLUMNS)}")
    for column in _REQUIRED:
        if column not in row:
            raise ValueError(f"a price row lacks {column!r}")
    for column, value in row.items():
        if isinstance(value, str) == (column in OFFER_NUMBERS):
            expected = "a number" if column in OFFER_NUMBERS else "a text"
            raise ValueError(f"{column} {value!r}: expected {expected}")
        if value not in _WORDS.get(column, {value}):
            raise ValueError(f"{column} {value!r}: {near_miss(str(value), _WORDS[column])}")
    return row


PriceRow = Annotated[dict[str, float | str], AfterValidator(_checked)]
"""A row of a price book, in its columns; where it is not told, the row is of the model's provider and region."""


class Fact(Table):
    """A figure that is no price, as a row of the facts."""

    topic: str
    key: str
    metric: str
    value: float


def as_catalog(rows: Sequence[Mapping[str, float | str]], facts: Sequence[Fact], where: tuple[str, str]) -> Catalog:
    """A price book of rows, as if it had been read from a file.

    Args:
        rows: of offers.
        facts: that are no prices.
        where: provider and region of rows that do not tell.
    """
    told = {"status": "VERIFIED", "source": "the example", "as_of": "as published"}
    given = {"provider": where[0], "region": where[1], "term": "on_demand", "tier_from": 0.0, **told}
    empty = {c: np.nan if c in OFFER_NUMBERS else "" for c in OFFER_COLUMNS}
    offers = pd.DataFrame([{**empty, **given, **row} for row in rows], columns=list(OFFER_COLUMNS))
    lines = [{"unit": "", "low": np.nan, "high": np.nan, "note": "", **told, **f.model_dump()} for f in facts]
    return Catalog(offers, pd.DataFrame(lines, columns=list(FACT_COLUMNS)))
