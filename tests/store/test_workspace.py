"""The workspace file: what it keeps, how it grows up, who may open it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from planner.catalog import FACT_COLUMNS, OFFER_COLUMNS
from planner.demand import Policy
from planner.errors import InputError, PriceBookError
from planner.store import Store
from planner.store.database import connect, default_path, migrate, sections, sql
from planner.store.samples import table_of
from store.writing import csv, hourly

LINE = {
    "model": "iaas", "year": 0, "sku": "m5", "provider": "aws", "region": "us-east-1", "term": "on_demand",
    "kind": "opex", "category": "compute", "unit": "hour", "quantity": 730.0, "usd_per_unit": 0.1,
    "usd_per_month": 73.0, "source": "s", "as_of": "2026-09-20",
}  # fmt: skip


def test_a_study_is_kept_and_replaced_whole(tmp_path: Path) -> None:
    lines = pd.DataFrame([LINE, LINE])
    plans = pd.DataFrame([{"model": "iaas", "year": 0, "usd_per_month": 146.0}])
    with Store(tmp_path / "s.duckdb") as store:
        store.save("one", {"plans": plans, "lines": lines}, '{"a": 1}')
        store.save("one", {"plans": plans, "lines": lines[:1]}, '{"a": 2}')
        store.save("two", {}, "{}")
    with Store(tmp_path / "s.duckdb") as store:
        assert store.document("one") == '{"a": 2}'
        assert store.document("none") is None
        assert store.studies()["study_id"].tolist() == ["two", "one"]
        assert store._frame("select count(*) n, sum(usd_per_month) s from lines").iloc[0].tolist() == [1, 73]


def test_a_study_with_a_wrong_table_changes_nothing() -> None:
    with Store(":memory:") as store:
        with pytest.raises(ValueError, match=r"table 'line'.*'lines'"):
            store.save("one", {"line": pd.DataFrame([LINE])}, "{}")
        with pytest.raises(ValueError, match=r"column 'quantities'.*'quantity'"):
            store.save("one", {"lines": pd.DataFrame([LINE]).rename(columns={"quantity": "quantities"})}, "{}")
        incomplete = pd.DataFrame([LINE]).drop(columns="usd_per_month")
        with pytest.raises(duckdb.ConstraintException):
            store.save("one", {"lines": incomplete}, "{}")
        assert store.document("one") is None


def test_schema_migrates_forward_and_never_back(tmp_path: Path) -> None:
    first = sections(sql("schema.sql"))
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        migrate(connection, first, "old")
        connection.execute("insert into studies values ('a', now(), '{}')")
        migrate(connection, [*first, "alter table studies add column note varchar"], "old")
        assert connection.execute("select study_id, note from studies").fetchall() == [("a", None)]
        assert connection.execute("select max(version) from schema_version").fetchall() == [(len(first) + 1,)]
    with pytest.raises(InputError, match="use a newer planner"):
        connect(path, "1GB")


def test_a_failed_migration_leaves_the_old_schema(tmp_path: Path) -> None:
    first = sections(sql("schema.sql"))
    with duckdb.connect(str(tmp_path / "x.duckdb")) as connection:
        migrate(connection, first, "x")
        with pytest.raises(duckdb.Error):
            migrate(connection, [*first, "create table extra (a int); select * from nowhere"], "x")
        tables = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
        assert "extra" not in tables
        assert connection.execute("select max(version) from schema_version").fetchall() == [(len(first),)]


def test_a_strangers_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table mine (a int)")
    with pytest.raises(InputError, match="no planner workspace"):
        Store(path)
    with duckdb.connect(str(path)) as connection:
        assert [row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()] == ["mine"]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    code = f"from planner.store import Store; Store({str(path)!r})"
    with Store(path):
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "another process has it open" in other.stderr


def test_the_default_place_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with Store() as store:
        assert store.path == default_path()
        assert str(default_path()).startswith(str(tmp_path))
    assert default_path().exists()


HEADER = "sku,kind,provider,region,term,unit,usd_per_unit,cpu_cores,lifetime_months,status,source,as_of"
ROW = "m5,vm,aws,us-east-1,on_demand,hour,0.1,2,,VERIFIED,list,2026-09-20"


def _book(folder: Path, *rows: str, name: str = "book.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(rows) + "\n")
    return path


def test_shipped_books() -> None:
    with Store(":memory:") as store:
        catalog = store.catalog()
        kept = store._frame("select (select count(*) from offers) o, (select count(*) from facts) f").iloc[0].tolist()
    assert tuple(catalog.offers.columns) == OFFER_COLUMNS
    assert tuple(catalog.facts.columns) == FACT_COLUMNS
    assert kept == [len(catalog.offers), len(catalog.facts)]
    assert catalog.offers["usd_per_unit"].dtype == np.float64


def test_a_book_in_types(tmp_path: Path) -> None:
    with Store(":memory:") as store:
        offers = store.catalog([_book(tmp_path, HEADER, ROW)]).offers
    assert offers.loc[0, ["sku", "usd_per_unit", "tier_from", "cpu_cores"]].tolist() == ["m5", 0.1, 0.0, 2.0]
    assert offers.loc[0, ["family", "note", "arch"]].tolist() == ["", "", ""]
    assert offers.loc[0, ["lifetime_months", "memory_gib", "low"]].isna().all()


WRONG = {
    "a word for a price": ((HEADER, ROW, ROW.replace("0.1", "cheap")), "line 3, field usd_per_unit: expected a number"),
    "no price": ((HEADER, ROW.replace("0.1", "")), "line 2, field usd_per_unit: expected a price"),
    "a negative price": ((HEADER, ROW.replace("0.1", "-1")), "field usd_per_unit: expected a price of 0 or more"),
    "no source": ((HEADER, ROW.replace("list", "")), "field source: expected some text"),
    "an unknown kind": ((HEADER, ROW.replace("vm", "vms")), "field kind: expected one of.*did you mean 'vm'"),
    "a row twice": ((HEADER, ROW, ROW), "line 3: the row of sku 'm5'.*twice"),
    "a field too many": ((HEADER, ROW + ",x"), "line 2: 13 fields, expected 12"),
    "a strange column": (
        (HEADER.replace("unit,usd", "units,usd"), ROW),
        "field 'units': no column of ours; did you mean 'unit'",
    ),
    "a column missing": ((HEADER.replace(",source", ""), ROW), "lacks the columns source"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_malformed_row_is_named(tmp_path: Path, what: str) -> None:
    rows, message = WRONG[what]
    with Store(":memory:") as store, pytest.raises(PriceBookError, match=f"book.csv.*{message}"):
        store.catalog([_book(tmp_path, *rows)])


def test_facts_are_no_offers(tmp_path: Path) -> None:
    header = "topic,key,metric,value,unit,status,source,as_of"
    book = _book(tmp_path, header, "mesh,istio,sidecar,0.2,cores,VERIFIED,x,2026-01-01", name="facts_mesh.csv")
    with Store(":memory:") as store:
        catalog = store.catalog([book])
    assert len(catalog.offers) == 0
    assert catalog.fact("mesh", "istio", "sidecar")["value"] == 0.2


def test_a_missing_book_is_an_error(tmp_path: Path) -> None:
    with Store(":memory:") as store, pytest.raises(PriceBookError, match=r"nowhere\.csv"):
        store.catalog([tmp_path / "nowhere.csv"])


def test_samples_of_an_older_workspace_are_seen_beside_new_ones(tmp_path: Path) -> None:
    """Before version 5 all samples lay in one table."""
    with Store(tmp_path / "s.duckdb") as store:
        old = store.ingest(csv(tmp_path, *hourly("a", 30), name="old.csv"))
        whole = store.demand(old.trace_id, Policy())
        connection = store._cursor()
        rows = f"select '{old.trace_id}' as trace_id, * from {table_of(old.trace_id)}"
        connection.execute(f"insert into samples_before by name {rows}")
        connection.execute(f"drop table {table_of(old.trace_id)}")
        store.ingest(csv(tmp_path, *hourly("b", 20), name="new.csv"))
        seen = store._frame("select workload, count(*) n from usage group by workload order by workload")
        assert seen.to_numpy().tolist() == [["a", 30], ["b", 20]]
        assert (store.demand(old.trace_id, Policy()).busy == whole.busy).all()


def test_a_recording_is_taken_out_whole_and_no_other_is_touched(tmp_path: Path) -> None:
    with Store(":memory:") as store:
        one = store.ingest(csv(tmp_path, *hourly("a", 20), "v,2024-01-01 00:00:00,x,1", name="one.csv"))
        other = store.ingest(csv(tmp_path, *hourly("b", 30), name="other.csv"))
        before = store.demand(other.trace_id, Policy())
        assert store.forget(one.trace_id)
        assert not store.forget(one.trace_id)
        assert store.traces()["trace_id"].tolist() == [other.trace_id]
        about = store._frame("select table_name from duckdb_columns() where column_name = 'trace_id'")["table_name"]
        for table in about:
            assert store._frame(f"select 1 from {table} where trace_id = $id", {"id": one.trace_id}).empty, table
        assert store._frame("select distinct workload from usage")["workload"].tolist() == ["b"]
        np.testing.assert_array_equal(store.demand(other.trace_id, Policy()).busy, before.busy)
        again = store.ingest(tmp_path / "one.csv")
        assert (again.repeated, again.samples, again.rejected) == (False, 20, 1)
