"""One row of the benchmark's table: ours and its peers on one question, with time and memory."""

from __future__ import annotations

import resource
import warnings
from time import perf_counter, process_time

import numpy as np

from benchmarks import instances
from benchmarks.peers import assignment_mip
from planner.optimise.baselines import BASELINES
from planner.optimise.packing import Boxes, Items, Packing, pack

__all__ = ["measured"]

PATIENCE = {"first-fit decreasing": 1e13, "best-fit decreasing": 1e13, "dot product": 4e10, "Karpenter-style": 4e10}
"""Unit: items x boxes (x classes for dot product). Source: beyond it a rule of thumb would take minutes."""


def measured(mix: str, size: int, mip_seconds: float) -> dict[str, object]:
    """One row of the table; run in a process of its own, so that memory is that of one question."""
    warnings.simplefilter("ignore")
    items, boxes = getattr(instances, mix)(size)
    pack(*instances.big_items(30), effort=0.02)
    begun, cpu = perf_counter(), process_time()
    ours = pack(items, boxes)
    row: dict[str, object] = {"mix": mix, "size": size, "items": int(items.count.sum()), "classes": len(items.count)}
    row |= {"types": len(boxes.usd), "boxes": int(ours.opened.sum()), "gap %": 100 * ours.gap}
    row |= {"seconds": perf_counter() - begun, "cpu seconds": process_time() - cpu}
    row |= {"level-1 seconds": ours.details["level1_seconds"], "proof seconds": ours.details.get("prove_seconds", 0.0)}
    row |= {"MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, "unplaced": int(ours.unplaced.sum())}
    begun = perf_counter()
    ours.placement()
    row["placement seconds"] = perf_counter() - begun
    return row | _peers(items, boxes, ours, mip_seconds)


def _peers(items: Items, boxes: Boxes, ours: Packing, mip_seconds: float) -> dict[str, object]:
    """How much dearer each peer is, in per cent of our cost; nan where it would not end."""
    row: dict[str, object] = {}
    fleet, n, usd = int(ours.opened.sum()), int(items.count.sum()), ours.usd
    for name, greedy in BASELINES.items():
        work = n * (len(items.count) if name == "dot product" else max(1, n // 30))
        if work > PATIENCE[name]:
            row[f"{name} %"] = np.nan
            continue
        peer = greedy(items, boxes)
        row[f"{name} %"] = 100 * (peer.usd / usd - 1)
    for solver in ("CBC", "HiGHS"):
        found = assignment_mip(items, boxes, fleet, solver, mip_seconds) if fleet and mip_seconds > 0 else None
        row[f"MIP {solver} %"] = np.nan if found is None else 100 * (found[0] / usd - 1)
        row[f"MIP {solver}"] = "" if found is None else found[1]
    return row
