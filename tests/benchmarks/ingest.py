"""Ingest and reduction against bare SQL on the same rows: `PYTHONPATH=tests:. python -m benchmarks.ingest`.

The peers are DuckDB's `create table as select` with the same types, limits and threads, into a fresh file too, which
finds no bad row, hashes nothing, counts nothing and measures nothing; and the percentiles and means of each workload
and hour of the week of that table, in one statement. They run in turn with ours, each in a process of its own.

`--alone` leaves the peers out, to see a recording many times the memory through: `--alone --memory 1GiB --kinds csv
--rows 267000000` reads 10 GiB, and tells the peak of the process too.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import duckdb

from planner.demand import Policy
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


REDUCTION = """
    select workload, (epoch_us(sampled_at) // 3600000000 + 72) % 168 as hour,
        quantile_cont(cpu_cores, 0.95), avg(cpu_cores), max(memory_gib), avg(memory_gib) from t group by all
"""


def bare_reduction(path: Path, target: Path, memory: str) -> float:
    """Seconds of the plain statement, its rows as a table; the second run counts, when files are warm."""
    bare(path, target, memory)
    with duckdb.connect(str(target), config={"memory_limit": memory}) as connection:
        connection.execute("set enable_progress_bar = false")
        return min(_seconds(lambda: connection.execute(REDUCTION).df()) for _ in range(2))


def our_reduction(path: Path, target: Path, memory: str) -> float:
    """Seconds from a recording in the workspace to its demand, folded into classes."""
    with Store(target, memory) as store:
        trace_id = store.ingest(path).trace_id
        return min(_seconds(lambda: store.demand(trace_id, Policy())) for _ in range(2))


def through(path: Path, target: Path, memory: str) -> float:
    """Seconds of an ingest and its reduction; tells of both, and of the peak of memory, on the way."""
    start = time.monotonic()
    with Store(target, memory, "60GB") as store:
        trace_id = store.ingest(path).trace_id
        read = time.monotonic() - start
        store.demand(trace_id, Policy())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write(f"{path.stat().st_size >> 20:,} MiB read in {read:.0f} s, peak {peak:,} MiB\n")
    return time.monotonic() - start


def _seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
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


def told(what: str, path: Path, works: Sequence[Callable[[Path, Path, str], float]], asked: argparse.Namespace) -> None:
    """A line about two works that are done in turn; the quickest of each counts."""
    turns = [[alone(work, path, asked.memory) for work in works] for _ in range(asked.times)]
    theirs, own = (min(each) for each in zip(*turns, strict=True))
    rows = f"{path.name}: {asked.rows:,} rows, {what}"
    sys.stdout.write(f"{rows} bare {theirs:.1f} s, ours {own:.1f} s, ratio {theirs / own:.0%}\n")
    sys.stdout.flush()


def main() -> None:
    """Print a line a kind of file and a work: seconds of both, and how fast ours is beside the bare one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--times", type=int, default=3, help="runs of each; the quickest counts")
    parser.add_argument("--alone", action="store_true", help="no peer: read and reduce once")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="planner-benchmark-") as folder:
        for kind in asked.kinds:
            path = Path(folder) / f"trace.{kind}"
            generate(path, asked.rows)
            if asked.alone:
                seconds = alone(through, path, asked.memory)
                sys.stdout.write(f"{path.name}: {asked.rows:,} rows, read and reduced in {seconds:.0f} s\n")
            else:
                told("load", path, (bare, ours), asked)
            if kind == "parquet" and not asked.alone:
                told("reduction", path, (bare_reduction, our_reduction), asked)
            path.unlink()


if __name__ == "__main__":
    main()
