"""Google and Alibaba: sizes that are shares of a machine whose size the scenario assumes."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from planner.bundle import bundled
from planner.demand import Policy
from planner.errors import ScenarioError
from planner.store import Store
from planner.store.database import sections, sql
from store.writing import written

ASSUMED = Policy(profile="single", headroom=0, assumed_cpu_cores=32, assumed_memory_gib=128)


def usage_2011(start: int, task: int, cpu: object, memory: object) -> str:
    return f"{start}000000,{start + 300}000000,77,{task},5,{cpu},{memory},,,,,,,,,,,1,0,"


def event_2011(second: int, task: int, kind: int, *request: float) -> str:
    cpu, memory = request or ("", "")
    return f"{second}000000,,77,{task},5,{kind},who,1,0,{cpu},{memory},,1"


def test_google_2011_tasks_are_shares_of_an_assumed_machine(tmp_path: Path) -> None:
    rows = [usage_2011(600 + 300 * i, task, 0.01 * (task + 1), 0.02) for i in range(20) for task in (0, 1)]
    bad = [usage_2011(600, 0, "x", 0.1), "1,2,3", usage_2011(600, 0, -1, 0.1), usage_2011(600, 0, "", "")]
    written(tmp_path / "task_usage" / "part-00000-of-00500.csv.gz", *rows, *bad)
    events = [event_2011(0, 0, 0, 0.125, 0.25), event_2011(0, 0, 1), event_2011(900, 0, 4)]
    written(tmp_path / "task_events" / "part-00000-of-00500.csv.gz", *events)
    written(
        tmp_path / "machine_events" / "part-00000-of-00001.csv.gz",
        "0,5,0,p,0.5,0.25",
        "0,6,0,p,1,1",
        "9223372036854775807,6,1,p,,",
    )
    written(tmp_path / "job_events" / "part-00000-of-00500.csv.gz", "0,,77,0,who,1,job,logical")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        table = store._frame("select * from workloads order by workload")
        with pytest.raises(ScenarioError, match="assumed_cpu_cores"):
            store.demand(info.trace_id, Policy())
        demand = store.demand(info.trace_id, ASSUMED)
        asked = store.demand(info.trace_id, ASSUMED.model_copy(update={"sizing": "allocated"}))
        machines = store.ingest(tmp_path / "machine_events")
        owned = store.demand(machines.trace_id, ASSUMED)
    assert (info.format, info.workloads, info.samples, info.rejected, info.lines) == ("google_2011", 2, 40, 4, 51)
    assert str(info.start) == "2011-05-01 23:00:00", "600 s are 19:00 EDT"
    assert table["workload"].tolist() == ["77-0", "77-1"]
    assert table["kind"].tolist() == ["container"] * 2
    assert table["cpu_share"].tolist() == pytest.approx([0.125, 0.02])
    assert table["deleted_at"].dropna().astype(str).tolist() == ["2011-05-01 23:05:00"]
    assert table["spread_group"].tolist()[0] == "77"
    assert demand.mean[:, 0, 0].tolist() == pytest.approx([0.32, 0.64])
    assert demand.busy[:, 0, 1].tolist() == pytest.approx([2.56, 2.56])
    assert asked.busy[:, 0, 0].tolist() == pytest.approx([0.125 * 32, 0.02 * 32])
    assert asked.busy[:, 0, 1].tolist() == pytest.approx([0.25 * 128, 0.02 * 128])
    told = {a.name: a for a in demand.assumptions}["demand.assumed_cpu_cores"]
    assert (told.value, "2 of them as shares of the largest machine" in told.source) == (32, True)
    assert any("2 machines" in note for note in info.notes)
    assert owned.count @ owned.busy[:, 0, 0] == pytest.approx(1.5 * 32)
    assert owned.workloads["kind"].tolist() == ["server"] * 2


def test_google_2011_first_release_lacks_the_last_column(tmp_path: Path) -> None:
    rows = [usage_2011(600, task, 0.5, 0.5).removesuffix(",") for task in range(9)]
    with Store(":memory:") as store:
        info = store.ingest(written(tmp_path / "part-00000-of-00500.csv", *rows))
    assert (info.format, info.workloads, info.samples) == ("google_2011", 9, 9)


def test_google_2019(tmp_path: Path) -> None:
    head = "start_time,collection_id,instance_index,collection_type,{0}.cpus,{0}.memory,assigned_memory"
    rows = [f"{600 + 300 * i}000000,9,{n},{n // 2},0.25,0.5,1" for i in range(3) for n in (0, 1, 2)]
    written(
        tmp_path / "instance_usage.csv",
        head.format("average_usage"),
        *rows,
        "a,b,c,d,e,f,g",
        "600000000,9,1,0,,,",
    )
    written(
        tmp_path / "instance_events.csv.gz", "time,type,collection_id,instance_index,priority,resource_request.cpus,"
        "resource_request.memory", "0,SUBMIT,9,0,25,0.5,0.75", "0,3,9,1,200,,", "1200000000,6,9,0,25,0.5,0.75",
    )  # fmt: skip
    written(tmp_path / "machine_events.csv", "time,machine_id,type,capacity.cpus,capacity.memory", "0,5,1,1.0,0.5")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        table = store._frame("select * from workloads order by workload")
        demand = store.demand(info.trace_id, ASSUMED)
    assert (info.format, info.workloads, info.samples, info.rejected, info.lines) == ("google_2019", 2, 9, 2, 15)
    assert str(info.start) == "2019-05-01 07:00:00"
    assert table["workload"].tolist() == ["9-0", "9-1"], "the alloc set only reserves"
    assert table["memory_share"].tolist() == [0.75, 0.5]
    assert table["interruptible"].tolist() == [True, False]
    assert table["deleted_at"].dropna().astype(str).tolist() == ["2019-05-01 07:10:00"]
    assert demand.count @ demand.mean[:, 0, 0] == pytest.approx(2 * 0.25 * 32)


def nested(row: dict[str, str]) -> dict[str, object]:
    """A row as BigQuery exports it: whole numbers as texts, records as objects, and nothing of what is null."""
    told: dict[str, object] = {}
    for name, value in row.items():
        record, _, field = name.rpartition(".")
        if value and record:
            told.setdefault(record, {})[field] = float(value)  # type: ignore[index]
        elif value:
            told[name] = value
    return told


@pytest.mark.parametrize("form", ["an object a line", "a list", "Parquet"])
def test_google_2019_with_nested_fields_is_the_same_recording(tmp_path: Path, form: str) -> None:
    sample = bundled("datasets", "samples", "google_2019")
    for path in sorted(sample.glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            rows = [nested(row) for row in csv.DictReader(stream)]
        if form == "Parquet":
            pd.DataFrame(rows).to_parquet(tmp_path / path.name)
            continue
        lines = [json.dumps(rows)] if form == "a list" else [json.dumps(row) for row in rows]
        written(tmp_path / path.name.replace(".csv", ".json"), *lines)
    with Store(":memory:") as store:
        flat, deep = store.ingest(sample), store.ingest(tmp_path)
        plain, other = (store.demand(info.trace_id, ASSUMED) for info in (flat, deep))
    assert (deep.format, deep.workloads, deep.samples, deep.rejected) == (
        "google_2019",
        flat.workloads,
        flat.samples,
        0,
    )
    np.testing.assert_array_equal(other.busy, plain.busy)
    np.testing.assert_array_equal(other.mean, plain.mean)


ALIBABA = {
    "machine_meta": ["m_1,0,1,2,96,100,USING", "m_1,50,1,2,96,100,USING", "m_2,0,1,2,96,50,USING"],
    "machine_usage": [f"m_{m},{t},20,40,,,40.5,33,5" for t in range(0, 600, 60) for m in (1, 2)],
    "container_meta": ["c_1,m_1,0,app_1,started,400,400,1.5625", "c_2,m_1,0,app_1,started,800,800,3.125"],
    "container_usage": [f"c_{c},m_1,{t},{25 * c},50,,,,0.1,0.2,5" for t in range(0, 600, 60) for c in (1, 2)],
    "batch_task": ["M1,10,j_1,1,Terminated,100,400,50,0.5", "R2_1,2,j_1,1,Terminated,400,700,100,1"],
    "batch_instance": [
        "ins_1,M1,j_1,1,Terminated,150,450,m_1,1,1,100,120,2,3",
        "ins_2,M1,j_1,1,Terminated,600,600,m_2,1,1,300,300,1,1",
        "ins_3,R2_1,j_1,1,Running,600,0,m_2,1,1,,,,",
    ],
}


def alibaba(folder: Path, *names: str) -> Path:
    for name in names:
        written(folder / f"{name}.csv", *ALIBABA[name])
    return folder


def test_alibaba_2018_containers_and_batch(tmp_path: Path) -> None:
    with Store(":memory:") as store:
        info = store.ingest(alibaba(tmp_path, *ALIBABA))
        table = store._frame("select * from workloads order by workload")
        pools = store._frame("select * from usage where starts_with(workload, 'batch/') order by workload, sampled_at")
        demand = store.demand(info.trace_id, ASSUMED)
    assert (info.format, info.rejected, info.lines) == ("alibaba_2018", 0, 3 + 20 + 2 + 20 + 2 + 3)
    assert table["workload"].tolist() == ["batch/m_1", "batch/m_2", "c_1", "c_2"]
    assert table["cpu_cores"].tolist()[2:] == [4, 8]
    assert table["memory_share"].tolist()[2:] == [1 / 64, 1 / 32]
    assert pools["cpu_cores"].tolist() == pytest.approx([0.5, 0.5, 0, 0, 0, 0.01])
    assert pools["cpu_cores"].sum() * 300 == pytest.approx(1 * 300 + 3 * 1), "core-seconds are kept, a second at least"
    used = dict(zip(demand.members["workload"], demand.mean[demand.members["class"], 0].tolist(), strict=True))
    assert used["c_1"][:2] == pytest.approx([1.0, 1.0])
    assert used["c_2"][:2] == pytest.approx([4.0, 2.0])
    assert any("2 machines with 192.0 cores" in note for note in info.notes)
    assert any("1 of 3 batch instances" in note for note in info.notes)


def test_alibaba_2018_machines_alone_are_servers(tmp_path: Path) -> None:
    rows = ["m_1,600,101,-1,,,,,", "m_1,660,-1,50,,,,,", "m_1,720,200,5,,,,,", "m_1,x,1,1,,,,,"]
    written(tmp_path / "machine_usage.csv", *ALIBABA["machine_usage"], *rows)
    alibaba(tmp_path, "machine_meta")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        demand = store.demand(info.trace_id, ASSUMED)
        only = store.ingest(tmp_path / "machine_usage.csv")
        assumed = store.demand(only.trace_id, ASSUMED)
    assert (info.format, info.workloads, info.samples, info.rejected, info.lines) == ("alibaba_2018", 2, 22, 2, 27)
    assert demand.workloads["kind"].tolist() == ["server"] * 2
    assert demand.mean[:, 0, 0] == pytest.approx([19.2, 19.2]), "101 and -1 count as missing"
    assert demand.mean[:, 0, 1] == pytest.approx([0.4 * 128 * 1 + (0.5 - 0.4) * 128 / 11, 0.4 * 64])
    assert any("2 of 22 samples have an invalid" in note for note in info.notes)
    assert assumed.mean[:, 0, 0] == pytest.approx([0.2 * 32] * 2)


def test_alibaba_2018_batch_tasks_alone_are_as_asked_for(tmp_path: Path) -> None:
    with Store(":memory:") as store:
        info = store.ingest(alibaba(tmp_path, "batch_task"))
        demand = store.demand(info.trace_id, ASSUMED)
    assert (info.format, info.workloads) == ("alibaba_2018", 2)
    assert demand.busy[:, 0, 0].tolist() == pytest.approx([5.0, 2.0])
    assert demand.busy[:, 0, 1].tolist() == pytest.approx([0.05 * 128, 0.02 * 128])


ALIBABA_2017 = {
    "server_event": ["0,1,add,,64,1,1", "0,2,add,,64,0.5,1", "50,2,softerror,disk_full,,,"],
    "server_usage": [f"{t},{m},25,40,10,1,1,1" for t in (300, 600) for m in (1, 2)],
    "container_event": [
        "0,Create,1,1,4,0.125,0.1,0|1|32|33",
        "400,Create,2,1,8,0.25,0.1,2|3",
        "900,Remove,2,1,8,0.25,0.1,2|3",
    ],
    "container_usage": ["300,1,50,40,5,1,1,1,1.2,0.5,1.9,0.9", "600,1,25,-1,5,1,1,1,,,,", "600,9,10,20,5,1,1,1,,,,"],
    "batch_task": ["100,400,1,2,10,Terminated,50,0.005", "-10,0,4,7,393,Waiting,,"],
    "batch_instance": [
        "150,450,1,2,1,Terminated,1,1,2,1.5,0.02,0.01",
        "-50,30,1,3,1,Terminated,1,1,9,3,0.02,0.01",
        "0,0,4,7,2,Waiting,1,1,,,,",
        "600,0,1,2,2,Running,1,1,1,1,0.01,0.01",
    ],
}


def test_alibaba_2017_containers_and_batch(tmp_path: Path) -> None:
    """Containers in percent of what they asked for; instances' cores, the average behind the maximum, by time."""
    for name, rows in ALIBABA_2017.items():
        written(tmp_path / f"{name}.csv", *rows)
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        table = store._frame("select * from workloads order by workload").replace({np.nan: None})
        columns = "epoch(sampled_at) as t, cpu_cores, memory_percent"
        usage = store._frame(f"select workload, {columns} from usage where workload[1] <> 'm' order by workload, t")
    assert (info.format, info.rejected, info.lines) == ("alibaba_2017", 0, 3 + 4 + 3 + 3 + 2 + 4)
    assert table["workload"].tolist() == ["batch/m_1", "c_1", "c_2", "c_9"]
    assert table["cpu_cores"].tolist()[1:] == [4, 8, None]
    assert table["memory_share"].tolist()[1:] == [0.125, 0.25, None]
    assert [str(t)[11:19] for t in table.loc[2, ["created_at", "deleted_at"]]] == ["00:06:40", "00:15:00"]
    assert usage.replace({np.nan: None}).to_numpy().tolist() == [
        ["batch/m_1", 0, (150 * 1.5 + 30 * 3) / 300, 180 * 1 / 300], ["batch/m_1", 300, 150 * 1.5 / 300, 150 * 1 / 300],
        ["c_1", 300, 2, 5], ["c_1", 600, 1, None], ["c_9", 600, None, 20],
    ]  # fmt: skip
    for words in ("2 machines with 128.0 cores", "2 of 4 batch instances", "1 containers have usage and no event"):
        assert any(words in note for note in info.notes), words


def test_alibaba_2017_servers_or_tasks_alone(tmp_path: Path) -> None:
    servers, tasks = tmp_path / "servers", tmp_path / "batch_task.csv"
    for name in ("server_event", "server_usage"):
        written(servers / f"{name}.csv", *ALIBABA_2017[name])
    written(tasks, *ALIBABA_2017["batch_task"], "1,2,3,4,5,Lost,100,0.1")
    with Store(":memory:") as store:
        info = store.ingest(servers)
        demand = store.demand(info.trace_id, ASSUMED)
        asked = store.ingest(tasks)
        sizes = store._frame("select workload, cpu_cores, memory_share from workloads where cpu_cores < 64 order by 1")
    assert demand.workloads["kind"].tolist() == ["server"] * 2
    assert demand.mean[:, 0, :2].tolist() == [pytest.approx([16, 0.4 * 128]), pytest.approx([16, 0.4 * 64])]
    assert (asked.workloads, asked.rejected) == (2, 1)
    assert sizes.to_numpy().tolist() == [["1/2", 5.0, pytest.approx(0.05)]]


def test_a_size_may_be_a_share_in_an_older_workspace(tmp_path: Path) -> None:
    """A workspace of schema 1 gets the columns when it is opened."""
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(sections(sql("schema.sql"))[0])
        connection.execute("create table schema_version as select 1::integer as version")
    with Store(path) as store:
        assert store.ingest(bundled("datasets", "samples", "planetlab")).workloads == 12
