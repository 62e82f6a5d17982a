"""Every good row in, every bad one in rejects: whatever is wrong with it, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import TraceError
from planner.store import Store
from store.writing import HEADER, csv, hourly

BAD = {
    "bad number": ("v,2024-01-01 00:00:00,12x,1", "cpu_cores: expected a number, found '12x'"),
    "bad timestamp": ("v,2024-13-01 00:00:00,1,1", "sampled_at: expected a time"),
    "time with words behind it": ("v,2024-01-01 00:00:00 soon,1,1", "sampled_at: expected a time"),
    "short": ("v,2024-01-01 00:00:00,1", "too few fields: 3, expected 4"),
    "long": ("v,2024-01-01 00:00:00,1,1,1", "too many fields: 5, expected 4"),
    "quote inside a field": ('v"w,2024-01-01 00:00:00,1,1', "broken quote"),
    "quote inside a number": ('v,2024-01-01 00:00:00,1"2,1', "broken quote"),
    "quote at a field's start": ('"v,2024-01-01 00:00:00,1,1', "broken quote"),
    "quote at a number's start": ('v,2024-01-01 00:00:00,"1,1', "broken quote"),
    "text behind a quote": ('"v"w,2024-01-01 00:00:00,1,1', "broken quote"),
    "negative": ("v,2024-01-01 00:00:00,-1,1", "cpu_cores: expected"),
    "not a number": ("v,2024-01-01 00:00:00,nan,1", "cpu_cores: expected"),
    "infinite": ("v,2024-01-01 00:00:00,inf,1", "cpu_cores: expected"),
    "no workload": (",2024-01-01 00:00:00,1,1", "workload: missing"),
    "no time": ("v,,1,1", "sampled_at: missing"),
    "no measure": ("v,2024-01-01 00:00:00,,", "expected at least one of"),
    "blanks only": ("   ", "too few fields"),
}


@pytest.mark.parametrize("kind", BAD)
def test_one_bad_row_costs_no_good_one(tmp_path: Path, kind: str) -> None:
    place = 5
    line, reason = BAD[kind]
    lines = hourly("a", 20)
    path = csv(tmp_path, *lines[:place], line, *lines[place:])
    with Store(":memory:") as store:
        info = store.ingest(path)
        rejects = store.rejects(info.trace_id)
    assert (info.samples, info.rejected, info.lines) == (20, 1, 21)
    assert rejects[["file", "line", "text"]].to_numpy().tolist() == [["trace.csv", place + 2, line]]
    assert rejects["reason"][0].startswith(reason)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_all_kinds_together_and_twice(tmp_path: Path, end: str) -> None:
    lines: list[str] = []
    expected: list[int] = []
    for number, row in enumerate(hourly("a", 200)):
        lines.append(row)
        if number % 6 == 0:
            lines.append(list(BAD.values())[number // 6 % len(BAD)][0])
            expected.append(len(lines) + 1)
    with Store(":memory:") as store:
        info = store.ingest(csv(tmp_path, *lines, end=end))
        assert store.rejects(info.trace_id)["line"].tolist() == expected
    assert (info.samples, info.rejected, info.lines) == (200, len(expected), len(lines))


def test_legal_quotes_stay_legal(tmp_path: Path) -> None:
    names = ["a,b", 'say "x"', "two\nlines", "three\n\nlines", "plain"]
    rows = ['"' + name.replace('"', '""') + '",2024-01-01 00:00:00,1,1' for name in names]
    path = csv(tmp_path, *rows, *hourly("z", 30))
    with Store(":memory:") as store:
        info = store.ingest(path)
        found = store._frame("select distinct workload from usage order by all")["workload"].tolist()
    assert found == sorted([*names, "z"])
    assert (info.samples, info.rejected, info.lines) == (35, 0, 35)


def test_numbers_and_times_may_be_quoted(tmp_path: Path) -> None:
    rows = ['"a","2024-01-01 00:00:00","1.5","2"', "a, 2024-01-01 01:00:00, 1.5 ,2"]
    for extra, rejected in ((), 0), (('"v,1,1,1',), 1):
        with Store(":memory:") as store:
            info = store.ingest(csv(tmp_path, *rows, *extra))
            assert store._frame("select sum(cpu_cores) s, count(*) n from usage").iloc[0].tolist() == [3, 2]
        assert (info.samples, info.rejected) == (2, rejected)


def test_two_broken_quotes_do_not_make_a_record_of_the_rows_between(tmp_path: Path) -> None:
    rows = hourly("a", 3)
    broken = ['"v,2024-01-01 00:00:00,1,1', 'w",2024-01-01 00:00:00,1,1']
    with Store(":memory:") as store:
        info = store.ingest(csv(tmp_path, broken[0], *rows, broken[1], *broken))
        assert store.rejects(info.trace_id)["line"].tolist() == [2, 6, 7, 8]
    assert info.samples == 3


def _million(path: Path) -> tuple[int, np.ndarray]:
    """A million data lines, 1 % of them bad in six ways; the good ones and the numbers of the bad lines."""
    n = 1_000_000
    number = np.arange(n)
    bad = np.sort(np.random.default_rng(7).choice(n, n // 100, replace=False))
    with duckdb.connect(":memory:") as connection:
        frame = pd.DataFrame({"i": number, "kind": np.full(n, -1)})
        frame.loc[bad, "kind"] = np.arange(len(bad)) % 6
        connection.register("numbers", frame)
        lines = connection.execute("""
            select case kind
                when 0 then w || ',' || t || ',1.2.3,4' when 1 then w || ',2024-02-31 99:00:00,1,4'
                when 2 then w || ',' || t || ',1' when 3 then w || ',' || t || ',1,4,5'
                when 4 then w || ',' || t || ',1"5,4' when 5 then '"' || w || ',' || t || ',1,4'
                else w || ',' || t || ',' || (i % 97) / 8 || ',4' end as line
            from (
                select *, 'vm' || i % 250 as w,
                    strftime(timestamp '2024-01-01' + to_seconds(300 * (i // 250)), '%Y-%m-%d %H:%M:%S') as t
                from numbers
            ) order by i
        """).fetch_df()["line"]
    path.write_text("\n".join([HEADER, *lines, ""]))
    return n - len(bad), bad + 2


def test_a_million_rows_with_ten_thousand_bad_ones(tmp_path: Path) -> None:
    path = tmp_path / "million.csv"
    good, bad = _million(path)
    with Store(tmp_path / "store.duckdb") as store:
        info = store.ingest(path)
        rejects = store.rejects(info.trace_id)
        again = store.ingest(path)
        rows = store._frame("select count(*) as n from usage")["n"][0]
    assert (info.samples, info.rejected, info.lines) == (good, len(bad), 1_000_000)
    assert np.array_equal(rejects["line"].to_numpy(), bad)
    assert rejects["reason"].notna().all()
    assert (rejects["text"].str.len() > 0).all()
    assert again.repeated
    assert rows == good


@settings(max_examples=6)
@given(st.lists(st.sampled_from(["good", *BAD]), min_size=1, max_size=30))
def test_any_mixture(tmp_path_factory: pytest.TempPathFactory, kinds: list[str]) -> None:
    good = iter(hourly("a", len(kinds) + 1))
    lines = [next(good)] + [next(good) if kind == "good" else BAD[kind][0] for kind in kinds]
    bad = [number + 3 for number, kind in enumerate(kinds) if kind != "good"]
    with Store(":memory:") as store:
        info = store.ingest(csv(tmp_path_factory.mktemp("any"), *lines))
        assert store.rejects(info.trace_id)["line"].tolist() == bad
    assert info.samples == len(lines) - len(bad)


def test_no_good_row_at_all_is_an_error(tmp_path: Path) -> None:
    with Store(":memory:") as store, pytest.raises(TraceError, match=r"line 2.*not one row.*cpu_cores"):
        store.ingest(csv(tmp_path, BAD["bad number"][0]))


def test_parquet_rows_are_judged_too(tmp_path: Path) -> None:
    path = tmp_path / "trace.parquet"
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(4), unit="h")
    frame = {"workload": ["a", "b", None, "d"], "sampled_at": times, "cpu_cores": [1.0, -2.0, 1.0, float("nan")]}
    pd.DataFrame(frame).assign(memory_gib=[1.0, 1.0, 1.0, 1.0]).to_parquet(path)
    with Store(":memory:") as store:
        info = store.ingest(path)
        rejects = store.rejects(info.trace_id)
    assert (info.samples, info.rejected, info.lines) == (2, 2, 4)
    assert rejects["line"].tolist() == [2, 3]
    assert rejects["reason"].str.split(":").str[0].tolist() == ["cpu_cores", "workload"]
