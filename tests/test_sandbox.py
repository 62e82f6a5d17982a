"""A child process with limits reads what nobody vouches for: the same recording, or one clear error."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest

from planner import sandbox
from planner.bundle import bundled
from planner.errors import InputError, TraceError
from planner.sandbox import Guard
from planner.store import Confined, Limits, Store, limits_from
from store.writing import csv, hourly

TABLES = ("workloads", "usage", "calls", "minutes", "quality", "rejects")


def contents(store: Store) -> dict[str, list[int]]:
    query = "select count(*) as n, bit_xor(hash(t)) as h from {} t"
    return {table: store._frame(query.format(table)).iloc[0].tolist() for table in TABLES}


def test_the_recording_is_the_same_bit_for_bit_and_read_once() -> None:
    path = bundled("datasets", "samples", "bitbrains")
    with Store(":memory:") as plain, Store(":memory:") as guarded:
        expected = plain.ingest(path)
        assert sandbox.ingest(guarded, path) == expected
        assert contents(guarded) == contents(plain)
        again = sandbox.ingest(guarded, path, name="twice")
        assert (again.repeated, again.name, len(guarded.traces())) == (True, "twice", 1)


@pytest.mark.slow
def test_rejects_come_along_and_errors_are_the_same_words(tmp_path: Path) -> None:
    bad = csv(tmp_path, *hourly("a", 5), "a,never,1,1", name="it's; drop table usage.csv")
    nothing = csv(tmp_path, "a,never,1,1", name="b.csv")
    with Store(":memory:") as store:
        info = sandbox.ingest(store, bad)
        assert (info.samples, info.rejected, store.rejects(info.trace_id)["line"].tolist()) == (5, 1, [7])
        with pytest.raises(TraceError) as guarded:
            sandbox.ingest(store, nothing)
        with pytest.raises(TraceError) as plain:
            store.ingest(nothing)
        assert len(store.traces()) == 1
    assert str(guarded.value) == str(plain.value)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"rows": 10}, "more than 10 rows; limit rows: --limit rows=N raises it"),
        ({"file_mib": 1e-6}, "limit file_mib"),
        ({"columns": 2}, "4 columns are more than 2; limit columns"),
        ({"row_bytes": 30}, "line 1: is longer than 30 bytes; limit row_bytes"),
    ],
)
def test_each_limit_of_a_file_says_how_to_raise_it(tmp_path: Path, limits: dict[str, float], told: str) -> None:
    path = csv(tmp_path, *hourly("a", 50))
    with Store(":memory:") as store:
        with pytest.raises(TraceError, match=told):
            store.ingest(path, limits=Limits.model_validate(limits))
        assert store.traces().empty
        assert store.ingest(path).samples == 50


def test_a_bomb_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    row = hourly("a", 1)[0] + "\n"
    with gzip.open(path, "wt", compresslevel=6) as file:
        file.write("workload,sampled_at,cpu_cores,memory_gib\n" + row * 3_000_000)
    with Store(":memory:") as store, pytest.raises(TraceError, match="unpacks to more than 100 times its size"):
        store.ingest(path, limits=Limits(expansion=100))


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = csv(tmp_path, *hourly("a", 50))
    with Store(":memory:") as store:
        with pytest.raises(TraceError, match=r"took longer than 0\.05 s.*limit seconds"):
            sandbox.ingest(store, path, guard=Guard(seconds=0.05))
        assert store.traces().empty


def test_links_that_lead_out_of_an_upload_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "upload"
    folder.mkdir()
    csv(folder, *hourly("a", 5))
    (folder / "more.csv").symlink_to(csv(tmp_path, *hourly("b", 5), name="secret.csv"))
    with Store(":memory:") as store, pytest.raises(TraceError, match=r"more\.csv: is a link that leads out of"):
        sandbox.ingest(store, folder)


def test_a_confined_store_reads_and_writes_nothing_else(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    theirs.mkdir()
    good, other = csv(mine, *hourly("a", 5)), csv(theirs, *hourly("b", 5))
    (mine / "link.csv").symlink_to(other)
    with Store(mine / "s.duckdb", "256MiB", "64MiB", Confined(mine, (good,))) as store:
        assert store.ingest(good).samples == 5
        for statement in (
            f"from read_csv('{other}')",
            f"from read_csv('{mine}/link.csv')",
            f"from read_csv('{mine}/../theirs/trace.csv')",
            f"copy usage to '{theirs}/out.csv'",
            f"attach '{theirs}/x.duckdb'",
            "from glob('/etc/*')",
            "install httpfs",
            "set enable_external_access = true",
            "set memory_limit = '8GB'",
        ):
            with pytest.raises(duckdb.Error):
                store._frame(statement)
    assert [path.name for path in theirs.iterdir()] == ["trace.csv"]


@pytest.mark.parametrize("word", ["row=1", "rows=many", "rows=-1", "rows"])
def test_a_limit_misspelled_is_named(word: str) -> None:
    with pytest.raises(InputError, match="limit"):
        limits_from(Guard, [word])
