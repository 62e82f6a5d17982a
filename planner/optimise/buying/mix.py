"""Terms that bind no single sku: how much of each to promise, for a fleet whose counts are given.

Minimise over promises x and coverage y, for periods t of h hours, commitments c and items i with n units running

    sum over c  of  month * amount_c * usd_c * x_c  +  sum over t, i  of  h_t * usd_i * (n_ti - sum over c of y_tci)

    where  sum over c of y_tci               <=  n_ti                for each t, i
           sum over i of need_ci * y_tci     <=  amount_c * x_c      for each t, c
           y >= 0,  x_c >= 0, whole where sold in whole pieces.

A bill may cover in a worse order than y, so what this says is a bound, and the bill of the promises is what they cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.optimise.buying.charging import Bill, Commitment, Usage, charged
from planner.optimise.solver import Limits, Problem, solve

__all__ = ["Mix", "folded", "mix", "problem"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NODES = 2_000
"""Unit: nodes. Source: rounding of pieces is settled near the root; what is left open is told by the bound."""
WHOLE = 1e-6
"""Unit: pieces. Source: the solver's own tolerance."""


@dataclass(frozen=True)
class Mix:
    """What to promise, and the bill that follows."""

    pieces: Floats
    """[commitment], how many pieces of each offer."""
    bill: Bill
    bound_usd: float
    """No promises out of these offers cost less, however a bill covers."""

    @property
    def usd(self) -> float:
        """The bill of the hours that the usage stands for."""
        return self.bill.usd


def folded(usage: Usage) -> Usage:
    """The same usage with equal hours as one row: what a choice depends on.

    >>> usage = folded(Usage(np.array([[1.0], [2.0], [1.0]]), np.array([0.1])))
    >>> usage.amount.tolist(), usage.weight.tolist()
    ([[1.0], [2.0]], [2.0, 1.0])
    """
    if not len(usage.amount):
        return usage
    rows, where = np.unique(usage.amount, axis=0, return_inverse=True)
    hours = np.bincount(where.ravel(), usage.weight, minlength=len(rows)).astype(np.float64)
    return replace(usage, amount=rows, hours=hours)


def mix(usage: Usage, offers: Sequence[Commitment], whole: Sequence[bool]) -> Mix:
    """How many pieces of each of `offers` to buy for `usage`, never dearer than to promise nothing.

    Args:
        usage: what runs.
        offers: each with the amount of one piece.
        whole: [offer], whether it is sold in whole pieces only.
    """
    load = folded(usage)
    useful = [c for c, offer in enumerate(offers) if _helps(load, offer)]
    kept, pieces = [offers[c] for c in useful], np.zeros(len(offers))
    nothing = Mix(pieces, charged(usage, _bought(offers, pieces)), usage.on_demand_usd)
    if not kept or usage.on_demand_usd <= 0:
        return nothing
    entire = np.array([whole[c] for c in useful])
    asked, constant = problem(load, kept, entire), load.on_demand_usd
    relaxed = solve(replace(asked, whole=None))
    chosen = relaxed.values[: len(kept)]
    bound = relaxed.bound
    if (entire & (np.abs(chosen - np.round(chosen)) > WHOLE)).any():
        exact = solve(asked, Limits(nodes=NODES, gap=1e-9))
        bound = max(bound, exact.bound)
        chosen = exact.values[: len(kept)] if exact.solved else np.where(entire, np.floor(chosen), chosen)
    pieces[useful] = np.where(entire, np.round(chosen), np.maximum(chosen, 0.0))
    found = Mix(pieces, charged(usage, _bought(offers, pieces)), constant + bound)
    best = min((nothing, found), key=lambda m: m.usd)
    return replace(best, bound_usd=min(constant + bound, best.usd))


def _bought(offers: Sequence[Commitment], pieces: Floats) -> list[Commitment]:
    return [replace(offer, amount=offer.amount * n) for offer, n in zip(offers, pieces.tolist(), strict=True)]


def _helps(load: Usage, offer: Commitment) -> bool:
    """Whether an hour of anything that runs costs less covered than on demand."""
    rate = np.where(np.isfinite(offer.need), offer.need, np.inf) * offer.usd
    return offer.amount > 0 and bool(((rate < load.usd) & (load.amount.max(axis=0, initial=0.0) > 0)).any())


def problem(load: Usage, offers: Sequence[Commitment], whole: Bools) -> Problem:
    """The promises first, then coverage by commitment, item and period; rows of usage, then of commitments."""
    periods, items = load.amount.shape
    # What saves nothing counts too: it takes what other hours left of a promise.
    pairs = np.argwhere(np.isfinite([offer.need for offer in offers]))
    c, i = (np.repeat(pairs[:, k], periods) for k in (0, 1))
    t = np.tile(np.arange(periods), len(pairs))
    some = load.amount[t, i] > 0
    c, i, t = c[some], i[some], t[some]
    at = len(offers) + np.arange(len(c))
    need = np.array([offer.need for offer in offers])
    amount = np.array([offer.amount for offer in offers])
    shared = items * periods + np.arange(len(offers) * periods)
    rows = np.concatenate([i * periods + t, items * periods + c * periods + t, shared])
    columns = np.concatenate([at, at, np.repeat(np.arange(len(offers)), periods)])
    values = np.concatenate([np.ones(len(c)), need[c, i], -np.repeat(amount, periods)])
    height = (items + len(offers)) * periods
    matrix = sparse.csr_array((values, (rows, columns)), shape=(height, len(offers) + len(c)))
    upper = np.concatenate([load.amount.T.ravel(), np.zeros(len(offers) * periods)])
    filled = np.diff(matrix.indptr) > 0
    rate = amount * np.array([offer.usd for offer in offers]) * float(load.weight.sum())
    usd = np.concatenate([rate, -load.weight[t] * load.usd[i]])
    integer = np.concatenate([np.asarray(whole, bool), np.zeros(len(c), bool)])
    return Problem(
        usd,
        matrix[np.flatnonzero(filled)],
        np.full(int(filled.sum()), -np.inf),
        upper[filled],
        whole=integer if integer.any() else None,
        name="terms",
    )
