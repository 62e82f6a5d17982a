"""What all clusters share: autoscalers, requests, slots, spot nodes and the bill, by published numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanes import lanes
from models.catalogs import book, demand, offer, vm
from models.cloud import CLOUD, ROWS, sound, usd
from models.onprem import SERVERS, SERVICES, server
from planner.demand import Demand
from planner.models._autoscaler import desired_replicas, followed, for_requests
from planner.models._instances import types
from planner.models._pods import Pods, pods
from planner.models.kubernetes import Kubernetes
from planner.models.service_mesh import ServiceMesh
from planner.quantities import CPU

FREE = {"daemonset_cpu_cores": 0.0, "daemonset_memory_gib": 0.0, "daemonset_pods": 0, "vm_overhead": 0.0}
BARE = {**FREE, "reservation": "none", "min_nodes": 0, "effort": 0}
OTHERS = [row for row in CLOUD.offers.to_dict("records") if row["kind"] != "vm"]
SPOT = book(*ROWS, [r | {"term": "spot", "usd_per_unit": r["usd_per_unit"] * 0.3}
                    for row in ROWS[:3] for r in row if r["term"] == "on_demand"])  # fmt: skip


def one(value: float) -> np.ndarray:
    return np.array([value])


@pytest.mark.parametrize(
    ("current", "metric", "target", "wanted"),
    [(4, 200, 100, 8), (4, 50, 100, 2), (4, 110, 100, 4), (4, 90, 100, 4), (4, 111, 100, 5), (3, 100, 60, 5)],
)
def test_replicas_that_an_autoscaler_wants(current: int, metric: int, target: int, wanted: int) -> None:
    """C13, C14."""
    assert desired_replicas(one(current), one(metric), target, 0.1).tolist() == [wanted]


def test_replicas_stay_within_the_tolerance_through_a_week() -> None:
    least, used = np.ones((1, 5)), np.array([[2.4, 2.6, 2.7, 2.95, 1.0]])
    assert followed(least, used, one(0.8), 0.1).tolist() == [[3, 3, 4, 4, 2]]
    assert followed(least, used, one(0.8), 0.0).tolist() == [[3, 4, 4, 4, 2]]


use = st.lists(st.floats(0.0, 40.0), min_size=1, max_size=12)


@given(use, st.floats(0.0, 0.5), st.floats(0.2, 1.0))
def test_replicas_are_never_fewer_than_the_hour_needs(used: list[float], tolerance: float, target: float) -> None:
    table = np.array([used])
    least = np.maximum(np.ceil(table), 1)
    running = followed(least, table, one(target), tolerance)
    assert (running >= least).all()
    assert (table / running <= target * (1 + tolerance) + 1e-6).all()


def test_requests_in_flight_make_for_replicas() -> None:
    """C16: a replica that takes 10 at once and is to be 70 % full is joined by another above 7."""
    assert for_requests(np.array([6.9, 7.0, 7.1, 14.5]), 10, 0.7).tolist() == [1, 1, 2, 3]
    call = {"kind": "function", "seconds_per_request": 0.5, "busy": [[0.1, 0.1]] * 2, "scales_out": True}
    asked = demand({**call, "requests_per_s": [14, 15]}, hours=(365.0, 365.0))
    model = Kubernetes(requests_per_replica=10)
    assert pods(asked, model.rules).replicas.tolist() == [[1, 2]]


def contained(request: float, cores: float) -> Demand:
    """A container that scales out, with a request and use that never changes."""
    kind = {"kind": "container", "scales_out": True, "cpu_cores": request}
    return demand({**kind, "busy": [cores, 1], "mean": [cores, 1]})


def asked(model: Kubernetes, request: float, cores: float) -> Pods:
    return pods(contained(request, cores), model.rules)


def test_a_request_that_an_autoscaler_counts_by_is_never_set_to_what_was_used() -> None:
    """A17: set to use, a request of 1 core at a target of 80 % shrinks to 0.80, 0.64, and so on without end."""
    request, shrunk = 1.0, [1.0]
    for _ in range(3):
        use = 0.8 * shrunk[-1]
        shrunk.append(float(asked(Kubernetes(cpu_autoscaled="none"), shrunk[-1], use).size[0, 0, CPU]))
        kept = asked(Kubernetes(), request, 0.8 * request)
        assert float(kept.size[0, 0, CPU]) == request
        assert kept.replicas.tolist() == [[1]]
    assert shrunk == pytest.approx([1, 0.8, 0.64, 0.512])


def test_replicas_of_a_kept_request_follow_use() -> None:
    assert asked(Kubernetes(), 1.0, 2.4).replicas.tolist() == [[3]]
    assert asked(Kubernetes(), 1.0, 2.7).replicas.tolist() == [[4]]
    assert asked(Kubernetes(autoscaler_target=0.5), 1.0, 2.4).replicas.tolist() == [[5]]


def test_a_container_without_a_request_is_sized_by_use() -> None:
    assert asked(Kubernetes(least_cpu_cores=0.0), float("nan"), 2.5).size[0, 0, CPU] == pytest.approx(2.5 / 3)


@pytest.mark.parametrize(("used", "wanted"), [(0.1, 0.125), (1.2, 1.5)])
def test_requests_are_filled_to_the_target(used: float, wanted: float) -> None:
    """A7."""
    made = pods(demand({"busy": [used, 1]}), Kubernetes(target_utilisation=0.8).rules)
    assert made.size[0, 0, CPU] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("profile", "share", "nodes"), [("development", 0.8, 1), ("production", 0.65, 2), ("high_availability", 0.5, 3)]
)
def test_profiles_of_clusters(profile: str, share: float, nodes: int) -> None:
    """A9."""
    model = Kubernetes(profile=profile, effort=0)
    made = pods(demand({"busy": [1, 2]}), model.rules)
    assert made.size[0, 0, :2] == pytest.approx([1 / share, 2 / share])
    assert model.plan(demand({"busy": [0.1, 0.1]}), CLOUD).boxes["count"].sum() == nodes


def test_slots_by_network_interfaces() -> None:
    """C8: three interfaces of ten addresses are 29 pods, 27 beside network and proxy agents."""
    kinds = types(CLOUD.at("aws", "us-east-1"), ("on_demand",), (), ())
    model = Kubernetes(interfaces_per_node=3, addresses_per_interface=10, daemonset_pods=2)
    assert set(model.slots(kinds).tolist()) == {29}
    assert set(model.room(kinds)[:, -1].tolist()) == {27}


def test_slots_by_default_are_those_of_the_provider() -> None:
    silent = book(vm("n.large", 2, 8, 0.1, max_pods=np.nan))
    kinds = types(silent, ("on_demand",), (), ())
    told = {s: float(Kubernetes(reservation=s).slots(kinds)[0]) for s in ("eks", "aks", "gke", "kubelet")}
    assert told == {"eks": 110, "aks": 250, "gke": 110, "kubelet": 110}
    assert Kubernetes(max_pods=30).slots(kinds).tolist() == [30]


@pytest.mark.parametrize(("agents", "slots", "held"), [(0.95, 110, 6), (2.0, 110, 4), (0.0, 5, 0)])
def test_how_many_replicas_a_node_takes(agents: float, slots: int, held: int) -> None:
    """C18: pods of half a core on nodes of four, of which agents take some, or all slots."""
    sold = book(vm("n.xlarge", 4, 16, 0.1), OTHERS)
    rules = BARE | {"daemonset_cpu_cores": agents, "daemonset_pods": 5, "max_pods": slots}
    plan = Kubernetes(**rules).plan(demand({"busy": [0.5, 0.1], "count": 24}), sold)
    assert set(plan.placement.groupby("box").size().tolist()) == ({held} if held else set())
    assert len(plan.unplaced) == (0 if held else 24)
    assert set(plan.unplaced["reason"]) <= {"no node has a slot for a pod besides its agents"}


def mixed() -> Demand:
    """Workloads that may be interrupted beside others."""
    return demand(
        {"busy": [2, 6], "interruptible": True, "count": 10},
        {"busy": [3, 4], "count": 6},
        {"busy": [[6, 6], [2, 2]], "scales_out": True, "interruptible": True, "count": 2},
        hours=(230.0, 500.0),
    )


TERMS = ("on_demand", "1y_no_upfront", "spot")


@pytest.mark.parametrize("share", lanes([0.0, 0.5, 1.0], slow=[0.0, 1.0]))
def test_only_what_may_be_interrupted_is_on_spot_nodes(share: float) -> None:
    asked, model = mixed(), Kubernetes(terms=TERMS, spot_share=share, effort=0)
    plan = model.plan(asked, SPOT)
    sound(plan, asked)
    boxes = plan.boxes.groupby(["sku", "term"])["count"].sum().unstack(fill_value=0)
    lasting = boxes.drop(columns="spot", errors="ignore").sum(axis=1)
    on_spot = plan.placement[plan.placement["box"] >= plan.placement["sku"].map(lasting)]
    assert on_spot["workload"].nunique() == round(12 * share)
    assert set(on_spot["workload"]) <= set(asked.members["workload"][asked.members["class"] != 1])
    assert plan.details.get("spot_nodes_at_most", 0.0) == (boxes["spot"].sum() if share else 0.0)
    assert (plan.placement["box"] < plan.placement["sku"].map(boxes.sum(axis=1))).all()


@pytest.mark.slow
def test_more_spot_is_cheaper_and_none_is_used_unasked() -> None:
    plans = [Kubernetes(terms=TERMS, spot_share=s, effort=0).plan(mixed(), SPOT) for s in (0.0, 0.5, 1.0)]
    for less, more in pairwise(plans):
        assert more.usd_per_month < less.usd_per_month
    assert "spot" not in set(Kubernetes(effort=0).plan(mixed(), SPOT).boxes["term"])
    unsold = Kubernetes(terms=TERMS, effort=0).plan(mixed(), CLOUD)
    assert unsold.lines == Kubernetes(effort=0).plan(mixed(), CLOUD).lines


def test_where_only_spot_is_allowed_the_rest_is_named() -> None:
    plan = Kubernetes(terms=("spot",), effort=0).plan(mixed(), SPOT)
    sound(plan, mixed())
    assert len(plan.unplaced) == 6
    assert set(plan.unplaced["reason"]) == {"may not be interrupted, and only spot nodes are allowed"}


@pytest.mark.parametrize(("sku", "capacity"), [("alb", 8.0), ("nlb", 6.0)])
def test_a_load_balancer_with_a_thousand_gb(sku: str, capacity: float) -> None:
    """F24."""
    nlb = [offer("nlb", "load_balancer", 0.0225), offer("nlb-lcu", "load_balancer_capacity", 0.006, unit="hour")]
    asked = demand({"busy": [1, 1], "network_gib_per_month": 1000.0})
    plan = Kubernetes(load_balancer_sku=sku, effort=0).plan(asked, book(*ROWS, nlb))
    assert usd(plan, "load_balancer") == pytest.approx(16.43, abs=0.01)
    assert usd(plan, "load_balancer_capacity") == pytest.approx(capacity)
    assert next(e.quantity for e in plan.lines if e.offer_kind == "load_balancer_capacity") / 730 == pytest.approx(
        1.3698, abs=1e-4
    )


def test_a_cluster_of_aks() -> None:
    """F22: five nodes, a control plane with an uptime agreement, five disks of a fixed size."""
    here = {"provider": "azure", "region": "eastus"}
    sold = book(
        vm("Standard_D2_v2", 2, 7, 0.146, **here),
        offer("aks-control-plane-standard", "control_plane", 0.1, unit="cluster-hour", **here),
        offer("aks-control-plane-free", "control_plane", 0.0, unit="cluster-hour", **here),
        offer("S4", "disk", 1.536, unit="month", storage_gib=32.0, **here),
        offer("egress", "egress", 0.0, unit="GB", **here),
    )
    around = {"load_balancers": 0, "nat_gateways": 0, "node_disk_gib": 32.0, "zones": 1, "nodes_per_admin": None}
    asked = demand({"busy": [0.1, 0.1], "storage_gib": 0.0})
    plan = Kubernetes(**here, **around, terms=("on_demand",), min_nodes=5, effort=0).plan(asked, sold)
    assert [usd(plan, kind) for kind in ("vm", "control_plane", "disk")] == pytest.approx([532.9, 73.0, 7.68])


def test_a_fee_for_nodes_is_a_share_of_their_price_on_demand_whatever_they_are_paid_by() -> None:
    """F19: EKS Auto Mode."""
    sold = book(*ROWS, offer("eks-auto-mode", "platform", 0.12, unit="usd of spend"))
    asked, fees = mixed(), []
    for terms in (("on_demand",), ("on_demand", "1y_no_upfront")):
        plain, paid = (
            Kubernetes(terms=terms, effort=0, node_fee_sku=s).plan(asked, sold) for s in ("", "eks-auto-mode")
        )
        sound(paid, asked)
        assert usd(plain, "platform") == 0
        fees.append(usd(paid, "platform") / usd(paid, "vm"))
    assert fees[0] == pytest.approx(0.12)
    assert fees[1] > 0.12, "committed nodes cost less, their fee does not"


work = st.fixed_dictionaries(
    {
        "busy": st.lists(st.tuples(st.floats(0.05, 8), st.floats(0.1, 30)), min_size=2, max_size=2),
        "count": st.integers(1, 4),
        "scales_out": st.booleans(),
        "interruptible": st.booleans(),
        "kind": st.sampled_from(["vm", "container"]),
        "cpu_cores": st.sampled_from([float("nan"), 0.5, 2.0]),
    }
)


@pytest.mark.slow
@settings(max_examples=3)
@given(st.lists(work, min_size=1, max_size=5), st.floats(0, 1))
def test_any_small_estate_is_sound_with_spot_and_autoscalers(estate: list[dict[str, object]], share: float) -> None:
    asked = demand(*estate, hours=(230.0, 500.0))
    plan = Kubernetes(terms=TERMS, spot_share=share, effort=0).plan(asked, SPOT)
    sound(plan, asked)
    assert plan.unplaced.empty


RACKS = book(*ROWS, *SERVERS, *SERVICES)


def test_own_nodes_are_bought_and_run_all_the_time() -> None:
    asked = mixed()
    plan = Kubernetes(nodes="owned", effort=0).plan(asked, RACKS)
    sound(plan, asked)
    assert plan.unplaced.empty
    kinds = {entry.offer_kind for entry in plan.lines}
    assert {"server", "colocation", "electricity", "switch_port", "admin_labour"} <= kinds
    assert not {"vm", "control_plane", "load_balancer", "egress"} & kinds
    assert len(np.unique(plan.provisioned, axis=0)) == 1
    assert plan.details["servers_standing_by"] == 1
    assert plan.boxes["count"].sum() == plan.details["servers"]
    none = Kubernetes(nodes="owned", spare_nodes=0, effort=0).plan(asked, RACKS)
    assert none.details["servers"] < plan.details["servers"]
    assert none.usd_per_month < plan.usd_per_month


def test_a_node_of_ones_own_keeps_what_a_kubelet_keeps() -> None:
    """80 m and 1 % of the cores, 330 MiB and 5 % of the memory, 100 MiB before pods are evicted."""
    sold = book(server("big", 100, 1000, 9000.0), *SERVICES)
    model = Kubernetes(**FREE, nodes="owned", own_control_planes=0, min_nodes=0, spare_nodes=0, effort=0)
    held, over = (model.plan(demand({"busy": [n, 1]}), sold) for n in (98.92, 98.93))
    assert held.unplaced.empty
    assert "CPU cores" in over.unplaced["reason"].iloc[0]


def test_own_nodes_that_were_bought_stay() -> None:
    model = Kubernetes(nodes="owned", effort=0)
    assert model.keeps
    assert not Kubernetes().keeps
    first = model.plan(mixed(), RACKS)
    owned = dict(zip(first.boxes["sku"], first.boxes["count"].astype(int), strict=True))
    again = model.plan(mixed(), RACKS, owned)
    assert again.boxes.equals(first.boxes)
    half = demand({"busy": [2, 6], "count": 2})
    kept = model.plan(half, RACKS, owned)
    sound(kept, half)
    assert dict(zip(kept.boxes["sku"], kept.boxes["count"], strict=True)) == owned


def test_a_mesh_may_run_on_own_nodes() -> None:
    plan = ServiceMesh(nodes="owned", effort=0).plan(mixed(), RACKS)
    sound(plan, mixed())
    assert plan.details["mesh_usd_per_month"] >= 0
