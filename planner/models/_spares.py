"""Servers that stand by: for any k that fail, k others that can take over what each of them held."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.optimise.solver import Problem, solve

__all__ = ["least_usd", "standing_by"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TIE: Final = 1e-9
"""Unit: share of the dearest type. Source: small enough to decide nothing but ties."""


def standing_by(holds: Bools, usd: Floats, idle: Ints, spares: int) -> Ints:
    """[type], how many servers must stand by so that any `spares` servers may fail at once.

    Types are chosen such that each load fits one of them, and of each chosen type `spares` stand by: however many of
    the failed servers lean on one type, there are as many of it. Least cost, where idle servers cost nothing more.

    Args:
        holds: [load, type], which types can take over the load of a server.
        usd: [type], what one more costs.
        idle: [type], servers that hold nothing and are there anyway.
        spares: how many may fail.
    """
    chosen = np.zeros(len(usd), np.int64)
    wishes = _hardest(holds)
    if not spares or not len(wishes):
        return chosen
    price = usd * np.clip(spares - idle, 0, None)
    price = price + TIE * float(usd.max(initial=0.0)) * (1 + np.arange(len(usd)) / len(usd))
    problem = Problem(
        usd=price,
        matrix=sparse.csr_array(wishes.astype(float)),
        lower=np.ones(len(wishes)),
        upper=np.full(len(wishes), np.inf),
        most=np.ones(len(usd)),
        whole=np.ones(len(usd), bool),
        name="standing_by",
    )
    return np.where(solve(problem).values > 0.5, spares, 0).astype(np.int64)


def least_usd(holds: Bools, usd: Floats, spares: int) -> float:
    """What the `spares` dearest servers cost at least: of those that hold the hardest load, one more must survive.

    Args:
        holds: [load, type], which types hold it.
        usd: [type].
        spares: how many may fail.
    """
    cheapest = np.where(holds, usd, np.inf).min(axis=1, initial=np.inf)
    return spares * float(cheapest[np.isfinite(cheapest)].max(initial=0.0))


def _hardest(holds: Bools) -> Bools:
    """The rows that imply all others: a type that can stand in for the hardest load can for the easier one."""
    rows = np.unique(holds[holds.any(axis=1)], axis=0)
    size = rows.sum(axis=1)
    inside = (rows.astype(np.int64) @ rows.T.astype(np.int64)) == size[:, None]
    smaller = inside & (size[:, None] < size[None, :])
    return np.asarray(rows[~smaller.any(axis=0)])
