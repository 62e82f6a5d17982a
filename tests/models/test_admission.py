"""Admission control of clusters: the published examples, the cheapest hosts to add, and what a tighter policy costs."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogs import demand
from models.onprem import BARE, assert_sound, catalog, counts, server
from planner.models._admission import Admission, Guests, Hosts
from planner.models.hypervisor import Hypervisor

PLAIN = BARE.model_copy(update={"spares": 1})
"""Nothing but packing and admission."""

VSPHERE = (server("h1", 9, 9, 900.0), server("h2", 9, 6, 800.0), server("h3", 6, 6, 700.0))
OWNED = {"h1": 1, "h2": 1, "h3": 1}
GUESTS = [{"busy": [2, 1], "count": 2}, {"busy": [1, 2]}, {"busy": [1, 1], "count": 2}]


def like(**changes: Any) -> Hypervisor:
    return PLAIN.model_copy(update=changes)


def test_slots_as_in_the_vsphere_availability_guide() -> None:
    """Hosts of 9 GHz and 9 GB, 9 and 6, 6 and 6 have 4, 3 and 3 slots; five machines survive the loss of the first."""
    plan = like(admission="slots").plan(demand(*GUESTS), catalog(*VSPHERE), OWNED)
    assert plan.details["servers_bought"] == 0
    told = {name: plan.details[name] for name in ("slot_cpu_cores", "slot_memory_gib", "slots", "slots_taken")}
    assert told == {"slot_cpu_cores": 2, "slot_memory_gib": 2, "slots": 10, "slots_taken": 5}
    assert plan.details["failover_capacity_hosts"] == 1


def test_more_failures_than_the_capacity_take_more_hosts() -> None:
    plan = like(admission="slots", spares=2).plan(demand(*GUESTS), catalog(*VSPHERE), OWNED)
    assert plan.details["servers_bought"] == 1
    assert plan.details["failover_capacity_hosts"] == 2
    assert_sound(plan, demand(*GUESTS))


def test_a_slot_of_given_size_is_taken_several_times_by_a_large_machine() -> None:
    asked = demand({"busy": [5, 2]}, {"busy": [1, 1], "count": 3})
    model = like(admission="slots", slot_cpu_cores=2.0, slot_memory_gib=1.0)
    plan = model.plan(asked, catalog(server("host", 16, 16, 1000.0)), {"host": 2})
    assert plan.details["slots_taken"] == 3 + 3
    assert plan.details["slots"] == 16


def test_two_of_ten_equal_hosts_are_a_fifth_of_the_cluster() -> None:
    hosts = catalog(server("host", 10, 100, 1000.0))
    model = like(admission="percentage", spares=2)
    full = model.plan(demand({"busy": [1, 1], "count": 80}), hosts, {"host": 10})
    assert full.details["failover_share"] == pytest.approx(0.20)
    assert full.details["failover_share_cpu"] == pytest.approx(0.20)
    assert full.details["failover_share_memory"] == pytest.approx(0.92)
    assert counts(full) == {"host": 10}
    more = model.plan(demand({"busy": [1, 1], "count": 81}), hosts, {"host": 10})
    assert counts(more) == {"host": 11}
    assert more.details["failover_share"] == pytest.approx(2 / 11)


def test_a_share_may_be_given_outright() -> None:
    hosts = catalog(server("host", 10, 100, 1000.0))
    for share, many in ((0.0, 8), (0.2, 10), (0.25, 11), (0.5, 16)):
        plan = like(admission="percentage", failover_share=share).plan(demand({"busy": [1, 1], "count": 80}), hosts)
        assert counts(plan) == {"host": many}
        assert plan.details["failover_share"] == share


def test_each_kind_of_processor_is_a_cluster() -> None:
    arm = server("arm", 10, 100, 900.0, arch="arm64")
    asked = demand({"busy": [1, 1], "count": 9}, {"busy": [1, 1], "arch": "arm64", "count": 9})
    plan = like(admission="slots").plan(asked, catalog(server("host", 10, 100, 1000.0), arm))
    assert counts(plan) == {"host": 2, "arm": 2}
    assert plan.details["failover_capacity_hosts_arm64"] == plan.details["failover_capacity_hosts_x86_64"] == 1


def _admits(policy: Admission, hosts: Hosts, guests: Guests, count: np.ndarray) -> bool:
    """By the words of the policy, host by host."""
    rooms = np.repeat(hosts.room, count, axis=0)
    if policy.policy == "percentage":
        largest = np.sort(rooms, axis=0)[::-1][: policy.failures].sum(axis=0)
        lost = largest if policy.share is None else rooms.sum(axis=0) * policy.share
        return bool((guests.total <= rooms.sum(axis=0) - lost + 1e-9).all())
    size = guests.need.max(axis=0)
    slots = sorted(int(min(room // size)) for room in rooms)
    return sum(slots[: max(len(slots) - policy.failures, 0)]) >= guests.count.sum()


whole = st.integers(1, 8)
types = st.lists(st.tuples(whole, whole, whole, st.integers(0, 2)), min_size=1, max_size=3)
machines = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 2)), min_size=1, max_size=3)
policies = st.sampled_from(
    [
        *(Admission("slots", k) for k in (0, 1, 2)),
        *(Admission("percentage", k) for k in (0, 1, 2)),
        Admission("percentage", 1, share=0.3),
    ]
)


@settings(max_examples=30)
@given(types, machines, policies)
def test_no_cheaper_hosts_are_admitted(
    kinds: list[tuple[int, ...]], units: list[tuple[int, ...]], policy: Admission
) -> None:
    table, guest = np.array(kinds, float), np.array(units, float)
    hosts = Hosts(table[:, :2], table[:, 2], table[:, 3].astype(np.int64), np.ones(len(kinds), bool))
    guests = Guests(guest[:, :2], guest[:, 2])
    added = policy.to_add(hosts, guests)
    tried = [np.array(more) for more in product(range(7), repeat=len(kinds))]
    usd = [float(more @ hosts.usd) for more in tried if _admits(policy, hosts, guests, hosts.there + more)]
    if not usd:
        return
    if added.any() or _admits(policy, hosts, guests, hosts.there):
        assert _admits(policy, hosts, guests, hosts.there + added)
        assert float(added @ hosts.usd) <= min(usd) + 1e-9
        assert policy.least_usd(hosts, guests) <= float(added @ hosts.usd) + 1e-9
    if added.max() < 7:
        assert float(added @ hosts.usd) >= min(usd) - 1e-9


estate = st.lists(
    st.tuples(st.floats(0.1, 60), st.floats(0.5, 250), st.integers(1, 4)).map(
        lambda row: {"busy": list(row[:2]), "count": row[2]}
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["slots", "percentage"])
@settings(max_examples=2)
@given(rows=estate)
def test_a_tighter_policy_or_twice_the_demand_is_never_cheaper(policy: str, rows: list[dict[str, Any]]) -> None:
    asked, more = demand(*rows), demand(*({**row, "count": 2 * row["count"]} for row in rows))
    plans = [like(admission=policy, spares=spares).plan(asked, catalog()) for spares in (0, 1, 2)]
    cost = [plan.usd_per_month for plan in plans]
    assert cost[0] <= cost[1] * (1 + 1e-9)
    assert cost[1] <= cost[2] * (1 + 1e-9)
    twice = like(admission=policy).plan(more, catalog())
    assert twice.usd_per_month >= cost[1] * (1 - 1e-9)
    for plan, one in ((plans[1], asked), (twice, more)):
        assert_sound(plan, one)
