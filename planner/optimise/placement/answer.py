"""From a question of placement to its answer: folding, solving, and who is left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from planner.optimise.placement.program import copies, layout, program
from planner.optimise.placement.types import FAMILIES, Flows, Sites, Units, Wishes
from planner.optimise.solver import Limits, Outcome, solve

__all__ = ["MOST_PAIRS", "Placement", "assign"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MOST_PAIRS = 6_000
"""Unit: pairs of unit and site. Source: HiGHS places so many in a few seconds; more are grouped first."""
LIMITS = Limits(nodes=2_000, gap=1e-6)
"""Unit: nodes, fraction. Source: where it stops early, the bound says how far from the best it may be."""
NOWHERE = "no site may hold it, with all that it stays together with"
TORN = "it must stay together with what it must keep apart from"


@dataclass(frozen=True)
class Placement:
    """Where the copies of each unit go."""

    copies: NDArray[np.int64]
    """[unit, site]."""
    usd: float
    """What it costs: prices of units, fixed costs of sites in use, and traffic."""
    bound_usd: float
    """What no placement of the same units (grouped as `groups` says) that leaves the same ones out goes below."""
    reason: tuple[str, ...]
    """[unit], why copies of it are left out; empty where none are."""
    groups: int
    """Units that moved by themselves: fewer than there are where they were tied together or grouped."""

    @property
    def left(self) -> list[int]:
        """Units of which copies are left out."""
        return [u for u, why in enumerate(self.reason) if why]


def assign(units: Units, sites: Sites, wishes: Wishes, most_pairs: int = MOST_PAIRS) -> Placement:
    """The cheapest placement; where not everything can be placed, the one that leaves the fewest copies out.

    Where there are more than `most_pairs` pairs of unit and site, units that may go to the same sites and gain about as
    much by the best of them move as one: the bound is then that of the placements that move them so.

    Raises:
        SolverError: the solver failed for a reason other than the question.
    """
    wishes = replace(wishes, apart=tuple(g for g in wishes.apart if len(set(g)) > 1))
    label = _tied(units, wishes)
    tied = _folded(units, label)
    able = np.isfinite(tied.usd).any(axis=1) & (tied.count > 0)
    rough = _grouped(tied, wishes, label, able, most_pairs)
    label = rough[label]
    ask, kept = _folded(units, label), _named(wishes, label)
    torn = _torn(wishes, label)
    able = np.isfinite(ask.usd).any(axis=1) & ~torn
    rows = np.flatnonzero(able & (ask.count > 0))
    placed, out, cost = _placed(_only(ask, rows), sites, _renumbered(kept, rows))
    where = np.zeros((len(ask.count), len(sites.fixed_usd)), np.int64)
    where[rows] = placed
    why = np.where(able | (ask.count == 0), "", np.where(torn, TORN, NOWHERE)).astype(object)
    why[rows] = out
    spread = _spread(units, label, ask, where)
    return Placement(spread, *cost, tuple(str(why[g]) for g in label), len(rows))


def _tied(units: Units, wishes: Wishes) -> Ints:
    """[unit], number of the group that it moves with; alone where nothing ties it."""
    pairs = [(group[0], other) for group in wishes.together for other in group[1:]]
    one, other = np.array(pairs, np.int64).reshape(-1, 2).T
    links = sparse.csr_array((np.ones(len(one)), (one, other)), shape=(len(units.count),) * 2)
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def _folded(units: Units, label: Ints) -> Units:
    """Units with one label as one whole unit with one copy; others as they are."""
    many = int(label.max(initial=-1)) + 1
    alone = np.bincount(label, minlength=many) == 1
    weight = np.where(alone[label], 1.0, units.count)
    usd, size = np.zeros((many, units.usd.shape[1])), np.zeros((many, units.size.shape[1]))
    finite = np.isfinite(units.usd)
    np.add.at(usd, label, np.where(finite, units.usd, 0.0) * weight[:, None])
    barred = np.zeros(usd.shape, bool)
    np.logical_or.at(barred, label, ~finite & (units.count > 0)[:, None])
    np.add.at(size, label, units.size * weight[:, None])
    total = np.bincount(label, units.count, minlength=many)
    first = np.zeros(many, bool)
    np.logical_or.at(first, label, units.whole)
    return Units(
        np.where(barred, np.inf, usd),
        np.where(alone, total, np.minimum(total, 1)).astype(np.int64),
        size,
        first | ~alone,
    )


def _named(wishes: Wishes, label: Ints) -> Wishes:
    """The same wishes for labels."""
    flows = wishes.flows
    if flows is not None:
        caller, callee = label[flows.caller], label[flows.callee]
        apart = caller != callee
        flows = Flows(caller[apart], callee[apart], flows.gib[apart], flows.usd_per_gib)
    groups = tuple(tuple(sorted({int(label[u]) for u in group})) for group in wishes.apart)
    return replace(wishes, flows=flows, together=(), apart=groups)


def _torn(wishes: Wishes, label: Ints) -> Bools:
    """[label], whether it holds two units that must keep apart."""
    out = np.zeros(int(label.max(initial=-1)) + 1, bool)
    for group in wishes.apart:
        seen, times = np.unique(label[sorted(set(group))], return_counts=True)
        out[seen[times > 1]] = True
    return out


def _bound_up(wishes: Wishes) -> set[int]:
    """Units that traffic or a wish to keep apart makes whole."""
    flows = set() if wishes.flows is None else {*wishes.flows.caller.tolist(), *wishes.flows.callee.tolist()}
    return flows | {u for group in wishes.apart for u in group}


def _grouped(units: Units, wishes: Wishes, label: Ints, able: Bools, most_pairs: int) -> Ints:
    """[unit], number of the group that it moves with so that few enough pairs remain."""
    many = len(units.count)
    pairs = int(np.isfinite(units.usd[able]).sum())
    if pairs <= most_pairs:
        return np.arange(many)
    free = able.copy()
    free[list(_bound_up(_named(wishes, label)))] = False
    rows = np.flatnonzero(free)
    size = int(np.ceil(pairs / most_pairs))
    usd = np.where(np.isfinite(units.usd[rows]), units.usd[rows], np.inf)
    sums = np.sort(usd, axis=1)
    gain = np.where(np.isfinite(sums[:, 1]), sums[:, 1] / np.maximum(sums[:, 0], 1e-12), 0.0)
    mask = np.unique(np.isfinite(usd), axis=0, return_inverse=True)[1].ravel()
    order = np.lexsort([gain, np.argmin(usd, axis=1), mask])
    key = mask[order] * usd.shape[1] + np.argmin(usd, axis=1)[order]
    rank = np.arange(len(order)) - np.concatenate([[0], np.flatnonzero(np.diff(key)) + 1])[_run(key)]
    group = np.unique(np.column_stack([key, rank // size]), axis=0, return_inverse=True)[1].ravel()
    out = np.arange(many) + len(order)
    out[rows[order]] = group
    return np.asarray(np.unique(out, return_inverse=True)[1].ravel(), np.int64)


def _run(key: Ints) -> Ints:
    """[position], number of the run of equal keys that it stands in."""
    return np.concatenate([[0], np.cumsum(np.diff(key) != 0)]).astype(np.int64)


def _only(units: Units, rows: Ints) -> Units:
    return Units(units.usd[rows], units.count[rows], units.size[rows], units.whole[rows])


def _renumbered(wishes: Wishes, rows: Ints) -> Wishes:
    """The wishes about `rows` alone."""
    at = {int(row): i for i, row in enumerate(rows)}
    flows = wishes.flows
    if flows is not None:
        both = np.isin(flows.caller, rows) & np.isin(flows.callee, rows)
        ends = [np.array([at[int(u)] for u in end[both]], np.int64) for end in (flows.caller, flows.callee)]
        flows = Flows(ends[0], ends[1], flows.gib[both], flows.usd_per_gib)
    apart = tuple(tuple(at[u] for u in group if u in at) for group in wishes.apart)
    return replace(wishes, flows=flows, apart=tuple(group for group in apart if len(group) > 1))


Found = tuple[Ints, NDArray[np.object_], tuple[float, float]]


def _placed(units: Units, sites: Sites, wishes: Wishes) -> Found:
    """Copies [unit, site], why some are left out, cost and bound."""
    whole = units.whole.copy()
    whole[list(_bound_up(wishes))] = True
    units = replace(units, whole=whole)
    silent = np.full(len(units.count), "", object)
    if not len(units.count):
        return np.zeros((0, len(sites.fixed_usd)), np.int64), silent, (0.0, 0.0)
    found = solve(program(units, sites, wishes), LIMITS)
    if found.solved:
        return _read(units, sites, wishes, found), silent, (found.objective, found.bound)
    return _spared(units, sites, wishes)


def _read(units: Units, sites: Sites, wishes: Wishes, found: Outcome) -> Ints:
    at = layout(units, sites, wishes)
    where = np.zeros((at.units, at.sites), np.int64)
    where[at.unit, at.site] = np.rint(found.values[: len(at.unit)]).astype(np.int64)
    return where * np.where(units.whole, units.count, 1)[:, None]


def _spared(units: Units, sites: Sites, wishes: Wishes) -> Found:
    """The same with the fewest copies left out."""
    left, found = _left_out(units, sites, wishes)
    why = np.full(len(units.count), "", object)
    nothing = np.zeros((len(units.count), len(sites.fixed_usd)), np.int64)
    if found is None:
        why[:] = _told(wishes, ["number of providers"])
        return nothing, why, (0.0, 0.0)
    freed = {f: _left_out(units, sites, _without(f, wishes), _roomy(f, sites))[0] for f in _active(sites, wishes)}
    for u in np.flatnonzero(left):
        alone = [f for f, still in freed.items() if still[u] < left[u]]
        why[u] = _told(wishes, alone or list(freed))
    rest = replace(units, count=units.count - left * np.where(units.whole, units.count, 1))
    rows = np.flatnonzero(rest.count > 0)
    if not len(rows):
        return nothing, why, (0.0, 0.0)
    kept = _renumbered(wishes, rows)
    again = solve(program(_only(rest, rows), sites, kept), LIMITS)
    if again.solved:
        nothing[rows] = _read(_only(rest, rows), sites, kept, again)
    return nothing, why, (again.objective, again.bound) if again.solved else (0.0, 0.0)


def _left_out(units: Units, sites: Sites, wishes: Wishes, room: Floats | None = None) -> tuple[Ints, Outcome | None]:
    """[unit], how many moves of it must be left out."""
    there = sites if room is None else replace(sites, room=room)
    most = np.where(np.isfinite(units.usd), units.usd, 0.0).max(axis=1) @ units.count
    flows = wishes.flows
    traffic = 0.0 if flows is None else float(flows.gib.sum() * flows.usd_per_gib.max(initial=0.0))
    found = solve(program(units, there, wishes, 1.0 + float(most + sites.fixed_usd.sum()) + traffic), LIMITS)
    if not found.solved:
        return copies(units), None
    start = layout(units, there, wishes, spared=True).starts[3]
    return np.rint(found.values[start : start + len(units.count)]).astype(np.int64), found


def _active(sites: Sites, wishes: Wishes) -> list[str]:
    there = (
        bool(np.isfinite(sites.room).any()),
        wishes.max_provider_share < 1.0,
        wishes.min_providers > 1,
        bool(wishes.apart),
    )
    return [family for family, active in zip(FAMILIES, there, strict=True) if active]


def _without(family: str, wishes: Wishes) -> Wishes:
    """The wishes less one family."""
    loose: dict[str, Wishes] = {
        FAMILIES[1]: replace(wishes, max_provider_share=1.0),
        FAMILIES[2]: replace(wishes, min_providers=1),
        FAMILIES[3]: replace(wishes, apart=()),
    }
    return loose.get(family, wishes)


def _roomy(family: str, sites: Sites) -> Floats | None:
    return np.full_like(sites.room, np.inf) if family == FAMILIES[0] else None


def _told(wishes: Wishes, families: Sequence[str]) -> str:
    """The limits in conflict, with their values."""
    values = {
        FAMILIES[1]: f"provider share of at most {wishes.max_provider_share:g}",
        FAMILIES[2]: f"number of providers of at least {wishes.min_providers}",
    }
    words = [values.get(family, family) for family in families]
    return "in conflict, together with the sites it may use: " + ", ".join(words)


def _spread(units: Units, label: Ints, ask: Units, where: Ints) -> Ints:
    """[unit, site], copies of each unit out of those of its label."""
    alone = np.bincount(label, minlength=len(ask.count)) == 1
    return np.where(alone[label][:, None], where[label], where[label] * units.count[:, None]).astype(np.int64)
