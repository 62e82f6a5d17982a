"""What a placement is asked: units with their prices, sites with their limits, and wishes across both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FAMILIES", "Flows", "Sites", "Units", "Wishes", "admitted", "no_flows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FAMILIES = ("site capacity", "provider share", "number of providers", "keep apart")
"""Limits that can contradict each other, by name."""


@dataclass(frozen=True)
class Units:
    """What is placed: a row holds `count` equal copies."""

    usd: Floats
    """[unit, site], what one copy costs there in a month; inf: it may not be there."""
    count: NDArray[np.int64]
    """[unit], copies."""
    size: Floats
    """[unit, resource], what one copy takes of a site's room; the first resource is what provider shares count."""
    whole: Bools
    """[unit], whether all copies stay at one site; else each goes where it likes."""


@dataclass(frozen=True)
class Sites:
    """Where things can be placed."""

    fixed_usd: Floats
    """[site], what it costs in a month once anything is there."""
    provider: NDArray[np.int64]
    """[site], number of its provider, from 0."""
    room: Floats
    """[site, resource], what it holds; inf: without end."""


@dataclass(frozen=True)
class Flows:
    """Traffic between units."""

    caller: NDArray[np.int64]
    """[flow], unit that sends."""
    callee: NDArray[np.int64]
    """[flow], unit that receives."""
    gib: Floats
    """[flow], GiB a month."""
    usd_per_gib: Floats
    """[site, site], from where to where; 0 at home."""


def no_flows(sites: int) -> Flows:
    """Nobody talks to anybody."""
    nobody = np.zeros(0, np.int64)
    return Flows(nobody, nobody, np.zeros(0), np.zeros((sites, sites)))


@dataclass(frozen=True)
class Wishes:
    """What must hold for the placement as a whole."""

    flows: Flows | None = None
    """Units with traffic are whole, so that what crosses is told exactly."""
    together: tuple[tuple[int, ...], ...] = ()
    """Units of one group share a site, and are whole."""
    apart: tuple[tuple[int, ...], ...] = ()
    """Units of one group are at sites of their own, and are whole."""
    max_provider_share: float = 1.0
    """Most of all that is placed, by the first resource, that one provider carries."""
    min_providers: int = 1
    """So many providers carry something."""


def admitted(sites: Sites, units: Units, wishes: Wishes, where: Ints) -> bool:
    """Whether copies `where` [unit, site] keep to all limits; units that are nowhere break none.

    >>> sites = Sites(np.zeros(2), np.array([0, 1]), np.full((2, 1), np.inf))
    >>> units = Units(np.ones((1, 2)), np.array([2]), np.ones((1, 1)), np.array([False]))
    >>> [admitted(sites, units, Wishes(max_provider_share=0.5), np.array([row])) for row in ([1, 1], [2, 0])]
    [True, False]
    """
    load = where.T @ units.size
    many = int(sites.provider.max(initial=-1)) + 1
    carried = np.bincount(sites.provider, load[:, 0], minlength=many)
    holds = np.bincount(sites.provider, where.sum(axis=0), minlength=many) > 0
    share = wishes.max_provider_share * carried.sum()
    return bool(
        (load <= sites.room * (1 + 1e-9) + 1e-9).all()
        and (wishes.max_provider_share >= 1.0 or (carried <= share * (1 + 1e-9) + 1e-9).all())
        and (not holds.any() or holds.sum() >= wishes.min_providers)
        and all(_at_one(where[list(group)]) for group in wishes.together)
        and all((where[list(group)] > 0).sum(axis=0).max(initial=0) <= 1 for group in wishes.apart)
    )


def _at_one(where: Ints) -> bool:
    """Whether what is anywhere is all at one site."""
    return int((where.sum(axis=0) > 0).sum()) <= 1
