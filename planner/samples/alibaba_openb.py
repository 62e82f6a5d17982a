"""Writes pods and nodes in the layout of Alibaba's openb GPU cluster, with its published mixture."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from planner.samples.draws import shared_out
from planner.samples.estate import Size
from planner.samples.files import write_text

__all__ = ["alibaba_openb"]

PODS: Final = {
    (4000, 8192, 0, 0): 0.134,
    (6000, 12288, 1, 460): 0.188,
    (8000, 16384, 1, 500): 0.190,
    (12000, 24576, 1, 1000): 0.479,
    (24000, 49152, 2, 1000): 0.002,
    (32000, 65536, 4, 1000): 0.002,
    (88000, 327680, 8, 1000): 0.005,
}
"""Pods by milli-cores, MiB, GPUs and thousandths of each. Unit: share. Source: alibaba/clusterdata,
cluster-trace-gpu-v2023: 13.4 % ask for no GPU, 37.8 % for part of one, 48.0 % for one, 0.9 % for several; the sizes are
common ones of its list."""
QOS: Final = {"LS": 0.570, "BE": 0.417, "Burstable": 0.012, "Guaranteed": 0.001}
"""Pods by quality of service. Unit: share. Source: as above, 4,647, 3,398, 100 and 7 of 8,152."""
PHASES: Final = {"Running": 0.637, "Failed": 0.229, "Pending": 0.110, "Succeeded": 0.024}
"""Pods by phase. Unit: share. Source: as above, 5,193, 1,870, 897 and 192 of 8,152."""
NODES: Final = {
    (32000, 262144, 0, ""): 0.204,
    (64000, 262144, 2, "P100"): 0.088,
    (96000, 786432, 8, "G2"): 0.361,
    (96000, 786432, 8, "G3"): 0.026,
    (96000, 393216, 2, "T4"): 0.265,
    (64000, 524288, 4, "V100M16"): 0.056,
}
"""Nodes by milli-cores, MiB, GPUs and model. Unit: share. Source: as above: 310, 134, 549, 39, 404 and 85 of 1,523."""
NODE_PODS: Final = 5
"""Pods for each node. Unit: pods. Source: as above, 8,152 pods and 1,523 nodes."""
END_S: Final = 12_902_960
"""When the last pod is deleted. Unit: seconds. Source: as above."""


def alibaba_openb(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """``openb_node_list_all_node.csv`` and ``openb_pod_list_default.csv``."""
    rng = np.random.default_rng([seed, size.vms])
    nodes, pods = _nodes(rng, -(-size.vms // NODE_PODS)), _pods(rng, size.vms)
    return tuple(
        write_text(folder / f"openb_{name}.csv", table.to_csv(index=False, lineterminator="\n"))
        for name, table in (("node_list_all_node", nodes), ("pod_list_default", pods))
    )


def _nodes(rng: np.random.Generator, n: int) -> pd.DataFrame:
    rows = [list(NODES)[i] for i in shared_out(rng, dict(enumerate(NODES.values())), n).tolist()]
    table = pd.DataFrame(rows, columns=["cpu_milli", "memory_mib", "gpu", "model"])
    table.insert(0, "sn", [f"openb-node-{i:04d}" for i in range(n)])
    return table


def _pods(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Pods in the order of their creation; those that are pending were never scheduled."""
    rows = [list(PODS)[i] for i in shared_out(rng, dict(enumerate(PODS.values())), n).tolist()]
    table = pd.DataFrame(rows, columns=["cpu_milli", "memory_mib", "num_gpu", "gpu_milli"])
    created = np.sort(rng.integers(0, END_S - 1, n))
    table.insert(0, "name", [f"openb-pod-{i:04d}" for i in range(n)])
    table = table.assign(gpu_spec="", qos=shared_out(rng, QOS, n), pod_phase=shared_out(rng, PHASES, n))
    table["creation_time"] = created
    table["deletion_time"] = rng.integers(created + 1, END_S + 1)
    table["scheduled_time"] = table["creation_time"].astype("Int64").where(table["pod_phase"] != "Pending")
    return table
