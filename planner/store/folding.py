"""Workloads that a policy makes identical, folded into classes with counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import WORKLOAD_COLUMNS
from planner.quantities import SECONDS_PER_HOUR

__all__ = ["averaged", "folded"]

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]

_MEASURED = ("network_gib_per_month", "disk_iops")
"""Columns that do not keep workloads apart; a class has their mean."""

_TEXTS = ("kind", "owner", "application", "arch", "residency", "spread_group")
_FLAGS = ("interruptible", "scales_out")


def folded(rows: pd.DataFrame, busy: Floats, requests: Floats, hours_per_month: float) -> tuple[pd.DataFrame, Classes]:
    """The classes in `WORKLOAD_COLUMNS`, in order of their first members, and the class of each workload.

    Workloads are of one class where busy [W, P, R], requests [W, P] and all they are labelled with are equal.
    """
    plain = _plain(rows, hours_per_month)
    of = _same([busy.reshape(len(rows), -1), requests, _codes(plain)])
    first = np.unique(of, return_index=True)[1]
    classes = plain.iloc[first].reset_index(drop=True).assign(count=np.bincount(of))
    for column in _MEASURED:
        classes[column] = plain[column].groupby(of).mean().to_numpy()
    return classes[list(WORKLOAD_COLUMNS)], of


def averaged(values: Floats, of: Classes) -> Floats:
    """The mean over the members of each class, [W, ...] to [class, ...], so that count x mean is the whole."""
    count = np.bincount(of)
    if len(count) == len(of):
        return values
    order = np.argsort(of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    sums = np.add.reduceat(values[order], starts, axis=0)
    return np.asarray(sums / count.reshape(-1, *([1] * (values.ndim - 1))))


def _plain(rows: pd.DataFrame, hours_per_month: float) -> pd.DataFrame:
    """Texts without nulls, flags as booleans, numbers as floats; megabytes a second as GiB a month."""
    texts = {name: rows[name].astype("str").where(rows[name].notna(), "") for name in _TEXTS}
    arch = texts["arch"].where(texts["arch"] != "", "x86_64")
    flags = {name: rows[name].astype("boolean").fillna(value=False).astype(bool) for name in _FLAGS}
    known = [n for n in WORKLOAD_COLUMNS if n in rows and n not in {*_TEXTS, *_FLAGS, "workload"}]
    numbers = {name: rows[name].astype("Float64").to_numpy(np.float64, na_value=np.nan) for name in known}
    numbers["gpus"] = np.nan_to_num(numbers["gpus"])
    sent = rows["network_mib_per_s"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    numbers["network_gib_per_month"] = sent * hours_per_month * SECONDS_PER_HOUR / 1024
    return rows[["workload"]].assign(**texts, **flags, **numbers).assign(arch=arch)


def _codes(plain: pd.DataFrame) -> Floats:
    """Labels and sizes as numbers that are equal where these are."""
    names = [name for name in plain.columns if name not in {"workload", *_MEASURED}]
    return np.column_stack([pd.factorize(plain[name])[0].astype(float) for name in names])


_GLANCE: Final = 97
"""Every so many columns tell most measured workloads apart, so that few are compared by all of them. Unit: columns."""


def _same(key: Sequence[Floats]) -> Classes:
    """Numbers rows alike that are equal in all arrays of the key, counting from 0 in order of appearance.

    Rows are compared by two 64-bit hashes: a wrong match has a chance of about 1 in 2^128 a pair.
    """
    hashes = _hashes([part[:, ::_GLANCE] for part in key])
    _, first, of, count = _distinct(hashes)
    if len(first) < len(hashes):
        shared = count[of] > 1
        hashes[shared] = _hashes([part[shared] for part in key])
        _, first, of, _ = _distinct(hashes)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[of.reshape(-1)], np.int64)


def _distinct(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], Classes, Classes, Classes]:
    """Distinct rows, the first of each, which of them each row is, and how often."""
    return np.unique(hashes, axis=0, return_index=True, return_inverse=True, return_counts=True)


def _hashes(key: Sequence[Floats]) -> NDArray[np.uint64]:
    """[rows, 2] hashes of rows of numbers; 0 and -0 are one number."""
    bits = (np.column_stack(key) + 0.0).view(np.uint64)
    odd = np.random.default_rng(0).integers(0, 2**63, (bits.shape[1], 2), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    mixed = (bits ^ (bits >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray((mixed ^ (mixed >> np.uint64(29))) @ odd)
