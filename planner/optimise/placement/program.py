"""The placement as a mixed-integer program.

    minimise  sum_us usd_us x_us + sum_s fixed_s y_s + sum_fab gib_f usd_ab z_fab + sum_u penalty o_u
    where     sum_s x_us + o_u = copies_u                       every copy somewhere, or left out where that is allowed
              x_us <= copies_u y_s                              a site that holds anything is paid for
              sum_us size_ur x_us <= room_sr                    site capacity
              sum_us[provider p] size_u x_us <= share sum_us size_u x_us
              v_p <= sum_us[provider p] x_us,  sum_p v_p >= min_providers
              sum_u[group g] x_us <= 1                          keep apart
              sum_b z_fab = x_caller,a,  sum_a z_fab = x_callee,b   traffic follows whole units
              x, o integer; y, v binary; z >= 0

A whole unit has one copy that is as large as all of them. Once x is whole, z is: traffic is told exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.optimise.placement.types import Flows, Sites, Units, Wishes, no_flows
from planner.optimise.solver import Problem

__all__ = ["Layout", "layout", "program"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Which variable stands for what: pairs, sites, providers, left-out units, traffic, in this order."""

    unit: Ints
    """[pair]."""
    site: Ints
    """[pair]."""
    units: int
    sites: int
    providers: int
    flows: int
    spared: bool
    """Whether units may be left out."""

    @property
    def starts(self) -> Ints:
        """Where each kind of variable begins, and the number of all."""
        kinds = [len(self.unit), self.sites, self.providers, self.units * self.spared, self.flows * self.sites**2]
        return np.concatenate([[0], np.cumsum(kinds)]).astype(np.int64)

    def pairs(self) -> sparse.csr_array:
        """[unit x site, pair], which pair is a unit at a site."""
        rows = self.unit * self.sites + self.site
        shape = (self.units * self.sites, len(rows))
        return sparse.csr_array((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=shape)


def layout(units: Units, sites: Sites, wishes: Wishes, *, spared: bool = False) -> Layout:
    """The variables of a question."""
    unit, site = np.nonzero(np.isfinite(units.usd))
    flows = 0 if wishes.flows is None else len(wishes.flows.gib)
    providers = int(sites.provider.max(initial=-1)) + 1
    return Layout(unit, site, len(units.count), len(sites.fixed_usd), providers, flows, spared)


def copies(units: Units) -> Ints:
    """[unit], copies that move by themselves."""
    return np.where(units.whole, np.minimum(units.count, 1), units.count).astype(np.int64)


def program(units: Units, sites: Sites, wishes: Wishes, penalty_usd: float | None = None) -> Problem:
    """The program of a question; with a `penalty_usd` a copy may be left out at that price."""
    at = layout(units, sites, wishes, spared=penalty_usd is not None)
    weight = np.where(units.whole, units.count, 1).astype(float)
    flows = wishes.flows or no_flows(at.sites)
    usd = np.concatenate(
        [
            units.usd[at.unit, at.site] * weight[at.unit],
            sites.fixed_usd,
            np.zeros(at.providers),
            np.full(at.units * at.spared, penalty_usd or 0.0) * (weight if at.spared else 1.0),
            np.outer(flows.gib, flows.usd_per_gib.ravel()).ravel(),
        ]
    )
    most = np.concatenate(
        [copies(units)[at.unit], np.ones(at.sites + at.providers), copies(units)[: at.units * at.spared]]
    )
    crossing = int(at.starts[-1] - at.starts[-2])
    blocks = [*_placed(units, at), *_held(units, sites, wishes, at), *_carried(flows, at)]
    rows = sparse.csr_array(sparse.vstack([b[0] for b in blocks], format="csr"))
    rows.eliminate_zeros()
    return Problem(
        usd=usd,
        matrix=rows,
        lower=np.concatenate([b[1] for b in blocks]),
        upper=np.concatenate([b[2] for b in blocks]),
        most=np.concatenate([most.astype(float), np.full(crossing, np.inf)]),
        whole=np.arange(at.starts[-1]) < at.starts[-2],
        name="placement",
    )


Block = tuple[sparse.csr_array, Floats, Floats]


def _row(at: Layout, parts: dict[int, sparse.sparray], height: int) -> sparse.csr_array:
    """A block of rows out of its parts by kind of variable; the others are empty."""
    widths = np.diff(at.starts)
    found = [parts.get(k, sparse.csr_array((height, int(w)))) for k, w in enumerate(widths)]
    return sparse.csr_array(sparse.hstack(found, format="csr"))


def _placed(units: Units, at: Layout) -> list[Block]:
    """Every copy somewhere; and only where the site is paid for."""
    many, pairs = copies(units).astype(float), len(at.unit)
    by_unit = sparse.csr_array((np.ones(pairs), (at.unit, np.arange(pairs))), shape=(at.units, pairs))
    parts: dict[int, sparse.sparray] = {0: by_unit}
    if at.spared:
        parts[3] = sparse.eye_array(at.units, format="csr")
    opened = sparse.csr_array((-many[at.unit], (np.arange(pairs), at.site)), shape=(pairs, at.sites))
    paid = _row(at, {0: sparse.eye_array(pairs, format="csr"), 1: opened}, pairs)
    return [(_row(at, parts, at.units), many, many), (paid, np.full(pairs, -np.inf), np.zeros(pairs))]


def _held(units: Units, sites: Sites, wishes: Wishes, at: Layout) -> list[Block]:
    """Capacity, shares and number of providers, and what keeps apart."""
    size = (units.size * np.where(units.whole, units.count, 1)[:, None])[at.unit]
    blocks: list[Block] = []
    for r in range(units.size.shape[1]):
        ends = np.flatnonzero(np.isfinite(sites.room[:, r]))
        if len(ends):
            taken = np.where(at.site == ends[:, None], size[:, r], 0.0)
            blocks.append(_most(at, taken, sites.room[ends, r]))
    provider = sites.provider[at.site]
    if wishes.max_provider_share < 1.0:
        own = provider == np.arange(at.providers)[:, None]
        blocks.append(_most(at, (own - wishes.max_provider_share) * size[:, 0], np.zeros(at.providers)))
    if wishes.min_providers > 1:
        holds = sparse.csr_array(np.where(provider == np.arange(at.providers)[:, None], -1.0, 0.0))
        counted = _row(at, {0: holds, 2: sparse.eye_array(at.providers, format="csr")}, at.providers)
        blocks.append((counted, np.full(at.providers, -np.inf), np.zeros(at.providers)))
        many = _row(at, {2: sparse.csr_array(np.ones((1, at.providers)))}, 1)
        blocks.append((many, np.array([float(wishes.min_providers)]), np.array([np.inf])))
    for group in wishes.apart:
        inside = np.isin(at.unit, group) & (at.site == np.arange(at.sites)[:, None])
        blocks.append(_most(at, inside.astype(float), np.ones(at.sites)))
    return blocks


def _most(at: Layout, pairs: Floats, limit: Floats) -> Block:
    """Rows over pairs that stay below a limit."""
    return _row(at, {0: sparse.csr_array(pairs)}, len(pairs)), np.full(len(pairs), -np.inf), limit


def _carried(flows: Flows, at: Layout) -> list[Block]:
    """Traffic leaves where the caller is and arrives where the callee is."""
    if not at.flows:
        return []
    places = sparse.eye_array(at.flows * at.sites, format="csr")
    each, ones = sparse.eye_array(at.flows, format="csr"), np.ones((1, at.sites))
    leaves = sparse.kron(places, ones, format="csr")
    arrives = sparse.kron(each, sparse.kron(ones, sparse.eye_array(at.sites)), format="csr")
    where, zero = at.pairs(), np.zeros(at.flows * at.sites)
    found = []
    for end, side in ((flows.caller, leaves), (flows.callee, arrives)):
        rows = (end[:, None] * at.sites + np.arange(at.sites)).ravel()
        found.append((_row(at, {0: -where[rows], 4: side}, len(rows)), zero, zero))
    return found
