"""Odd data is told by the name of a rule, with counts, and handled as the rule says."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.demand import Policy
from planner.store import Store, TraceInfo, inspect
from planner.store.database import run, statements
from planner.store.measuring import summed
from planner.store.repair import Repair, repair
from planner.store.samples import table_of
from store.writing import csv, hourly


def notes(info: TraceInfo) -> dict[str, str]:
    return {note.split(":")[0]: note for note in info.notes}


def test_clean_data_has_no_finding(tmp_path: Path) -> None:
    with Store(":memory:") as store:
        assert store.ingest(csv(tmp_path, *hourly("a", 200), *hourly("b", 200))).notes == ()


def test_equal_rows_count_once_and_differing_ones_both(tmp_path: Path) -> None:
    rows = hourly("a", 48)
    twice = csv(tmp_path, *rows, *rows[:7], *rows[:2], "a,2024-01-01T10:00:00,99,1", *hourly("b", 48))
    once = csv(tmp_path, *rows, "a,2024-01-01T10:00:00,99,1", *hourly("b", 48), name="once.csv")
    with Store(":memory:") as store:
        info, clean = store.ingest(twice), store.ingest(once)
        assert (info.samples, info.rejected, info.lines) == (106, 0, 106)
        assert notes(info)["duplicates"].startswith("duplicates: 9 rows in 1 workloads: equal to another row")
        assert notes(info)["conflicts"].startswith("conflicts: 2 rows in 1 workloads")
        assert "duplicates" not in notes(clean)
        demands = [store.demand(each.trace_id, Policy()) for each in (info, clean)]
    assert (demands[0].busy == demands[1].busy).all()
    assert (demands[0].mean == demands[1].mean).all()


def test_duplicates_are_all_found_where_some_are(tmp_path: Path) -> None:
    """In a large recording a part of the workloads is looked at first."""
    rows = [row for n in range(20) for row in hourly(f"w{n}", 10)]
    with Store(":memory:") as store:
        info = store.ingest(csv(tmp_path, *rows, name="x.csv"))
        connection = store._cursor()
        connection.execute(f"insert into {table_of(info.trace_id)} from {table_of(info.trace_id)}")
        summed(connection, info.trace_id)
        for statement in statements("measure.sql", "paces"):
            run(connection, statement.replace("$few", "50"), info.trace_id)
        assert repair(connection, info.trace_id, Repair(rows_looked_at=50))
        found = connection.execute(
            "select sum(found), sum(workloads) from repairs where rule = 'duplicates'"
        ).fetchall()
        assert found == [(200, 20)]
        assert connection.execute("select count(*) from usage").fetchall() == [(200,)]


def test_a_clock_set_back_and_one_set_forward(tmp_path: Path) -> None:
    back = [f"{name},2024-10-27T02:{m:02}:00,{turn},1" for name in "abc" for turn in (1, 2) for m in (0, 15, 30, 45)]
    forward = [row for row in hourly("d", 24, "2024-03-31") if "T02:" not in row]
    with Store(":memory:") as store:
        told = notes(store.ingest(csv(tmp_path, *back, name="back.csv")))
        assert "2024-10-27 02:00:00" in told["clock set back"]
        told = notes(store.ingest(csv(tmp_path, *forward, name="forward.csv")))
        assert "2024-03-31 02:00:00" in told["clock set forward"]
        assert told["gaps"].startswith("gaps: 1 stretches in 1 workloads")


def test_mixed_zones_are_told_and_each_is_read_with_its_own(tmp_path: Path) -> None:
    times = ["2024-01-01 00:00:00", "2024-01-01T02:00:00+01:00", "2024-01-01T02:00:00Z"]
    with Store(":memory:") as store:
        info = store.ingest(csv(tmp_path, *(f"a,{time},1,1" for time in times)))
        hours = store._frame("select hour(sampled_at) h from usage order by h")["h"].tolist()
    assert hours == [0, 1, 2]
    assert "at +01:00 and at Z and at no offset" in notes(info)["zones"]


@pytest.mark.parametrize(("column", "value"), [("cpu_cores", "1000000"), ("memory_gib", "65536")])
def test_sizes_that_no_machine_has(tmp_path: Path, column: str, value: str) -> None:
    sizes = {"cpu_cores": "4", "memory_gib": "8", column: value}
    (tmp_path / "w.csv").write_text(f"workload,cpu_cores,memory_gib\na,{sizes['cpu_cores']},{sizes['memory_gib']}\n")
    with Store(":memory:") as store:
        info = store.ingest([csv(tmp_path, *hourly("a", 3)), tmp_path / "w.csv"])
    assert notes(info)["units"].startswith("units: 1 workloads: more than 2048")


def test_more_used_than_allocated(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("workload,cpu_cores,memory_gib\na,4,8\nb,400,8\n")
    with Store(":memory:") as store:
        info = store.ingest([csv(tmp_path, *hourly("a", 30), *hourly("b", 30)), tmp_path / "w.csv"])
        demand = store.demand(info.trace_id, Policy())
    assert notes(info)["above capacity"].startswith("above capacity: 1 workloads: use more than they are allocated")
    assert demand.busy.max() > 4


def test_rows_out_of_order_are_told_and_change_nothing(tmp_path: Path) -> None:
    rows = hourly("a", 50)
    mixed = [*rows[25:], *rows[:25]]
    assert "out of order: 1 rows in 1 workloads" in inspect(csv(tmp_path, *mixed)).info.notes[0]
    with Store(":memory:") as store:
        one, two = (store.ingest(csv(tmp_path, *each, name=f"{i}.csv")) for i, each in enumerate((rows, mixed)))
        busy = [store.demand(each.trace_id, Policy()).busy for each in (one, two)]
    assert (busy[0] == busy[1]).all()
