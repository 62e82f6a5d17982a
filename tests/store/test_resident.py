"""Recordings that stay in Spark: the same text gives the same numbers there and here, and nothing else comes over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from planner.demand import Policy
from planner.errors import InputError, TraceError
from planner.store import Store
from planner.store.resident import Resident, _section

SINCE = datetime(2026, 1, 1)  # noqa: DTZ001 - times of the store are UTC without zone
POLICIES = (
    Policy(),
    Policy(profile="hour_of_day", cpu_percentile=99, memory_percentile=90, window_days=5),
    Policy(profile="single"),
)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Nine days of seven machines, in cores or in percent, with holes."""
    rng = np.random.default_rng(5)
    times = pd.date_range("2026-01-01 03:00", periods=9 * 24 * 4, freq="15min")
    frame = pd.DataFrame([(f"vm-{n}", t) for n in range(7) for t in times], columns=["workload", "timestamp"])
    frame["cpu_cores"] = rng.gamma(2, 0.4, len(frame))
    frame["memory_gib"] = rng.uniform(1, 9, len(frame))
    frame["cpu_percent"] = rng.uniform(0, 100, len(frame))
    frame["disk_iops"] = rng.gamma(2, 30, len(frame))
    shares = frame["workload"].isin(["vm-1", "vm-2"])
    frame.loc[shares, "cpu_cores"] = None
    return frame[rng.random(len(frame)) > 0.1].sample(frac=1, random_state=1).reset_index(drop=True)


@pytest.fixture(scope="module")
def machines() -> pd.DataFrame:
    sizes = [(f"vm-{n}", 2.0 + n, 8.0 + 4 * n, "eu" if n % 2 else "us") for n in range(7)]
    return pd.DataFrame(
        [*sizes, ("vm-idle", 4.0, 16.0, "eu")], columns=["workload", "cpu_cores", "memory_gib", "residency"]
    )


@pytest.fixture(scope="module")
def here(rows: pd.DataFrame, machines: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The recording read from files, as it would be without Spark."""
    folder = tmp_path_factory.mktemp("here")
    rows.to_parquet(folder / "samples.parquet")
    machines.to_csv(folder / "workloads.csv", index=False)
    with Store(":memory:") as store:
        trace_id = store.ingest(folder).trace_id
        yield lambda policy: store.demand(trace_id, policy)


def test_an_address_names_a_session_and_tables() -> None:
    assert Resident.at("sc://host:15002/a.b") == Resident("sc://host:15002", "a.b")
    for address, told in (("spark://host:7077", "names no table"), ("spark:t?workload=x", "expected workloads=TABLE")):
        with pytest.raises(TraceError, match=told):
            Resident.at(address)


def test_without_spark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.store.resident.find_spec", lambda name: None)
    with Store(":memory:") as store, pytest.raises(InputError, match=r"planner\[spark\]"):
        store.ingest("spark:usage")


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.profile)
def test_the_text_for_spark_gives_the_numbers_of_ours(rows: pd.DataFrame, policy: Policy) -> None:
    """On DuckDB, beside what numpy makes of the same rows: periods, percentiles, means and counts."""
    values = {
        "since": f"cast('{SINCE}' as timestamp)",
        "periods": policy.periods,
        "cores": "cast(null as double)",
        "gib": "cast(null as double)",
        "cpu_level": policy.cpu_percentile / 100,
        "memory_level": policy.memory_percentile / 100,
    }
    with duckdb.connect(":memory:") as connection:
        lacking = ["memory_percent", "requests_per_s", "allocated_cpu_cores", "allocated_memory_gib"]
        nulls = ", ".join(f"cast(null as double) as {name}" for name in lacking)
        connection.execute(f"create temp view told as select timestamp as sampled_at, *, {nulls} from rows")
        connection.execute("create temp view sizes as select '' as workload, 0.0 as cpu_cores, 0.0 as memory_gib")
        found = connection.execute(_section("usage", values)).df().set_index(["workload", "period"])
    own = rows.rename(columns={"timestamp": "sampled_at"})
    own["period"] = (own["sampled_at"].dt.day_of_week * 24 + own["sampled_at"].dt.hour) % policy.periods
    groups = own.groupby(["workload", "period"])
    for column, level, name in (
        ("cpu_cores", policy.cpu_percentile, "cpu"),
        ("memory_gib", policy.memory_percentile, "memory"),
    ):
        busy = groups[column].quantile(level / 100)
        assert np.allclose(found.loc[busy.index, f"{name}_busy"], busy, rtol=1e-12, equal_nan=True)
        assert np.allclose(found.loc[busy.index, f"{name}_mean"], groups[column].mean(), atol=1e-9, equal_nan=True)
        assert (found.loc[busy.index, f"{name}_amounts"] == groups[column].count()).all()


@pytest.fixture(scope="module")
def spark(rows: pd.DataFrame, machines: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    sessions = pytest.importorskip("pyspark.sql").SparkSession
    folder = tmp_path_factory.mktemp("spark")
    builder = sessions.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    for name, frame in (("usage", rows), ("machines", machines)):
        frame.to_parquet(folder / f"{name}.parquet", coerce_timestamps="us")
        session.read.parquet(str(folder / f"{name}.parquet")).createOrReplaceTempView(name)
    yield session
    session.stop()


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.profile)
def test_reduced_there_is_the_demand_of_here(spark: Any, rows: pd.DataFrame, here: Any, policy: Policy) -> None:
    with Store(":memory:") as store:
        info = store.ingest("spark:usage?workloads=machines")
        assert store.ingest("spark:usage?workloads=machines").repeated
        demand = store.demand(info.trace_id, policy)
        samples = store._frame("select count(*) as n from usage")["n"].item()
        with pytest.raises(TraceError, match="stay in Spark"):
            store.replay(info.trace_id, rows[:0], rows[:0], policy)
    expected = here(policy)
    assert (info.workloads, samples) == (8, 0)
    assert list(demand.members["workload"]) == list(expected.members["workload"])
    for name in ("busy", "mean"):
        assert np.allclose(getattr(demand, name), getattr(expected, name), rtol=1e-12, atol=1e-9)
    columns = ["residency", "cpu_cores", "memory_gib", "count"]
    pd.testing.assert_frame_equal(demand.workloads[columns], expected.workloads[columns], check_dtype=False)


@pytest.mark.slow
def test_bad_rows_are_counted_and_what_is_missing_is_told(spark: Any, rows: pd.DataFrame) -> None:
    strange = ["-1", "'NaN'", "'Infinity'", "1e9", "null"]
    bad = " union all ".join(f"select 'vm-1', timestamp '2026-01-02', cast({value} as double)" for value in strange)
    good = "select workload, timestamp, coalesce(cpu_cores, 1.0) as cpu_cores from usage"
    spark.sql(f"{good} union all {bad}").createOrReplaceTempView("mixed")
    spark.sql("select workload, cpu_cores from usage").createOrReplaceTempView("timeless")
    with Store(":memory:") as store:
        info = store.ingest("spark:mixed")
        assert (info.samples, info.rejected) == (len(rows), 0)
        assert any("5 rows are left out" in note for note in info.notes)
        for table, told in (("timeless", "has no column sampled_at"), ("nowhere", "Spark says")):
            with pytest.raises(TraceError, match=told):
                store.ingest(f"spark:{table}")
        assert len(store.traces()) == 1
