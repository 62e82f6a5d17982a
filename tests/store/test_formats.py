"""The official layouts: what each shared recording holds, counted independently of our code."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pandas as pd
import pytest

from planner.bundle import bundled
from planner.demand import Policy
from planner.errors import ScenarioError, TraceError
from planner.store import Store, formats
from shared import shared

AZURE = ("traces", "azure-vm-v1-sample")
FUNCTIONS = ("traces", "azure-functions-2019")


def test_formats_are_the_files_of_the_folder() -> None:
    assert set(formats()) == {path.stem for path in bundled("sql", "traces").iterdir()}
    assert all(len(title) > 20 for title in formats().values())


def test_azure_vm_sample() -> None:
    with Store(":memory:") as store:
        info = store.ingest(shared(*AZURE))
        sizes = store._frame("select sum(cpu_cores) c, sum(memory_gib) m, avg(cpu_percent_mean) a from workloads")
        readings = store._frame("select avg(cpu_percent) a from usage")["a"][0]
        demand = store.demand(info.trace_id, Policy())
    assert (info.format, info.workloads, info.samples, info.rejected, info.lines) == ("azure_vm", 10, 100, 0, 110)
    assert sizes.iloc[0].tolist() == pytest.approx([38, 233.5, 16.320], rel=1e-3)
    assert readings == pytest.approx(7.5457, rel=1e-4)
    assert any("100 readings name 100 VMs" in note for note in info.notes)
    assert any("10 of 10 VMs have no readings" in note for note in info.notes)
    table = pd.read_csv(shared(*AZURE, "vmtable", "vmtable.csv.gz"), header=None)
    needed = (table[7] / 100 * table[9]).sum() * 1.15
    assert demand.count @ demand.peak[:, 0] == pytest.approx(needed)
    assert demand.used[0, 0] == pytest.approx((table[6] / 100 * table[9]).sum())
    assert "demand.cpu_by_summary" in {a.name for a in demand.assumptions}


def test_azure_vm_v2_buckets_and_files(tmp_path: Path) -> None:
    rows = [
        "vm1,s,d,0,2591700,90,10,80,Interactive,>24,>64",
        "vm2,s,d,300,900,50,5,40,Unkown,4,32",
    ]
    table = tmp_path / "vmtable.csv"
    table.write_text("\n".join(rows))
    readings = tmp_path / "vm_cpu_readings-file-1-of-195.csv.gz"
    with gzip.open(readings, "wt") as out:
        out.writelines(f"{t},vm{v},1,9,{5 * v}\n" for t in range(0, 3600, 300) for v in (1, 2))
    with Store(":memory:") as store:
        info = store.ingest([table, readings])
        sizes = store._frame("select cpu_cores, memory_gib from workloads order by workload").to_numpy()
        demand = store.demand(info.trace_id, Policy(profile="single", headroom=0))
        only = store.ingest(readings)
        with pytest.raises(ScenarioError, match="assumed_cpu_cores"):
            store.demand(only.trace_id, Policy())
        assumed = store.demand(only.trace_id, Policy(assumed_cpu_cores=2, assumed_memory_gib=8, profile="single"))
    assert sizes.tolist() == [[30, 70], [4, 32]]
    assert demand.mean[:, 0, 0] == pytest.approx([1.5, 0.4])
    assert demand.busy[:, 0, 1] == pytest.approx([70, 32])
    assert (only.workloads, only.samples) == (2, 24)
    assert assumed.mean[:, 0, 0] == pytest.approx([0.1, 0.2])
    assert {"demand.assumed_cpu_cores", "demand.assumed_memory_gib"} <= {a.name for a in assumed.assumptions}


def test_azure_vm_lives_one_interval_at_least_and_counts_once(tmp_path: Path) -> None:
    ends = {"none": "900,", "same": "900,900", "before": "900,300", "after": "900,1500", "twice": "0,900"}
    rows = [f"{vm},s,d,{end},90,10,80,Interactive,4,8" for vm, end in ends.items()]
    (tmp_path / "vmtable.csv").write_text("\n".join([*rows, "twice,s,d,0,900,90,10,80,Interactive,2,8", ""]))
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        lives = store._frame(
            "select workload, date_diff('second', created_at, deleted_at) as s, cpu_cores from workloads"
        )
    seconds = lives.dropna().set_index("workload")["s"].to_dict()
    assert seconds == {"same": 300, "before": 300, "after": 600, "twice": 900}
    assert (info.workloads, lives.set_index("workload").loc["twice", "cpu_cores"]) == (5, 2)
    assert "1 lines of the table name a VM that another line names; one of each counts" in info.notes


def test_bitbrains_one_vm() -> None:
    path = shared("traces", "bitbrains-gwa-t-12", "fastStorage_sample_1vm.csv.gz")
    with Store(":memory:") as store:
        info = store.ingest(path)
        row = store._frame("""
            select avg(cpu_percent) a, max(cpu_percent) b, avg(memory_percent) m, avg(100 * cpu_cores) c from usage
        """).iloc[0]
    assert (info.format, info.workloads, info.samples, info.rejected) == ("bitbrains", 1, 8619, 0)
    assert row["a"] == pytest.approx(0.2799, abs=1e-4)
    assert row["b"] == pytest.approx(12.6, abs=0.05)
    assert row["m"] == pytest.approx(5.85, abs=0.01)
    assert row["c"] == pytest.approx(0.2799, abs=1e-4)
    assert str(info.start) == "2013-08-12 13:40:46"


BITBRAINS = (
    "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\t"
    "Memory capacity provisioned [KB];\tMemory usage [KB];\tDisk read throughput [KB/s];\t"
    "Disk write throughput [KB/s];\tNetwork received throughput [KB/s];\tNetwork transmitted throughput [KB/s]"
)


def test_bitbrains_folder_of_months_and_header_variants(tmp_path: Path) -> None:
    row = "{};\t2;\t5000;\t500;\t10;\t2097152;\t1048576;\t0;\t1;\t0;\t1024"
    for month, second in (("2013-7", 1375000000), ("2013-8", 1377000000000)):
        (tmp_path / month).mkdir()
        for vm in (1, 2):
            header = BITBRAINS if vm == 1 else BITBRAINS.replace(";\t", ";").lower()
            (tmp_path / month / f"{vm}.csv").write_text(f"{header}\n{row.format(second)}\n")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        usage = store._frame("select * from usage order by workload, sampled_at")
    assert (info.workloads, info.samples, info.rejected) == (2, 4, 0)
    assert usage["workload"].tolist() == ["1", "1", "2", "2"]
    assert usage["sampled_at"].dt.month.tolist() == [7, 8, 7, 8]
    assert usage["cpu_cores"].tolist() == pytest.approx([0.2] * 4)
    assert usage["memory_gib"].tolist() == pytest.approx([1.0] * 4)
    assert usage["network_out_mib_per_s"].tolist() == [1.0] * 4


def test_bitbrains_blank_cells_are_nothing(tmp_path: Path) -> None:
    """Behind the official `;` and tab a blank cell is a tab: no use of disk is told, CPU by its percent alone."""
    rows = [
        "1376314846;\t2;\t5000;\t500;\t10;\t2097152;\t1048576;\t0;\t1;\t0;\t1024",
        "1376315146;\t2;\t5000;\t;\t20;\t2097152;\t1048576;\t;\t \t;\t0;\t",
        "1376315446;\t2;\t5000;\t;\t;\t2097152;\t1048576;\t0;\t1;\t0;\t1024",
    ]
    (tmp_path / "1.csv").write_text("\n".join([BITBRAINS, *rows, ""]))
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        usage = store._frame(
            "select cpu_cores, disk_read_mib_per_s, network_out_mib_per_s from usage order by sampled_at"
        )
        why = store.rejects(info.trace_id)["reason"].tolist()
    assert usage["cpu_cores"].tolist() == pytest.approx([0.2, 0.4])
    assert usage.iloc[1, 1:].isna().all()
    assert (info.samples, why) == (2, ["expected at least one of cpu_usage_mhz, cpu_usage_percent"])


@pytest.mark.parametrize(("delimiter", "point"), [(",", "."), ("\t", "."), (";", "."), (";", ",")])
def test_bitbrains_saved_again_with_another_delimiter(tmp_path: Path, delimiter: str, point: str) -> None:
    rows = [
        f"{1376314846 + 300 * n};\t2;\t5000.0;\t500.0;\t10.0;\t2097152;\t1048576;\t0;\t1;\t0;\t1024" for n in range(3)
    ]
    path = tmp_path / "1.csv"
    path.write_text("\n".join([BITBRAINS, *rows, ""]).replace(".0;", f"{point}0;").replace(";\t", delimiter))
    with Store(":memory:") as store:
        info = store.ingest(path)
        usage = store._frame("select distinct workload, cpu_cores, memory_gib from usage")
    assert (info.format, info.workloads, info.samples, info.rejected) == ("bitbrains", 1, 3, 0)
    assert usage.to_numpy().tolist() == [["1", 0.2, 1.0]]


@pytest.mark.parametrize(
    ("name", "functions", "calls", "gb_seconds"),
    [("dirigent-250", 250, 567_403, 20_205.66), ("dirigent-100", 100, 339_657, 7_018.54)],
)
def test_azure_functions(name: str, functions: int, calls: int, gb_seconds: float) -> None:
    with Store(":memory:") as store:
        info = store.ingest(shared(*FUNCTIONS, name))
        demand = store.demand(info.trace_id, Policy())
    assert (info.format, info.workloads, info.calls, info.rejected) == ("azure_functions", functions, calls, 0)
    assert round(info.gb_seconds, 2) == gb_seconds
    assert (info.start.hour, info.end.hour) == (8, 15)
    month = demand.requests_per_s @ demand.hours * 3600
    assert demand.count @ month == pytest.approx(calls / 8 * 730)


def test_azure_functions_official_days(tmp_path: Path) -> None:
    """Two days, the application's memory, durations of one day only, a function that is silent on the second day."""
    minutes = ",".join(map(str, range(1, 1441)))
    calls = {1: [("f", 2), ("g", 1)], 2: [("f", 4)]}
    for day, rows in calls.items():
        lines = [f"o,a,{f},http,{n}" + ",0" * 1439 for f, n in rows]
        head = f"HashOwner,HashApp,HashFunction,Trigger,{minutes}"
        path = tmp_path / f"invocations_per_function_md.anon.d{day:02}.csv"
        path.write_text("\n".join([head, *lines, ""]))
    (tmp_path / "function_durations_percentiles.anon.d01.csv").write_text(
        "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum\no,a,f,500,2,1,1\n"
    )
    (tmp_path / "app_memory_percentiles.anon.d01.csv").write_text(
        "HashOwner,HashApp,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1\no,a,10,1024,1\n"
    )
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        demand = store.demand(info.trace_id, Policy(profile="single"))
    assert (info.workloads, info.calls, info.samples) == (2, 7, 2 * 2880)
    assert (info.end - info.start).total_seconds() == 2 * 86400 - 60
    assert info.gb_seconds == pytest.approx(6 * 0.5 * 1)
    assert any("1 of 2 functions have no duration" in note for note in info.notes)
    assert demand.requests_per_s[:, 0] == pytest.approx([6 / 172800, 1 / 172800])
    assert demand.workloads["seconds_per_request"].tolist() == [0.5, 0.5]
    assert "demand.function_seconds_inferred" in {a.name for a in demand.assumptions}


def test_azure_functions_days_by_other_names(tmp_path: Path) -> None:
    """day1 and day2 are two days; two files of one day are added up, and that is told."""
    for name in ("day1", "calls_day_02", "Invocations-D3"):
        (tmp_path / f"{name}.csv").write_text("HashOwner,HashApp,HashFunction,Trigger,1,1440\no,a,f,http,2,3\n")
    for name in ("cloud7", "first"):
        (tmp_path / "same" / f"{name}.csv").parent.mkdir(exist_ok=True)
        (tmp_path / "same" / f"{name}.csv").write_text(f"HashOwner,HashApp,HashFunction,1\no,a,f,{len(name)}\n")
    with Store(":memory:") as store:
        days = store.ingest([tmp_path / f"{name}.csv" for name in ("day1", "calls_day_02", "Invocations-D3")])
        same = store.ingest(tmp_path / "same")
    assert (days.calls, (days.end - days.start).total_seconds()) == (15, 3 * 86400 - 60)
    assert not any("several rows" in note for note in days.notes)
    assert (same.calls, same.samples) == (11, 1)
    assert any(note.startswith("1 functions have several rows of one day") for note in same.notes)


def test_azure_functions_without_durations_or_invocations(tmp_path: Path) -> None:
    for kind in ("invocations", "memory"):
        shutil.copy(shared(*FUNCTIONS, "dirigent-100", f"{kind}.csv.gz"), tmp_path)
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        assert any("no durations file" in note for note in info.notes)
        with pytest.raises(TraceError, match="add durations"):
            store.demand(info.trace_id, Policy())
        with pytest.raises(TraceError, match="needs invocations"):
            store.ingest(tmp_path / "memory.csv.gz", format="azure_functions")
