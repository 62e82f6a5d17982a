"""A plan against the raw samples, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.catalog import FACT_COLUMNS, OFFER_COLUMNS, Catalog
from planner.demand import Policy
from planner.errors import PriceBookError, TraceError
from planner.plan import Certificate, Plan
from planner.replay import Replay, replay
from planner.store import Store
from store.writing import csv

SAMPLES = [
    "a,2024-01-01 00:00:00,1,2", "a,2024-01-01 00:05:10,3,2", "a,2024-01-01 00:10:00,4,2",
    "b,2024-01-01 00:00:30,2,2", "b,2024-01-01 00:05:00,2,7", "b,2024-01-01 00:10:00,0,2",
    "c,2024-01-01 00:00:00,8,1", "c,2024-01-01 00:05:00,8,1", "c,2024-01-01 00:10:00,2,1",
]  # fmt: skip


def _plan(*seats: tuple[str, int, str, int]) -> Plan:
    none = pd.DataFrame()
    placement = pd.DataFrame(seats, columns=["workload", "replica", "sku", "box"])
    hours, zeros = np.array([730.0]), np.zeros((1, 4))
    return Plan("physical", (), hours, zeros, zeros, none, placement, none, none, Certificate(0, 0, "none"))


def _catalog(**sizes: tuple[float, float]) -> Catalog:
    rows = [{"sku": sku, "cpu_cores": cores, "memory_gib": gib} for sku, (cores, gib) in sizes.items()]
    offers = pd.DataFrame(rows).reindex(columns=list(OFFER_COLUMNS))
    return Catalog(offers, pd.DataFrame(columns=list(FACT_COLUMNS)))


def _replayed(folder: Path, plan: Plan, catalog: Catalog, policy: Policy | None = None) -> Replay:
    with Store(":memory:") as store:
        return replay(store, store.ingest(csv(folder, *SAMPLES)).trace_id, plan, catalog, policy or Policy())


def test_two_on_a_box_and_one_in_two_replicas(tmp_path: Path) -> None:
    plan = _plan(("a", 0, "big", 0), ("b", 0, "big", 0), ("c", 0, "small", 0), ("c", 1, "small", 1))
    found = _replayed(tmp_path, plan, _catalog(big=(4, 8), small=(4, 1), unused=(1, 1)))
    big = found.boxes.set_index(["sku", "box"]).loc[("big", 0)]
    assert big[["slots", "cpu_short_slots", "memory_short_slots"]].tolist() == [3, 1, 1]
    assert big[["cpu_worst", "memory_worst", "cpu_mean"]].tolist() == pytest.approx([5 / 4, 9 / 8, 1.0])
    small = found.boxes[found.boxes["sku"] == "small"]
    assert small[["slots", "cpu_short_slots", "cpu_worst"]].to_numpy().tolist() == [[3, 0, 1.0]] * 2
    assert found.short("cpu") == pytest.approx(1 / 9)
    assert found.worst("memory") == pytest.approx(9 / 8)
    assert found.hours_short("cpu") == pytest.approx(1 / 12)


def test_boxes_of_a_portfolio_are_named_by_site(tmp_path: Path) -> None:
    seats = [("a", 0, "big", 0), ("b", 0, "big", 0), ("c", 0, "small", 0)]
    sites = [(workload, replica, f"home/{sku}", box) for workload, replica, sku, box in seats]
    sizes = _catalog(big=(4, 8), small=(4, 1))
    alone, split = (_replayed(tmp_path, _plan(*told), sizes) for told in (seats, sites))
    assert split.boxes["sku"].tolist() == ("home/" + alone.boxes["sku"]).tolist()
    assert split.boxes.drop(columns="sku").equals(alone.boxes.drop(columns="sku"))


def test_nothing_placed_is_nothing_short(tmp_path: Path) -> None:
    found = _replayed(tmp_path, _plan(), _catalog(big=(4, 8)))
    assert (found.short("cpu"), found.worst("cpu"), found.hours_short("memory")) == (0, 0, 0)


def test_the_window_counts(tmp_path: Path) -> None:
    found = _replayed(tmp_path, _plan(("c", 0, "s", 0)), _catalog(s=(4, 8)), Policy(window_days=6 / 1440))
    assert found.boxes["slots"].tolist() == [2]
    assert found.short("cpu") == 0.5


def test_what_is_unknown_is_named(tmp_path: Path) -> None:
    with pytest.raises(PriceBookError, match="'lost'"):
        _replayed(tmp_path, _plan(("a", 0, "lost", 0)), _catalog(big=(4, 8)))
    with Store(":memory:") as store, pytest.raises(TraceError, match="store is empty"):
        replay(store, "none", _plan(("a", 0, "big", 0)), _catalog(big=(4, 8)), Policy())
