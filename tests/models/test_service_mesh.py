"""Meshes: what proxies ask for by published numbers, what they cost more, who is encrypted, and latency."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.books import read_facts
from models.catalogs import demand
from models.cloud import CLOUD, sound
from planner.bundle import bundled
from planner.catalog import Catalog
from planner.demand import Demand, Policy
from planner.models._pods import pods
from planner.models.kubernetes import Kubernetes
from planner.models.service_mesh import ServiceMesh
from planner.store import Store

DAY = (230.0, 500.0)
GB_PER_GIB = 2.0**30 / 1e9
MODES = ("istio_sidecar", "istio_ambient", "linkerd")
BARE = {
    "calls_per_request": 0.0,
    "proxy_headroom": 0.0,
    "sidecar_request_cpu_cores": 0.0,
    "sidecar_request_memory_gib": 0.0,
    "waypoint_request_cpu_cores": 0.0,
    "waypoint_request_memory_gib": 0.0,
    "ztunnel_request_cpu_cores": 0.0,
    "ztunnel_request_memory_gib": 0.0,
}


def called(rps: float | list[float], **more: object) -> dict[str, object]:
    return {"kind": "container", "busy": [1, 2], "seconds_per_request": 0.01, "requests_per_s": rps, **more}


def carried(model: ServiceMesh, asked: Demand) -> np.ndarray:
    """[class, period, 2], what the mesh puts on each replica."""
    return model.mesh.on_pods(asked, pods(asked, model.rules))


def own(model: ServiceMesh, asked: Demand) -> list[tuple[float, float, int]]:
    """Cores, GiB and pods of each kind of the mesh's own."""
    made = model.mesh.beside(asked, pods(asked, model.rules))
    return [] if made is None else [
        (float(s[0, 0]), float(s[0, 1]), int(r.max() * c))
        for s, r, c in zip(made.size, made.replicas, made.count, strict=True)
    ]  # fmt: skip


def test_proxies_at_a_thousand_requests_a_second() -> None:
    """D1: a sidecar takes 0.20 vCPU and 60 MB, a waypoint 0.25 and 60 MB, the proxy of a node 0.06 and 12 MB."""
    asked = demand(called(1000.0))
    sidecar = carried(ServiceMesh(**BARE), asked)[0, 0]
    assert sidecar == pytest.approx([0.20, 0.060 / GB_PER_GIB], rel=1e-3)
    ambient = ServiceMesh(mode="istio_ambient", **BARE)
    assert carried(ambient, asked)[0, 0] == pytest.approx([0.06, 0.0])
    assert ambient.mesh.on_nodes == pytest.approx((0.0, 0.012 / GB_PER_GIB, 1), rel=1e-2)
    assert own(ambient, asked)[1] == pytest.approx((0.25, 0.060 / GB_PER_GIB, 1), rel=1e-3)


def test_figures_are_those_of_the_price_books() -> None:
    """What is published and not a setting's own choice, in the units of the settings."""
    facts = Catalog(CLOUD.offers, read_facts())
    told = lambda key, metric: float(facts.fact("mesh", key, metric)["value"])  # noqa: E731
    mesh, istio, linkerd = ServiceMesh(), "istio 1.24", "linkerd 2.10 (2021-05)"
    assert mesh.sidecar_cpu_cores_per_1000_rps == told(istio, "sidecar_cpu")
    assert mesh.waypoint_cpu_cores_per_1000_rps == told(istio, "waypoint_cpu")
    assert mesh.ztunnel_cpu_cores_per_1000_rps == told(istio, "ztunnel_cpu")
    assert mesh.istiod_cpu_cores == told(istio, "istiod_cpu")
    assert mesh.services_per_control_plane == told(istio, "load_test_services")
    assert mesh.sidecar_pair_p99_ms == told("istio 1.7", "sidecar_pair_latency_p99")
    assert mesh.ztunnel_pair_p99_ms == told(istio, "ztunnel_x2_latency_p99")
    assert mesh.linkerd_control_cpu_cores * 1000 == told(linkerd, "control_plane_cpu")
    megabytes = {
        "sidecar_memory_gib": (istio, "sidecar_memory"),
        "waypoint_memory_gib": (istio, "waypoint_memory"),
        "ztunnel_memory_gib": (istio, "ztunnel_memory"),
        "linkerd_memory_gib": (linkerd, "proxy_memory_max"),
        "linkerd_control_memory_gib": (linkerd, "control_plane_memory"),
    }
    for name, fact in megabytes.items():
        assert getattr(mesh, name) * GB_PER_GIB * 1000 == pytest.approx(told(*fact), rel=5e-3)
    assert mesh.istiod_memory_gib * GB_PER_GIB == pytest.approx(told(istio, "istiod_memory"), rel=1e-3)


def test_a_sidecar_asks_for_its_request_or_what_its_traffic_takes() -> None:
    asked = demand(called([10.0, 1000.0]), hours=DAY)
    made = carried(ServiceMesh(calls_per_request=1.5, proxy_headroom=0.2), asked)
    assert made[0, :, 0] == pytest.approx([0.1, 0.2 * 2.5 * 1.2])
    assert made[0, :, 1].tolist() == [0.125, 0.125]
    still = carried(ServiceMesh(calls_per_request=1.5, proxy_headroom=0.2, resize_cpu=False), asked)
    assert still[0, :, 0] == pytest.approx([0.6, 0.6])


def test_replicas_share_the_traffic_and_stay_as_many() -> None:
    asked = demand(called([4000.0, 400.0], busy=[[4, 2], [1, 1]], scales_out=True), hours=DAY)
    model = ServiceMesh(**BARE)
    plain = pods(asked, model.rules)
    laden = model.mesh.laden(asked, plain)
    assert laden.replicas.tolist() == plain.replicas.tolist()
    assert carried(model, asked)[0, :, 0] == pytest.approx(0.2 * np.array([4.0, 0.4]) / plain.replicas[0])
    assert (laden.size[:, :, :2] > plain.size[:, :, :2]).all()


def test_requests_are_measured_or_inferred_from_work() -> None:
    asked = demand(called(100.0), {"busy": [2, 2], "mean": [1, 1], "count": 3})
    plan = ServiceMesh(cpu_seconds_per_request=0.01, effort=0).plan(asked, CLOUD)
    assert plan.details["requests_per_s_on_average"] == pytest.approx(100 + 3 * 100)
    told = {a.name: a.value for a in plan.assumptions if not a.measured}
    assert told["service_mesh: workloads whose requests are inferred"] == 3
    assert told["service_mesh: calls to others a request"] == 1.0
    known = ServiceMesh(effort=0).plan(demand(called(1.0)), CLOUD)
    assert "service_mesh: workloads whose requests are inferred" not in {a.name for a in known.assumptions}


def test_the_control_plane_grows_with_services_and_proxies() -> None:
    asked = demand(called(1.0, count=30))
    assert [n for *_, n in own(ServiceMesh(), asked)] == [1]
    assert [n for *_, n in own(ServiceMesh(services_per_control_plane=10), asked)] == [3]
    assert [n for *_, n in own(ServiceMesh(proxies_per_control_plane=8), asked)] == [4]
    assert [n for *_, n in own(ServiceMesh(control_plane_replicas=2), asked)] == [2]
    assert own(ServiceMesh(mode="linkerd"), asked) == [(0.071, 0.302, 1)]


def test_waypoints_by_application_or_owner() -> None:
    asked = demand(
        called(10.0, owner="o", application="a", count=2),
        called(10.0, owner="o", application="b"),
        called(30_000.0, owner="p", application="a"),
        called(10.0, owner="p"),
    )
    by_application = own(ServiceMesh(mode="istio_ambient", waypoint_per="application"), asked)[1:]
    assert sorted(n for *_, n in by_application) == [3, 5]
    assert max(s for s, *_ in by_application) <= 2.0
    by_owner = own(ServiceMesh(mode="istio_ambient"), asked)[1:]
    assert sorted(n for *_, n in by_owner) == [1, 5]
    assert own(ServiceMesh(mode="istio_ambient", waypoint_per="none"), asked)[1:] == []


def test_latency_of_a_path_and_who_is_encrypted() -> None:
    asked = demand(called(30.0, kind="container"), called(10.0, kind="vm"))
    whole = ServiceMesh(calls_in_path=2, effort=0).plan(asked, CLOUD).details
    assert whole["added_latency_p50_ms"] == pytest.approx(2 * 1.72)
    assert whole["added_latency_p99_ms"] == pytest.approx(2 * 2.88)
    assert (whole["mtls_share_of_pods"], whole["mtls_share_of_calls"]) == (1.0, 1.0)
    part = ServiceMesh(meshed_kinds=("container",), effort=0).plan(asked, CLOUD).details
    assert part["mtls_share_of_pods"] == pytest.approx(0.5)
    assert part["mtls_share_of_calls"] == pytest.approx(0.75**2)
    ambient = ServiceMesh(mode="istio_ambient", calls_in_path=2, effort=0).plan(asked, CLOUD).details
    bare = ServiceMesh(mode="istio_ambient", waypoint_per="none", calls_in_path=2, effort=0).plan(asked, CLOUD).details
    assert bare["added_latency_p99_ms"] < ambient["added_latency_p99_ms"] < whole["added_latency_p99_ms"]


def test_nothing_in_the_mesh_costs_nothing_more() -> None:
    asked = demand({"busy": [1, 2], "count": 4})
    plan = ServiceMesh(meshed_kinds=("function",), effort=0).plan(asked, CLOUD)
    assert plan.details["mesh_usd_per_month"] == 0
    assert plan.details["mtls_share_of_pods"] == 0
    assert plan.lines == Kubernetes(effort=0).plan(asked, CLOUD).lines


def test_what_becomes_too_heavy_is_named_and_left_out_of_the_comparison() -> None:
    asked = demand({"busy": [31.5, 10]}, {"busy": [1, 1]})
    plan = ServiceMesh(daemonset_cpu_cores=0.0, effort=0).plan(asked, CLOUD)
    sound(plan, asked)
    assert plan.unplaced["workload"].tolist() == ["w0"]
    assert Kubernetes(daemonset_cpu_cores=0.0, effort=0).plan(asked, CLOUD).unplaced.empty
    rest = Kubernetes(daemonset_cpu_cores=0.0, effort=0).plan(asked.select([1]), CLOUD)
    assert plan.details["usd_per_month_without_mesh"] <= rest.usd_per_month + 1e-6


@pytest.mark.parametrize("mode", MODES)
def test_nothing_to_run_costs_nothing(mode: str) -> None:
    for empty in (demand(), demand(hours=DAY)):
        plan = ServiceMesh(mode=mode).plan(empty, CLOUD)
        sound(plan, empty)
        assert plan.usd_per_month == plan.details["mesh_usd_per_month"] == 0


pod = st.fixed_dictionaries(
    {
        "busy": st.lists(st.tuples(st.floats(0.05, 8), st.floats(0.1, 30)), min_size=2, max_size=2),
        "count": st.integers(1, 4),
        "scales_out": st.booleans(),
        "kind": st.sampled_from(["vm", "container", "function"]),
        "application": st.sampled_from(["", "a", "b"]),
        "requests_per_s": st.sampled_from([0.0, 1.0, 5000.0]),
        "arch": st.sampled_from(["x86_64", "arm64"]),
    }
)


@pytest.mark.slow
@settings(max_examples=3)
@given(st.lists(pod, min_size=1, max_size=4), st.sampled_from(MODES))
def test_any_small_estate_is_sound_and_the_mesh_never_pays(work: list[dict[str, object]], mode: str) -> None:
    asked = demand(*work, hours=DAY)
    plan = ServiceMesh(mode=mode, effort=0).plan(asked, CLOUD)
    sound(plan, asked)
    assert plan.details["mesh_usd_per_month"] >= 0
    more = plan.details["mesh_usd_per_month"] + plan.details["usd_per_month_without_mesh"]
    assert more == pytest.approx(plan.usd_per_month)
    made = Kubernetes(effort=0).plan(asked, CLOUD)
    assert plan.details["cpu_cores_requested_at_most"] >= made.details["cpu_cores_requested_at_most"] - 1e-9


@pytest.mark.slow
def test_on_the_shipped_sample_sidecars_cost_more_than_ambient_and_ambient_more_than_none() -> None:
    with Store(":memory:") as store:
        trace = store.ingest(bundled("datasets", "samples", "planner"))
        asked = store.demand(trace.trace_id, Policy(profile="single"))
        sold = store.catalog()
    usd = {m: ServiceMesh(mode=m, effort=0).plan(asked, sold) for m in ("istio_sidecar", "istio_ambient")}
    plain = Kubernetes(effort=0).plan(asked, sold).usd_per_month
    assert usd["istio_sidecar"].usd_per_month > usd["istio_ambient"].usd_per_month > plain
    assert usd["istio_sidecar"].details["mesh_usd_per_month"] == pytest.approx(
        usd["istio_sidecar"].usd_per_month - plain
    )
