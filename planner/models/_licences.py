"""How many licences a server needs, by the unit that they are sold by."""

from __future__ import annotations

import re
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.models._servers import Servers
from planner.quantities import MONTHS_PER_YEAR

__all__ = ["least_order", "licences"]

Floats = NDArray[np.float64]

_PACK: Final = re.compile(r"(?P<size>\d+)?[ -]?(?P<what>core|socket|CPU)s?", re.IGNORECASE)


def licences(servers: Servers, unit: str, least: tuple[float, float]) -> Floats:
    """[type], what a server adds to a licence sold by `unit`: cores, sockets or packs of them, else servers; a year is
    paid by the month.

    Args:
        servers: types.
        unit: of the price row, such as ``16-core``, ``2-socket-year`` or ``server-year``.
        least: the fewest cores that are licensed of a processor, and of a server.
    """
    share = 1 / MONTHS_PER_YEAR if "year" in unit else 1.0
    found = _PACK.search(unit)
    if found is None:
        return np.full(len(servers.sku), share)
    sockets = servers.column("sockets")
    cores = np.maximum(servers.cores, np.maximum(least[0] * sockets, least[1]))
    counted = cores if found["what"].lower() == "core" else sockets
    return np.ceil(counted / float(found["size"] or 1)) * share


def least_order(unit: str, cores: float) -> float:
    """The fewest licences sold at once where so many `cores` are, paid by the month where a year is sold.

    >>> least_order("16-core", 72), least_order("core-year", 72), least_order("socket-year", 72)
    (5.0, 6.0, 0.0)
    """
    found = _PACK.search(unit)
    if found is None or found["what"].lower() != "core":
        return 0.0
    return ceil(cores / float(found["size"] or 1)) * (1 / MONTHS_PER_YEAR if "year" in unit else 1.0)
