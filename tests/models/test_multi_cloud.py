"""Portfolios of sites: never dearer than one site, limits that hold, traffic that is paid, figures that are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import onprem
from models.catalogs import book, demand, offer, vm
from models.cloud import ROWS, sound, usd
from planner.catalog import Catalog
from planner.errors import InputError, ScenarioError
from planner.models.multi_cloud import MultiCloud, Site
from planner.plan import Plan
from planner.scenario import parse, with_settings
from planner.study import Question, answer_plans

ELSEWHERE = [
    [row | {"provider": "gcp", "region": "iowa"} for name, cores, gib, price in
     (("n.large", 2, 8, 0.09), ("n.xlarge", 4, 16, 0.18), ("n.4xlarge", 16, 64, 0.72))
     for row in vm(name, cores, gib, price)],
    offer("internet-egress", "egress", 0.12, unit="GB", provider="gcp", region="iowa"),
    offer("balanced", "block_storage", 0.1, unit="GB-month", provider="gcp", region="iowa"),
    offer("gke", "control_plane", 0.1, unit="cluster-hour", provider="gcp", region="iowa"),
    offer("glb-data", "load_balancer_data", 0.008, unit="GB", provider="gcp", region="iowa"),
    offer("glb", "load_balancer", 0.025, provider="gcp", region="iowa"),
    offer("nat", "nat_gateway", 0.045, provider="gcp", region="iowa"),
    offer("nat-data", "nat_data", 0.045, unit="GB", provider="gcp", region="iowa"),
    offer("inter-az", "inter_az", 0.01, unit="GB", provider="gcp", region="iowa"),
    offer("flux", "platform", 5.0, unit="month", provider="gcp", region="iowa"),
    offer("flux", "platform", 4.0, unit="month"),
    offer("inter-region", "inter_region", 0.02, unit="GB"),
]  # fmt: skip
BOOK: Catalog = book(*ROWS, *ELSEWHERE)
PLAIN = {"support_plan": "none", "vms_per_admin": None, "egress_gib_per_workload": 0.0, "terms": ("on_demand",)}
ARM = {"busy": [2, 8], "network_gib_per_month": 0.0, "storage_gib": 0.0}


def site(name: str, kind: str = "iaas", where: tuple[str, str] = ("aws", "us-east-1"), **more) -> Site:
    model = {"kind": kind, **(PLAIN if kind == "iaas" else {}), **more.pop("model", {})}
    return Site(name=name, model=model, provider=where[0], region=where[1], **more)


IOWA = ("gcp", "iowa")
TWO = (site("virginia", jurisdiction="US"), site("iowa", where=IOWA, jurisdiction="CH", latency_ms=40))
THREE = (*TWO, site("calls", "functions", model={"support_plan": "none", "egress_gib_per_workload": 0.0}))


def planned(asked, sites=TWO, **fields) -> Plan:
    plan = MultiCloud(sites=sites, **fields).plan(asked, BOOK)
    sound(plan, asked)
    seats = plan.placement.merge(plan.boxes.groupby("sku")["count"].sum().rename("boxes"), on="sku", how="left")
    assert (seats["box"] < seats["boxes"]).all()
    return plan


def where(plan: Plan) -> dict[str, str]:
    return {w: str(s).partition("/")[0] for w, s in zip(plan.placement["workload"], plan.placement["sku"], strict=True)}


def test_each_workload_goes_where_it_is_best_off() -> None:
    """By hand: 2 cores cost 0.09 an hour in Iowa and 0.10 in Virginia; Iowa sells no 8 cores, so 16 at 0.72 instead of
    0.40."""
    plan = planned(demand(ARM, {**ARM, "busy": [8, 32]}))
    assert where(plan) == {"w0": "iowa", "w1": "virginia"}
    assert plan.usd_per_month == pytest.approx(730 * (0.09 + 0.4))
    assert plan.details["cheapest_single_site_usd"] == pytest.approx(730 * 0.5)
    assert plan.details["portability_premium_usd"] == 0.0


def test_one_site_alone_is_its_own_model_with_its_own_bound() -> None:
    asked = demand(ARM, {**ARM, "busy": [8, 32], "count": 3})
    alone = TWO[0].model.plan(asked, BOOK)
    plan = planned(asked, TWO[:1])
    assert plan.lines == alone.lines
    assert plan.certificate.bound_usd == alone.certificate.bound_usd
    assert planned(asked).certificate.bound_usd == 0.0


def test_the_price_of_an_exit_is_the_difference_to_the_best_split() -> None:
    plan = planned(demand({**ARM, "count": 4}))
    told = plan.details
    assert set(where(plan).values()) == {"iowa"}
    assert told["cheapest_split_usd"] == pytest.approx(730 * 4 * 0.09)
    assert told["cheapest_split_with_exit_usd"] == pytest.approx(730 * (3 * 0.09 + 0.1))
    assert told["portability_premium_usd"] == pytest.approx(730 * 0.01)
    assert told["portability_premium"] == pytest.approx(0.01 / 0.36)
    assert planned(demand({**ARM, "count": 4}), min_providers=2).usd_per_month == pytest.approx(730 * 0.37)


MOVING = offer("rehost", "migration", 1200.0, unit="workload", provider="gcp", region="all")


@pytest.mark.parametrize(
    ("months", "there", "moving"), [(None, "iowa", None), (12, "virginia", 5 / 12), (1e6, "iowa", 0)]
)
def test_moving_in_is_weighed_over_the_months_it_is_spread(months: float, there: str, moving: float) -> None:
    """By hand: Iowa saves 7.30 a month and costs 1,195 more to move to, which is 100 a month over a year."""
    asked = demand(ARM)
    plan = MultiCloud(sites=TWO, spread_months=months).plan(asked, book(*ROWS, *ELSEWHERE, MOVING))
    assert set(where(plan).values()) == {there}
    assert ("moving_in_usd" in plan.details) == (months is not None)
    if months is not None:
        assert plan.details["moving_in_usd"] == pytest.approx(moving, abs=0.01)
        assert plan.details["usd_with_moving_in"] == pytest.approx(plan.usd_per_month + plan.details["moving_in_usd"])


def test_a_study_weighs_moving_in_over_its_horizon() -> None:
    tables = [site.model_dump(mode="json", exclude_unset=True) for site in TWO]
    asked, sold = demand(ARM), book(*ROWS, *ELSEWHERE, MOVING)
    for baseline, there in (("physical", "virginia"), ("multi_cloud", "iowa")):
        models = [{"kind": "multi_cloud", "sites": tables}, {"kind": "physical"}]
        scenario = parse({"models": models, "baseline": baseline, "horizon_years": 1})
        plan = next(answer_plans(Question(scenario, None, asked, sold)))  # type: ignore[arg-type]
        assert set(where(plan).values()) == {there}


def test_no_provider_carries_more_than_its_share_of_cores() -> None:
    plan = planned(demand({**ARM, "count": 4}), max_provider_share=0.5)
    assert sorted(where(plan).values()) == ["iowa"] * 2 + ["virginia"] * 2
    assert plan.usd_per_month == pytest.approx(730 * 2 * (0.09 + 0.1))


def test_residency_latency_and_jurisdiction_bind() -> None:
    asked = demand(ARM, {**ARM, "residency": "us"}, {**ARM, "residency": "iowa"}, {**ARM, "residency": "mars"})
    plan = planned(asked)
    assert where(plan) == {"w0": "iowa", "w1": "virginia", "w2": "iowa"}
    assert plan.unplaced["workload"].tolist() == ["w3"]
    assert plan.unplaced["reason"].tolist() == ["virginia: may not leave mars; iowa: may not leave mars"]
    assert set(where(planned(demand(ARM), max_latency_ms=39)).values()) == {"virginia"}
    assert set(where(planned(demand(ARM), jurisdictions=("US",))).values()) == {"virginia"}
    late = planned(demand(ARM), TWO[1:], max_latency_ms=39)
    assert late.unplaced["reason"].tolist() == ["iowa: 40 ms are more than 39 ms"]


def test_a_full_site_sends_the_rest_elsewhere() -> None:
    small = (TWO[0], TWO[1].model_copy(update={"max_cpu_cores": 4.0}))
    plan = planned(demand({**ARM, "count": 3}), small)
    assert sorted(where(plan).values()) == ["iowa", "iowa", "virginia"]


def test_applications_stay_together_or_part_where_that_pays() -> None:
    """Parting saves 730 x 0.01 on the small one; its 10 GiB out of Iowa cost 0.12 each, out of Virginia none."""
    asked = demand({**ARM, "application": "shop"}, {**ARM, "busy": [8, 32], "application": "shop"})
    assert set(where(planned(asked)).values()) == {"virginia"}
    parted = planned(asked, affinity="traffic")
    assert where(parted) == {"w0": "iowa", "w1": "virginia"}
    assert usd(parted, "egress") == pytest.approx(10 * 0.12)
    chatty = planned(asked, affinity="traffic", east_west_gib_per_workload=1000.0)
    assert set(where(chatty).values()) == {"virginia"}


def test_traffic_between_sites_is_paid_by_tier_after_what_is_sent_anyway() -> None:
    asked = demand({**ARM, "network_gib_per_month": 100.0, "residency": "us-east-1"}, {**ARM, "residency": "iowa"})
    flow = {"caller": "w0", "callee": "w1", "gib_per_month": 50.0}
    plan = planned(asked, traffic=(flow,))
    assert usd(plan, "egress") == pytest.approx(50 * 0.09)
    back = planned(asked, traffic=({**flow, "caller": "w1", "callee": "w0"},))
    assert usd(back, "egress") == pytest.approx(50 * 0.12)
    with pytest.raises(InputError, match="'w9' is no application or workload; known: w0, w1"):
        planned(asked, traffic=({**flow, "callee": "w9"},))


def test_groups_keep_together_and_apart() -> None:
    asked = demand(ARM, {**ARM, "busy": [8, 32]}, ARM)
    assert len(set(where(planned(asked, together=(("w0", "w1"),))).values())) == 2
    assert where(planned(asked, together=(("w0", "w1"),)))["w0"] == "virginia"
    apart = where(planned(asked, apart=(("w0", "w2"),)))
    assert apart["w0"] != apart["w2"]


def test_limits_that_contradict_each_other_are_named() -> None:
    plan = planned(demand({**ARM, "residency": "iowa"}, {**ARM, "residency": "iowa"}), max_provider_share=0.5)
    assert plan.unplaced["workload"].tolist() == ["w0", "w1"]
    assert "provider share of at most 0.5" in plan.unplaced["reason"][0]


def test_several_clusters_have_agents_and_a_fleet_manager() -> None:
    cluster = {"min_nodes": 1, "effort": 0.0, "support_plan": "none"}
    sites = (site("a", "kubernetes", model=cluster), site("b", "kubernetes", IOWA, model=cluster))
    asked = demand({**ARM, "residency": "us-east-1"}, {**ARM, "residency": "iowa"})
    plan = planned(asked, sites, fleet_sku="flux")
    assert usd(plan, "platform") == pytest.approx(4.0 + 5.0)
    assert usd(plan, "control_plane") == pytest.approx(2 * 73.0)
    assert "(agent)" not in set(plan.placement["workload"]) | set(plan.cost_by_workload["workload"])
    alone = planned(demand(ARM), sites, fleet_sku="flux")
    assert usd(alone, "platform") == 0.0
    assert plan.used[0, 0] == pytest.approx(2 * 1.0 + 2 * 0.4)


def test_two_plans_of_a_class_split_over_sites_name_every_member_once() -> None:
    plan = planned(demand({**ARM, "count": 7}), max_provider_share=0.6)
    assert len(where(plan)) == len(plan.placement) == 7
    assert set(where(plan).values()) == {"iowa", "virginia"}


machines = st.fixed_dictionaries(
    {
        "busy": st.tuples(st.floats(0.1, 16), st.floats(0.5, 64)).map(list),
        "count": st.integers(1, 3),
        "residency": st.sampled_from(["", "", "us-east-1", "iowa"]),
        "application": st.sampled_from(["", "a", "b"]),
        "network_gib_per_month": st.sampled_from([0.0, 50.0]),
        "storage_gib": st.just(20.0),
    }
)


@pytest.mark.slow
@settings(max_examples=1)
@given(st.lists(machines, min_size=1, max_size=5), st.sampled_from([0.5, 0.6, 0.8]))
def test_free_choice_is_no_dearer_than_a_site_alone_and_limits_are_no_cheaper(work: list[dict], share: float) -> None:
    asked = demand(*work)
    free = planned(asked, THREE)
    for one in THREE:
        alone = planned(asked, (one,))
        assert len(free.unplaced) <= len(alone.unplaced)
        if len(free.unplaced) == len(alone.unplaced):
            assert free.usd_per_month <= alone.usd_per_month * (1 + 1e-9)
    for limit in ({"max_provider_share": share}, {"min_providers": 2}, {"max_latency_ms": 20.0}):
        held = planned(asked, THREE, **limit)
        if len(held.unplaced) == len(free.unplaced):
            assert held.usd_per_month >= free.usd_per_month * (1 - 1e-9)
        assert held.usd_per_month >= held.details["cheapest_split_usd"] * (1 - 1e-9) or len(held.unplaced)


def test_owned_sites_keep_their_boxes_and_rented_ones_do_not() -> None:
    model = MultiCloud(sites=TWO)
    assert not model.keeps
    mixed = MultiCloud(sites=(*TWO, site("own", "physical", ("onprem", "all"))))
    assert mixed.keeps
    case = mixed._case(demand(ARM), BOOK, {"own/r760": 2, "virginia/m.large": 5})
    assert case.owned == ({}, {}, {"r760": 2})


def test_a_portfolio_is_written_in_a_scenario() -> None:
    table = {"models": [{"kind": "multi_cloud", "min_providers": 2, "sites": [
        {"name": "a", "model": "iaas", "provider": "azure", "region": "eastus"},
        {"name": "b", "model": {"kind": "hypervisor", "spares": 2}}]}]}  # fmt: skip
    model = with_settings(parse(table), {"multi_cloud.max_provider_share": 0.8}).models[0]
    assert isinstance(model, MultiCloud)
    assert [str(s) for s in model.sites] == ["a (iaas at azure eastus)", "b (hypervisor at onprem all)"]
    assert model.sites[1].model.spares == 2
    assert MultiCloud.model_validate(model.model_dump(mode="json")) == model


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"modle": "iaas"}, "models.0.sites.0.modle: no such setting; did you mean 'model'"),
        ({"model": {"kind": "iaas", "sheduel": "always"}}, "sites.0.model.sheduel: no such setting; did you mean 'sch"),
        ({"model": "multi_cloud"}, "no deployment model"),
        ({"name": "a/b"}, "sites.0.name"),
    ],
)  # fmt: skip
def test_mistakes_in_a_site_are_told_with_what_is_near(change: dict, told: str) -> None:
    with pytest.raises(ScenarioError, match=told.replace(".", r"\.")):
        parse({"models": [{"kind": "multi_cloud", "sites": [{"name": "a", "model": "iaas"} | change]}]})


def test_nothing_to_run_costs_nothing() -> None:
    plan = MultiCloud(sites=TWO).plan(demand(), BOOK)
    assert plan.usd_per_month == 0
    assert plan.provisioned.shape == (1, 4)
    assert np.isfinite(list(plan.details.values())).all()
    none = replace(demand(), hours=np.zeros(0), busy=np.zeros((0, 0, 4)), mean=np.zeros((0, 0, 4)),
                   requests_per_s=np.zeros((0, 0)))  # fmt: skip
    assert MultiCloud(sites=TWO).plan(none, BOOK).usd_per_month == 0


def test_what_was_bought_for_a_site_stays_there_and_is_paid_on() -> None:
    """Servers bought for one year are told as `owned` in the next, by site; with nothing to run they still cost."""
    own = Site.model_validate({"name": "own", "model": "physical", "jurisdiction": "CH"})
    model = MultiCloud(sites=(TWO[0], own))
    sold = book(*ROWS, *onprem.catalog(*onprem.SERVERS).offers.to_dict("records"))
    asked = demand({**ARM, "residency": "CH"}, ARM)
    first = model.plan(asked, sold)
    assert where(first) == {"w0": "own", "w1": "virginia"}
    owned = {str(s): int(c) for s, c in zip(first.boxes["sku"], first.boxes["count"], strict=True)}
    again = model.plan(asked.select([1]), sold, owned)
    kept = again.boxes[again.boxes["sku"].str.startswith("own/")]
    assert kept["count"].sum() == sum(n for s, n in owned.items() if s.startswith("own/"))
    assert sum(e.usd for e in again.lines if e.kind == "capex") > 0
    sound(again, asked.select([1]))
