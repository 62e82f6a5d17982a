"""Inventories without a time series: one reading with a stated spread, or an average and a maximum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.bundle import bundled
from planner.demand import Demand, Policy
from planner.errors import ScenarioError, TraceError
from planner.samples.aws_migration_hub import HEADER as AWS
from planner.samples.azure_migrate import HEADER as AZURE
from planner.store import Store, TraceInfo
from shared import shared

SINGLE = Policy(profile="single", headroom=0)


def _read(path: Path, policy: Policy = SINGLE) -> tuple[TraceInfo, Demand, pd.DataFrame]:
    with Store(":memory:") as store:
        info = store.ingest(path)
        return info, store.demand(info.trace_id, policy), store.rejects(info.trace_id)


def _azure(folder: Path, *rows: dict[str, object], header: tuple[str, ...] = AZURE) -> Path:
    path = folder / "import.csv"
    pd.DataFrame(list(rows), columns=list(header)).to_csv(path, index=False)
    return path


def test_the_azure_template_as_published() -> None:
    path = shared("traces", "import-templates", "AzureMigrateimporttemplate.csv")
    assert path.read_text(encoding="utf-8-sig").splitlines()[0].split(",") == list(AZURE)
    info, demand, _ = _read(path)
    assert (info.format, info.workloads, info.samples, info.rejected, info.lines) == ("azure_migrate", 2, 0, 0, 2)
    assert demand.workloads["workload"].tolist() == ["FS01.tailwindtraders.org", "WEB01.tailwindtraders.org"]
    assert demand.mean[:, 0] == pytest.approx(np.array([[0.5, 1.0, 0, 60], [0.1, 0.6, 0, 50]]))
    assert demand.busy[:, 0, :2] == pytest.approx(np.array([[1.0, 1.57], [0.2, 0.942]]))
    assert demand.workloads["disk_iops"].tolist() == [550, 150]
    assert demand.workloads["network_gib_per_month"].isna().all()


def test_one_reading_is_planned_for_with_the_stated_spread_and_says_so(tmp_path: Path) -> None:
    row = {"*Server name": "a", "*Cores": 8, "*Memory (In MB)": 16384, "*OS name": "x"}
    readings = {"CPU utilization percentage": 20, "Memory utilization percentage": 90}
    path = _azure(tmp_path, row | readings)
    info, demand, _ = _read(path, Policy(headroom=0.1, reading_cpu_spread=3))
    assert demand.mean[0, :, 0] == pytest.approx(1.6)
    assert demand.busy[0, :, 0] == pytest.approx(3 * 1.6 * 1.1)
    assert demand.busy[0, :, 1] == pytest.approx(16 * 1.1), "no more than all of it is planned for, before headroom"
    told = {a.name: a for a in demand.assumptions}
    assert told["demand.cpu_by_one_reading"].value == 1
    assert "3 times" in told["demand.cpu_by_one_reading"].source
    assert told["demand.memory_by_one_reading"].value == 1
    assert any("instant inventory: 1 of 1" in note for note in info.notes)
    assert (info.quality["stars_1"], info.quality["active"]) == (1, 1)


@pytest.mark.parametrize("cpu", [0, 3, 50])
def test_the_reading_tells_how_active_a_server_is(tmp_path: Path, cpu: float) -> None:
    row = {"*Server name": "a", "*Cores": 2, "*Memory (In MB)": 1024, "*OS name": "x"}
    readings = {"CPU utilization percentage": cpu, "Memory utilization percentage": cpu}
    info, _, _ = _read(_azure(tmp_path, row | readings))
    assert info.quality[{0: "zombie", 3: "idle", 50: "active"}[cpu]] == 1


def test_azure_headers_without_stars_and_up_to_twenty_disks(tmp_path: Path) -> None:
    plain = tuple(name.removeprefix("*").replace("IP addresses", "IP address") for name in AZURE[:17])
    disks = tuple(f"Disk {n} size (In GB)" for n in range(1, 21))
    row = dict.fromkeys(disks, 10) | {
        "Server name": "a", "Cores": 4, "Memory (In MB)": 2048, "OS name": "x", "IP address": "1.1.1.1;2.2.2.2",
        "Server type": "Physical", "OS architecture": "ARM64",
    }  # fmt: skip
    info, demand, _ = _read(_azure(tmp_path, row, header=plain + disks))
    assert info.format == "azure_migrate"
    first = demand.workloads.iloc[0]
    assert first[["kind", "arch", "cpu_cores", "memory_gib", "storage_gib"]].tolist() == ["server", "arm64", 4, 2, 200]
    assert info.quality["unknown"] == 1
    assert any("1 of 1 servers have no CPU utilisation" in note for note in info.notes)


def test_fractions_behind_a_comma_between_semicolons(tmp_path: Path) -> None:
    """As spreadsheets of many countries save them; ``12,345`` alone might be thousands, beside ``45,5`` it is none."""
    azure = "Server name;Cores;Memory (In MB);OS name;CPU utilization percentage;Disk 1 size (In GB)\n"
    aws = "HostName;CPU.NumberOfCores;RAM.TotalSizeInMB;CPU.UsagePct.Avg;CPU.UsagePct.Max\n"
    files = {
        "good": azure + "a;4;8192;x;12,345;100,5\nb;4;8192;x;45,5;\n",
        "bad row": azure + 'a;4;8192;"x;y";12,345;100,5\nb;4;8192;x;45,5;"\nc;4;8192;x;1.024,5;7\n',
        "either": azure + "a;4;8192;x;12,345;\nb;4;8192;x;50;\n",
        "mixed": azure + "a;4;8192;x;12,5;\nb;4;8192;x;50.5;\n",
        "aws": aws + "a;4;8192;12,345;45,5\n",
    }
    told = {"good": [("a", 12.345, 100.5), ("b", 45.5, None)], "bad row": [("a", 12.345, 100.5)],
            "either": [("b", 50, None)], "mixed": [("b", 50.5, None)], "aws": [("a", 12.345, None)]}  # fmt: skip
    why = {
        "bad row": ["broken quote", "cpu_utilization_percentage"],
        "either": ["cpu_utilization_percentage"],
        "mixed": ["cpu_utilization_percentage"],
    }
    query = "select workload, cpu_percent_mean, storage_gib from workloads where trace_id = $id order by workload"
    with Store(":memory:") as store:
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text)
            info = store.ingest(tmp_path / f"{name}.csv")
            found = store._frame(query, {"id": info.trace_id}).astype(object)
            assert [*map(tuple, found.where(found.notna(), None).to_numpy().tolist())] == told[name], name
            rejected = store.rejects(info.trace_id)["reason"].tolist()
            assert [reason.split(":")[0] for reason in rejected] == why.get(name, []), name


def test_storage_in_use_stands_for_disks_that_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "Server name,Cores,Memory (In MB),OS name,Storage in use (In GB)\na,1,1024,x,30\na,1,1024,x,30\n"
    )
    info, demand, _ = _read(tmp_path / "a.csv")
    assert demand.workloads["storage_gib"].tolist() == [30]
    assert any("listed more than once" in note for note in info.notes)
    assert any("the storage in use stands for it" in note for note in info.notes)


def test_the_mandatory_columns_of_azure_are_enough_beside_a_file_with_disks_too(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    short = "*Server name,*Cores,*Memory (In MB),*OS name\n"
    (tmp_path / "one" / "short.csv").write_text(f"{short}a,4,8192,x\n ,4,8192,x\n")
    _azure(tmp_path / "one", {"*Server name": "b", "*Cores": 2, "*Memory (In MB)": 1024, "Disk 1 size (In GB)": 30})
    with Store(":memory:") as store:
        for name in ("auto", "azure_migrate"):
            info = store.ingest(tmp_path / "one" / "short.csv", name)
            assert (info.format, info.workloads, info.rejected) == ("azure_migrate", 1, 1)
        info = store.ingest(tmp_path / "one")
        query = (
            f"select workload, cpu_cores, storage_gib from workloads where trace_id = '{info.trace_id}' order by all"
        )
        found = store._frame(query)
        (tmp_path / "lacks.csv").write_text("Server name,Memory\na,8192\n")
        with pytest.raises(TraceError, match="the header lacks cores; "):
            store.ingest(tmp_path / "lacks.csv", "azure_migrate")
    assert found["workload"].tolist() == ["a", "b"]
    assert found["storage_gib"].isna().tolist() == [True, False]
    assert (info.rejected, info.lines) == (1, 3)


BAD_AZURE = {
    "no name": ({"*Server name": ""}, "server_name: missing"),
    "no cores": ({"*Cores": 0}, "cores: expected"),
    "memory in words": ({"*Memory (In MB)": "4 GB"}, "memory_in_mb: expected a number"),
    "more than all": ({"CPU utilization percentage": 120}, "cpu_utilization_percentage: expected"),
    "a disk in words": ({"Disk 2 size (In GB)": "big"}, "Disk 2 size (In GB): expected a number"),
}


def test_bad_azure_rows_cost_no_good_one(tmp_path: Path) -> None:
    good = {"*Cores": 2, "*Memory (In MB)": 1024, "*OS name": "x"}
    rows = [{"*Server name": f"s{n}", **good} for n in range(2 * len(BAD_AZURE))]
    for row, (wrong, _) in zip(rows[1::2], BAD_AZURE.values(), strict=True):
        row.update(wrong)
    info, _, rejects = _read(_azure(tmp_path, *rows))
    assert (info.workloads, info.rejected, info.lines) == (len(BAD_AZURE), len(BAD_AZURE), len(rows))
    assert rejects["line"].tolist() == list(range(3, 3 + len(rows), 2))
    for found, (_, reason) in zip(rejects["reason"], BAD_AZURE.values(), strict=True):
        assert found.startswith(reason)


def _aws(folder: Path, *rows: dict[str, object], header: tuple[str, ...] = AWS) -> Path:
    path = folder / "hub.csv"
    pd.DataFrame(list(rows), columns=list(header)).to_csv(path, index=False)
    return path


def test_aws_averages_and_maxima_are_used_instead_of_a_spread(tmp_path: Path) -> None:
    row = {
        "HostName": "web", "IPAddress": "10.0.0.1,10.0.0.2", "CPU.NumberOfProcessors": 2, "CPU.NumberOfCores": 4,
        "CPU.NumberOfLogicalCores": 8, "RAM.TotalSizeInMB": 8192, "RAM.UsedSizeInMB.Avg": 2048,
        "RAM.UsedSizeInMB.Max": 4096, "CPU.UsagePct.Avg": 10, "CPU.UsagePct.Max": 60, "Applications": "shop, web",
        "DiskReadsOpsPerSecond.Max": 5, "DiskWritesOpsPerSecond.Max": 7, "NetworkWritesPerSecondInKB.Avg": 1024,
        "Tags": "a:b,c:d",
    }  # fmt: skip
    info, demand, _ = _read(_aws(tmp_path, row))
    assert info.format == "aws_migration_hub"
    assert demand.mean[0, 0, :2].tolist() == pytest.approx([0.8, 2])
    assert demand.busy[0, 0, :2].tolist() == pytest.approx([4.8, 4])
    first = demand.workloads.iloc[0]
    assert first[["workload", "kind", "application", "cpu_cores"]].tolist() == ["web", "server", "shop", 8]
    assert (first["disk_iops"], first["network_gib_per_month"]) == (12, pytest.approx(730 * 3600 / 1024))
    assert {"demand.cpu_by_summary", "demand.memory_by_summary"} <= {a.name for a in demand.assumptions}
    assert not any("instant" in note for note in info.notes)
    assert any("an inventory without a time series" in note for note in info.notes)


def test_aws_rows_need_a_key_and_a_vmware_id_counts_with_its_vcenter_only(tmp_path: Path) -> None:
    vm = {"VMware.MoRefId": "vm-1", "CPU.NumberOfCores": 1, "RAM.TotalSizeInMB": 1024}
    rows = [vm, vm | {"VMware.VCenterId": "vc"}, {"CPU.NumberOfCores": 1}, {"HostName": "h"}, {"MACAddress": "m"}]
    path = _aws(tmp_path, *rows, header=(*AWS, "Another column"))
    with Store(":memory:") as store:
        info = store.ingest(path)
        rejects = store.rejects(info.trace_id)
        found = store._frame("select workload, kind from workloads order by all").to_numpy().tolist()
        with pytest.raises(ScenarioError, match="assumed_cpu_cores"):
            store.demand(info.trace_id, SINGLE)
    assert found == [["h", "server"], ["m", "server"], ["vc/vm-1", "vm"]]
    assert rejects["line"].tolist() == [2, 4]
    assert rejects["reason"].str.startswith("expected at least one of").all()


def test_aws_ids_of_blanks_are_none_and_sizes_may_be_missing(tmp_path: Path) -> None:
    size = {"CPU.NumberOfCores": 1, "RAM.TotalSizeInMB": 1024}
    ids = [
        {"ExternalId": " ", "HostName": " "},
        {"ExternalId": " x "},
        {"IPAddress": " , "},
        {"IPAddress": " ,10.0.0.1"},
        {"VMware.MoRefId": "vm", "VMware.VCenterId": " "},
    ]
    (tmp_path / "ids").mkdir()
    with Store(":memory:") as store:
        blank = store.ingest(_aws(tmp_path, *[size | row for row in ids]))
        rejects = store.rejects(blank.trace_id)
        found = store._frame("select workload from workloads order by all")["workload"].tolist()
        header = ("ExternalId", "HostName", "OS.Name", "Tags")
        sizeless = store.ingest(_aws(tmp_path / "ids", {"HostName": "h", "OS.Name": "Linux"}, header=header))
        with pytest.raises(ScenarioError, match="assumed_cpu_cores"):
            store.demand(sizeless.trace_id, SINGLE)
        policy = Policy(profile="single", headroom=0, assumed_cpu_cores=2, assumed_memory_gib=4)
        assert store.demand(sizeless.trace_id, policy).workloads["cpu_cores"].tolist() == [2]
    assert found == ["10.0.0.1", "x"]
    assert rejects["line"].tolist() == [2, 4, 6]
    assert rejects["reason"].str.startswith("expected at least one of externalid").all()
    assert (sizeless.format, sizeless.workloads) == ("aws_migration_hub", 1)
    assert any("1 servers have no number of cores and 1 no memory" in note for note in sizeless.notes)


def test_aws_servers_of_one_name_are_told_apart_and_lines_of_one_server_are_not(tmp_path: Path) -> None:
    row = {"HostName": "h", "CPU.NumberOfCores": 1, "RAM.TotalSizeInMB": 1024}
    rows = [row | {"ExternalId": key} for key in ("e1", "e1", "e2")]
    info, demand, _ = _read(_aws(tmp_path, *rows))
    assert demand.members["workload"].tolist() == ["h (e1)", "h (e2)"]
    assert any("1 lines name a server that another line names" in note for note in info.notes)


def test_a_list_of_hosts_is_no_inventory(tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text("HostName,IPAddress\na,b\n")
    with Store(":memory:") as store, pytest.raises(TraceError, match="no known trace format"):
        store.ingest(tmp_path / "hosts.csv")


@pytest.mark.parametrize("name", ["azure_migrate", "aws_migration_hub"])
def test_the_shipped_inventory(name: str) -> None:
    info, demand, _ = _read(bundled("datasets", "samples", name), Policy())
    assert (info.format, info.workloads, info.rejected) == (name, 120, 0)
    assert (demand.busy[:, :, :2] >= demand.mean[:, :, :2] - 1e-12).all()
    assert 0.05 < float(demand.used[0, 0] / (demand.count @ demand.workloads["cpu_cores"])) < 0.4
