"""One application, one server; and several for an application that no server holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.models._ask import Ask
from planner.models._cluster import alone, seat
from planner.models._handout import Handout, handed_out
from planner.models._spares import standing_by
from planner.optimise.packing import Packing

__all__ = ["Dedicated", "dedicated"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Dedicated:
    """A server for every application, several for the largest."""

    server: Ints
    """[instance], type; -1: nowhere."""
    number: Ints
    """[instance], number of the server within its type."""
    singles: Handout
    """Applications on one server."""
    parts: tuple[Packing, ...]
    """One packing an application on several."""
    bound_usd: float = 0.0
    """What these cost at least."""

    def new_usd(self, usd: Floats) -> float:
        """New servers that hold something, a month; `usd` [type] is what one costs."""
        singles = float(usd[self.singles.server[self.singles.new]].sum())
        return singles + float(sum(part.usd for part in self.parts))


def dedicated(ask: Ask, energy_usd: Floats, home: Ints) -> Dedicated:
    """Servers of their own for units that are applications, and for applications made of several units.

    Owned servers go to applications on one server first, such that the least must be bought, then to the others in
    the order in which they appear; those that must stand by are kept out.

    Args:
        ask: units, servers, and what they cost.
        energy_usd: [unit, type], a month, for the work of a unit on a server.
        home: [unit], the application that a unit is part of; -1: it is one.
    """
    able = ask.able
    single = np.flatnonzero(home < 0)
    left = _left(ask, able[single])
    found = handed_out(
        (ask.usd, energy_usd[single]), (able[single], ask.servers.buyable), left, ask.units.count[single]
    )
    server = np.full(int(ask.units.count.sum()), -1, np.int64)
    instance = np.repeat(home < 0, ask.units.count)
    server[instance] = found.server
    number = np.where(server >= 0, pd.Series(server).groupby(server).cumcount().to_numpy(np.int64), -1)
    taken = found.server[~found.new & (found.server >= 0)]
    left = left - np.bincount(taken, minlength=len(left))
    return _spread_out(ask, able, home, Dedicated(server, number, found, ()), left)


def _left(ask: Ask, able: NDArray[np.bool_]) -> Ints:
    """[type], owned servers that need not stand by."""
    owned = ask.servers.owned
    there = able & (ask.servers.buyable | (owned >= ask.spares))
    return owned - np.minimum(standing_by(there, ask.usd, owned, ask.spares), owned)


def _spread_out(ask: Ask, able: NDArray[np.bool_], home: Ints, found: Dedicated, left: Ints) -> Dedicated:
    """The applications on several servers, one after the other."""
    server, number, parts, bound = found.server.copy(), found.number.copy(), [], 0.0
    used = np.bincount(server[server >= 0], minlength=len(left)).astype(np.int64)
    for whole in np.unique(home[home >= 0]):
        there = ask.servers.buyable | (left > 0)
        rows = np.flatnonzero((home == whole) & able[:, there].any(axis=1))
        if not len(rows):
            continue
        part, least = alone(ask, rows, left)
        seat(ask.units, part, (server, number), used)
        used, left = used + part.opened(len(used)), left - part.taken(len(left))
        parts.append(part.part)
        bound += least
    return replace(found, server=server, number=number, parts=tuple(parts), bound_usd=bound)
