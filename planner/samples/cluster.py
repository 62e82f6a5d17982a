"""Writes pods in the layouts of Kubernetes, Prometheus and OpenCost, and machines in that of CloudWatch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from planner.samples.draws import Floats
from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import write_text

__all__ = ["cloudwatch", "kubernetes", "opencost", "prometheus"]

START_S: Final = 1772409600
"""The first sample, Monday 2026-03-02 00:00 UTC. Unit: seconds since 1970. Source: our choice."""
SCRAPE_S: Final = 600
"""Step of a Prometheus query. Unit: seconds. Source: our choice, to keep the file small."""
HOUR_S: Final = 3600
"""Step of an allocation. Unit: seconds. Source: our choice; OpenCost's smallest common one."""
PERIOD_S: Final = 300
"""Period of a metric. Unit: seconds. Source: CloudWatch, basic monitoring."""
CORES_PER_VCPU: Final = 0.25
"""A pod asks for so much of what a machine of the estate has. Unit: ratio. Source: our choice."""
NODE_CORES: Final = 8
"""Cores of a node. Unit: cores. Source: our choice."""
RESTART: Final = 0.4
"""When the first container starts again and its counter with it. Unit: share of the recording. Source: our choice."""
GIB: Final = 1024**3

Strings = NDArray[np.str_]


@dataclass(frozen=True)
class _Pods:
    """P pods over T samples."""

    name: list[str]
    namespace: list[str]
    owner: list[str]
    cores: Floats
    gib: Floats
    used_cores: Floats
    """[pod, sample]"""
    used_gib: Floats


def _pods(size: Size, step_s: int, seed: int) -> _Pods:
    machines: Machines = simulate(size, step_s, seed)
    rng = np.random.default_rng([seed, 7])
    cores = np.asarray(machines.vcpu * CORES_PER_VCPU, np.float64)
    gib = machines.memory_gib * CORES_PER_VCPU
    tails = ["".join(row) for row in rng.choice(list("bcdfghjklmnpqrstvwxz2456789"), (len(cores), 5)).tolist()]
    hashes = [f"{n:010x}"[-10:] for n in rng.integers(16**9, 16**10, len(cores)).tolist()]
    apps = machines.application.tolist()
    return _Pods(
        name=[f"{app}-{digits}-{tail}" for app, digits, tail in zip(apps, hashes, tails, strict=True)],
        namespace=[("shop", "data", "tools")[int(app[-3:]) % 3] for app in apps],
        owner=[f"{app}-{digits}" for app, digits in zip(apps, hashes, strict=True)],
        cores=cores,
        gib=gib,
        used_cores=machines.cpu * cores[:, None],
        used_gib=machines.memory * gib[:, None],
    )


def prometheus(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """Two answers of query_range: cAdvisor's CPU counter, which starts again once, and memory of each container."""
    pods = _pods(size, SCRAPE_S, seed)
    times = START_S + SCRAPE_S * np.arange(pods.used_cores.shape[1])
    counted = np.cumsum(pods.used_cores * SCRAPE_S, axis=1)
    again = int(RESTART * counted.shape[1])
    counted[0, again:] -= counted[0, again - 1]
    metrics = {
        "container_cpu_usage_seconds_total": np.round(counted, 2),
        "container_memory_working_set_bytes": np.round(pods.used_gib * GIB / 4096) * 4096,
    }
    return tuple(
        write_text(folder / f"{metric}.json", _dumped(_matrix(metric, pods, times, values)))
        for metric, values in metrics.items()
    )


def _matrix(metric: str, pods: _Pods, times: NDArray[np.int64], values: Floats) -> dict[str, Any]:
    series = [
        {
            "metric": {"__name__": metric, "container": "app", "namespace": namespace, "pod": name},
            "values": [[t, f"{v:.15g}"] for t, v in zip(times.tolist(), row.tolist(), strict=True)],
        }
        for name, namespace, row in zip(pods.name, pods.namespace, values, strict=True)
    ]
    return {"status": "success", "data": {"resultType": "matrix", "result": series}}


def _dumped(document: object) -> str:
    return json.dumps(document, separators=(",", ":")) + "\n"


def kubernetes(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """What kubectl prints: pods and nodes as JSON, and what the pods use as text."""
    pods = _pods(size, HOUR_S, seed)
    nodes = [f"node-{n + 1}" for n in range(max(1, round(pods.cores.sum() / NODE_CORES)))]
    lists = {
        "pods.json": [_pod(pods, number, nodes) for number in range(len(pods.name))],
        "nodes.json": [_node(name) for name in nodes],
    }
    now = pods.used_cores.shape[1] // 2
    cells = [("NAMESPACE", "NAME", "CPU(cores)", "MEMORY(bytes)")] + [
        (namespace, name, f"{round(1000 * cores)}m", f"{round(1024 * gib)}Mi")
        for namespace, name, cores, gib in zip(
            pods.namespace, pods.name, pods.used_cores[:, now].tolist(), pods.used_gib[:, now].tolist(), strict=True
        )
    ]
    wide = [max(map(len, column)) + 3 for column in zip(*cells, strict=True)]
    lines = ["".join(cell.ljust(w) for cell, w in zip(row, wide, strict=True)).rstrip() for row in cells]
    return (
        *(
            write_text(folder / name, json.dumps({"apiVersion": "v1", "items": items, "kind": "List"}, indent=1) + "\n")
            for name, items in lists.items()
        ),
        write_text(folder / "top-pods.txt", "\n".join([*lines, ""])),
    )


def _pod(pods: _Pods, number: int, nodes: list[str]) -> dict[str, Any]:
    requests = {"cpu": f"{round(1000 * pods.cores[number])}m", "memory": f"{round(1024 * pods.gib[number])}Mi"}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": pods.owner[number], "controller": True}
    container = {"name": "app", "image": "registry.example/app:1", "resources": {"requests": requests}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pods.name[number],
            "namespace": pods.namespace[number],
            "creationTimestamp": "2026-02-20T08:00:00Z",
            "ownerReferences": [owner],
        },
        "spec": {"containers": [container], "nodeName": nodes[number % len(nodes)]},
        "status": {"phase": "Running", "qosClass": "Burstable"},
    }


def _node(name: str) -> dict[str, Any]:
    labels = {"node.kubernetes.io/instance-type": "m5.2xlarge", "topology.kubernetes.io/zone": "us-east-1a"}
    size = {"cpu": f"{NODE_CORES}", "memory": f"{NODE_CORES * 4 * 1024 * 1024}Ki", "pods": "58"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"capacity": size, "nodeInfo": {"architecture": "amd64", "kubeletVersion": "v1.34.2"}},
    }


def opencost(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """An answer of /allocation by the hour, with __idle__ in every step and a figure that is no number."""
    pods = _pods(size, HOUR_S, seed)
    steps = [
        {_name(pods, n): _allocation(pods, n, step) for n in range(len(pods.name))} | {"__idle__": _idle(step)}
        for step in range(pods.used_cores.shape[1])
    ]
    return (write_text(folder / "allocation.json", _dumped({"code": 200, "data": steps})),)


def _name(pods: _Pods, number: int) -> str:
    return f"{pods.namespace[number]}/{pods.name[number]}"


def _window(step: int) -> dict[str, Any]:
    start, end = (str(np.datetime64(START_S + HOUR_S * s, "s")) + "Z" for s in (step, step + 1))
    return {"window": {"start": start, "end": end}, "start": start, "end": end, "minutes": 60}


def _idle(step: int) -> dict[str, Any]:
    return {"name": "__idle__", "properties": {}, **_window(step), "cpuCores": 2, "cpuCost": 0.06, "totalCost": 0.06}


def _allocation(pods: _Pods, number: int, step: int) -> dict[str, Any]:
    cores, gib = float(pods.used_cores[number, step]), float(pods.used_gib[number, step])
    return {
        "name": _name(pods, number),
        "properties": {"namespace": pods.namespace[number], "pod": pods.name[number], "controllerKind": "deployment",
                       "controller": pods.name[number].rsplit("-", 2)[0]},
        **_window(step),
        "cpuCoreRequestAverage": float(pods.cores[number]), "cpuCoreUsageAverage": round(cores, 4),
        "ramByteRequestAverage": float(pods.gib[number]) * GIB, "ramByteUsageAverage": round(gib * GIB),
        "networkTransferBytes": 0.0, "pvBytes": 0.0,
        "cpuEfficiency": round(cores / float(pods.cores[number]), 4) if step else None,
        "totalCost": round(0.03 * float(pods.cores[number]), 6),
    }  # fmt: skip


def cloudwatch(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """A CSV a machine and metric, named as numenta/NAB names them; the last machine as get-metric-data tells it."""
    machines = simulate(size, PERIOD_S, seed)
    times = np.datetime64(START_S, "s") + PERIOD_S * np.arange(machines.cpu.shape[1])
    names = [f"{0xA1000 + 7919 * n:06x}" for n in range(len(machines.vcpu))]
    paths = [
        write_text(
            folder / f"ec2_cpu_utilization_{name}.csv",
            "\n".join(["timestamp,value", *map(_reading, times.tolist(), (100 * cpu).tolist()), ""]),
        )
        for name, cpu in zip(names[:-1], machines.cpu, strict=False)
    ]
    result = {
        "Id": "m1",
        "Label": f"i-0{names[-1]} CPUUtilization",
        "Timestamps": [f"{t}+00:00" for t in times[::-1].astype(str).tolist()],
        "Values": [round(100 * v, 3) for v in machines.cpu[-1, ::-1].tolist()],
        "StatusCode": "Complete",
    }
    return (
        *paths,
        write_text(folder / "get-metric-data.json", _dumped({"MetricDataResults": [result], "Messages": []})),
    )


def _reading(moment: object, value: float) -> str:
    return f"{moment},{value:.3f}"
