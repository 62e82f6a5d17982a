"""Packing against its peers on the same questions, in one run: `PYTHONPATH=tests python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pandas as pd

from benchmarks import instances
from benchmarks.peers import assignment_mip
from planner.optimise.baselines import BASELINES
from planner.optimise.packing import Boxes, Items, pack

MIXES = ("kubernetes", "vm_hosts", "big_items", "catalogue", "distinct", "openb")
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
TIMES = (1, 10, 100)
"""openb has its own size; it is multiplied instead."""
PATIENCE = {"first-fit decreasing": 2e10, "best-fit decreasing": 4e9, "dot product": 2e10, "Karpenter-style": 4e9}
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
    return row | _peers(items, boxes, ours.usd, mip_seconds)


def _peers(items: Items, boxes: Boxes, usd: float, mip_seconds: float) -> dict[str, object]:
    """How much dearer each peer is, in per cent of our cost; nan where it would not end."""
    row: dict[str, object] = {}
    fleet, n = 0, int(items.count.sum())
    for name, greedy in BASELINES.items():
        work = n * (len(items.count) if name == "dot product" else max(1, n // 30))
        if work > PATIENCE[name]:
            row[f"{name} %"] = np.nan
            continue
        peer = greedy(items, boxes)
        fleet = fleet or int(peer.opened.sum())
        row[f"{name} %"] = 100 * (peer.usd / usd - 1)
    for solver in ("CBC", "HiGHS"):
        found = assignment_mip(items, boxes, fleet, solver, mip_seconds) if fleet and mip_seconds > 0 else None
        row[f"MIP {solver} %"] = np.nan if found is None else 100 * (found[0] / usd - 1)
        row[f"MIP {solver}"] = "" if found is None else found[1]
    return row


def main() -> None:
    """Print the table; one process a question, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--mixes", nargs="+", choices=MIXES, default=MIXES[:3] + MIXES[5:])
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--mip-seconds", type=float, default=60.0, help="time limit of each solver; 0: leave them out")
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    asked = parser.parse_args()
    rows = []
    for mix in asked.mixes:
        for size in TIMES if mix == "openb" else asked.sizes:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                rows.append(pool.submit(measured, mix, size, asked.mip_seconds).result())
            print(f"{mix} {size}: gap {rows[-1]['gap %']:.4f} %", file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    with pd.option_context("display.width", 250, "display.max_columns", 40, "display.float_format", "{:.3f}".format):
        print(table.to_string(index=False))
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
