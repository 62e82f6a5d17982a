"""A question to the packer of owned servers: what must fit into what, and what must stand by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.models._admission import Admission
from planner.models._servers import Servers
from planner.models._units import Units, holds

__all__ = ["Ask"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Ask:
    """What is to be packed into what."""

    units: Units
    need: Floats
    """[unit, 3]."""
    servers: Servers
    room: Floats
    """[type, 3], left for units after what a server keeps for itself."""
    usd: Floats
    """[type], one more server, a month."""
    spares: int
    effort: float
    least: int = 0
    """Servers the cluster must have, those standing by included."""
    by_hour: Floats | None = None
    """[unit, hour, 3], what must fit together hour by hour; none: `need` must."""

    admission: Admission | None = None
    """Which servers must stand by, as a policy counts them; none: any `spares` can be replaced one by one."""

    @property
    def together(self) -> Floats:
        """[unit, hour, 3], what must fit together."""
        return self.need[:, None, :] if self.by_hour is None else self.by_hour

    @property
    def able(self) -> Bools:
        """[unit, type], which servers there are that hold a unit."""
        there = self.servers.buyable | (self.servers.owned > 0)
        return holds(self.need, self.units.arch, self.servers, self.room) & there
