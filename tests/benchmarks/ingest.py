"""Ingest against a bare load of the same file: `PYTHONPATH=tests:. python -m benchmarks.ingest --rows 50000000`.

The peer is DuckDB's `create table as select` with the same types, limits and threads, into a fresh file too; it finds
no bad row, hashes nothing, counts nothing and measures nothing. Both run in turn, each in a process of its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import duckdb

from planner.store import Store

KINDS = ("parquet", "csv", "csv.gz")
TYPES = "{'workload': 'VARCHAR', 'sampled_at': 'TIMESTAMP', 'cpu_cores': 'DOUBLE', 'memory_gib': 'DOUBLE'}"


def generate(path: Path, rows: int) -> None:
    """Five-minute readings of one machine for each 8,640 rows (a month), in order of time."""
    machines = max(1, rows // 8640)
    form = {"parquet": "format parquet, compression zstd", "csv": "header", "csv.gz": "header, compression gzip"}
    kind = path.name.split(".", 1)[1]
    with duckdb.connect(":memory:") as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"""
            copy (select 'vm-' || lpad((i % {machines})::varchar, 6, '0') as workload,
                timestamp '2024-01-01' + to_seconds(300 * (i // {machines})) as sampled_at,
                round(hash(i) / 1.8e19 * 4, 3) as cpu_cores, round(hash(i + 1) / 1.8e19 * 16, 3) as memory_gib
                from range({rows}) t(i)) to '{path}' ({form[kind]})
        """)


def bare(path: Path, target: Path, memory: str) -> float:
    """Seconds of DuckDB's own load."""
    source = (
        f"read_parquet('{path}')"
        if path.suffix == ".parquet"
        else f"read_csv('{path}', auto_detect=false, header=true, delim=',', quote='\"', escape='\"', columns={TYPES})"
    )
    start = time.monotonic()
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "preserve_insertion_order": False,
    }
    with duckdb.connect(str(target), config=settings) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"create table t as from {source}")
    return time.monotonic() - start


def ours(path: Path, target: Path, memory: str) -> float:
    """Seconds of an ingest, from opening the workspace to closing it."""
    start = time.monotonic()
    with Store(target, memory) as store:
        store.ingest(path)
    return time.monotonic() - start


def alone(work: Callable[[Path, Path, str], float], path: Path, memory: str) -> float:
    """The seconds of `work` in a process of its own, into a fresh file."""
    context = get_context("spawn")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, path, Path(folder) / "x.duckdb", memory).result()


def main() -> None:
    """Print a line a kind of file: seconds of both, rows a second, and the ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--times", type=int, default=2, help="runs of each; the quickest counts")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="planner-benchmark-") as folder:
        for kind in asked.kinds:
            path = Path(folder) / f"trace.{kind}"
            generate(path, asked.rows)
            turns = [(alone(bare, path, asked.memory), alone(ours, path, asked.memory)) for _ in range(asked.times)]
            theirs, own = (min(each) for each in zip(*turns, strict=True))
            told = f"{kind}: {asked.rows:,} rows, bare {theirs:.1f} s, ingest {own:.1f} s, ratio {theirs / own:.0%}\n"
            sys.stdout.write(told)
            sys.stdout.flush()
            path.unlink()


if __name__ == "__main__":
    main()
