"""Writes a call graph: who calls whom, how often and with how many bytes, hour by hour."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from planner.samples.estate import Size
from planner.samples.files import write_text

__all__ = ["service_graph"]

MONDAY: Final = "2026-03-02"
"""The day. Unit: date, UTC. Source: our choice."""
ENTRY: Final = 40.0
"""Requests that the first service takes from outside, on average. Unit: requests a second. Source: our choice."""
CALLEES: Final = 3
"""Services that a service calls at most. Unit: services. Source: our choice; Online Boutique has 14 calls of 10."""
CALLS: Final = (0.3, 1.5)
"""Calls to each of them for each request. Unit: calls. Source: our choice."""
BYTES: Final = (6.0, 10.0)
"""Bytes of a call, both ways. Unit: natural logarithm of bytes. Source: our choice, 400 B to 22 KB."""
SWING: Final = 0.5
"""How far a day swings around its mean. Unit: share. Source: shape only."""


def service_graph(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """``timestamp, caller, callee, rps, bytes``: every service calls some of those behind it."""
    rng = np.random.default_rng([seed, 7])
    edges = _edges(rng, size.vms)
    hour = np.arange(24 * size.days)
    course = 1 - SWING * np.cos((hour - 3) / 24 * 2 * np.pi)
    times = pd.date_range(MONDAY, periods=len(hour), freq="h").strftime("%Y-%m-%dT%H:%M:%SZ")
    table = pd.DataFrame(
        {
            "timestamp": np.repeat(times.to_numpy(), len(edges)),
            "caller": np.tile(edges["caller"], len(hour)),
            "callee": np.tile(edges["callee"], len(hour)),
            "rps": np.round(
                np.outer(course, edges["rps"]).ravel() * rng.uniform(0.95, 1.05, len(hour) * len(edges)), 3
            ),
            "bytes": np.tile(edges["bytes"], len(hour)),
        }
    )
    return (write_text(folder / "service_graph.csv", table.to_csv(index=False, lineterminator="\n")),)


def _edges(rng: np.random.Generator, services: int) -> pd.DataFrame:
    """One row a pair; the users' gateway calls the first service."""
    served = np.zeros(services)
    served[0] = ENTRY
    rows = [("gateway", 0, ENTRY)]
    for caller in range(services - 1):
        behind = caller + 1 + rng.permutation(services - 1 - caller)[:CALLEES]
        callees = np.unique(np.append(behind, caller + 1))
        rates = served[caller] * rng.uniform(*CALLS, len(callees))
        served[callees] += rates
        rows += [(f"svc-{caller + 1:02d}", c, r) for c, r in zip(callees.tolist(), rates.tolist(), strict=True)]
    table = pd.DataFrame(rows, columns=["caller", "callee", "rps"])
    names = "svc-" + (table["callee"] + 1).astype(str).str.zfill(2)
    return table.assign(callee=names, bytes=np.round(np.exp(rng.uniform(*BYTES, len(table)))).astype(int))
