"""Recordings of virtual machines, pods and calls: published figures, and files made by hand, bad rows included."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.demand import Policy
from planner.errors import ScenarioError, TraceError
from planner.store import Store, inspect
from shared import shared
from store.writing import written

OPENB = ("traces", "alibaba-openb-gpu-v2023")
ASSUMED = Policy(profile="single", headroom=0, assumed_cpu_cores=32, assumed_memory_gib=128)


@pytest.mark.slow
def test_gcd_half() -> None:
    archive = shared("traces", "google-2011-gcd-vms", "GCD_VMs_half.tar.gz")
    policy = Policy(assumed_cpu_cores=4, assumed_memory_gib=16)
    with Store(":memory:") as store:
        info = store.ingest(archive)
        row = store._frame(
            "select avg(cpu_percent), stddev(cpu_percent), median(cpu_percent), avg(memory_percent), "
            "max(memory_percent) from usage"
        ).iloc[0]
        kinds = store._frame("select distinct kind from workloads")["kind"].tolist()
        with pytest.raises(ScenarioError, match=r"assumed_cpu_cores.*800 workloads in percent only"):
            store.demand(info.trace_id, Policy())
        demand = store.demand(info.trace_id, policy)
    assert (info.format, info.workloads, info.samples, info.rejected) == ("gcd_vms", 800, 230_400, 0)
    assert (info.lines, info.start, kinds) == (230_400, datetime(1970, 1, 1), ["vm"])  # noqa: DTZ001 - the store's UTC
    assert row.tolist() == pytest.approx([21.679, 13.406, 18.38, 19.791, 131.1], rel=1e-3)
    assert demand.count.sum() == 800
    assert demand.used[:, 0].mean() / (800 * 4) == pytest.approx(0.21679, rel=1e-4)
    assert np.all(demand.busy[:, :24] == demand.busy[:, 24:48])
    assert any("samples are above 100 percent" in note for note in info.notes)


def test_gcd_lines_keep_their_time_whatever_stands_between(tmp_path: Path) -> None:
    """Blanks, tabs, commas, line ends of Windows; a bad line costs its own five minutes only."""
    (tmp_path / "vm_1").write_bytes(b"10 20\r\n 30\t40 \r\nx 1\r\n50,60\r\n\r\n70  80\r\n1 2 3\r\n-1 5")
    written(tmp_path / "vm_2.txt.gz", "1 2", '"3" 4', "5", "6 7", "8 9")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        usage = store._frame("select * from usage order by workload, sampled_at")
        rejects = store.rejects(info.trace_id)
    assert (info.workloads, info.samples, info.rejected, info.lines) == (2, 7, 5, 12)
    assert usage["cpu_percent"].tolist() == [10, 30, 50, 70, 1, 6, 8]
    minutes = usage["sampled_at"].dt.hour * 60 + usage["sampled_at"].dt.minute
    assert minutes.tolist() == [0, 5, 15, 25, 0, 15, 20]
    assert rejects[["file", "line"]].to_numpy().tolist() == [
        ["vm_1", 3], ["vm_1", 7], ["vm_1", 8], ["vm_2.txt.gz", 2], ["vm_2.txt.gz", 3],
    ]  # fmt: skip
    assert [reason.split(":")[0] for reason in rejects["reason"]] == [
        "cpu_percent", "too many fields", "cpu_percent", "cpu_percent", "too few fields",
    ]  # fmt: skip


def test_planetlab_days(tmp_path: Path) -> None:
    for day, percent in (("20110303", 10), ("20110306", 30)):
        for vm in ("host_a", "host_b"):
            written(tmp_path / day / vm, *[str(percent)] * 287, "101")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        days = store._frame("select distinct workload, sampled_at::date as day from usage order by all")
        demand = store.demand(info.trace_id, ASSUMED)
        day = store.ingest(Path(shutil.make_archive(str(tmp_path / "20110303"), "gztar", tmp_path / "20110303")))
        one = store.ingest(tmp_path / "20110306" / "host_a")
    assert (info.format, info.workloads, info.samples, info.rejected, info.lines) == ("planetlab", 2, 1148, 4, 1152)
    assert days["day"].astype(str).tolist() == ["2011-03-03", "2011-03-06"] * 2
    assert days["workload"].tolist() == ["host_a"] * 2 + ["host_b"] * 2
    assert demand.used[0, 0] == pytest.approx(2 * 0.2 * 32)
    assert (str(day.start), str(one.start)) == ("2011-03-03 00:00:00", "2011-03-06 00:00:00")


@pytest.mark.slow
def test_opendc_bitbrains_50() -> None:
    folder = shared("traces", "bitbrains-gwa-t-12")
    files = [folder / "meta.parquet", folder / "trace.parquet"]
    with Store(":memory:") as store:
        info = store.ingest(files)
        sizes = store._frame("select sum(cpu_cores) c, max(memory_gib) m, count(*) n from workloads").iloc[0]
        usage = store._frame("select workload, sampled_at, cpu_percent from usage")
        demand = store.demand(info.trace_id, Policy())
    assert (info.format, info.workloads, info.samples, info.rejected) == ("opendc", 50, 276_979, 0)
    assert str(info.start) == "2013-08-12 13:40:46"
    assert str(info.end)[:16] == "2013-09-11 13:39"
    assert (sizes["c"], sizes["n"]) == (194, 50)
    assert sizes["m"] == pytest.approx(130457600 / 2**20)
    assert len(demand.members) == 50
    trace = pd.read_parquet(files[1]).assign(timestamp=lambda t: t["timestamp"].dt.tz_localize(None))
    both = usage.merge(trace, left_on=["workload", "sampled_at"], right_on=["id", "timestamp"])
    assert len(both) == 276_979
    capacity = pd.read_parquet(files[0]).set_index("id")["cpu_capacity"].reindex(both["id"]).to_numpy()
    weight = capacity * both["duration"]
    assert (both["cpu_percent"] * weight).sum() / weight.sum() == pytest.approx(15.92, abs=0.005)


def test_opendc_tasks_and_fragments(tmp_path: Path) -> None:
    """Fragments have no time: each follows the one before it in the file; memory is MB."""
    start = int(datetime(2022, 10, 6, 22, tzinfo=UTC).timestamp() * 1000)
    tasks = {"id": ["0", "1"], "submission_time": [start, start + 60_000], "duration": [600_000, 300_000],
             "cpu_count": [4, 1], "cpu_capacity": [8000.0, 2000.0], "mem_capacity": [16384, 1024]}  # fmt: skip
    fragments = {"id": ["0", "1", "0", "2"], "duration": [300_000] * 4, "cpu_usage": [4000.0, 500.0, 8000.0, -1.0]}
    pd.DataFrame(tasks).to_parquet(tmp_path / "tasks.parquet")
    pd.DataFrame(fragments).to_parquet(tmp_path / "fragments.parquet")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        usage = store._frame("select * from usage order by workload, sampled_at")
        table = store._frame("select * from workloads order by workload")
    assert (info.format, info.workloads, info.samples, info.rejected, info.lines) == ("opendc", 2, 3, 1, 6)
    assert usage["cpu_cores"].tolist() == [2.0, 4.0, 0.25]
    assert usage["sampled_at"].dt.strftime("%H:%M").tolist() == ["22:00", "22:05", "22:01"]
    assert table["memory_gib"].tolist() == [16.0, 1.0]
    assert table["deleted_at"].dt.strftime("%H:%M").tolist() == ["22:10", "22:06"]


def test_opendc_kilobytes_of_small_machines(tmp_path: Path) -> None:
    """4,194,304 KB are 4 GiB, not the 4 TiB that as many MB would be; a large machine of few cores decides nothing."""
    tasks = "id,submission_time,duration,cpu_count,cpu_capacity,mem_capacity\n{}"
    rows = {"kb": ("a,0,600,2,5200,4194304\nb,0,600,1,2600,262144\n", [4, 0.25]),
            "mb": ("a,0,600,1,5200,131072\nb,0,600,2,2600,4096\nc,0,600,1,2600,2048\n", [128, 4, 2])}  # fmt: skip
    query = "select memory_gib from workloads where trace_id = $id order by workload"
    with Store(":memory:") as store:
        for name, (lines, gib) in rows.items():
            (tmp_path / name).mkdir()
            (tmp_path / name / "tasks.csv").write_text(tasks.format(lines))
            (tmp_path / name / "fragments.csv").write_text("id,duration,cpu_usage\na,300000,100\n")
            info = store.ingest(tmp_path / name)
            assert store._frame(query, {"id": info.trace_id})["memory_gib"].tolist() == gib


def test_opendc_2_0_is_sized_as_allocated(tmp_path: Path) -> None:
    """Its meta tells cores and memory, not what a MHz is worth; ends as a time, or as a duration in ms."""
    start = pd.Timestamp("2013-08-12 13:35:46", tz="UTC")
    ends = [start + pd.Timedelta(hours=2)] * 2
    meta = {"id": ["0", "1"], "submissionTime": [start] * 2, "endTime": ends, "maxCores": [1, 8],
            "requiredMemory": [1024, 16384]}  # fmt: skip
    trace = {"id": ["0", "0", "2"], "time": [start.value // 10**6] * 3, "duration": [300_000] * 3, "cores": [1] * 3,
             "cpuUsage": [2355.4, 12.5, 7.0]}  # fmt: skip
    pd.DataFrame(meta).to_parquet(tmp_path / "meta.parquet")
    pd.DataFrame(trace).to_parquet(tmp_path / "trace.parquet")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        table = store._frame("select cpu_cores, memory_gib, deleted_at from workloads order by workload")
        demand = store.demand(info.trace_id, Policy(profile="single", headroom=0))
    assert (info.format, info.workloads, info.samples, info.rejected, info.lines) == ("opendc", 2, 0, 0, 5)
    assert table.iloc[:, :2].to_numpy().tolist() == [[1, 1], [8, 16]]
    assert table["deleted_at"].astype(str).tolist() == ["2013-08-12 15:35:46"] * 2
    assert demand.count @ demand.peak[:, 0] == pytest.approx(9)
    assert any("2 samples of 1 machines are left out" in note for note in info.notes)
    assert any("1 samples are of 1 machines that no file lists" in note for note in info.notes)


def test_opendc_fragments_without_tasks_say_what_is_missing(tmp_path: Path) -> None:
    fragments = {"id": ["0", "1"], "duration": [300_000] * 2, "cpu_usage": [4000.0, 500.0]}
    pd.DataFrame(fragments).to_parquet(tmp_path / "fragments.parquet")
    told = (
        r"fragments\.parquet: holds no workload; 2 good rows of fragments were read; there is no file of tasks.*; 2 sam"
    )
    with Store(":memory:") as store, pytest.raises(TraceError, match=told):
        store.ingest(tmp_path / "fragments.parquet")
    with pytest.raises(TraceError, match=f"^{told}"):
        inspect(tmp_path / "fragments.parquet")


def test_openb_pods_and_nodes() -> None:
    with Store(":memory:") as store:
        pods = store.ingest(shared(*OPENB, "openb_pod_list_default.csv"))
        nodes = store.ingest(shared(*OPENB, "openb_node_list_all_node.csv"))
        constrained = store.ingest(
            [shared(*OPENB, f"openb_{n}.csv") for n in ("pod_list_gpuspec33", "node_list_gpu_node")]
        )
        whole = store.ingest(shared(*OPENB))
        sums = store._frame("""
            select trace_id, count(*) n, sum(cpu_cores) c, sum(memory_gib) m, sum(gpus) g, any_value(kind) k,
                count(*) filter (interruptible) i
            from workloads group by trace_id
        """).set_index("trace_id")
        demand = store.demand(pods.trace_id, Policy(profile="single"))
    assert {info.format for info in (pods, nodes, constrained, whole)} == {"alibaba_openb"}
    row = sums.loc[pods.trace_id]
    assert (row["n"], row["k"], row["i"]) == (8152, "container", 3398)
    assert row["c"] == pytest.approx(85_436.012)
    assert row["m"] * 1024 == pytest.approx(303_546_211)
    assert row["g"] == pytest.approx(6_086.8, abs=0.05)
    assert sums.loc[nodes.trace_id, ["n", "k", "g"]].tolist() == [1523, "server", 6212]
    assert sums.loc[nodes.trace_id, "c"] == 125_514
    assert sums.loc[nodes.trace_id, "m"] * 1024 == 612_028_416
    assert (whole.workloads, whole.lines) == (8152, 2 * 8152 + 1523 + 1213)
    assert any("1523 nodes" in note for note in whole.notes)
    assert any("1213 nodes with 107018.0 cores" in note for note in constrained.notes)
    assert any("GPU models" in note for note in constrained.notes)
    assert demand.count @ demand.peak[:, 0] == pytest.approx(85_436.012), "requests only: as allocated, no headroom"
    assert "demand.cpu_as_allocated" in {a.name for a in demand.assumptions}


def test_openb_bad_rows_and_short_headers(tmp_path: Path) -> None:
    path = written(
        tmp_path / "openb_pod_list_multigpu20.csv", "name,cpu_milli,memory_mib,num_gpu,gpu_milli",
        "p1,4000,8192,2,500", "p2,x,1,0,0", "p3,1000,1024,0,", "p4,1000,1024,1,2000", ",1,1,0,0",
    )  # fmt: skip
    with Store(":memory:") as store:
        info = store.ingest(path)
        table = store._frame("select workload, cpu_cores, memory_gib, gpus from workloads order by workload")
    assert (info.workloads, info.rejected, info.lines) == (2, 3, 5)
    assert table.iloc[0].tolist() == ["p1", 4.0, 8.0, 1.0]


def test_what_ends_before_it_begins(tmp_path: Path) -> None:
    """A measurement is rejected; of a pod only the end is left out, its size is good."""
    header = (
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time"
    )
    pods = written(
        tmp_path / "pods.csv", header, "a,1000,1024,0,0,,LS,Running,500,400,500", "b,1000,1024,0,0,,LS,Running,5,5,5"
    )
    older = [f"{start},{end},77,0,5,0.5,0.25" + "," * 11 + "1,0," for start, end in ((600, 900), (900, 600), (900, ""))]
    newer = "start_time,end_time,collection_id,instance_index,average_usage.cpus,average_usage.memory"
    usage = written(
        tmp_path / "usage.csv", newer, "600,900,7,0,0.5,0.25", "900,600,7,0,0.5,0.25", "900,900,7,0,0.5,0.25"
    )
    with Store(":memory:") as store:
        info = store.ingest(pods)
        ends = store._frame("select workload, epoch(deleted_at) as t from workloads order by 1")["t"].tolist()
        tasks = store.ingest(written(tmp_path / "task_usage.csv", *older))
        instances = store.ingest(usage)
        reasons = (
            store.rejects(tasks.trace_id)["reason"].tolist() + store.rejects(instances.trace_id)["reason"].tolist()
        )
    assert (info.rejected, tasks.samples, instances.samples, len(reasons)) == (0, 2, 2, 2)
    assert np.isnan(ends[0])
    assert ends[1] == 5
    assert any("1 pods are told to end before they begin" in note for note in info.notes)
    assert all("start_time" in reason and "end_time" in reason for reason in reasons)


def test_azure_functions_2021_sample() -> None:
    with Store(":memory:") as store:
        info = store.ingest(shared("traces", "azure-functions-2019", "azure2021-sample", "Azure2021_200.csv"))
        table = store._frame("select count(distinct application) a, count(*) n, any_value(kind) k from workloads")
        with pytest.raises(TraceError, match="assumed_memory_gib"):
            store.demand(info.trace_id, Policy())
        demand = store.demand(info.trace_id, Policy(assumed_memory_gib=0.25))
    assert (info.format, info.workloads, info.calls, info.lines) == ("azure_functions_2021", 31, 199, 199)
    assert table.iloc[0].tolist() == [13, 31, "function"]
    assert str(info.start) == "2021-01-31 00:00:00"
    assert demand.count.sum() == 31


def test_azure_functions_2021_by_hand(tmp_path: Path) -> None:
    """Calls count in the minute they began in; a func's name is its own in its app only."""
    path = written(
        tmp_path / "AzureFunctionsInvocationTraceForTwoWeeksJan2021.txt", "app,func,end_timestamp,duration",
        "a,f,61.0,2.0", "a,f,61.0,0.5", "b,f,130.0,4", "b,f,1.0,30", "b,g,-1,0", "b,,5,1", "b,g,5,slow",
    )  # fmt: skip
    with Store(":memory:") as store:
        info = store.ingest(path)
        calls = store._frame("select workload, minute, calls, seconds_per_call from calls order by all")
    assert (info.workloads, info.calls, info.rejected, info.lines) == (2, 4, 3, 7)
    assert calls["workload"].tolist() == ["a/f", "a/f", "b/f", "b/f"]
    assert calls["minute"].dt.minute.tolist() == [0, 1, 0, 2]
    assert calls["seconds_per_call"].tolist() == [2.0, 0.5, 30.0, 4.0]
    assert any("1 calls began before" in note for note in info.notes)
