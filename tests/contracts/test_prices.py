"""What every price book must keep, whoever adds one."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from contracts.books import BOOKS, FACT_BOOKS, OFFER_BOOKS, read_facts, read_offers
from planner.bundle import bundled
from planner.catalog import FACT_COLUMNS, OFFER_COLUMNS, OFFER_KINDS, OFFER_NUMBERS, TERMS, UNITS, Catalog

CAPACITIES = ["cpu_cores", "memory_gib", "storage_gib", "physical_cores", "sockets", "max_pods", "lifetime_months"]
KEY = ["sku", "provider", "region", "term", "tier_from"]
REGIONS = {
    "aws": ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1", "ap-southeast-1"),
    "azure": ("eastus", "westus2", "westeurope", "northeurope", "centralindia", "southeastasia"),
    "gcp": ("us-central1", "us-east4", "europe-west1", "europe-west3", "asia-south1", "asia-southeast1"),
}
RENTED = (
    "vm",
    "block_storage",
    "object_storage",
    "snapshot",
    "egress",
    "inter_az",
    "inter_region",
    "nat_gateway",
    "nat_data",
    "load_balancer",
    "load_balancer_capacity",
    "ipv4",
    "control_plane",
    "platform",
    "function_requests",
    "function_duration",
    "container_cpu",
    "container_memory",
    "support",
    "support_minimum",
    "migration",
)
OWNED = (
    "server",
    "server_maintenance",
    "storage_hardware",
    "storage_maintenance",
    "network_hardware",
    "network_maintenance",
    "switch_port",
    "switch",
    "rack",
    "memory_module",
    "rack_space",
    "colocation",
    "electricity",
    "security",
    "monitoring",
    "patching",
    "backup",
    "admin_labour",
    "hypervisor_licence",
    "os_licence",
    "migration",
)


@pytest.fixture(scope="module")
def offers() -> pd.DataFrame:
    return read_offers()


@pytest.fixture(scope="module")
def facts() -> pd.DataFrame:
    return read_facts()


def test_columns_are_exactly_ours() -> None:
    assert OFFER_BOOKS
    assert FACT_BOOKS
    for path in BOOKS:
        head = path.read_text("utf-8").split("\n", 1)[0]
        assert head == ",".join(FACT_COLUMNS if path in FACT_BOOKS else OFFER_COLUMNS), path.name
    assert set(OFFER_COLUMNS) >= OFFER_NUMBERS


def test_every_row_has_source_date_and_status(offers: pd.DataFrame, facts: pd.DataFrame) -> None:
    for frame in (offers, facts):
        for column in ("source", "as_of", "status"):
            assert frame[column].str.strip().ne("").all(), column
        assert frame["status"].str.match(r"VERIFIED( .+)?$|FROM MEMORY$").all()


def test_rows_are_unique(offers: pd.DataFrame, facts: pd.DataFrame) -> None:
    assert not offers.duplicated(KEY).any()
    assert not facts.duplicated(["topic", "key", "metric"]).any()


def test_kinds_terms_and_units_are_known(offers: pd.DataFrame) -> None:
    assert set(offers["kind"]) <= set(OFFER_KINDS)
    assert set(offers["term"]) <= set(TERMS)
    assert set(offers["unit"]) == set(UNITS)
    assert set(offers["provider"]) == {"aws", "azure", "gcp", "onprem"}
    assert offers["region"].str.fullmatch(r"[a-z0-9-]+").all()


def test_the_unit_is_one_that_the_kind_names(offers: pd.DataFrame) -> None:
    used = offers[["kind", "unit"]].drop_duplicates()
    for kind, unit in used.itertuples(index=False):
        says = OFFER_KINDS[kind].split(";", 1)[1]
        named = re.search(rf"(?<![\w-]){re.escape(unit)}(?![\w-])", says)
        assert named or "as given" in says or kind.endswith("_allowance"), (kind, unit)


def test_a_kind_stands_in_one_book_so_that_its_first_sku_does_not_hang_on_their_order(offers: pd.DataFrame) -> None:
    assert not offers[["kind", "book"]].drop_duplicates()["kind"].duplicated().any()


def test_prices_are_not_negative_and_zero_only_where_said(offers: pd.DataFrame) -> None:
    assert np.isfinite(offers["usd_per_unit"]).all()
    assert (offers["usd_per_unit"] >= 0).all()
    free = offers[offers["usd_per_unit"] == 0]
    bounded = free["tier_to"].notna()
    assert (bounded | free["note"].str.contains("stated zero")).all()
    assert set(offers.loc[offers["kind"].str.endswith("_allowance"), "usd_per_unit"]) == {0.0}


def test_ranges_hold_their_price(offers: pd.DataFrame, facts: pd.DataFrame) -> None:
    assert (offers["low"].notna() == offers["high"].notna()).all()
    ranged = offers[offers["low"].notna()]
    assert len(ranged) > 20
    assert ((ranged["low"] <= ranged["usd_per_unit"]) & (ranged["usd_per_unit"] <= ranged["high"])).all()
    known = facts[facts["low"].notna() & facts["value"].notna()]
    assert ((known["low"] <= known["value"]) & (known["value"] <= known["high"])).all()


def test_tiers_neither_gap_nor_overlap_nor_end(offers: pd.DataFrame) -> None:
    meter = ["sku", "provider", "region", "term"]
    rows = offers.sort_values([*meter, "tier_from"])
    first = ~rows.duplicated(meter)
    last = ~rows.duplicated(meter, keep="last")
    assert (rows.loc[first, "tier_from"] == 0).all()
    before = rows["tier_to"].shift()
    assert (rows.loc[~first, "tier_from"] == before[~first]).all()
    ends = rows.loc[last & ~rows["kind"].str.endswith("_allowance"), "tier_to"]
    assert ends.isna().all()
    assert rows.loc[rows["kind"].str.endswith("_allowance"), "tier_to"].gt(0).all()
    assert rows.groupby(meter)[["kind", "unit"]].nunique().eq(1).all(axis=None)


def test_only_what_is_bought_has_a_lifetime(offers: pd.DataFrame) -> None:
    bought = offers["term"].isin(["purchase", "3y_all_upfront"]) & (offers["kind"] != "committed_discount")
    assert (offers["lifetime_months"].notna() == bought).all()


def test_capacities_are_positive_and_boxes_complete(offers: pd.DataFrame) -> None:
    for column in CAPACITIES:
        assert (offers[column].dropna() > 0).all(), column
    boxes = offers[offers["kind"].isin(["vm", "server"])]
    assert boxes[["cpu_cores", "memory_gib", "gpus"]].notna().all(axis=None)
    assert boxes["arch"].isin(["x86_64", "arm64"]).all()
    metered = offers[~offers["kind"].isin(["vm", "server"])]
    assert metered[["cpu_cores", "memory_gib"]].isna().all(axis=None)


def test_instances_tell_family_category_and_pods(offers: pd.DataFrame) -> None:
    vms = offers[offers["kind"] == "vm"]
    assert set(vms["category"]) == {"general", "compute", "memory", "storage", "gpu", "burstable"}
    assert vms["family"].ne("").all()
    assert vms["max_pods"].notna().all()
    shapes = vms.groupby(["provider", "region", "sku"])[["cpu_cores", "memory_gib", "gpus", "arch", "max_pods"]]
    assert shapes.nunique().eq(1).all(axis=None)


def test_servers_tell_sockets_and_watts(offers: pd.DataFrame) -> None:
    servers = offers[offers["kind"] == "server"]
    assert (servers["idle_watts"] < servers["peak_watts"]).all()
    assert (servers["physical_cores"] <= servers["cpu_cores"]).all()
    assert servers["sockets"].isin([1, 2]).all()
    assert set(servers.loc[servers["arch"] == "arm64", "family"].str.split().str[0]) == {"Ampere"}


def test_no_term_costs_more_than_on_demand(offers: pd.DataFrame) -> None:
    vms = offers[offers["kind"] == "vm"]
    hourly = vms["usd_per_unit"] / np.where(vms["unit"] == "each", vms["lifetime_months"] * 730, 1)
    terms = vms.assign(hourly=hourly).pivot_table("hourly", ["provider", "region", "sku"], "term")
    assert terms["on_demand"].notna().all()
    for term in set(terms.columns) - {"on_demand"}:
        told = terms[term].notna()
        assert told.any()
        assert (terms.loc[told, term] <= terms.loc[told, "on_demand"]).all(), term
    shares = offers.loc[offers["kind"] == "committed_discount", "usd_per_unit"]
    assert shares.between(0, 1, inclusive="neither").all()


def test_assumed_prices_are_marked_as_not_verified(offers: pd.DataFrame) -> None:
    assumed = offers[offers["note"].str.contains("assumed equal|no figure in the sources")]
    assert len(assumed) > 100
    assert set(assumed["status"]) == {"FROM MEMORY"}


@pytest.mark.parametrize(("provider", "region"), [(p, r) for p, regions in REGIONS.items() for r in regions])
def test_a_model_finds_every_price_it_needs(offers: pd.DataFrame, provider: str, region: str) -> None:
    market = Catalog(offers, pd.DataFrame(columns=list(FACT_COLUMNS))).at(provider, region)
    for kind in RENTED:
        tiers = market.tiers(kind)
        assert tiers["tier_from"].iloc[0] == 0, kind
        assert np.isnan(tiers["tier_to"].iloc[-1]), kind
    assert len(market.of("vm", "on_demand")) >= 50
    if provider != "gcp":  # Google gives no free traffic in its premium tier
        assert market.tiers("egress")[["tier_from", "tier_to", "usd_per_unit"]].iloc[0].tolist() == [0, 100, 0]


def test_an_owner_finds_every_price_he_needs(offers: pd.DataFrame) -> None:
    market = Catalog(offers, pd.DataFrame(columns=list(FACT_COLUMNS))).at("onprem", "all")
    for kind in OWNED:
        assert not market.tiers(kind).empty, kind
    assert set(market.of("migration")["sku"]) == {"rehost", "replatform", "refactor"}


@pytest.mark.parametrize(
    ("provider", "region", "kind", "sku"),
    [
        ("aws", "us-east-1", "function_duration", "lambda-duration-x86"),
        ("aws", "us-east-1", "block_storage", "gp3"),
        ("aws", "us-east-1", "load_balancer", "alb"),
        ("aws", "us-east-1", "load_balancer_capacity", "alb-lcu"),
        ("aws", "us-east-1", "control_plane", "eks-control-plane-standard"),
        ("aws", "us-east-1", "support", "Business Support+"),
        ("azure", "eastus", "control_plane", "aks-control-plane-standard"),
        ("azure", "eastus", "block_storage", "premium-ssd-p10-per-gb"),
        ("gcp", "us-central1", "block_storage", "pd-balanced"),
        ("onprem", "all", "hypervisor_licence", "vmware-vvf-list"),
    ],
)
def test_the_first_sku_of_a_kind_is_the_usual_one(
    offers: pd.DataFrame, provider: str, region: str, kind: str, sku: str
) -> None:
    market = Catalog(offers, pd.DataFrame(columns=list(FACT_COLUMNS))).at(provider, region)
    assert market.tiers(kind)["sku"].iloc[0] == sku


def test_nothing_was_lost_since(offers: pd.DataFrame, facts: pd.DataFrame) -> None:
    vms = offers[offers["kind"] == "vm"]
    assert vms["term"].value_counts().to_dict() == {
        "on_demand": 1442,
        "spot": 1014,
        "1y_no_upfront": 1031,
        "3y_no_upfront": 1004,
        "3y_all_upfront": 109,
    }
    assert (offers["kind"] == "server").sum() == 81
    least = {"network.csv": 311, "storage.csv": 189, "serverless.csv": 60, "commitments.csv": 160, "onprem.csv": 36}
    counts = offers["book"].value_counts()
    for book, rows in least.items():
        assert counts[book] >= rows, book
    assert facts["topic"].value_counts()["carbon"] == 213
    assert facts.loc[facts["topic"] == "power", "key"].nunique() == 27


def test_the_readme_names_every_book_and_its_rows(offers: pd.DataFrame, facts: pd.DataFrame) -> None:
    text = bundled("datasets", "README.md").read_text("utf-8")
    for book, rows in pd.concat([offers["book"], facts["book"]]).value_counts().items():
        assert f"| `{book}` | {rows:,} |" in text, book


def test_the_readme_attributes_every_repository_that_rows_quote(offers: pd.DataFrame, facts: pd.DataFrame) -> None:
    text = bundled("datasets", "README.md").read_text("utf-8")
    sources = pd.concat([offers["source"], facts["source"]])
    quoted = {hit for found in sources.unique() for hit in re.findall(r"[\w.-]+@[0-9a-f]{8}", found)}
    assert len(quoted) > 10
    assert {q for q in quoted if q not in text} == set()
