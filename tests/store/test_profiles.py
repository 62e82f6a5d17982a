"""From samples to demand: percentiles, periods, sizes and classes, against numbers worked out apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lanes import lanes
from planner.demand import QUALITY_COLUMNS, WORKLOAD_COLUMNS, Demand, Policy
from planner.errors import ScenarioError
from planner.store import Store
from planner.store.folding import _same as same
from planner.store.folding import averaged
from planner.store.profiles import fill_periods
from store.writing import csv, hourly


def _demand(path: Path | list[Path], **policy: object) -> Demand:
    with Store(":memory:") as store:
        return store.demand(store.ingest(path).trace_id, Policy(**policy), 0.1)


def _random(folder: Path) -> tuple[Path, pd.DataFrame]:
    """Two weeks of three workloads, every ten minutes, some samples missing."""
    rng = np.random.default_rng(3)
    times = pd.Timestamp("2024-01-03 05:20") + pd.to_timedelta(np.arange(2016) * 10, unit="min")
    frame = pd.DataFrame({"workload": np.repeat(["a", "b", "c"], 2016), "sampled_at": np.tile(times, 3)})
    frame = frame.assign(cpu_cores=rng.gamma(2, 1, 6048), memory_gib=rng.gamma(3, 1, 6048)).sample(
        frac=0.9, random_state=1
    )
    path = folder / "random.csv"
    frame.to_csv(path, index=False)
    return path, frame


WAYS = [(f, *p) for p in (("hour_of_week", "w"), ("hour_of_day", "d"), ("single", "s")) for f in (50.0, 95.0, 100.0)]


@pytest.mark.parametrize("way", lanes(WAYS, slow=[way for way in WAYS if way[0] != 95.0 and way[2] != "w"]))
def test_percentiles_and_means_equal_pandas(tmp_path: Path, way: tuple[float, str, str]) -> None:
    percentile, profile, unit = way
    path, frame = _random(tmp_path)
    demand = _demand(path, profile=profile, cpu_percentile=percentile, memory_percentile=90, headroom=0.25)
    hours = {
        "w": frame["sampled_at"].dt.day_of_week * 24 + frame["sampled_at"].dt.hour,
        "d": frame["sampled_at"].dt.hour,
    }
    grouped = frame.groupby(["workload", hours.get(unit, frame["sampled_at"].dt.hour * 0).rename("period")])
    shape = (3, demand.busy.shape[1])
    for resource, column, level in ((0, "cpu_cores", percentile), (1, "memory_gib", 90)):
        busy = grouped[column].quantile(level / 100).to_numpy().reshape(shape) * 1.25
        np.testing.assert_allclose(demand.busy[:, :, resource], busy)
        np.testing.assert_allclose(demand.mean[:, :, resource], grouped[column].mean().to_numpy().reshape(shape))
    assert demand.hours.sum() == pytest.approx(730)
    assert demand.growth_per_year == 0.1
    assert tuple(demand.workloads.columns) == WORKLOAD_COLUMNS
    assert tuple(demand.quality.columns) == QUALITY_COLUMNS


def test_passes_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = _random(tmp_path)
    whole = _demand(path)
    monkeypatch.setattr("planner.store.reduction._BYTES_PER_VALUE", 2_000_000)
    parts = _demand(path)
    assert np.array_equal(whole.busy, parts.busy)
    assert np.array_equal(whole.mean, parts.mean)


def test_monday_midnight_is_period_zero(tmp_path: Path) -> None:
    demand = _demand(csv(tmp_path, *hourly("a", 168, "2024-01-01")), headroom=0)
    assert demand.busy[0, :, 0].tolist() == list(range(168))
    later = _demand(csv(tmp_path, *hourly("a", 168, "2024-01-04")), headroom=0)
    assert later.busy[0, 72, 0] == 0


def test_a_short_recording_repeats_by_days(tmp_path: Path) -> None:
    demand = _demand(csv(tmp_path, *hourly("a", 48)), headroom=0)
    assert demand.busy[0, :, 0].tolist() == (list(range(48)) * 4)[:168]
    assert "demand.recorded_hours" in {a.name for a in demand.assumptions}


def test_hours_never_seen_take_the_mean_of_those_seen(tmp_path: Path) -> None:
    demand = _demand(csv(tmp_path, *hourly("a", 8, "2024-01-01T08")), headroom=0)
    day = np.full(24, 3.5)
    day[8:16] = np.arange(8)
    assert demand.busy[0, :, 0].tolist() == np.tile(day, 7).tolist()


def test_the_window_is_the_end_of_the_recording(tmp_path: Path) -> None:
    demand = _demand(csv(tmp_path, *hourly("a", 400)), headroom=0, profile="single", window_days=1, cpu_percentile=0)
    assert demand.busy[0, 0, 0] == 400 - 25


@pytest.mark.slow
def test_as_allocated_folds_equal_sizes(tmp_path: Path) -> None:
    names = [f"w{n}" for n in range(6)]
    samples = [f"{name},2024-01-01T{hour:02}:00:00,{n / 8},1" for n, name in enumerate(names) for hour in range(24)]
    sizes = tmp_path / "sizes.csv"
    rows = [f"{name},{2 + 2 * (n % 2)},8,shop" for n, name in enumerate(names)]
    sizes.write_text("\n".join(["workload,cpu_cores,memory_gib,application", *rows]))
    path = csv(tmp_path, *samples)
    demand = _demand([path, sizes], sizing="allocated")
    assert demand.workloads[["workload", "count", "cpu_cores"]].to_numpy().tolist() == [["w0", 3, 2], ["w1", 3, 4]]
    assert demand.members["class"].tolist() == [0, 1, 0, 1, 0, 1]
    assert demand.busy[:, :, 0].tolist() == [[2] * 168, [4] * 168]
    assert demand.used[0, 0] == pytest.approx(sum(n / 8 for n in range(6)))
    measured = _demand([path, sizes])
    assert len(measured.workloads) == 6
    single = _demand([path, sizes], sizing="allocated", assumed_cpu_cores=99)
    assert single.workloads["cpu_cores"].tolist() == [2, 4]


def test_sizes_nobody_tells(tmp_path: Path) -> None:
    path = tmp_path / "u.csv"
    path.write_text("workload,sampled_at,cpu_percent\na,2024-01-01,50\nb,2024-01-01,150\n")
    with pytest.raises(
        ScenarioError, match=r"assumed_cpu_cores: missing.*2 workloads in percent only.*under \[demand\]"
    ):
        _demand(path)
    with pytest.raises(ScenarioError, match=r"assumed_memory_gib: missing.*2 workloads nowhere"):
        _demand(path, assumed_cpu_cores=4)
    demand = _demand(path, assumed_cpu_cores=4, assumed_memory_gib=8, profile="single")
    assert demand.busy[:, 0, :2].tolist() == pytest.approx(np.array([[2.3, 8], [6.9, 8]]))
    told = {a.name: a for a in demand.assumptions}
    assert (told["demand.assumed_cpu_cores"].value, told["demand.assumed_cpu_cores"].measured) == (4, False)
    assert told["demand.cpu_cores_above_allocated"].value == 1
    assert told["demand.memory_as_allocated"].value == 2
    with pytest.raises(ScenarioError, match="assumed_cpu_cores"):
        _demand(csv(tmp_path, *hourly("a", 3)), sizing="allocated")


def test_functions_are_staffed_by_the_square_root_rule(tmp_path: Path) -> None:
    """Of ten minutes four have calls; P75 of the minutes lies between a silent one and one with 30 calls."""
    calls = tmp_path / "calls.csv"
    rows = ["f,2024-01-01T00:00,30,4,512", "f,2024-01-01T00:01,60,4,512", "f,2024-01-01T00:02,90,4,512"]
    calls.write_text(
        "\n".join(["workload,minute,calls,seconds_per_call,memory_mb", *rows, "f,2024-01-01T00:09,30,4,512"])
    )
    demand = _demand(calls, profile="single", cpu_percentile=75, headroom=0.1, wait_probability=0.05)
    c = np.percentile([2, 4, 6, 0, 0, 0, 0, 0, 0, 2], 75)
    staff = c + 1.761 * np.sqrt(c)
    cores = 512 / 1769
    assert demand.requests_per_s[0, 0] == pytest.approx(210 / 600)
    assert demand.busy[0, 0, :2] == pytest.approx([staff * cores * 1.1, np.ceil(staff) * 0.5 * 1.1])
    assert demand.mean[0, 0, :2] == pytest.approx([210 / 600 * 4 * cores, 210 / 600 * 4 * 0.5])
    row = demand.workloads.iloc[0]
    assert row[["seconds_per_request", "memory_gib_per_request", "cores_per_request"]].tolist() == pytest.approx(
        [4, 0.5, cores]
    )
    assert {"demand.functions_by_calls", "demand.wait_probability"} <= {a.name for a in demand.assumptions}


def test_same_question_same_answer(tmp_path: Path) -> None:
    path, _ = _random(tmp_path)
    one, two = _demand(path), _demand(path)
    assert np.array_equal(one.busy, two.busy)
    assert one.workloads.equals(two.workloads)
    assert one.assumptions == two.assumptions


@given(
    hnp.arrays(float, st.tuples(st.integers(1, 4), st.just(168)), elements=st.one_of(st.just(np.nan), st.floats(0, 9)))
)
def test_filling_keeps_what_was_seen_and_leaves_no_hole(values: np.ndarray) -> None:
    for days in (1, 3, 7, 30):
        filled = fill_periods(values, days)
        seen = ~np.isnan(values)
        assert np.array_equal(filled[seen], values[seen])
        assert np.array_equal(np.isnan(filled).all(axis=1), ~seen.any(axis=1))
        assert not (np.isnan(filled).any(axis=1) & seen.any(axis=1)).any()


@given(
    hnp.arrays(
        float,
        st.tuples(st.integers(1, 12), st.sampled_from([1, 2, 3, 200])),
        elements=st.sampled_from([0.0, -0.0, 1.0, 2.5]),
    )
)
def test_folding_is_equality(key: np.ndarray) -> None:
    of = same([key[:, :1], key[:, 1:]])
    expected = np.unique(key + 0.0, axis=0, return_inverse=True)[1].reshape(-1)
    assert np.array_equal(of[:, None] == of, expected[:, None] == expected)
    assert of[0] == 0
    means = averaged(key, of)
    assert np.bincount(of) @ means == pytest.approx(key.sum(axis=0))
