"""Instances for tests and benchmarks: mixes drawn to a description, planted optima, and the recorded GPU cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.optimise.packing import Boxes, Items
from shared import shared

CPU_MILLI = np.array([50, 100, 150, 200, 250, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000])
CPU_WEIGHT = np.array([4, 8, 4, 8, 12, 5, 6, 14, 6, 14, 4, 8, 3, 4, 1.5, 1.5, 0.4])

# name, vCPU, GiB, USD per hour (us-east-1, Linux, on demand), network interfaces, addresses an interface
NODES = (
    ("m5.large", 2, 8, 0.096, 3, 10),
    ("m5.xlarge", 4, 16, 0.192, 4, 15),
    ("m5.2xlarge", 8, 32, 0.384, 4, 15),
    ("m5.4xlarge", 16, 64, 0.768, 8, 30),
    ("m5.12xlarge", 48, 192, 2.304, 8, 30),
    ("c5.xlarge", 4, 8, 0.17, 4, 15),
    ("c5.4xlarge", 16, 32, 0.68, 8, 30),
    ("c5.9xlarge", 36, 72, 1.53, 8, 30),
    ("r5.xlarge", 4, 32, 0.252, 4, 15),
    ("r5.4xlarge", 16, 128, 1.008, 8, 30),
)


@dataclass(frozen=True)
class Known:
    """An instance whose optimum is known, or lies between two published numbers."""

    name: str
    items: Items
    boxes: Boxes
    lower: float
    upper: float


def zipf(rng: np.random.Generator, classes: int, n: int) -> np.ndarray:
    """Counts that fall off with exponent 0.9 over a random rank and sum to n."""
    weight = 1.0 / np.arange(1, classes + 1) ** 0.9
    return rng.multinomial(n, rng.permutation(weight / weight.sum()))


def pods(rng: np.random.Generator, classes: int) -> np.ndarray:
    """[class, (milli-cores, MiB, pods)]."""
    cpu = rng.choice(CPU_MILLI, classes, p=CPU_WEIGHT / CPU_WEIGHT.sum())
    mib = cpu / 1000 * rng.lognormal(np.log(3.0), 0.8, classes) * 1024
    step = np.select([mib < 2048, mib < 16384], [64, 256], 1024)
    mib = np.maximum(step, np.round(mib / step) * step)
    return np.column_stack([cpu, mib, np.ones(classes)])


def node_room(vcpu: float, gib: float, interfaces: int, addresses: int) -> tuple[float, float, float]:
    """(milli-cores, MiB, pods) left by the EKS reservations, kernel and daemonsets."""
    most = min(interfaces * (addresses - 1) + 2, 110 if vcpu < 30 else 250)
    reserved = 60 + 10 * (vcpu > 1) + 5 * min(2, max(0, vcpu - 2)) + 2.5 * max(0, vcpu - 4)
    mib = gib * 1024 * 0.98 - (255 + 11 * most) - 100
    return vcpu * 1000 - reserved - 200, np.floor(mib - 300), most - 4


def kubernetes(n: int, seed: int = 0, classes: int = 200) -> tuple[Items, Boxes]:
    """The Kubernetes mix: 200 classes of pods, ten types of nodes at on-demand prices."""
    rng = np.random.default_rng(seed)
    size = pods(rng, classes)
    room = np.array([node_room(v, g, i, a) for _, v, g, _, i, a in NODES])
    return Items(size, zipf(rng, classes, n)), Boxes(room, np.array([t[3] for t in NODES]))


def vm_hosts(n: int, seed: int = 0) -> tuple[Items, Boxes]:
    """The VM-host mix: shapes of virtual machines, five types of hosts at yearly cost."""
    rng = np.random.default_rng(seed)
    vcpu = np.array([1, 2, 4, 8, 16, 24, 32, 48, 64])
    p_cpu = np.array([4, 10, 12, 10, 6, 2, 3, 1, 1.0])
    ratio, p_ratio = np.array([2, 4, 8, 14]), np.array([3, 6, 4, 1.0])
    disk, p_disk = np.array([0, 40]), np.array([5, 2.0])
    size, weight = [], []
    for c, pc in zip(vcpu, p_cpu, strict=True):
        for g, pg in zip(ratio, p_ratio, strict=True):
            for s, ps in zip(disk, p_disk, strict=True):
                size.append((c, c * g, c * s))
                weight.append(pc * pg * ps)
    count = rng.multinomial(n, np.array(weight) / np.sum(weight))
    room = np.array(
        [(90, 370, 3600), (124, 760, 7200), (188, 1500, 7200), (250, 1000, 14400), (124, 1500, 3600)], float
    )
    usd = np.array([7200, 11900, 18900, 21900, 15400], float)
    used = count > 0
    return Items(np.array(size, float)[used], count[used]), Boxes(room, usd)


def big_items(n: int, seed: int = 0) -> tuple[Items, Boxes]:
    """Few items a box: 100 classes, three resources of 100 to 449."""
    rng = np.random.default_rng(seed)
    size = rng.integers(100, 450, (100, 3)).astype(float)
    room = np.array(
        [(600, 600, 600), (1000, 1000, 1000), (1000, 500, 700), (700, 1200, 900), (1600, 1600, 1600)], float
    )
    return Items(size, zipf(rng, 100, n)), Boxes(room, np.array([63, 100, 77, 95, 158], float))


def catalogue(n: int, seed: int = 0) -> tuple[Items, Boxes]:
    """Six families x 12 sizes x 3 generations of nodes for 500 classes of pods."""
    rng = np.random.default_rng(seed)
    size = pods(rng, 500)
    ratios, rates = (2, 4, 8, 3, 6, 16), (0.0425, 0.048, 0.063, 0.046, 0.056, 0.09)
    vcpus = (2, 4, 8, 12, 16, 24, 32, 36, 48, 64, 72, 96)
    room, usd = [], []
    for ratio, rate in zip(ratios, rates, strict=True):
        for v in vcpus:
            for generation in range(3):
                room.append(node_room(v, v * ratio * (1 + 0.02 * generation), 8 if v > 8 else 4, 30 if v > 8 else 15))
                usd.append(round(rate * v * (1 - 0.04 * generation), 4))
    return Items(size, zipf(rng, 500, n)), Boxes(np.array(room), np.array(usd))


def distinct(n: int, seed: int = 0) -> tuple[Items, Boxes]:
    """Pods that nearly all differ: the Kubernetes mix with every need drawn anew."""
    rng = np.random.default_rng(seed)
    size = pods(rng, n)
    size[:, 0] = np.maximum(10, np.round(size[:, 0] * rng.uniform(0.6, 1.0, n)))
    size[:, 1] = np.maximum(16, np.round(size[:, 1] * rng.uniform(0.6, 1.0, n)))
    room = np.array([node_room(v, g, i, a) for _, v, g, _, i, a in NODES])
    return Items(size, np.ones(n, np.int64)), Boxes(room, np.array([t[3] for t in NODES]))


def falkenauer_u(n: int, seed: int = 0) -> Known:
    """Uniform sizes 20 to 100 in bins of 150; nearly always the volume, rounded up, is the optimum."""
    size = np.random.default_rng(seed).integers(20, 101, n).astype(float)
    items = Items(size[:, None], np.ones(n, np.int64))
    return Known(f"falkenauer_u{n}_{seed}", items, Boxes(np.array([[150.0]]), np.ones(1)), np.ceil(size.sum() / 150), n)


def falkenauer_t(n: int, seed: int = 0) -> Known:
    """Triplets that fill a bin of 1000 exactly: the optimum is n / 3."""
    rng = np.random.default_rng(seed)
    first = rng.integers(380, 491, n // 3)
    second = np.array([rng.integers(250, (1000 - f) // 2 + 1) for f in first])
    size = np.concatenate([first, second, 1000 - first - second]).astype(float)
    items = Items(rng.permutation(size)[:, None], np.ones(n, np.int64))
    return Known(f"falkenauer_t{n}_{seed}", items, Boxes(np.array([[1000.0]]), np.ones(1)), n // 3, n // 3)


def cut_in_three(n: int, seed: int = 0) -> Known:
    """Bins of 100 in two resources, each cut into three items at random: the optimum is n / 3.

    Source: Caprara & Toth 2001, class 10, by its description.
    """
    rng = np.random.default_rng(seed)
    cuts = np.sort(
        np.stack([[rng.choice(np.arange(1, 100), 2, replace=False) for _ in range(2)] for _ in range(n // 3)])
    )
    first, second = cuts[:, :, 0], cuts[:, :, 1] - cuts[:, :, 0]
    size = np.concatenate([first, second, 100 - first - second]).astype(float)
    items = Items(rng.permutation(size), np.ones(len(size), np.int64))
    return Known(f"cut_in_three{n}_{seed}", items, Boxes(np.array([[100.0, 100.0]]), np.ones(1)), n // 3, n // 3)


def vectors(shape: str, n: int, resources: int, seed: int = 0) -> Known:
    """Vector instances of one kind of bin, by the description of known classes; bounds are the trivial ones.

    `small`: 10 % to 40 % of the bin; `any`: 1 % to 100 %; `middle`: 20 % to 80 %; `alike` and `opposed`: 20 to 100 of
    150, resources within 10 of each other or of the opposite; `skewed`: many small and few large shares.
    Source: Caprara & Toth 2001 and Panigrahy et al. 2011 as told in Mommessin et al. 2024.
    """
    rng = np.random.default_rng(seed)
    room = 150.0 if shape in {"alike", "opposed"} else 1000.0
    if shape in {"alike", "opposed"}:
        size = np.empty((n, resources))
        size[:, 0] = rng.integers(20, 101, n)
        for r in range(1, resources):
            before = size[:, r - 1] if shape == "alike" else 120 - size[:, r - 1]
            size[:, r] = np.clip(before + rng.integers(-10, 11, n), 1, 150)
    elif shape == "skewed":
        size = np.ceil(rng.beta(1.0, 3.0, (n, resources)) * 999)
    else:
        low, high = {"small": (100, 400), "any": (1, 1000), "middle": (200, 800)}[shape]
        size = rng.integers(low, high + 1, (n, resources)).astype(float)
    boxes = Boxes(np.full((1, resources), room), np.ones(1))
    least = float(np.ceil(size.sum(axis=0).max() / room))
    return Known(f"{shape}{n}_{resources}_{seed}", Items(size, np.ones(n, np.int64)), boxes, least, n)


def published() -> Iterator[Known]:
    """The vector instances with published bounds."""
    for line in shared("packing", "instances.jsonl").read_text().splitlines():
        row = json.loads(line)
        items = Items(np.array(row["sizes"], float), np.array(row["counts"], np.int64))
        boxes = Boxes(np.array([row["capacity"]], float), np.ones(1))
        upper = row["known_ub"] if row["known_ub"] and row["known_ub"] > 0 else np.inf
        yield Known(row["name"], items, boxes, row["known_lb"] or 0, upper)


def openb(times: int = 1) -> tuple[Items, Boxes]:
    """The recorded pods (cores, MiB, thousandths of a GPU) on priced copies of its node shapes, without end."""
    sizes, count, nodes = _openb()
    room = nodes[["cpu_milli", "memory_mib", "gpu_milli"]].to_numpy(float)
    usd = np.round(room @ np.array([0.03 / 1000, 0.004 / 1024, 0.9 / 1000]) * 1e4) / 1e4
    return Items(sizes, count * times), Boxes(room, usd)


def openb_limited() -> tuple[Items, Boxes]:
    """The recorded pods on the nodes there really are.

    The GPUs of a node are one divisible pool here. That is kinder than cards are: three pods of 0.6 fit a pool of two
    cards and no two cards, and shares scattered over all cards leave none for a pod that wants a whole one. So what is
    placed is the most that could be, for every packer alike.
    """
    sizes, count, nodes = _openb()
    room = nodes[["cpu_milli", "memory_mib", "gpu_milli"]].to_numpy(float)
    return Items(sizes, count), Boxes(room, np.ones(len(room)), available=nodes["nodes"].to_numpy(np.int64))


def _openb() -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    folder = "alibaba-openb-gpu-v2023"
    pods_ = pd.read_csv(shared("traces", folder, "openb_pod_list_default.csv"))
    pods_["gpu"] = pods_["num_gpu"] * pods_["gpu_milli"]
    sizes = pods_.groupby(["cpu_milli", "memory_mib", "gpu"]).size().reset_index(name="n")
    nodes = pd.read_csv(shared("traces", folder, "openb_node_list_all_node.csv"))
    nodes["gpu_milli"] = nodes["gpu"] * 1000
    kinds = (
        nodes.groupby(["cpu_milli", "memory_mib", "gpu_milli", "model"], dropna=False).size().reset_index(name="nodes")
    )
    return sizes[["cpu_milli", "memory_mib", "gpu"]].to_numpy(float), sizes["n"].to_numpy(np.int64), kinds
