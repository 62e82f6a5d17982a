"""Asking a catalog: by place, kind, tier and fact; and what it says when there is nothing."""

from __future__ import annotations

import pandas as pd
import pytest

from models.catalogs import book, offer, vm
from planner.catalog import FACT_COLUMNS, Catalog
from planner.errors import PriceBookError


@pytest.fixture
def catalog() -> Catalog:
    priced = book(
        vm("m7i.large", 2, 8, {"on_demand": 0.1, "spot": 0.04}),
        vm("m7i.large", 2, 8, 0.12, region="eu-west-1"),
        offer("traffic", "egress", 0.09, unit="GB", tier_from=100.0),
        offer("traffic", "egress", 0.0, unit="GB", tier_to=100.0),
        offer("traffic-premium", "egress", 0.2, unit="GB"),
        offer("address", "ipv4", 0.005, region="all"),
        offer("address", "ipv4", 0.007, region="eu-west-1"),
        offer("plane", "control_plane", 0.1, region="all", unit="cluster-hour"),
        offer("server-a", "server", 9000.0, provider="onprem", region="all", term="purchase", lifetime_months=48.0),
    )
    rows = [
        ("carbon", "aws us-east-1", "grid_intensity", 415.8),
        ("carbon", "aws us-west-2", "grid_intensity", 350.9),
        ("carbon", "aws", "pue", 1.135),
        ("power", "EPYC 2s", "idle_w", 98.2),
    ]
    known = pd.DataFrame(rows, columns=["topic", "key", "metric", "value"]).reindex(columns=list(FACT_COLUMNS))
    return Catalog(priced.offers, known)


def test_at_narrows_to_a_place_and_keeps_what_holds_everywhere(catalog: Catalog) -> None:
    here = catalog.at("aws", "us-east-1")
    assert set(here.offers["region"]) == {"us-east-1", "all"}
    assert set(here.offers["provider"]) == {"aws"}
    assert here.of("control_plane")["usd_per_unit"].tolist() == [0.1]


def test_a_regional_price_outranks_the_one_for_all(catalog: Catalog) -> None:
    assert catalog.at("aws", "us-east-1").of("ipv4")["usd_per_unit"].tolist() == [0.005]
    assert catalog.at("aws", "eu-west-1").of("ipv4")["usd_per_unit"].tolist() == [0.007]


def test_a_provider_priced_everywhere_alike_sells_in_any_region(catalog: Catalog) -> None:
    assert catalog.at("onprem", "all").of("server")["sku"].tolist() == ["server-a"]
    assert catalog.at("onprem", "cellar").of("server")["sku"].tolist() == ["server-a"]


def test_at_leaves_the_facts_and_the_whole_catalog_alone(catalog: Catalog) -> None:
    before = catalog.offers.copy()
    assert catalog.at("aws", "us-east-1").facts.equals(catalog.facts)
    pd.testing.assert_frame_equal(catalog.offers, before)


@pytest.mark.parametrize(
    ("provider", "region", "says"),
    [
        ("asw", "us-east-1", "provider 'asw': no price row; did you mean 'aws'?"),
        ("aws", "us-east-2", "region 'us-east-2' of aws: no price row; did you mean 'us-east-1'"),
    ],
)
def test_an_unknown_place_names_what_is_near(catalog: Catalog, provider: str, region: str, says: str) -> None:
    with pytest.raises(PriceBookError) as error:
        catalog.at(provider, region)
    assert str(error.value).startswith(says)


def test_of_selects_kind_and_term_in_the_order_of_the_books(catalog: Catalog) -> None:
    assert catalog.of("egress")["sku"].tolist() == ["traffic", "traffic", "traffic-premium"]
    assert catalog.of("vm", "spot")["usd_per_unit"].tolist() == [0.04]
    assert catalog.of("colocation").empty


def test_an_unknown_kind_names_what_is_near(catalog: Catalog) -> None:
    with pytest.raises(PriceBookError, match=r"offer kind 'egres': did you mean 'egress'"):
        catalog.of("egres")


def test_tiers_of_the_first_sku_come_lowest_first(catalog: Catalog) -> None:
    tiers = catalog.tiers("egress")
    assert tiers["sku"].unique().tolist() == ["traffic"]
    assert tiers["tier_from"].tolist() == [0.0, 100.0]


def test_tiers_of_a_named_sku_and_term(catalog: Catalog) -> None:
    assert catalog.tiers("egress", "traffic-premium")["usd_per_unit"].tolist() == [0.2]
    assert catalog.at("aws", "us-east-1").tiers("vm", "m7i.large", "spot")["usd_per_unit"].tolist() == [0.04]


def test_tiers_never_mix_terms(catalog: Catalog) -> None:
    assert catalog.at("aws", "us-east-1").tiers("vm")["term"].tolist() == ["on_demand"]


@pytest.mark.parametrize(
    ("kind", "sku", "term", "says"),
    [
        ("egress", "trafic", None, "egress 'trafic': did you mean 'traffic'"),
        ("nat_data", None, None, "no nat_data price for aws, onprem in the chosen region"),
        ("egress", None, "spot", "no egress price for aws, onprem in the chosen region (spot)"),
    ],
)
def test_missing_tiers_say_so(catalog: Catalog, kind: str, sku: str | None, term: str | None, says: str) -> None:
    with pytest.raises(PriceBookError) as error:
        catalog.tiers(kind, sku, term)
    assert str(error.value).startswith(says)


def test_tiers_of_an_empty_catalog_say_that_it_is_empty() -> None:
    with pytest.raises(PriceBookError, match="no egress price for an empty price book"):
        book().tiers("egress")


def test_fact_is_one_row(catalog: Catalog) -> None:
    assert catalog.fact("carbon", "aws", "pue")["value"] == 1.135


@pytest.mark.parametrize(
    ("topic", "key", "metric", "says"),
    [
        ("karbon", "aws", "pue", "no topic 'karbon'; did you mean 'carbon'?"),
        ("power", "EPYC 1s", "idle_w", "no key 'EPYC 1s'; did you mean 'EPYC 2s'?"),
        ("carbon", "aws us-east-1", "grid", "no metric 'grid'; known: grid_intensity"),
    ],
)
def test_an_unknown_fact_names_what_is_near(catalog: Catalog, topic: str, key: str, metric: str, says: str) -> None:
    with pytest.raises(PriceBookError) as error:
        catalog.fact(topic, key, metric)
    assert str(error.value).startswith(f"fact {topic}/{key}/{metric}: {says}")
