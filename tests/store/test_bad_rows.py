"""Every good row in, every bad one in rejects: whatever is wrong with it, wherever it stands."""

from __future__ import annotations

from csv import reader
from io import StringIO
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanes import lanes
from planner.errors import TraceError
from planner.store import Store, loading
from planner.store.database import sql
from planner.store.formats import load
from planner.store.judge import layout_of, reasons
from store.writing import HEADER, csv, hourly

BAD = {
    "bad number": ("v,2024-01-01 00:00:00,12x,1", "cpu_cores: expected a number, found '12x'"),
    "bad timestamp": ("v,2024-13-01 00:00:00,1,1", "sampled_at: expected a time"),
    "time with words behind it": ("v,2024-01-01 00:00:00 soon,1,1", "sampled_at: expected a time"),
    "time before there were recordings": ("v,0001-01-01 00:00:00,1,1", "sampled_at: expected sampled_at BETWEEN"),
    "time that stands for never": ("v,9999-12-31 23:59:59,1,1", "sampled_at: expected sampled_at BETWEEN"),
    "time before 1970 as a number": ("v,-2208988800,1,1", "sampled_at: expected sampled_at BETWEEN"),
    "a word that a cast takes for 1970": ("v, Epoch,1,1", "sampled_at: expected a time"),
    "no end of time": ("v,infinity,1,1", "sampled_at: expected sampled_at BETWEEN"),
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


RARE = ("time that stands for never", "time before 1970 as a number", "no end of time", "quote inside a number",
        "quote at a number's start", "text behind a quote", "infinite", "no time")  # fmt: skip
"""Twins of others; each takes as long."""


@pytest.mark.parametrize("kind", lanes(BAD, slow=RARE))
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


def _many(path: Path, n: int) -> tuple[int, np.ndarray]:
    """That many data lines, 1 % of them bad in six ways; the good ones and the numbers of the bad lines."""
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


@pytest.mark.parametrize("n", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_many_rows_with_one_in_a_hundred_bad(tmp_path: Path, n: int) -> None:
    path = tmp_path / "many.csv"
    good, bad = _many(path, n)
    with Store(tmp_path / "store.duckdb") as store:
        info = store.ingest(path)
        rejects = store.rejects(info.trace_id)
        again = store.ingest(path)
        rows = store._frame("select count(*) as n from usage")["n"][0]
    assert (info.samples, info.rejected, info.lines) == (good, len(bad), n)
    assert np.array_equal(rejects["line"].to_numpy(), bad)
    assert rejects["reason"].notna().all()
    assert (rejects["text"].str.len() > 0).all()
    assert again.repeated
    assert rows == good


@pytest.mark.slow
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


def test_quoted_fields_read_exactly_are_what_they_say(tmp_path: Path) -> None:
    """A broken quote, here near and far from the top, has all lines read one by one; the fields are those of `csv`."""
    names = ["a,b", 'a"b', '"', '""', ",", ',"', 'a,"b",c', "two\nlines", "unit\x1fsign", 'u\x1f"v', "plain", "bl ank"]
    rows = ["{},2024-01-01 00:00:00,1,1".format('"' + name.replace('"', '""') + '"') for name in names]
    others = hourly("w", 60)
    stray = '"x"y,2024-01-01 00:00:00,1,1'
    for number, lines in enumerate(([stray, *rows, *others], [*rows, *others, stray])):
        text = "\n".join([HEADER, *lines, ""])
        told = {row[0] for row in reader(StringIO(text.replace(f"{stray}\n", ""), newline=""))} - {"workload"}
        path = tmp_path / f"{number}.csv"
        path.write_text(text)
        with Store(":memory:") as store:
            info = store.ingest(path)
            found = set(store._frame("select workload from workloads")["workload"])
            rejects = store.rejects(info.trace_id)
        assert found == told
        assert (info.samples, info.lines) == (72, 73)
        assert rejects["text"].tolist() == [stray]
        assert rejects["line"].tolist() == [2 if number == 0 else 75]


def test_many_small_files_are_read_as_few_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line by line all at once, where opening each takes longer than reading it: names, lines and values are kept."""
    header = "Timestamp [ms];\tCPU cores;\tCPU usage [%];\tMemory capacity provisioned [KB];\tMemory usage [KB]"
    for vm in range(6):
        rows = [f"{1376314846 + 300 * n};\t4;\t{vm * 10 + n};\t4194304;\t{vm * 1000 + n}" for n in range(3 + vm)]
        (tmp_path / f"{vm}.csv").write_bytes("\r\n".join([header, *rows, ""]).encode())
    with (tmp_path / "2.csv").open("a") as file:
        file.write('\n1376314846;\t4;\tx;\t1;\t1\n1376320000;\t4;\t"1;\t1;\t1\n')
    with (tmp_path / "3.csv").open("a") as file:
        file.write('1376320000;\t4;\t1";\t1;\t1')
    query = "select * exclude (trace_id) from usage order by all"
    seen = []
    for many in (1_000, 3):
        monkeypatch.setattr(loading, "_MANY", many)
        with Store(":memory:") as store:
            info = store.ingest(tmp_path)
            rejects = store.rejects(info.trace_id).sort_values(["file", "line"])
            seen.append((store._frame(query), rejects[["file", "line", "text"]].to_numpy().tolist(), info.lines))
    (few, bad, lines), (all_at_once, same, as_many) = seen
    pd.testing.assert_frame_equal(few, all_at_once)
    assert len(few) == 33
    assert (lines, as_many) == (36, 36)
    assert [row[:2] for row in bad] == [["2.csv", 8], ["2.csv", 9], ["3.csv", 8]]
    assert same == bad


def test_what_the_quick_reader_forgives_the_exact_one_does_too(tmp_path: Path) -> None:
    """A delimiter behind the last field, as many tools write it, and blanks behind a quote."""
    rows = ["a,2024-01-01 00:00:00,1,1,", '"b" ,2024-01-01 00:00:00,1,1', '"c"  ,"2024-01-01 00:00:00" ,"1" ,"1" ,']
    stray = '"x"y,2024-01-01 00:00:00,1,1'
    with Store(":memory:") as store:
        for lines in (rows, [stray, *rows]):
            info = store.ingest(csv(tmp_path, *lines, "d,2024-01-01 00:00:00,1,1,1"))
            query = f"select workload from workloads where trace_id = '{info.trace_id}' order by 1"
            assert store._frame(query)["workload"].tolist() == ["a", "b", "c"]
            assert store.rejects(info.trace_id)["line"].tolist()[-1] == len(lines) + 2
            assert info.rejected == len(lines) - 2


def test_very_many_broken_quotes_are_each_a_reject(tmp_path: Path) -> None:
    lines = [row + '"' if hour % 3 else row for hour, row in enumerate(hourly("v", 3_000))]
    with Store(":memory:") as store:
        info = store.ingest(csv(tmp_path, *lines))
        assert store.rejects(info.trace_id)["line"].tolist() == [n + 2 for n in range(3_000) if n % 3]
    assert (info.samples, info.rejected, info.lines) == (1_000, 2_000, 3_000)


def test_numbers_that_are_none_are_rejected_in_parquet_whatever_its_footer_says(tmp_path: Path) -> None:
    """A footer's least and most leave out NaN: a check that both of them meet is not met by all rows."""
    times = pd.date_range("2024-01-01", periods=3, freq="h")
    none = float("nan")
    kinds = {"double": pa.float64(), "float": pa.float32()}
    with Store(":memory:") as store:
        for name, kind in kinds.items():
            used = pa.array([1.0, none, 2.0], kind)
            pq.write_table(pa.table({"workload": ["v"] * 3, "sampled_at": times, "cpu_cores": used}), tmp_path / name)
            info = store.ingest(tmp_path / name)
            assert (info.samples, info.rejected, info.lines) == (2, 1, 3)
            assert store.rejects(info.trace_id)["line"].tolist() == [2]
        pq.write_table(pa.table({"time": times, "requests": [5.0, none, 2.0]}), tmp_path / "requests")
        requests = store.ingest(tmp_path / "requests")
    assert (requests.format, requests.calls, requests.rejected) == ("request_rates", 7, 1)


def test_empty_texts_of_parquet_tell_nothing_as_in_csv(tmp_path: Path) -> None:
    """A table that was all text before it became Parquet has them where nothing is told."""
    frame = pd.DataFrame({"workload": ["a", "", "b"], "sampled_at": ["2024-01-01 00:00:00 "] * 3, "cpu_cores": "1"})
    frame = frame.assign(cpu_cores=["1", "2", " 3 "], memory_gib=["", "1", "\t"])
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    with Store(":memory:") as store:
        for name in ("t.parquet", "t.csv"):
            info = store.ingest(tmp_path / name)
            assert (info.workloads, info.samples, info.rejected) == (2, 2, 1)
            assert store.rejects(info.trace_id)["reason"].tolist() == ["workload: missing"]
            used = store._frame(f"from usage where trace_id = '{info.trace_id}' order by cpu_cores")
            assert used["cpu_cores"].tolist() == [1, 3]
            assert used["memory_gib"].isna().all()


def test_texts_of_parquet_that_are_not_marked_as_texts(tmp_path: Path) -> None:
    """Hive and Impala write a string as bytes and no more; bytes that are no text are one bad row."""
    columns = {
        "workload": ["zür".encode(), b"b", b"c"],
        "sampled_at": [b"2024-01-01 00:00:00", b"2024-01-01 01:00:00", b"2024-01-01 02:00:00"],
        "cpu_cores": [b"1", b"2", b"\xff"],
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path / "t.parquet")
        names = store._frame("select workload from workloads order by 1")["workload"].tolist()
        rejects = store.rejects(info.trace_id)
    assert (info.samples, names) == (2, ["b", "zür"])
    assert rejects[["line", "reason"]].iloc[0].tolist() == [3, r"cpu_cores: expected a number, found '\xFF'"]


def test_clocks_gone_wrong_in_other_formats(tmp_path: Path) -> None:
    """Times of Bitbrains, seconds of Azure: as many lines as good rows and rejects."""
    header = "Timestamp [ms];CPU cores;CPU usage [%]"
    (tmp_path / "1.csv").write_text(f"{header}\n1376314846;2;10\n-62135596800;2;10\n99999999999;2;10")
    vms = [f"vm{n},s,d,0,{end},90,10,80,Interactive,4,32" for n, end in ((1, 9000), (2, 9000), (3, 2**63 - 1))]
    (tmp_path / "vmtable.csv").write_text("\n".join(vms))
    readings = [f"{second},vm1,1,9,5" for second in (0, 300, 2**63 - 1)]
    (tmp_path / "vm_cpu_readings-file-1-of-195.csv").write_text("\n".join(readings))
    with Store(":memory:") as store:
        bitbrains = store.ingest(tmp_path / "1.csv")
        azure = store.ingest([tmp_path / "vmtable.csv", tmp_path / "vm_cpu_readings-file-1-of-195.csv"])
        reasons = store.rejects(azure.trace_id)["reason"].tolist()
    assert (bitbrains.format, bitbrains.samples, bitbrains.rejected, bitbrains.lines) == ("bitbrains", 1, 2, 3)
    assert (azure.format, azure.samples, azure.rejected, azure.lines) == ("azure_vm", 2, 2, 6)
    assert sorted(reason.split(":")[0] for reason in reasons) == ["second", "vmdeleted"]


def test_clocks_gone_wrong_in_parquet(tmp_path: Path) -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"""
            copy (select 'v' as workload, t::timestamp as sampled_at, 1.0 as cpu_cores
                from unnest(['2024-01-01', '0001-01-01', '9999-12-31']) x(t)) to '{tmp_path / "t.parquet"}'
        """)
    with Store(":memory:") as store:
        info = store.ingest(tmp_path / "t.parquet")
    assert (info.samples, info.rejected, info.lines) == (1, 2, 3)


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        ("workload,sampled_at,cpu_cores,cpu_cores", "v,2024-01-01 00:00:00,1,2", "cpu_cores twice"),
        ("workload,sampled_at,cpu_cores,CPU cores", "v,2024-01-01 00:00:00,1,2", "twice ('cpu_cores' and 'CPU cores')"),
        ("time,workload,timestamp,cpu_cores", "2024-01-01,v,2024-01-02,1", "sampled_at twice ('time' and 'timestamp')"),
        ("HashOwner,HashApp,HashFunction,Trigger,1,2,1", "o,a,f,http,1,2,3", "column 1 twice"),
    ],
)
def test_a_column_named_twice_is_refused(tmp_path: Path, header: str, row: str, told: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(f"{header}\n{row}\n")
    with Store(":memory:") as store:
        with pytest.raises(TraceError) as caught:
            store.ingest(path)
        assert store.traces().empty
    assert str(caught.value).startswith(f"{path}, line 1: ")
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_columns_that_are_skipped_may_be_named_twice(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("workload,sampled_at,cpu_cores,note,note\nv,2024-01-01 00:00:00,1,a,b\n")
    with Store(":memory:") as store:
        assert store.ingest(path).samples == 1


def test_a_bad_cell_of_thousands_is_named_without_a_branch_for_each() -> None:
    """Azure Functions: a column a minute; what is wrong is told of the first minute, and of the keys before it."""
    header = ",".join(["HashOwner", "HashApp", "HashFunction", *(str(n) for n in range(1, 3001))])
    kind = load("azure_functions").inputs[0].separated(header)
    cells = {place: ["1"] * 3000 for place in range(4)}
    cells[1][1438:1440] = ["x", "-1"]
    cells[2][7:9] = ["", " 3 "]
    rows = [",".join(["a", "b", f"f{place}" if place < 3 else "", *cells[place]]) for place in cells]
    layout = layout_of(kind, [header])
    with duckdb.connect(":memory:") as connection:
        connection.execute(sql("functions.sql"))
        found = reasons(connection, kind, layout, [*rows, rows[0] + ",1"])
    assert found == [
        None, "1439: expected a whole number, found 'x'", None, "HashFunction: missing",
        "too many fields: 3004, expected 3003",
    ]  # fmt: skip


def test_good_and_bad_minutes_come_in_exactly(tmp_path: Path) -> None:
    """A stray quote has the file read line by line; blanks and empty cells are what they are."""
    lines = [
        "HashOwner,HashApp,HashFunction,Trigger,1,2,3",
        "o,a,f,http,1,,3",
        "o,a,g,http, 4 ,x,1",
        'o,a,"h,http,1,1,1',
    ]
    (tmp_path / "i.csv").write_text("\n".join([*lines, ""]))
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        calls = store._frame("select workload, sum(calls) n, count(*) m from calls group by all").to_numpy().tolist()
        why = store.rejects(info.trace_id)["reason"].str[:20].tolist()
    assert calls == [["f", 4, 2]]
    assert why == ["2: expected a whole ", "broken quote: a quot"]
