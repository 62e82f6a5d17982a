"""Requests over time become workloads that are called; not one request is lost."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.demand import Policy
from planner.errors import ScenarioError, TraceError
from planner.store import Store
from shared import shared

STATED = Policy(assumed_seconds_per_request=0.1, assumed_memory_gib=0.5, profile="single")


def test_the_world_cup_by_the_minute() -> None:
    with Store(":memory:") as store:
        info = store.ingest(shared("traces", "worldcup98", "invocation_count.csv.gz"))
        most, at = store._frame("select max(calls), arg_max(minute, calls) from calls").iloc[0].tolist()
        day = store._frame("select max(n) from (select sum(calls) n from calls group by date_trunc('day', minute))")
        demand = store.demand(info.trace_id, STATED)
        with pytest.raises(TraceError, match="assumed_seconds_per_request"):
            store.demand(info.trace_id, Policy())
    assert (info.format, info.workloads, info.calls, info.lines, info.rejected) == (
        "request_rates", 1, 1_352_804_107, 125_300, 0,
    )  # fmt: skip
    assert (most, str(at)[:16]) == (229_426, "1998-07-07 21:41")
    assert day.iloc[0, 0] == 75_207_657
    assert (str(info.start), str(info.end)) == ("1998-04-30 21:30:00", "1998-07-26 21:59:00")
    assert any(note.startswith("10 intervals are missing") for note in info.notes)
    assert demand.requests_per_s[0, 0] == pytest.approx(1_352_804_107 / (125_310 * 60))


def test_a_request_takes_what_the_file_or_the_scenario_says(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(
        "time,app,rps,seconds_per_request,memory_mb\n"
        "2024-01-01 00:00,a,2,0.5,1024\n2024-01-01 00:01,a,4,2,1024\n2024-01-01 00:00,b,1,,\n2024-01-01 00:01,b,1,,\n"
    )
    with Store(":memory:") as store:
        info = store.ingest(path)
        demand = store.demand(info.trace_id, Policy(profile="single", headroom=0))
    assert info.calls == 60 * 8
    first = demand.workloads.iloc[0]
    assert first["seconds_per_request"] == pytest.approx((2 * 0.5 + 4 * 2) / 6)
    assert first[["kind", "memory_gib_per_request", "scales_out"]].tolist() == ["function", 1.0, True]
    assert demand.requests_per_s[:, 0].tolist() == [3, 1]


@pytest.mark.parametrize(
    ("step", "words"), [(1, None), (20, None), (60, None), (300, "more than a minute"), (3600, "more than a minute")]
)
def test_intervals_of_any_length_keep_every_request(tmp_path: Path, step: int, words: str | None) -> None:
    path = tmp_path / "site.csv"
    rows = [f"{1_704_067_200 + step * n},{n % 7}" for n in range(240)]
    path.write_text("\n".join(["ts,requests", *rows, ""]))
    with Store(":memory:") as store:
        info = store.ingest(path)
        minutes = store._frame("select count(distinct minute) n, max(calls) m from calls").iloc[0]
        demand = store.demand(info.trace_id, STATED)
    total = sum(n % 7 for n in range(240))
    assert info.calls == total
    assert info.samples == max(240 * step // 60, 4)
    assert minutes["m"] <= 6 * max(60 / step, 1)
    assert demand.requests_per_s[0, 0] == pytest.approx(total / (240 * step))
    assert [words in note for note in info.notes if words] == ([] if words is None else [False, True])


@pytest.mark.parametrize("step_ms", [200, 500, 1500, 2500, 90_500])
def test_a_rate_counts_for_as_long_as_its_step_and_no_whole_seconds(tmp_path: Path, step_ms: int) -> None:
    lines = [f"{1_704_067_200 + step_ms * n / 1000:.1f},{n % 7}" for n in range(240)]
    path = tmp_path / "site.csv"
    path.write_text("\n".join(["timestamp,rps", *lines, ""]))
    with Store(":memory:") as store:
        info = store.ingest(path)
    assert info.calls == pytest.approx(sum(n % 7 for n in range(240)) * step_ms / 1000, abs=0.6)
    assert not any("intervals are missing" in note for note in info.notes)


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=30))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_are_exact(tmp_path: Path, counts: list[int]) -> None:
    path = tmp_path / "r.csv"
    lines = [f"2024-01-01 {n // 60:02}:{n % 60:02}:00,{count}" for n, count in enumerate(counts)]
    path.write_text("\n".join(["period,count", *lines, ""]))
    with Store(":memory:") as store:
        info = store.ingest(path)
    assert (info.calls, info.lines, info.rejected) == (sum(counts), len(counts), 0)


BAD = {
    "a count in words": ("2024-01-01 00:07:00,many", "requests: expected a number"),
    "a negative count": ("2024-01-01 00:07:00,-1", "requests: expected"),
    "no time": (",5", "begins: missing"),
    "no time of day": ("noon,5", "begins: expected a time"),
    "nothing": ("2024-01-01 00:07:00,", "expected at least one of"),
    "infinite": ("2024-01-01 00:07:00,inf", "requests: expected"),
    "a field too many": ("2024-01-01 00:07:00,5,5", "too many fields"),
    "a stray quote": ('"2024-01-01 00:07:00,5', "broken quote"),
}


def test_bad_rows_cost_no_good_one(tmp_path: Path) -> None:
    good = [f"2024-01-01 00:{n:02}:00,3" for n in range(len(BAD))]
    rows = [row for pair in zip(good, (line for line, _ in BAD.values()), strict=True) for row in pair]
    path = tmp_path / "r.csv"
    path.write_text("\n".join(["timestamp,requests", *rows, ""]))
    with Store(":memory:") as store:
        info = store.ingest(path)
        rejects = store.rejects(info.trace_id)
    assert (info.calls, info.rejected, info.lines) == (3 * len(BAD), len(BAD), 2 * len(BAD))
    assert rejects["line"].tolist() == list(range(3, 3 + 2 * len(BAD), 2))
    for found, (_, reason) in zip(rejects["reason"], BAD.values(), strict=True):
        assert found.startswith(reason)


def test_many_files_are_many_services_and_twice_is_added_up(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("timestamp,requests\n2024-01-01,1\n2024-01-01,2\n2024-01-01 00:01,4\n")
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"""
            copy (select timestamptz '2024-01-01 00:00:00+00' + to_minutes(i) as "timestamp", i as requests
            from range(5) r(i)) to '{tmp_path / "b.parquet"}'
        """)
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        sums = store._frame("select workload, sum(calls) n from calls group by all order by all").to_numpy().tolist()
    assert sums == [["a", 7], ["b", 10]]
    assert any("1 times of a service stand on several lines" in note for note in info.notes)


def test_files_of_our_own_columns_stay_ours(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("workload,timestamp,requests_per_s\na,2024-01-01,1\n")
    (tmp_path / "c.csv").write_text("workload,minute,calls\na,2024-01-01,1\n")
    with Store(":memory:") as store:
        assert store.ingest(tmp_path / "s.csv").format == "planner"
        assert store.ingest(tmp_path / "c.csv").format == "planner"


def test_memory_must_be_stated_too(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("timestamp,requests\n2024-01-01,1\n")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        with pytest.raises((TraceError, ScenarioError), match="assumed_memory_gib"):
            store.demand(info.trace_id, Policy(assumed_seconds_per_request=1))


def test_a_clock_gone_wrong_does_not_make_a_century_of_minutes(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("timestamp,requests\n1970-01-01 00:00,1\n1970-01-01 00:01,2\n2099-01-01,5\n")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
    assert (info.calls, info.lines) == (8, 3)
    assert info.samples < 100_000
    assert any("more than twenty years" in note for note in info.notes)
