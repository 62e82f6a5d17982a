"""RVTools exports of every age and shape, down to the demand they give."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest

from planner.demand import Policy
from planner.errors import TraceError
from planner.store import Store
from shared import shared

OLD = """\
VM,Powerstate,Template,CPUs,Memory,NICs,Disks,Provisioned MB,In Use MB,Datacenter,Cluster,Host,OS according to VMware
web,poweredOn,False,2,"4,096",1,1,"41,984","20,480",dc,c1,esx1.example.com,Linux
db,poweredOn,False,4,"16,384",1,2,"215,040","100,000",dc,c1,ESX2,Linux
old,poweredOff,False,8,"8,192",1,1,"102,400","51,200",dc,c1,esx1,Linux
gold,poweredOff,True,1,"1,024",1,1,"10,240","5,120",dc,c1,esx1,Linux
,,,,,,,,,,,,
"""
CPU = "VM,Powerstate,Template,CPUs,Overall,Host\nweb,poweredOn,False,2,500,esx1\ndb,poweredOn,False,4,2000,esx2\n"
MEMORY = "VM,Size MB,Consumed,Active\nweb,4096,2048,1024\ndb,16384,8192,4096\nold,8192,0,0\n"
HOST = "Host,Speed,# CPU,Cores per CPU,# Cores\nesx1.other.domain,2500,2,8,16\nesx9,2000,2,8,16\n"
DISK = (
    'VM,Disk,Capacity MB,Thin\ndb,Hard disk 1,102400,True\ndb,Hard disk 2,51200,True\nold,Hard disk 1,"102,400",False\n'
)
PARTITION = "VM,Disk,Capacity MB,Consumed MB,Free MB,Free % \ndb,C:\\,50000,10000,40000,80\n"
TABS = {"vInfo": OLD, "vCPU": CPU, "vMemory": MEMORY, "vHost": HOST, "vDisk": DISK, "vPartition": PARTITION}


def _csvs(folder: Path) -> Path:
    for tab, text in TABS.items():
        (folder / f"RVTools_tab{tab}.csv").write_text(text)
    return folder


def _semicolons(folder: Path) -> Path:
    for tab, text in TABS.items():
        plain = (
            text.replace('"', "").replace("4,096", "4.096").replace("16,384", "16.384").replace("8,192,1", "8.192,1")
        )
        for number in ("41,984", "20,480", "215,040", "100,000", "102,400", "51,200", "1,024", "10,240", "5,120"):
            plain = plain.replace(number, number.replace(",", "."))
        (folder / f"RVTools_tab{tab}.csv").write_text(plain.replace(",", ";"), encoding="utf-16")
    return folder


def _zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "RVTools.zip", "w") as archive:
        for tab, text in TABS.items():
            archive.writestr(f"export/RVTools_tab{tab}.csv", text)
    return folder / "RVTools.zip"


@pytest.mark.parametrize("written", [_csvs, _semicolons, _zip], ids=["csv", "semicolons", "zip"])
def test_old_exports_by_hand(tmp_path: Path, written: object) -> None:
    path = written(tmp_path)  # type: ignore[operator]
    with Store(":memory:") as store:
        info = store.ingest(path)
        rows = store._frame("select * from workloads order by workload").set_index("workload")
        held = store._frame("select workload, memory_gib from usage order by workload").to_numpy().tolist()
        demand = store.demand(info.trace_id, Policy(headroom=0))
    assert (info.format, info.workloads, info.rejected) == ("rvtools", 3, 1), "the row of nothing but commas"
    assert rows["cpu_cores"].tolist() == [4, 0, 2]
    assert rows["memory_gib"].tolist() == [16, 0, 4]
    assert rows["storage_gib"].tolist() == [150, 100, 41], "vDisk, else what is provisioned"
    assert rows["cpu_percent_mean"]["web"] == pytest.approx(100 * 500 / 2500 / 2)
    assert rows["cpu_percent_mean"]["db"] == pytest.approx(100 * 2000 / 2250 / 4), "host unknown: average speed"
    assert held == [["db", 8], ["web", 2]]
    assert demand.count.sum() == 3
    told = " ".join(info.notes)
    for words in ("1 running machines name hosts that vHost lacks", "1 templates", "1 of 3 machines are off", "spread"):
        assert words in told


def test_the_real_workbook() -> None:
    with Store(":memory:") as store:
        info = store.ingest(shared("traces", "rvtools"))
        rows = store._frame("select * from workloads order by workload").set_index("workload")
    assert (info.format, info.workloads, info.rejected) == ("rvtools", 3, 0)
    assert rows["cpu_cores"].tolist() == [0, 4, 2]
    assert rows["storage_gib"].tolist() == [80, 320, 120]
    assert rows["cpu_percent_mean"]["sample-db-01"] == pytest.approx(100 * 2200 / 2600 / 4)
    assert rows["cpu_percent_mean"]["sample-web-01"] == pytest.approx(100 * 700 / 2400 / 2)


def test_vinfo_alone_and_names_that_several_machines_have(tmp_path: Path) -> None:
    header = "VM,Powerstate,Template,SRM Placeholder,CPUs,Memory,Provisioned MiB,Host,VM ID,VM UUID"
    rows = ["a,poweredOn,False,False,2,2048,1024,h,vm-1,u1", "a,poweredOn,False,False,4,4096,2048,h,vm-2,u2",
            "s,poweredOn,False,True,4,4096,2048,h,vm-3,u3", "z,suspended,False,False,1,1024,9,h,vm-4,u4"]  # fmt: skip
    cpu = "VM,Overall,VM ID,VM UUID\na,100,vm-1,u1\na,200,vm-2,u2\n"
    (tmp_path / "vInfo.csv").write_text("\n".join([header, *rows, ""]))
    with Store(":memory:") as store:
        alone = store.ingest(tmp_path)
        (tmp_path / "vCPU.csv").write_text(cpu)
        (tmp_path / "vHost.csv").write_text("Host,Speed,# Cores\nh,1000,8\n")
        both = store.ingest(tmp_path)
        query = "select workload, cpu_cores, cpu_percent_mean from workloads where trace_id = $id order by cpu_cores"
        found = store._frame(query, {"id": both.trace_id}).to_numpy().tolist()
    assert (alone.workloads, alone.samples) == (3, 0)
    assert any("2 of 2 running machines have no CPU reading" in note for note in alone.notes)
    assert found[1:] == [["a (u1, 1)", 2, 5.0], ["a (u2, 2)", 4, 5.0]]
    assert any("placeholders" in note for note in both.notes)


def test_thousands_of_empty_rows_and_line_ends_in_cells(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["VM", "Powerstate", "Template", "CPUs", "Memory", "Annotation"])
    sheet.append(["a\"b'c", "poweredOn", False, 2, 4096, 'first line\nsecond "line"'])
    for _ in range(3000):
        sheet.append([None] * 6)
    sheet["A3002"] = ""
    book.save(tmp_path / "RVTools.xlsx")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path / "RVTools.xlsx")
        names = store._frame("select workload from workloads")["workload"].tolist()
    assert (info.workloads, info.rejected, info.lines, names) == (1, 0, 1, ["a\"b'c"])


TAIL = ",Annotation,Datacenter,Cluster,Host,VM ID,VM UUID,VI SDK Server"
FOUR = {
    "vInfo": "VM,Powerstate,Template,SRM Placeholder,CPUs,Memory,Active Memory,Total disk capacity MiB,Provisioned MiB",
    "vCPU": "VM,Powerstate,Template,SRM Placeholder,CPUs,Sockets,Cores p/s,Max,Overall,Level",
    "vMemory": "VM,Powerstate,Template,SRM Placeholder,Size MiB,Overhead,Max,Consumed,Active,Limit",
    "vDisk": "VM,Powerstate,Template,SRM Placeholder,Disk,Disk Key,Disk UUID,Capacity MiB,Raw,Thin",
    "vPartition": "VM,Powerstate,Template,SRM Placeholder,Disk Key,Disk,Capacity MiB,Consumed MiB,Free MiB,Free % ",
}
ROWS = {
    "vInfo": "m,poweredOn,False,False,4,8192,1000,102400,110592",
    "vCPU": "m,poweredOn,False,False,4,1,4,8000,1000,normal",
    "vMemory": "m,poweredOn,False,False,8192,50,8192,4096,1024,-1",
    "vDisk": "m,poweredOn,False,False,Hard disk 1,2000,u,102400,False,True",
    "vPartition": "m,poweredOn,False,False,2000,/,99000,50000,49000,50",
}


def test_the_tabs_of_version_4_are_told_apart(tmp_path: Path) -> None:
    for tab, header in FOUR.items():
        (tmp_path / f"{tab}.csv").write_text(f"{header}{TAIL}\n{ROWS[tab]},,dc,cl,h1,vm-1,u-1,v\n")
    (tmp_path / "vHost.csv").write_text("Host,Speed,HT Active,# CPU,Cores per CPU,# Cores\nh1,2000,True,2,8,16\n")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        row = store._frame("select cpu_cores, memory_gib, storage_gib, cpu_percent_mean from workloads").iloc[0]
        held = store._frame("select memory_gib from usage")["memory_gib"].tolist()
    assert (info.workloads, info.rejected, info.lines) == (1, 0, 6)
    assert row.tolist() == [4, 8, 100, 12.5]
    assert held == [4]
    assert "vpartition" in info.reason


def test_tabs_without_machines_are_no_estate(tmp_path: Path) -> None:
    (tmp_path / "vHost.csv").write_text(HOST)
    with Store(":memory:") as store, pytest.raises(TraceError, match="no known trace format"):
        store.ingest(tmp_path)
