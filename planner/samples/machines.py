"""Writes machines in three layouts: planner's own, the Azure VM trace V2, and Bitbrains GWA-T-12."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.samples.estate import Machines, Size, simulate

__all__ = ["azure_vm", "bitbrains", "estate", "write_gzip"]

_MONDAY: Final = "2026-03-02"
_BITBRAINS_START: Final = 1376314846  # 2013-08-12 13:40:46 UTC, the first second of the published trace
_MHZ_PER_CORE: Final = 2600.0
_KIB_PER_GIB: Final = 1024**2
_READING_FILES: Final = 4


def write_gzip(path: Path, frame: pd.DataFrame, *, header: bool) -> Path:
    """Writes a frame as gzipped CSV without the time of day in it, so that equal content is equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = frame.to_csv(index=False, header=header, lineterminator="\n")
    with gzip.GzipFile(path, "wb", compresslevel=9, mtime=0) as file:
        file.write(text.encode())
    return path


def estate(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """planner's own columns: samples.parquet every 15 minutes, and workloads.csv."""
    step = 900
    machines = simulate(size, step, seed)
    names = _numbered("vm-", size.vms)
    samples, count = machines.cpu.shape[1], size.vms
    frame = pd.DataFrame(
        {
            "workload": pd.Categorical(np.repeat(names, samples)),
            "sampled_at": np.tile(pd.date_range(_MONDAY, periods=samples, freq=f"{step}s").as_unit("ms"), count),
            "cpu_cores": np.round(machines.cpu * machines.vcpu[:, None], 3).ravel(),
            "memory_gib": np.round(machines.memory * machines.memory_gib[:, None], 2).ravel(),
        }
    )
    parquet, table = folder / "samples.parquet", folder / "workloads.csv"
    frame.to_parquet(parquet, index=False, compression="zstd", compression_level=15)
    _workloads(machines, names).to_csv(table, index=False, lineterminator="\n")
    return parquet, table


def _workloads(machines: Machines, names: NDArray[np.str_]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "workload": names,
            "kind": "vm",
            "application": machines.application,
            "cpu_cores": machines.vcpu,
            "memory_gib": machines.memory_gib,
            "storage_gib": machines.storage_gib,
            "arch": "x86_64",
        }
    )


def azure_vm(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """The Azure VM trace V2: vmtable and readings every 300 s, without headers, sizes as buckets."""
    step = 300
    machines = simulate(size, step, seed)
    rng = np.random.default_rng([seed, 1])
    seconds = np.arange(machines.cpu.shape[1]) * step
    end = int(seconds[-1]) + step
    created = np.where(rng.random(size.vms) < 0.1, rng.integers(1, len(seconds) // 2 + 1, size.vms) * step, 0)
    deleted = np.where(
        rng.random(size.vms) < 0.1, rng.integers(len(seconds) // 2 + 1, len(seconds), size.vms) * step, end
    )
    alive = (seconds[None, :] >= created[:, None]) & (seconds[None, :] < deleted[:, None])
    names = _hashes("vm", size.vms)
    average = 100 * machines.cpu
    highest = np.minimum(100.0, average * (1.0 + rng.random(average.shape)))
    lowest = average * rng.random(average.shape)
    shown = pd.DataFrame(
        {
            "timestamp": np.tile(seconds, (size.vms, 1)).T[alive.T],
            "vmid": np.repeat(names[None, :], len(seconds), axis=0)[alive.T],
            "min": np.round(lowest.T[alive.T], 4),
            "max": np.round(highest.T[alive.T], 4),
            "avg": np.round(average.T[alive.T], 4),
        }
    )
    table = pd.DataFrame(
        {
            "vmid": names,
            "subscriptionid": _hashes("subscription", 12)[np.arange(size.vms) % 12],
            "deploymentid": _hashes("deployment", size.vms)[np.unique(machines.application, return_inverse=True)[1]],
            "vmcreated": created,
            "vmdeleted": deleted,
            "maxcpu": np.round(np.where(alive, highest, 0.0).max(axis=1), 4),
            "avgcpu": np.round(np.where(alive, average, 0.0).sum(axis=1) / alive.sum(axis=1), 4),
            "p95maxcpu": np.round(np.nanpercentile(np.where(alive, highest, np.nan), 95, axis=1), 4),
            "vmcategory": np.array(["Delay-insensitive", "Interactive", "Unknown"])[np.arange(size.vms) % 3],
            "vmcorecountbucket": _bucket(machines.vcpu.astype(float), (2, 4, 8, 24)),
            "vmmemorybucket": _bucket(machines.memory_gib, (2, 4, 8, 32, 64)),
        }
    )
    paths = [write_gzip(folder / "vmtable" / "vmtable.csv.gz", table, header=False)]
    for number, part in enumerate(np.array_split(np.arange(len(seconds)), _READING_FILES), 1):
        rows = shown[shown["timestamp"].isin(seconds[part])]
        name = f"vm_cpu_readings-file-{number}-of-{_READING_FILES}.csv.gz"
        paths.append(write_gzip(folder / "vm_cpu_readings" / name, rows, header=False))
    return tuple(paths)


def _bucket(values: NDArray[np.float64], edges: tuple[int, ...]) -> NDArray[np.str_]:
    """The smallest bucket that holds each value, `>` before the largest edge for what is beyond it."""
    names = np.array([*(str(e) for e in edges), f">{edges[-1]}"])
    return np.asarray(names[np.searchsorted(edges, values)])


def bitbrains(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """Bitbrains GWA-T-12: a file a machine, ``;\\t`` between fields, seconds under a header that says ms, with gaps."""
    step = 300
    machines = simulate(size, step, seed)
    rng = np.random.default_rng([seed, 2])
    target = folder / "fastStorage" / "2013-8"
    target.mkdir(parents=True, exist_ok=True)
    kept = rng.random(machines.cpu.shape) > 0.01
    paths = []
    for number in range(size.vms):
        rows = np.flatnonzero(kept[number])
        paths.append(_bitbrains_file(target / f"{number + 1}.csv", machines, (number, rows), rng))
    return tuple(paths)


def _bitbrains_file(
    path: Path, machines: Machines, which: tuple[int, NDArray[np.int64]], rng: np.random.Generator
) -> Path:
    number, rows = which
    cores, memory_kib = int(machines.vcpu[number]), machines.memory_gib[number] * _KIB_PER_GIB
    share = machines.cpu[number, rows]
    columns = {
        "Timestamp [ms]": _BITBRAINS_START + 300 * rows,
        "CPU cores": cores,
        "CPU capacity provisioned [MHZ]": cores * _MHZ_PER_CORE,
        "CPU usage [MHZ]": np.round(share * cores * _MHZ_PER_CORE, 4),
        "CPU usage [%]": np.round(100 * share, 4),
        "Memory capacity provisioned [KB]": memory_kib,
        "Memory usage [KB]": np.round(machines.memory[number, rows] * memory_kib, 1),
    }
    rates = ("Disk read", "Disk write", "Network received", "Network transmitted")
    columns |= {f"{name} throughput [KB/s]": np.round(rng.exponential(20.0, len(rows)), 4) for name in rates}
    frame = pd.DataFrame(columns)
    text = io.StringIO()
    text.write(";\t".join(frame.columns) + "\n")
    frame.to_csv(text, index=False, header=False, sep=";", lineterminator="\n")
    path.write_text(text.getvalue().replace(";", ";\t").replace(";\t\t", ";\t"), encoding="utf-8", newline="\n")
    return path


def _numbered(prefix: str, n: int) -> NDArray[np.str_]:
    return np.char.add(prefix, np.char.zfill(np.arange(1, n + 1).astype(str), 4))


def _hashes(kind: str, n: int) -> NDArray[np.str_]:
    """Names as the published trace has them: base64 of a hash."""
    digests = [hashlib.sha384(f"{kind}-{i}".encode()).digest() for i in range(n)]
    return np.array([base64.b64encode(digest).decode() for digest in digests])
