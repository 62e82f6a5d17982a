"""Ingest as a whole: what is told of odd files, what is refused, and that nothing is half done."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
import threading
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner.demand import Policy
from planner.errors import InputError, TraceError
from planner.store import Confined, Store, inspect
from planner.store.trace import QUALITY_KEYS
from store.writing import HEADER, csv, hourly


def _read(path: Path | list[Path], **more: str) -> tuple[int, int, int, tuple[str, ...]]:
    with Store(":memory:") as store:
        info = store.ingest(path, **more)
    return info.workloads, info.samples, info.rejected, info.notes


def test_what_is_told(tmp_path: Path) -> None:
    with Store(":memory:") as store:
        info = store.ingest(csv(tmp_path, *hourly("a", 48)), name="mine")
        assert store.trace(info.trace_id) == info
        assert store.traces()["trace_id"].tolist() == [info.trace_id]
    assert (info.name, info.format, info.workloads, info.samples, info.lines) == ("mine", "planner", 1, 48, 48)
    assert "header of samples" in info.reason
    assert (str(info.start), str(info.end)) == ("2024-01-01 00:00:00", "2024-01-02 23:00:00")
    assert set(info.quality) == set(QUALITY_KEYS)
    assert info.quality["stars_5"] == 1


def test_again_is_nothing(tmp_path: Path) -> None:
    path = csv(tmp_path, *hourly("a", 48))
    with Store(tmp_path / "store.duckdb") as store:
        first = store.ingest(path)
    copy = tmp_path / "elsewhere.csv"
    copy.write_bytes(path.read_bytes())
    with Store(tmp_path / "store.duckdb") as store:
        again = store.ingest(copy)
        assert again.repeated
        assert not first.repeated
        assert again.trace_id == first.trace_id
        assert len(store.traces()) == 1
        assert store._frame("select count(*) n from usage")["n"][0] == 48


def test_again_under_a_name_that_says_something_else_is_another(tmp_path: Path) -> None:
    """A metric is of the machine that the file is called by, a day of PlanetLab of the folder."""
    metric = "timestamp,value\n2024-01-01 00:00:00,5\n2024-01-01 00:05:00,6\n"
    days = "".join(f"{n % 90}\n" for n in range(288))
    query = "select workload, min(sampled_at) from usage where trace_id = $id group by workload"
    found = []
    with Store(":memory:") as store:
        for name, text in {
            "data/cpu_utilization.csv": metric, "data/i-0abc_cpu_utilization.csv": metric,
            "2011/vm": days, "20110303/vm": days, "copy/20110303/vm": days,
        }.items():  # fmt: skip
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
            info = store.ingest(tmp_path / name)
            row = store._frame(query, {"id": info.trace_id}).iloc[0]
            found.append((row.iloc[0], str(row.iloc[1].date()), info.repeated))
    assert found[1:] == [("i-0abc", "2024-01-01", False), ("vm", "1970-01-01", False), ("vm", "2011-03-03", False),
                         ("vm", "2011-03-03", True)]  # fmt: skip
    assert found[0][0] != "i-0abc"


def test_file_names_are_no_sql(tmp_path: Path) -> None:
    for name in ("it's.csv", 'a"b.csv', "x; drop table usage.csv", "*?[1].csv", "ä ö.csv"):
        path = csv(tmp_path, *hourly("a", 3), "a,bad", name=name)
        with Store(":memory:") as store:
            info = store.ingest(path)
            assert store.rejects(info.trace_id)["file"].tolist() == [name]
        assert (info.samples, info.rejected) == (3, 1)


def test_file_names_that_are_no_text_are_read_under_a_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone, with others, in a folder of such a name, in an archive, and by a store that may touch nothing else."""
    folder, scratch = tmp_path / os.fsdecode(b"f\xffo"), tmp_path / "scratch"
    scratch.mkdir()
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("the file system takes names in UTF-8 alone")
    path = csv(folder, *hourly("a", 3), "a,bad", name=os.fsdecode(b"\xff\xfe.csv"))
    csv(folder, *hourly("b", 3), name="b.csv")
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        tar.add(path, arcname=path.name)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    for given, workloads in ((path, 1), (folder, 2), (tmp_path / "t.tar", 1)):
        with Store(":memory:", confined=Confined(scratch, (given,))) as store:
            info = store.ingest(given)
            assert (info.workloads, info.rejected) == (workloads, 1)
            assert store.rejects(info.trace_id)["file"].tolist() == ["\ufffd\ufffd.csv"]
    assert inspect(path).info.samples == 3
    path.write_text("x;y;z\n1;2;3\n")
    with pytest.raises(TraceError, match=r"\ufffd\ufffd\.csv: no known trace format"):
        _read(path)


TIMES = [
    "2024-01-01T00:00:00Z", "2024-01-01 01:00:00+01:00", "2023-12-31 18:30:00-05:30", "2024-01-01", "1704067200",
    "1704067200000", "1704067200000000", "1704067200000000000", "1704067200.0", "2024-01-01 00:00:00.000",
]  # fmt: skip


def test_times_of_every_spelling(tmp_path: Path) -> None:
    with Store(":memory:") as store:
        info = store.ingest(csv(tmp_path, *(f"w{n},{time},1,1" for n, time in enumerate(TIMES))))
    assert (info.samples, info.rejected) == (len(TIMES), 0)
    assert str(info.start) == str(info.end) == "2024-01-01 00:00:00"


def test_times_of_every_type_in_parquet(tmp_path: Path) -> None:
    columns = [
        pd.to_datetime(["2024-01-01 00:00:00"]), pd.to_datetime(["2024-01-01 02:00:00+02:00"]), [1704067200],
        [1704067200000], [1704067200.0], ["2024-01-01T00:00:00Z"],
    ]  # fmt: skip
    for number, column in enumerate(columns):
        frame = pd.DataFrame(
            {
                "Workload": [f"w{number}"],
                "timestamp": column,
                "cpu_percent": [5],
                "other": ["x"],
                "nested": [{"a": 1, "b": [1]}],
            }
        )
        frame.to_parquet(tmp_path / f"{number}.parquet")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
    assert (info.workloads, info.rejected) == (len(columns), 0)
    assert str(info.start) == str(info.end) == "2024-01-01 00:00:00"


def test_impossible_times_in_parquet_are_rejected_alone(tmp_path: Path) -> None:
    """Milliseconds that are no microseconds stop DuckDB's reader, whatever is asked of it."""
    good = 1704067200000
    times = [good, 2**63 - 1, None, good + 3_600_000, -(2**63) + 1]
    with Store(":memory:") as store:
        for zone in (None, "UTC"):
            columns = {
                "workload": ["a"] * 5,
                "timestamp": pa.array(times, pa.timestamp("ms", zone)),
                "cpu_cores": [1] * 5,
            }
            pq.write_table(pa.table(columns), tmp_path / f"{zone}.parquet")
            info = store.ingest(tmp_path / f"{zone}.parquet")
            assert (info.samples, info.lines) == (2, 5)
            assert (str(info.start), str(info.end)) == ("2024-01-01 00:00:00", "2024-01-01 01:00:00")
            rejects = store.rejects(info.trace_id)
            assert rejects["line"].tolist() == [2, 3, 5]
            assert rejects["reason"].str.contains("missing").tolist() == [False, True, False]


@pytest.mark.parametrize("other", ["cpu_cores", "CPU_CORES"])
def test_a_column_twice_is_refused_in_parquet_as_in_csv(tmp_path: Path, other: str) -> None:
    names = ["workload", "timestamp", "cpu_cores", other, "x", "X", "s"]
    table = pa.table([["a"], ["2024-01-01"], [1.0], [2.0], [1], [1], [{"t": 1}]], names)
    pq.write_table(table, tmp_path / "p.parquet")
    pq.write_table(table.remove_column(3), tmp_path / "once.parquet")
    with Store(":memory:") as store:
        with pytest.raises(TraceError, match=r"p\.parquet: the header names column cpu_cores twice"):
            store.ingest(tmp_path / "p.parquet")
        assert store.ingest(tmp_path / "once.parquet").samples == 1


def test_byte_order_mark_blank_lines_gzip_and_line_ends(tmp_path: Path) -> None:
    text = "\r\n".join(["\ufeff" + HEADER, "", *hourly("a", 4), "", "", *hourly("b", 4), "", ""])
    plain, packed = tmp_path / "p.csv", tmp_path / "p.csv.gz"
    plain.write_bytes(text.encode())
    packed.write_bytes(gzip.compress(text.encode()))
    unended = csv(tmp_path, *hourly("a", 4), name="u.csv")
    unended.write_bytes(unended.read_bytes().rstrip())
    assert _read(plain) == _read(packed) == (2, 8, 0, ())
    assert _read(unended) == (1, 4, 0, ())


def test_zeros_behind_a_gzip_stream_are_padding(tmp_path: Path) -> None:
    text = "\n".join([HEADER, *hourly("a", 4), "a,bad", *hourly("b", 4)])
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress(text.encode()) + bytes(512))
    assert _read(path) == (2, 8, 1, ())


def test_latin_1_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes("\n".join([HEADER, "b\xfcro,2024-01-01,1,1", *hourly("a", 2)]).encode("latin-1"))
    with Store(":memory:") as store:
        info = store.ingest(path)
        names = store._frame("select workload from workloads order by all")["workload"].tolist()
    assert names == ["a", "b\xfcro"]
    assert any("Latin-1" in note for note in info.notes)


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    path = csv(tmp_path, *hourly("a", 5))
    copy = tmp_path / "copy.csv"
    copy.write_bytes(path.read_bytes())
    workloads, samples, _, notes = _read([path, path, copy])
    assert (workloads, samples) == (1, 5)
    assert any("more than once" in note for note in notes)
    assert any("same content" in note for note in notes)


def test_sizes_beside_samples(tmp_path: Path) -> None:
    (tmp_path / "usage.csv").write_text("workload,sampled_at,cpu_percent,memory_percent\na,2024-01-01,50,25\n")
    sizes = "workload,cpu_cores,memory_gib,application,kind,arch,scales_out\na,4,16,shop,container,arm64,true\n"
    (tmp_path / "sizes.csv").write_text(sizes + "b,2,8,shop,vm,,\n")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        demand = store.demand(info.trace_id, Policy(profile="single", headroom=0))
    assert (info.workloads, info.samples, info.lines) == (2, 1, 3)
    assert demand.mean[:, 0, :2].tolist() == [[2, 4], [2, 8]]
    assert demand.workloads["arch"].tolist() == ["arm64", "x86_64"]
    assert demand.workloads["scales_out"].tolist() == [True, False]
    assert info.quality["unknown"] == 1


def test_calls_in_our_columns(tmp_path: Path) -> None:
    rows = [
        "workload,minute,calls,seconds_per_call,memory_mb",
        "f,2024-01-01 00:00,60,2,512",
        "f,2024-01-01 00:09,60,2,512",
    ]
    (tmp_path / "calls.csv").write_text("\n".join(rows))
    with Store(":memory:") as store:
        info = store.ingest(tmp_path / "calls.csv")
        demand = store.demand(info.trace_id, Policy(profile="single"))
    assert (info.calls, info.gb_seconds, info.samples) == (120, 120, 10)
    assert demand.requests_per_s[0, 0] == pytest.approx(120 / 600)
    assert demand.workloads["kind"].tolist() == ["function"]


REFUSED = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n", "is empty"),
    "header only": ((HEADER + "\n").encode(), "holds no workload"),
    "unknown": (b"x;y;z\n1;2;3\n", r"no known trace format.*begins with 'x;y;z'.*Known formats: .*azure_functions"),
    "missing column": (b"workload,cpu_cores2\na,1\n", "no known trace format"),
    "zip": (b"PK\x03\x04aaaa", "zip archive"),
    "binary": (b"abc\x00def", "zero bytes"),
    "utf-16": ("a,b\n".encode("utf-16"), "begins with .a,b"),
    "old mac": (b"a,b\r1,2\r", "carriage return"),
    "broken parquet": (b"PAR1 and then nothing", "broken Parquet"),
    "cut gzip": (gzip.compress("\n".join([HEADER, *hourly("a", 9999)]).encode())[:-2000], "cannot be read|ended"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_leaves_the_store_as_it_was(tmp_path: Path, what: str) -> None:
    content, message = REFUSED[what]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with Store(":memory:") as store:
        with pytest.raises(TraceError, match=f"bad.*({message})"):
            store.ingest(path)
        for table in ("traces", "workloads", "usage", "calls", "minutes", "quality", "rejects"):
            assert store._frame(f"select count(*) n from {table}")["n"][0] == 0


def test_a_file_cut_off_in_the_middle_of_a_folder_adds_nothing(tmp_path: Path) -> None:
    csv(tmp_path, *hourly("a", 50), name="a.csv")
    packed = gzip.compress("\n".join([HEADER, *hourly("b", 200_000)]).encode())
    (tmp_path / "b.csv.gz").write_bytes(packed[: len(packed) // 2])
    with Store(":memory:") as store:
        with pytest.raises(TraceError):
            store.ingest(tmp_path)
        assert store._frame("select count(*) n from usage")["n"][0] == 0


def test_tar_missing_folder_and_wrong_names(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("x"), io.BytesIO())
    path = csv(tmp_path, *hourly("a", 2))
    (tmp_path / "none").mkdir()
    with Store(":memory:") as store:
        with pytest.raises(TraceError, match="tar archive"):
            store.ingest(tmp_path / "t.tar.gz")
        with pytest.raises(TraceError, match="no such file"):
            store.ingest(tmp_path / "nowhere.csv")
        with pytest.raises(TraceError, match="no data file"):
            store.ingest(tmp_path / "none")
        with pytest.raises(TraceError, match="did you mean 'bitbrains'"):
            store.ingest(path, format="bitbrain")
        with pytest.raises(TraceError, match=r"is not of format bitbrains: trace\.csv: the header lacks timestamp_ms"):
            store.ingest(path, format="bitbrains")
        with pytest.raises(TraceError, match=r"is not of format azure_vm: trace\.csv: line 1"):
            store.ingest(path, format="azure_vm")
        with pytest.raises(TraceError, match="the store is empty"):
            store.trace("x")


def test_two_formats_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    csv(tmp_path, *hourly("a", 2), name="a.csv")
    csv(tmp_path, *hourly("a", 3), name="b.csv")
    (tmp_path / "c.csv").write_text("Timestamp [ms];CPU cores;CPU usage [%]\n1376314846;1;5\n")
    (tmp_path / "README.md").write_text("words")
    with Store(":memory:") as store:
        with pytest.raises(TraceError, match=r"c\.csv looks like bitbrains"):
            store.ingest(tmp_path)
        info = store.ingest(tmp_path, format="planner")
    assert info.samples == 5
    assert any("c.csv: not read" in note for note in info.notes)


def test_quality(tmp_path: Path) -> None:
    full = hourly("full", 100)
    rows = [r.replace("half", "half") for r in hourly("half", 100)[:50]]
    gappy = [row for i, row in enumerate(hourly("gappy", 100)) if not (40 <= i < 60 or i == 80)]
    zombie = [f"zombie,{row.split(',')[1]},0,0" for row in full]
    sizes = tmp_path / "sizes.csv"
    sizes.write_text("workload,cpu_cores,memory_gib\nfull,64,2\nhalf,64,2\ngappy,5000,2\nzombie,4,2\nsilent,4,2\n")
    path = csv(tmp_path, *full, *rows, *gappy, *zombie)
    with Store(":memory:") as store:
        info = store.ingest([path, sizes])
        quality = store.demand(info.trace_id, Policy()).quality.set_index("workload")
    assert quality["samples"].to_dict() == {"full": 100, "half": 50, "gappy": 79, "zombie": 100, "silent": 0}
    assert set(quality["expected_samples"]) == {100}
    assert quality["stars"].to_dict() == {"full": 5, "half": 3, "gappy": 4, "zombie": 5, "silent": 1}
    assert quality["gaps"].to_dict() == {"full": 0, "half": 0, "gappy": 2, "zombie": 0, "silent": 0}
    assert quality["activity"].to_dict() == {
        "full": "active", "half": "active", "gappy": "idle", "zombie": "zombie", "silent": "unknown",
    }  # fmt: skip
    assert info.quality["stars_5"] == 2
    assert (info.quality["active"], info.quality["unknown"]) == (2, 1)


def test_threads_share_a_store(tmp_path: Path) -> None:
    paths = [csv(tmp_path, *hourly(f"w{n}", 20 + n), name=f"{n}.csv") for n in range(4)]
    errors: list[Exception] = []

    def work(store: Store, path: Path) -> None:
        try:
            info = store.ingest(path)
            store.demand(info.trace_id, Policy())
            store.catalog([])
        except Exception as error:
            errors.append(error)

    with Store(tmp_path / "s.duckdb") as store:
        threads = [threading.Thread(target=work, args=(store, path)) for path in paths]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert not errors
        assert len(store.traces()) == 4


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.duckdb").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(InputError, match=r"no\.duckdb"):
        Store(tmp_path / "no.duckdb")


def test_a_call_of_another_century_is_left_out_and_told(tmp_path: Path) -> None:
    rows = [f"f,2024-01-01 00:{minute:02},1,0.2,128" for minute in range(30)]
    path = tmp_path / "calls.csv"
    path.write_text("\n".join(["workload,minute,calls,seconds_per_call,memory_mb", *rows, "f,2099-01-01,7,0.2,128"]))
    with Store(":memory:") as store:
        info = store.ingest(path)
    assert (info.calls, info.samples, info.lines) == (30, 30, 31)
    assert any("1 rows of calls are more than five years away from 2024" in note for note in info.notes)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_tables_as_a_spreadsheet_of_another_country_saves_them(tmp_path: Path, delimiter: str) -> None:
    """A semicolon or a tab between the fields of any table with a header; a comma before fractions beside semicolons
    alone, and not where another number of the file has a point."""
    tables = {
        "planner": ["workload|sampled_at|cpu_cores", "a|2024-01-01 00:00:00|1.5", "b|2024-01-01 00:00:00|2,5"],
        "request_rates": ["timestamp|requests", "2024-01-01 00:00:00|7", "2024-01-01 00:01:00|1,5"],
        "service_graph": ["caller|callee|rps", "a|b|3", "b|c|1,5"],
    }
    with Store(":memory:") as store:
        for name, lines in tables.items():
            path = tmp_path / f"{name}.csv"
            path.write_text("\n".join([*lines, ""]).replace("|", delimiter))
            info = store.ingest(path)
            why = store.rejects(info.trace_id)["reason"].tolist()
            bad = int(delimiter != ";" or name == "planner")
            assert (info.format, info.lines, info.rejected) == (name, 2, bad)
            assert all("expected a number, found '" in reason for reason in why)
