"""What a recording is, told from bounded parts of it."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from lanes import lanes
from planner.bundle import bundled
from planner.cli import app
from planner.errors import TraceError
from planner.store import Store, formats, inspect
from store.writing import csv, hourly

QUICK = {"rvtools", "prometheus", "kubernetes", "opencost"}
"""Formats of workbooks and JSON; the others are read as plain text."""


@pytest.mark.parametrize("name", lanes(formats(), set(formats()) - QUICK))
def test_what_is_told_of_a_recording_is_what_is_read_of_it(name: str) -> None:
    sample = bundled("datasets", "samples", name)
    seen = inspect(sample)
    with Store(":memory:") as store:
        info = store.ingest(sample)
    assert seen.format == name
    if seen.whole:
        assert (seen.info.workloads, seen.info.samples, seen.info.charges) == (
            info.workloads,
            info.samples,
            info.charges,
        )
        assert seen.info.rejected == info.rejected
    assert all(file.columns and file.rows for file in seen.files if file.share)


def test_a_small_file_is_read_whole(tmp_path: Path) -> None:
    seen = inspect(csv(tmp_path, *hourly("a", 30), "a,never,1,1", "a,2024-01-01,x,1", "a,2024-01-01,y,1"))
    assert (seen.format, seen.whole, seen.info.samples, seen.info.workloads) == ("planner", True, 30, 1)
    assert seen.files[0].columns == ("workload", "sampled_at", "cpu_cores", "memory_gib")
    assert seen.files[0].rows == 33
    assert seen.rejects[0] == ("cpu_cores: expected a number", 2)
    assert seen.demand is not None
    assert not seen.missing


def test_percentages_need_sizes_and_inspect_says_which(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("workload,sampled_at,cpu_percent\n" + "".join(f"v,2024-01-01 {h:02}:00,5\n" for h in range(24)))
    seen = inspect(path)
    assert [line.split("assumed_")[1].split(":")[0] for line in seen.missing] == ["cpu_cores", "memory_gib"]
    outcome = CliRunner().invoke(app, ["inspect", str(path)])
    assert outcome.exit_code == 0
    assert "once sizes are stated" in outcome.output


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 MB of some days, in order of time."""
    path = tmp_path_factory.mktemp("large") / "large.csv"
    rows = """
        select 'vm' || i % 500 as workload, timestamp '2024-01-01' + to_seconds(300 * (i // 500)) as sampled_at,
            i % 7 / 2 as cpu_cores, 4.25 as memory_gib from range(500000) t(i)
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"copy ({rows}) to '{path}' (header)")
    return path


def test_of_a_large_file_parts_are_read_from_end_to_end(large: Path) -> None:
    seen = inspect(large)
    assert not seen.whole
    assert seen.info.samples < 490_000
    assert seen.files[0].rows == pytest.approx(500_000, rel=0.02)
    assert seen.info.workloads == 500
    assert seen.info.start is not None
    assert seen.info.end is not None
    assert (seen.info.end - seen.info.start).total_seconds() == 999 * 300


@pytest.mark.slow
def test_of_a_packed_file_and_of_parquet_the_beginning_is_read(large: Path, tmp_path: Path) -> None:
    with large.open("rb") as plain, gzip.open(tmp_path / "l.csv.gz", "wb", compresslevel=1) as packed:
        shutil.copyfileobj(plain, packed)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"copy (from '{large}') to '{tmp_path}/l.parquet'")
    for name in ("l.csv.gz", "l.parquet"):
        seen = inspect(tmp_path / name)
        assert seen.whole == (name == "l.parquet")
        assert seen.files[0].rows == pytest.approx(500_000, rel=0.1)
        assert seen.info.rejected == 0


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(TraceError, match="no known trace format"):
        inspect(tmp_path / "x.csv")
    text = "\n".join(["workload,sampled_at,cpu_cores,memory_gib", *hourly("a", 999)])
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(text.encode())[:-50])
    with pytest.raises(TraceError, match="cannot be read"):
        inspect(tmp_path / "cut.csv.gz")


@pytest.mark.parametrize("ending", ["json", "json.gz"])
def test_a_document_on_one_long_line_is_looked_into_as_a_whole(tmp_path: Path, ending: str) -> None:
    """Servers answer on one line, of any length; packed or not, the file is the document and not its rows."""
    values = [[1_704_067_200 + 60 * n, str(n)] for n in range(100)]
    names = [f"{n:03d}{'x' * 9_000}" for n in range(300)]
    result = [
        {"metric": {"__name__": "cpu:usage:rate5m", "pod": name, "namespace": "n"}, "values": []} for name in names
    ]
    result[0]["values"] = values
    text = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()
    path = tmp_path / f"cpu_usage.{ending}"
    path.write_bytes(gzip.compress(text, 1) if ending.endswith("gz") else text)
    assert len(text) > 1 << 21
    seen = inspect(path)
    with Store(":memory:") as store:
        info = store.ingest(path)
    assert (seen.format, seen.info.samples, seen.info.workloads) == ("prometheus", info.samples, info.workloads)
    assert [(file.size_bytes, file.rows, file.share) for file in seen.files] == [(len(text), info.lines, 1.0)]
