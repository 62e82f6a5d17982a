"""Clusters: what nodes keep for themselves, replicas and nodes by the hour, and the bill around them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogs import book, demand, vm
from models.cloud import CLOUD, COMMITTED, sound, usd
from planner.models._autoscaler import Autoscaler
from planner.models._instances import types
from planner.models._nodes import GB_PER_GIB, Node, allocatable, eni_max_pods, reserved
from planner.models._pods import PodRules, pods
from planner.models._pools import lagged
from planner.models.kubernetes import Kubernetes
from planner.quantities import CPU, MEMORY

DAY = (200.0, 330.0, 200.0)
BARE = {"daemonset_cpu_cores": 0.0, "daemonset_memory_gib": 0.0, "daemonset_pods": 0, "vm_overhead": 0.0}


def node(cores: float, gib: float, pods: float = 110) -> Node:
    return Node(np.array([cores]), np.array([gib]), np.array([pods], float))


def milli(value: np.ndarray) -> int:
    return round(float(value[0]) * 1000)


@pytest.mark.parametrize(("cores", "kept"), [(1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740)])
def test_cores_that_aks_keeps(cores: int, kept: int) -> None:
    """C6."""
    assert milli(reserved("aks", node(cores, 8))[0]) == kept
    assert milli(reserved("aks_before_1_29", node(cores, 8))[0]) == kept


def test_memory_that_aks_keeps() -> None:
    """C2, C4, and a node of 4 GB with 70 pods; in decimal GB as the source tells them."""
    gb = 1 / GB_PER_GIB
    room = allocatable("aks", node(2, 8 * gb, 30))[1] * GB_PER_GIB
    assert float(room[0]) == pytest.approx(7.25)
    assert float(room[0]) / 8 == pytest.approx(0.90625)
    old = reserved("aks_before_1_29", node(2, 7 * gb))[1] * GB_PER_GIB
    assert float(old[0]) == pytest.approx(2.35)
    assert float(old[0]) / 7 == pytest.approx(0.3357, abs=5e-5)
    assert float((reserved("aks", node(2, 4 * gb, 70))[1] * GB_PER_GIB)[0]) == pytest.approx(1.0 + 0.1)


def test_nodes_of_eks_as_karpenter_lists_them() -> None:
    for cores, mib, cpu, memory in ((4, 16_384, 3920, 13_502), (8, 32_768, 7910, 28_657)):
        room = allocatable("eks", node(cores, mib * 0.925 / 1024, 118))
        assert milli(room[0]) == cpu
        assert int(float(room[1][0]) * 1024) == memory
    assert eni_max_pods(3, 10) == 29


def test_nodes_of_gke() -> None:
    cpu, memory = reserved("gke", node(4, 150))
    assert milli(cpu) == 80
    assert float(memory[0]) == pytest.approx(9.8577, abs=5e-5)
    assert milli(reserved("gke", node(4, 150, 256))[0]) == 480
    assert float(reserved("gke", node(1, 0.5))[1][0]) * 1024 == pytest.approx(355)


def test_a_node_of_ones_own() -> None:
    cpu, memory = reserved("kubelet", node(100, 1000))
    assert float(cpu[0]) == pytest.approx(0.08 + 1)
    assert float(memory[0]) == pytest.approx(430 / 1024 + 50)


@pytest.mark.parametrize(("cores", "kept"), [(2, 100), (4, 100), (32, 800), (96, 2000), (196, 2740)])
def test_cores_that_tke_keeps(cores: int, kept: int) -> None:
    """C11."""
    assert milli(reserved("tke", node(cores, 8))[0]) == kept


def test_memory_that_tke_keeps() -> None:
    """The examples of its documentation, in MB of 2^20 and without the eviction threshold of 100."""
    for gib, mib in ((2, 512), (8, 1843), (12, 2252), (32, 3645), (320, 13_475)):
        assert float(reserved("tke", node(4, gib))[1][0]) * 1024 - 100 == pytest.approx(mib, abs=1)


def test_pods_are_packed_by_what_a_node_has_left() -> None:
    """C1: nodes with 2 cores and 4 GB left hold 13 pods of 150 m and 100 MB each, because of the CPU."""
    others = CLOUD.offers[CLOUD.offers["kind"] != "vm"].to_dict("records")
    asked = demand({"busy": [0.15, 0.1], "count": 52})
    settings = {"reservation": "none", "min_nodes": 0, "effort": 0}
    plan = Kubernetes(**BARE, **settings).plan(asked, book(vm("n.large", 2, 4, 0.1), others))
    assert plan.placement.groupby("box").size().tolist() == [13, 13, 13, 13]


def test_the_limit_of_pods_binds() -> None:
    """C9: 160 pods on nodes of 58 are three nodes, however small the pods."""
    rows = CLOUD.offers.assign(max_pods=CLOUD.offers["max_pods"].where(CLOUD.offers["kind"] != "vm", 58.0))
    small = demand({"busy": [0.01, 0.01], "count": 160})
    settings = {"daemonset_pods": 0, "min_nodes": 0, "least_cpu_cores": 0.001, "least_memory_gib": 0.001, "effort": 0}
    plan = Kubernetes(**settings).plan(small, type(CLOUD)(rows, CLOUD.facts))
    assert plan.boxes["count"].sum() == 3


SCALER = Autoscaler(0.8, 0.1, "containers", None, 0.7)
RULES = PodRules(1.0, 8.0, 1, 3, True, 1.0, (0.0, 0.0), (0.0, 0.0), SCALER)


def test_replicas_follow_cpu_or_memory_whichever_is_more() -> None:
    asked = demand(
        {"busy": [[4, 8], [2, 2], [1, 6]], "scales_out": True},
        {"busy": [[4, 8], [2, 2], [1, 6]]},
        {"busy": [[0.9, 8], [0.2, 2], [0.1, 6]], "scales_out": True},
        hours=DAY,
    )
    made = pods(asked, RULES)
    assert made.replicas.tolist() == [[4, 2, 3], [1, 1, 1], [1, 1, 1]]
    assert made.size[0, :, :2].tolist() == [[1, 2]] * 3
    assert made.size[1, :, CPU].tolist() == [4, 2, 1]
    assert made.size[1, :, MEMORY].tolist() == [8, 8, 8]
    assert (made.requested[:, :, :2] >= asked.busy[:, :, :2] - 1e-9).all()


def test_overhead_is_beside_the_work_of_a_replica() -> None:
    """A sidecar does not make for fewer, larger pods."""
    asked = demand({"busy": [4, 8], "scales_out": True})
    plain, meshed = pods(asked, RULES), pods(asked, replace(RULES, overhead=(0.1, 0.125)))
    assert meshed.replicas.tolist() == plain.replicas.tolist() == [[4]]
    assert meshed.size[0, 0, :2] == pytest.approx([1.1, 2.125])


def test_replicas_of_a_workload_are_dealt_over_nodes() -> None:
    asked = demand({"busy": [6, 6], "scales_out": True, "count": 5}, {"busy": [0.5, 1], "count": 20})
    plan = Kubernetes(zones=3, effort=0).plan(asked, CLOUD)
    sound(plan, asked)
    spread = plan.placement[plan.placement["workload"].isin(asked.members["workload"][:5])]
    assert spread.groupby("workload").size().tolist() == [6] * 5
    assert spread.groupby(["workload", "sku", "box"]).size().max() <= 2


def test_members_of_a_group_keep_apart() -> None:
    asked = demand({"busy": [0.1, 0.1], "spread_group": "g", "count": 5}, {"busy": [1, 1]})
    plan = Kubernetes(effort=0).plan(asked, CLOUD)
    sound(plan, asked)
    group = plan.placement[plan.placement["workload"] != "w1"]
    assert group.groupby(["sku", "box"]).size().max() == 1
    assert plan.provisioned[:, CPU].min() >= 5 * 2


@pytest.mark.parametrize("scales_out", [True, False])
def test_nodes_come_and_go_with_the_hour(scales_out: bool) -> None:
    """Replicas take their memory with them; a single pod gives back CPU only."""
    asked = demand({"busy": [[24, 8], [2, 2], [6, 3]], "scales_out": scales_out, "count": 6}, hours=DAY)
    breathing = Kubernetes(scale_down_lag_hours=0, effort=0).plan(asked, CLOUD)
    still = Kubernetes(autoscale=False, effort=0).plan(asked, CLOUD)
    sound(breathing, asked)
    sound(still, asked)
    assert breathing.usd_per_month < still.usd_per_month
    assert breathing.utilisation["cpu"] > still.utilisation["cpu"]
    assert len(set(still.provisioned[:, CPU])) == 1
    assert breathing.provisioned[1, CPU] < breathing.provisioned[0, CPU]


def test_a_node_stays_for_the_lag() -> None:
    counts = np.array([[0], [4], [1], [0], [0]])
    assert lagged(counts, 0).ravel().tolist() == [0, 4, 1, 0, 0]
    assert lagged(counts, 2).ravel().tolist() == [0, 4, 4, 4, 1]
    assert lagged(counts, 99).ravel().tolist() == [4, 4, 4, 4, 4]


def test_the_base_is_committed_and_the_rest_is_rented() -> None:
    wide = demand({"busy": [[60, 60], [20, 20], [20, 20]], "scales_out": True, "count": 2}, hours=(50.0, 400.0, 280.0))
    plan = Kubernetes(effort=0, scale_down_lag_hours=0).plan(wide, CLOUD)
    sound(plan, wide)
    assert set(plan.boxes["term"]) == {"on_demand", "1y_no_upfront"}
    rented = Kubernetes(effort=0, scale_down_lag_hours=0, terms=("on_demand",)).plan(wide, CLOUD)
    assert usd(plan, "vm") < usd(rented, "vm")
    assert usd(plan, "vm") > COMMITTED * plan.certificate.bound_usd


def test_fewest_nodes_run_whatever_is_asked() -> None:
    plan = Kubernetes(min_nodes=3, effort=0).plan(demand({"busy": [0.1, 0.1]}), CLOUD)
    assert plan.boxes["count"].sum() == 3
    assert plan.details["nodes_on_average"] == 3


def test_a_large_pod_may_have_a_larger_node() -> None:
    asked = demand({"busy": [20, 20]}, {"busy": [1, 1]})
    plan = Kubernetes(max_node_cpu_cores=4, effort=0).plan(asked, CLOUD)
    sound(plan, asked)
    assert plan.unplaced.empty
    assert plan.placement.set_index("workload").loc["w0", "sku"].endswith("8xlarge")


def test_architecture_gpus_and_what_no_node_takes() -> None:
    asked = demand({"busy": [1, 1], "arch": "arm64"}, {"busy": [1, 1, 1]}, {"busy": [32, 1]}, {"busy": [np.nan, 1]})
    plan = Kubernetes(effort=0).plan(asked, CLOUD)
    sound(plan, asked)
    sku = plan.placement.set_index("workload")["sku"].to_dict()
    assert sku == {"w0": "a.xlarge", "w1": "g.xlarge"}
    reasons = plan.unplaced.set_index("workload")["reason"]
    assert "CPU cores" in reasons["w2"]
    assert "unknown" in reasons["w3"]


def test_the_bill_around_the_nodes() -> None:
    asked = demand({"busy": [1, 1], "network_gib_per_month": 1000.0, "storage_gib": 40.0}, {"busy": [1, 1]})
    plan = Kubernetes(egress_gib_per_workload=0.0, node_disk_gib=50.0, volume_gib=10.0, effort=0).plan(asked, CLOUD)
    sound(plan, asked)
    assert usd(plan, "control_plane") == pytest.approx(73.0)
    assert usd(plan, "load_balancer") == pytest.approx(16.425)
    assert usd(plan, "load_balancer_capacity") == pytest.approx(8.0)
    assert usd(plan, "nat_gateway") == pytest.approx(3 * 730 * 0.045)
    assert usd(plan, "nat_data") == pytest.approx(100 * 0.045)
    assert usd(plan, "inter_az") == pytest.approx(2 * 1000 * (2 / 3) * 0.01)
    assert usd(plan, "block_storage") == pytest.approx((40 + 10 + 3 * 50) * 0.08)
    assert next(e.quantity for e in plan.lines if e.offer_kind == "migration") == 2


def test_the_control_plane_is_a_setting() -> None:
    """F18."""
    asked = demand({"busy": [1, 1]})
    extended = Kubernetes(control_plane_sku="eks-control-plane-extended", effort=0).plan(asked, CLOUD)
    assert usd(extended, "control_plane") == pytest.approx(438.0)


def test_nothing_to_run_costs_nothing() -> None:
    for empty in (demand(), demand(hours=DAY)):
        plan = Kubernetes().plan(empty, CLOUD)
        sound(plan, empty)
        assert plan.usd_per_month == 0


pod = st.fixed_dictionaries(
    {
        "busy": st.lists(st.tuples(st.floats(0.05, 12), st.floats(0.1, 60)), min_size=3, max_size=3),
        "count": st.integers(1, 4),
        "scales_out": st.booleans(),
    }
)


def _holds_every_hour(plan, asked, model) -> None:
    """What all pods ask for in an hour fits into the nodes of that hour together."""
    kinds = types(CLOUD.at("aws", "us-east-1"), model.terms, (), model.categories)
    room = model.room(kinds)
    share = (room[:, :3] / np.maximum(kinds.capacity, 1e-12)).max(axis=0)
    placed = np.flatnonzero(~asked.workloads["workload"].isin(plan.unplaced["workload"]).to_numpy())
    some = asked.select(placed)
    wanted = np.einsum("c,cpr->pr", some.count.astype(float), some.busy)
    assert (wanted[:, :2] <= plan.provisioned[:, :2] * share[:2] + 1e-6).all()


@pytest.mark.slow
@settings(max_examples=4)
@given(st.lists(pod, min_size=1, max_size=6))
def test_any_small_estate_is_held_every_hour(work) -> None:
    asked = demand(*work, hours=DAY)
    model = Kubernetes(effort=0)
    plan = model.plan(asked, CLOUD)
    sound(plan, asked)
    _holds_every_hour(plan, asked, model)


@pytest.mark.slow
def test_ten_thousand_workloads_by_the_hour() -> None:
    rng = np.random.default_rng(1)
    hours = np.full(168, 730 / 168)
    cpu = rng.lognormal(-1, 1, (10_000, 1)) * rng.uniform(0.3, 1, (10_000, 168))
    busy = np.stack([cpu, np.broadcast_to(rng.lognormal(0.5, 1, (10_000, 1)), cpu.shape)], axis=2)
    asked = demand(*({"busy": b} for b in np.clip(busy, 0.01, 60)), hours=hours)
    plan = Kubernetes().plan(asked, CLOUD)
    sound(plan, asked)
    assert plan.certificate.gap < 0.6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("max_node_cpu_cores", (64, 16, 8)),
        ("min_nodes", (3, 4, 6)),
        ("autoscale", (True, False)),
        ("terms", (("on_demand", "1y_no_upfront"), ("1y_no_upfront",))),
        ("terms", (("on_demand", "1y_no_upfront"), ("on_demand",))),
    ],
)
@settings(max_examples=2)
@given(st.lists(st.tuples(st.floats(0.05, 4), st.floats(0.2, 16), st.floats(0.2, 1)), min_size=1, max_size=5))
def test_a_tighter_wish_is_never_cheaper_where_nodes_are_few(setting: str, values: tuple, rows: list) -> None:
    work = [{"busy": [[c, g], [c * low, g]], "mean": [[c / 2, g / 2]] * 2, "count": 2} for c, g, low in rows]
    asked = demand(*work, hours=(240.0, 490.0))
    usd = [Kubernetes(effort=0.0, **{setting: value}).plan(asked, CLOUD).usd_per_month for value in values]
    assert usd == sorted(usd) or max(a / b for a, b in itertools.pairwise(usd)) < 1 + 1e-9


def test_what_comes_with_every_node_makes_few_large_ones_cheaper() -> None:
    asked = demand({"busy": [1, 4], "mean": [0.5, 2], "count": 60}, hours=(730.0,))
    fields = {"effort": 0.0, "terms": ("on_demand",), "support_plan": "none"}
    free = Kubernetes(nodes_per_admin=None, node_disk_gib=0.0, **fields).plan(asked, CLOUD)
    dear = Kubernetes(nodes_per_admin=None, node_disk_gib=2_000.0, **fields).plan(asked, CLOUD)
    assert dear.boxes["count"].sum() < free.boxes["count"].sum()
    disks = 2_000 * 0.08 * float(dear.boxes["count"].sum())
    instances = sum(e.usd_per_month for e in dear.lines if e.offer_kind == "vm")
    assert dear.certificate.usd == pytest.approx(instances + disks)
