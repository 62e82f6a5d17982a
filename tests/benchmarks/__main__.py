"""Packing against its peers on the same questions, in one run: `PYTHONPATH=tests python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from benchmarks.measure import measured

MIXES = ("kubernetes", "vm_hosts", "big_items", "catalogue", "distinct", "openb")
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
TIMES = (1, 10, 100)
"""openb has its own size; it is multiplied instead."""


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
