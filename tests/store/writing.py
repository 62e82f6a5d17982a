"""Small files in the layouts that the store reads, and whole recordings by row."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

HEADER = "workload,sampled_at,cpu_cores,memory_gib"


def csv(folder: Path, *lines: str, name: str = "trace.csv", end: str = "\n") -> Path:
    """A file of the lines, with `HEADER` above them."""
    path = folder / name
    path.write_bytes(end.join([HEADER, *lines, ""]).encode())
    return path


def hourly(workload: str, hours: int, start: str = "2024-01-01") -> list[str]:
    """One good row an hour; hour h uses h cores and 1 GiB. 2024-01-01 was a Monday."""
    times = np.datetime64(start, "h") + np.arange(hours)
    return [f"{workload},{time}:00:00,{hour},1" for hour, time in enumerate(times)]


def written(path: Path, *lines: str) -> Path:
    """A file of the lines, gzipped where its name says so; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path
