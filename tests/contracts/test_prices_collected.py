"""No row of the collection that the price books were made from was lost (the collection is not in the repository)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.books import read_facts, read_offers
from shared import shared

FIGURES = {
    "serverless.csv": "number",
    "kubernetes.csv": "number",
    "mesh.csv": "number",
    "onprem.csv": "number",
    "commitments.csv": "discount_or_value",
    "egress.csv": "usd",
    "storage.csv": "usd",
    "carbon.csv": "value",
}
SCALES = np.array([1, 1 / 4, 1 / 100, 1 / 1000, 1 / 1024, 1e-6])  # per 4 vCPU, percent, TB, GiB/s, requests


@pytest.fixture(scope="module")
def offers() -> pd.DataFrame:
    return read_offers()


@pytest.fixture(scope="module")
def facts() -> pd.DataFrame:
    return read_facts()


def collected(name: str) -> pd.DataFrame:
    return pd.read_csv(shared("prices", name), dtype="str", keep_default_na=False)


def figures(offers: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Every figure of ours, an allowance's being its amount."""
    amount = offers["kind"].str.endswith("_allowance")
    priced = offers.assign(figure=offers["usd_per_unit"].where(~amount, offers["tier_to"]))
    told = facts.assign(figure=facts["value"])
    columns = ["figure", "source", "as_of", "status", "note"]
    return pd.concat([priced[columns], told[columns]], ignore_index=True)


@pytest.mark.parametrize("name", FIGURES)
def test_each_collected_figure_is_in_a_book(offers: pd.DataFrame, facts: pd.DataFrame, name: str) -> None:
    rows = collected(name)
    rows = rows.assign(figure=pd.to_numeric(rows[FIGURES[name]], errors="coerce"))
    ours = {k: g["figure"].to_numpy() for k, g in figures(offers, facts).groupby(["source", "as_of", "status"])}
    wanted = rows[rows["figure"].notna()].groupby(["source", "as_of", "status", "figure"]).size()
    assert len(wanted)
    for (source, as_of, status, figure), count in wanted.items():
        there = ours.get((source, as_of, status), np.empty(0))
        hits = np.isclose(there[:, None], float(figure) * SCALES, rtol=1e-9, atol=0).any(axis=1).sum()
        assert hits >= count, (source, status, figure)


@pytest.mark.parametrize("name", FIGURES)
def test_each_collected_text_is_in_a_note(offers: pd.DataFrame, facts: pd.DataFrame, name: str) -> None:
    rows = collected(name)
    texts = rows[pd.to_numeric(rows[FIGURES[name]], errors="coerce").isna()]
    ours = figures(offers, facts)
    for _, row in texts.iterrows():
        text = row["value"] if "value" in row else row[FIGURES[name]]
        same = ours[(ours["source"] == row["source"]) & ours["status"].str.startswith(row["status"])]
        assert same["note"].str.contains(text, regex=False).any(), text


def test_each_collected_instance_is_there_on_all_its_terms(offers: pd.DataFrame) -> None:
    rows = collected("instances.csv").rename(columns={"instance_type": "sku"})
    keys = ["provider", "region", "sku"]
    vms = offers[offers["kind"] == "vm"]
    prices = vms.pivot_table("usd_per_unit", keys, "term")
    columns = {
        "on_demand_usd_h": "on_demand",
        "spot_usd_h": "spot",
        "commit_1y_usd_h": "1y_no_upfront",
        "commit_3y_usd_h": "3y_no_upfront",
        "commit_3y_all_upfront_usd_h": "3y_all_upfront",
    }
    for theirs, term in columns.items():
        want = pd.to_numeric(rows.set_index(keys)[theirs]) * (26_280 if term == "3y_all_upfront" else 1)
        pd.testing.assert_series_equal(prices[term].reindex(want.index), want, check_names=False, rtol=1e-9)
    first = vms[vms["term"] == "on_demand"].set_index(keys).loc[pd.MultiIndex.from_frame(rows[keys])]
    assert (first["source"].to_numpy() == rows["source"].to_numpy()).all()
    assert (first["as_of"].to_numpy() == rows["as_of"].to_numpy()).all()
    for ours, theirs in {
        "cpu_cores": "vcpu",
        "memory_gib": "memory_gib",
        "gpus": "gpu",
        "max_pods": "max_pods",
    }.items():
        np.testing.assert_allclose(first[ours].to_numpy(float), pd.to_numeric(rows[theirs]).to_numpy(float))


def test_each_collected_server_and_processor_is_there(offers: pd.DataFrame, facts: pd.DataFrame) -> None:
    rows = collected("servers.csv").set_index("sku")
    ours = offers[offers["kind"] == "server"].set_index("sku").loc[rows.index]
    names = {
        "usd_per_unit": "usd",
        "cpu_cores": "threads",
        "physical_cores": "cores",
        "memory_gib": "memory_gib",
        "sockets": "sockets",
        "idle_watts": "idle_watts",
        "peak_watts": "peak_watts",
        "lifetime_months": "lifetime_months",
    }
    for name, theirs in names.items():
        np.testing.assert_allclose(ours[name].to_numpy(float), pd.to_numeric(rows[theirs]).to_numpy(float))
    for name in ("source", "as_of", "status"):
        assert (ours[name].to_numpy() == rows[name].to_numpy()).all()
    power = collected("power.csv")
    table = facts[facts["topic"] == "power"].pivot_table("value", "key", "metric")
    table = table.loc[power["cpu"] + " " + power["sockets"] + "s"]
    for name in ("cores", "threads", "idle_w", "peak_w", "memory_gb_tested", "results_averaged"):
        np.testing.assert_allclose(table[name].to_numpy(float), pd.to_numeric(power[name]).to_numpy(float))
