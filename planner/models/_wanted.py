"""What a fleet of nodes is wanted for, and what may be opened for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.models._pods import Pods
from planner.optimise.packing import Boxes

__all__ = ["Ask", "Menu", "fitting"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Ask:
    """What a fleet of nodes is wanted for."""

    pods: Pods
    hours: Floats
    room: Floats
    """[type, held resource and slots], for pods."""
    used: Floats
    """[type], price per hour paid as used; inf where not sold."""
    committed: Floats
    """[type], price per hour paid for all hours."""
    fits: Bools
    """[class, type]."""
    min_nodes: int
    lag_periods: int
    autoscale: bool
    effort: float
    beside: Floats | None = None
    """[type], per hour of what comes with a node while it runs, however paid (disk, labour, fee); none: nothing."""
    promised: Floats | None = None
    """[type], price per hour under a promise that types share, so that one may earn it by day and another by night."""

    @property
    def always(self) -> Floats:
        """[type], price per hour of a node that runs all the time, with what comes with it."""
        return np.minimum(self.used, self.committed) + self.running

    @property
    def now_and_then(self) -> Floats:
        """[type], price per hour of a node that runs in few hours, with what comes with it."""
        return np.where(np.isfinite(self.used), self.used, self.committed) + self.running

    @property
    def running(self) -> Floats:
        """[type], price per hour of what comes with a node while it runs."""
        return np.zeros(len(self.used)) if self.beside is None else self.beside

    @property
    def laden(self) -> Ask:
        """The same with what comes with a node in its prices: all of it in those paid as used, and in all where nodes
        never go."""
        committed = self.committed if self.autoscale else self.committed + self.running
        return replace(self, used=self.used + self.running, committed=committed, beside=None)

    @property
    def load(self) -> Floats:
        """[period], how much is asked for: the larger share, of CPU or memory, of the largest room."""
        total = np.einsum("c,cpr->pr", self.pods.count.astype(float), self.pods.requested)
        share: Floats = total / np.maximum(self.room[:, : total.shape[1]].max(axis=0, initial=0.0), 1e-12)
        return np.asarray(share.max(axis=1, initial=0.0))


@dataclass(frozen=True)
class Menu:
    """What may be opened: types at their price, and nodes that run anyway at next to none."""

    kind: Ints
    """[box], its type."""
    usd: Floats
    """[box]."""
    available: Ints | None
    base: Ints
    """[type], nodes that run anyway."""

    def boxes(self, ask: Ask) -> Boxes:
        """The boxes of a packing."""
        return Boxes(ask.room[self.kind], self.usd, None, self.available)

    def nodes(self, opened: Ints) -> Ints:
        """[type], nodes that run when `opened` [box] are needed."""
        more = np.bincount(self.fresh, opened[-len(self.fresh) :], minlength=len(self.base)).astype(np.int64)
        return np.asarray(self.base + more)

    @property
    def fresh(self) -> Ints:
        """The types at their price: the boxes after those that run anyway."""
        return self.kind[np.count_nonzero(self.base) :]

    @property
    def offset(self) -> Ints:
        """[box], number of its first node among those of its type."""
        return np.concatenate([np.zeros(np.count_nonzero(self.base), np.int64), self.base[self.fresh]])


def fitting(pods: Pods, room: Floats, arch: NDArray[np.str_]) -> Bools:
    """[class, type], whether an empty node of the type takes the largest replica of the class."""
    fits: Bools = (pods.arch[:, None] == arch) & (room[:, -1] >= 1)
    for r in range(pods.peak.shape[1]):
        fits &= pods.peak[:, r, None] <= room[:, r] * (1 + 1e-12)
    return fits
