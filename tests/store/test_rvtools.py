"""RVTools exports of every age and shape, down to the demand they give."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

from planner.demand import Policy
from planner.errors import TraceError
from planner.store import Store, inspect
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


def test_a_disk_that_machines_share_counts_once(tmp_path: Path) -> None:
    """Two clusters of two; paths are of a vCenter, and a path told twice of disks that are not shared is two disks."""
    columns = "VM,Disk,Capacity MiB,Disk Path,Sharing mode,Shared Bus,VI SDK Server\n"
    info = "VM,Powerstate,CPUs,Memory,VI SDK Server\n"
    files = {
        "vInfo.csv": info + "".join(f"{vm},poweredOn,2,4096,v{vm[-1]}\n" for vm in ("a1", "b1", "c1", "a2", "b2")),
        "vDisk.csv": columns
        + "a1,1,1024,[x] a/a.vmdk,sharingNone,noSharing,v1\nb1,1,1024,[x] b/b.vmdk,sharingNone,noSharing,v1\n"
        + "a1,2,9216,[x] s/s.vmdk,sharingMultiWriter,noSharing,v1\n"
        + "b1,2,9216,[x] s/s.vmdk,sharingMultiWriter,noSharing,v1\n"
        + "c1,1,2048,[x] a/a.vmdk,sharingNone,noSharing,v1\n"
        + "".join(f"{vm},1,4096,[x] s/s.vmdk,sharingNone,physicalSharing,v2\n" for vm in ("a2", "b2")),
    }
    with Store(":memory:") as store:
        gib, _, notes = _read(store, _folder(tmp_path, files), "storage_gib")
    assert gib == {"a1": 10, "b1": 1, "c1": 2, "a2": 4, "b2": 0}
    assert "2 disks of 13.0 GiB are those of another machine too" in notes


def test_headers_that_are_names_of_the_database(tmp_path: Path) -> None:
    """As RVTools writes them where asked to; 500 MHz of two cores of 2,500 MHz are 10 %, 1,000 MHz 20 %."""
    info = "vInfoVMName,vInfoPowerstate,vInfoCPUs,vInfoMemory,vInfoProvisioned,vInfoHost,vInfoObjectID,vInfoUUID"
    files = {
        "vInfo.csv": f"{info}\na,poweredOn,2,4096,99,e.x,vm-1,u-1\na,poweredOn,2,4096,99,e.x,vm-2,u-2\n",
        "vCPU.csv": "vCPUVMName,vCPUCPUs,vCPUOverallCpuUsage,vCPUUUID\na,2,500,u-1\na,2,1000,u-2\n",
        "vHost.csv": "vHostName,vHostCpuMhz,vHostNumCpu,vHostNumCpuCores\ne.x,2500,2,16\n",
        "vDisk.csv": "vDiskVMName,vDiskName,vDiskCapacityMiB,vDiskUUID\na,d,1024,u-1\na,d,2048,u-2\n",
    }
    with Store(":memory:") as store:
        gib, _, notes = _read(store, _folder(tmp_path, files), "storage_gib")
        percent = store._frame("select cpu_percent_mean as p from workloads order by p")["p"].tolist()
    assert (gib, percent) == ({"a (u-1, 1)": 1, "a (u-2, 2)": 2}, [10, 20])
    assert "not read" not in notes


def test_tabs_without_machines_are_no_estate(tmp_path: Path) -> None:
    (tmp_path / "vHost.csv").write_text(HOST)
    with Store(":memory:") as store, pytest.raises(TraceError, match="no known trace format"):
        store.ingest(tmp_path)


INFO = "VM,Powerstate,CPUs,Memory,Provisioned MiB,Datacenter,Host,VM ID,VM UUID,VI SDK Server\n"


def _folder(path: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


def _read(store: Store, path: Path, column: str) -> tuple[dict[str, float], list[tuple[int, str]], str]:
    """A column of the machines by name, the lines that are rejected with the column, and all notes."""
    info = store.ingest(path)
    given = {"id": info.trace_id}
    rows = store._frame(f"select workload, {column} from workloads where trace_id = $id order by workload", given)
    bad = store._frame("select line, reason from rejects where trace_id = $id order by file, line", given)
    rejected = [(line, reason.split(":")[0]) for line, reason in bad.to_numpy().tolist()]
    return dict(rows.to_numpy().tolist()), rejected, " ".join(info.notes)


def test_a_machine_without_a_reading_has_none(tmp_path: Path) -> None:
    (tmp_path / "vInfo.csv").write_text("VM,Powerstate,CPUs,Memory\na,poweredOn,2,4096\n")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        unread = store._frame("select cpu_percent_mean is null as unread from workloads")["unread"].tolist()
        demand = store.demand(info.trace_id, Policy(headroom=0))
    assert unread == [True]
    assert demand.busy[0].max(axis=0)[:2].tolist() == [2, 4], "as allocated, not with the spread of a reading"


def test_numbers_as_people_write_them() -> None:
    told = {
        "1,024": 1024, "1.024": 1024, "1 024": 1024, "1\u202f024": 1024, "1'024": 1024, "1,024,512": 1024512,
        "1.024,5": 1024.5, "1,024.5": 1024.5, "1 024,5": 1024.5, "16'384.25": 16384.25, "1,024.512": 1024.512,
        "8192,00": 8192, "1024.5": 1024.5, "0.125": 0.125,
    }  # fmt: skip
    query = "select [whole_number(w) for w in $good] as numbers, [w for w in $bad if is_number(w)] as none"
    with Store(":memory:") as store:
        row = store._frame(query, {"good": list(told), "bad": ["4 GB", "ten", "1.024.5"]}).iloc[0]
    assert (list(row["numbers"]), list(row["none"])) == (list(told.values()), [])


def test_times_as_spreadsheets_show_them() -> None:
    times = ["2024-05-01 10:00:00", "5/1/2024 10:00:00 AM", "01.05.2024 10:00", "2024/05/01 10:00", "1/5/2024 10:00"]
    query = "select [time_as_shown(t) = '2024-05-01 10:00:00' for t in $times] as same, time_as_shown($last) as last"
    with Store(":memory:") as store:
        row = store._frame(query, {"times": times, "last": "5/13/2024 10:00:00\u202fPM"}).iloc[0]
    assert (list(row["same"]), row["last"].isoformat()) == ([True] * 5, "2024-05-13T22:00:00")


def test_cells_that_are_no_number_are_told(tmp_path: Path) -> None:
    rows = ["a,poweredOn,2,4096,10240", "b,poweredOn,abc,4096,1", "c,poweredOn,2,4 GB,1", 'd,poweredOn,2,"1.024,5",1',
            "e,poweredOn,2,4096,x", "f,poweredOn,2,4096, "]  # fmt: skip
    files = {
        "vInfo.csv": "\n".join([INFO.partition(",Datacenter")[0], *rows, ""]),
        "vDisk.csv": 'VM,Disk,Capacity MB\na,1,"10,240"\na,2,ten\n',
        "vCPU.csv": "VM,Overall\na,n/a\n",
        "vHost.csv": "Host,Speed,# Cores\nh,fast,8\n",
        "vMemory.csv": "VM,Size MiB,Consumed,Active\na,4096,none,1\nd,1024,512,\n",
    }
    with Store(":memory:") as store:
        gib, rejected, notes = _read(store, _folder(tmp_path, files), "memory_gib")
    assert gib == {"a": 4, "d": 1024.5 / 1024, "f": 4}
    assert rejected == [(2, "overall_mhz"), (3, "capacity_mib"), (2, "speed_mhz"), (3, "cpus"), (4, "memory_mib"),
                        (6, "provisioned_mib"), (2, "consumed_mib")]  # fmt: skip
    assert "vCPU.csv, line 2: not one row of vcpu is good; the first: overall_mhz: expected a number" in notes
    assert "3 of 3 running machines have no CPU reading" in notes


def test_hosts_by_address_and_of_the_same_short_name(tmp_path: Path) -> None:
    """A thousand MHz on two cores of 2,000 MHz are 25 %, of 4,000 MHz 12.5 %, of 3,000 MHz, the average, 16.7 %."""
    on = {"a": "10.0.0.1", "b": "10.0.0.2", "c": "ESX1.a.com", "d": "esx1.b.com", "e": "esx1", "f": "esx2.a.com"}
    info = [f"{vm},poweredOn,2,4096,1,dc,{host},,,\n" for vm, host in on.items()]
    cpu = [f"{vm},1000\n" for vm in on]
    host = "Host,Speed,# Cores\n10.0.0.1,2000,8\n10.0.0.2,4000,8\nesx1.a.com,2000,8\nesx1.b.com,4000,8\nesx2,3000,8\n"
    files = {"vInfo.csv": "".join([INFO, *info]), "vCPU.csv": "".join(["VM,Overall\n", *cpu]), "vHost.csv": host}
    with Store(":memory:") as store:
        percent, rejected, notes = _read(store, _folder(tmp_path, files), "cpu_percent_mean")
    sixth = pytest.approx(50 / 3)
    assert (percent, rejected) == ({"a": 25, "b": 12.5, "c": 25, "d": 12.5, "e": sixth, "f": sixth}, [])
    assert "1 running machines name hosts that vHost lacks" in notes, "esx1 may be either"


def test_machines_of_one_name_without_ids(tmp_path: Path) -> None:
    header = "VM,Powerstate,CPUs,Memory,Provisioned MiB,Datacenter,Host\n"
    disk, more = "VM,Disk,Capacity MiB,Datacenter,Host\n", "VM,Disk,Capacity MiB\n"
    one, two = "web,poweredOn,2,4096,9216,d1,h1\n", "web,poweredOn,2,4096,8192,d2,h2\n"
    by_place = {"vInfo.csv": header + one + two, "vDisk.csv": disk + "web,1,1024,d1,h1\nweb,1,2048,d2,h2\n"}
    by_folder = {"vc1/vInfo.csv": header + one, "vc2/vInfo.csv": header + two,
                 "vc1/vDisk.csv": more + "web,1,1024\n", "vc2/vDisk.csv": more + "web,1,2048\n"}  # fmt: skip
    by_nothing = {"vInfo.csv": header + one + two, "vDisk.csv": more + "web,1,1024\nweb,1,2048\n"}
    with Store(":memory:") as store:
        for name, files in (("place", by_place), ("folder", by_folder)):
            gib, _, notes = _read(store, _folder(tmp_path / name, files), "storage_gib")
            assert gib == {"web (h1, 1)": 1, "web (h2, 2)": 2}, name
            assert "their ids" not in notes
            assert "VI SDK Server and folder" in notes
        gib, _, notes = _read(store, _folder(tmp_path / "nothing", by_nothing), "storage_gib")
    assert gib == {"web (h1, 1)": 9, "web (h2, 2)": 8}, "as provisioned"
    assert "2 rows of vDisk are left out: several machines have the name, the first web" in notes


@pytest.mark.parametrize("dates", [("5/1/2024 9:00:00 AM", "01.05.2023 09:00:00"), None], ids=["dated", "undated"])
def test_a_machine_in_exports_of_two_days_is_one(tmp_path: Path, dates: tuple[str, str] | None) -> None:
    files = {}
    for number, folder in enumerate(("first", "second")):
        row = "poweredOn,2,4096,1,dc,h"
        rows = f"web,{row},vm-1,u-1,\nclone,{row},vm-2,u-1,\n{folder},{row},vm-3,u-{folder},\n"
        files[f"{folder}/vInfo.csv"] = INFO + rows
        files[f"{folder}/vDisk.csv"] = f"VM,Disk,Capacity MiB,VM ID,VM UUID\nweb,1,{1024 * (number + 1)},vm-1,u-1\n"
        if dates:
            files[f"{folder}/vMetaData.csv"] = f"RVTools version,xlsx creation datetime\n4,{dates[number]}\n"
    with Store(":memory:") as store:
        gib, _, notes = _read(store, _folder(tmp_path, files), "storage_gib")
    assert sorted(gib) == ["clone", "first", "second", "web"], "machines of one export may share a UUID"
    assert gib["web"] == (1 if dates else 2), "the newest, or the last file"
    which, older = ("a newer", "second") if dates else ("another (without a date the last by name counts)", "first")
    assert f"2 rows of vInfo are of machines that {which} export has too" in notes
    assert f"the first web in {older}/vInfo: they are counted once" in notes


def test_a_machine_in_two_vcenters_is_one(tmp_path: Path) -> None:
    """Of the eight rows `moved` and `copy` are told twice; `other` and `twin` are two machines each."""
    header = "VM,Powerstate,Template,CPUs,Memory,VM ID,SMBIOS UUID,VM UUID,VI SDK Server,VI SDK UUID\n"
    first = ["moved,poweredOn,False,2,1024,vm-1,s-1,u-1", "copy,poweredOn,False,4,1024,vm-2,s-2,u-2",
             "other,poweredOn,False,8,1024,vm-3,s-3,u-3", "twin,poweredOn,False,16,1024,vm-4,s-4,u-4"]  # fmt: skip
    second = ["Moved,poweredOn,False,32,1024,vm-9,,u-1", "copy,poweredOff,False,4,1024,vm-1,s-2,u-2",
              "other 2,poweredOn,False,64,1024,vm-3,s-3,u-3", "twin,poweredOn,False,128,1024,vm-4,s-5,u-4"]  # fmt: skip
    files = {"vDisk.csv": "VM,Disk,Capacity MiB,VM ID,VM UUID\ncopy,1,1024,vm-2,u-2\ncopy,1,9216,vm-1,u-2\n"}
    for name, rows in (("v1", first), ("v2", second)):
        files[f"{name}/vInfo.csv"] = header + "".join(f"{row},{name},{name}\n" for row in rows)
    with Store(":memory:") as store:
        cores, _, notes = _read(store, _folder(tmp_path, files), "cpu_cores")
        disks = store._frame("select storage_gib from workloads where workload = 'copy'")["storage_gib"].tolist()
    assert sorted(cores.values()) == [4, 8, 16, 32, 64, 128]
    assert (cores["Moved"], cores["copy"], disks) == (32, 4, [1])
    assert "2 rows of vInfo are of machines that another vCenter has too" in notes
    assert "the first moved in v1/vInfo: they are counted once, where they run" in notes


@pytest.mark.parametrize("vcenters", [("v1", "v2"), ("", "")], ids=["told", "untold"])
def test_a_placeholder_elsewhere_hides_no_machine(tmp_path: Path, vcenters: tuple[str, str]) -> None:
    """Site Recovery Manager keeps one at the other site, under the machine's name, and its export is the last."""
    header = "VM,Powerstate,SRM Placeholder,CPUs,Memory,VM UUID,VI SDK UUID\n"
    files = {
        "v1/vInfo.csv": f"{header}a,poweredOn,False,4,4096,u-1,{vcenters[0]}\n",
        "v2/vInfo.csv": f"{header}a,poweredOff,True,1,0,u-1,{vcenters[1]}\n",
    }
    with Store(":memory:") as store:
        cores, _, notes = _read(store, _folder(tmp_path, files), "cpu_cores")
    assert cores == {"a": 4}
    assert "1 templates and placeholders are no workloads" in notes


def test_a_side_tab_or_a_stray_file_refuses_no_estate(tmp_path: Path) -> None:
    files = {
        "vInfo.csv": "Wave,VM Name,Power State,vCPUs,Memory (MB)\n1,a,Powered On,2,4096\n",
        "vMetaData.csv": "RVTools version,xlsx creation datetime\n4,whenever\n",
    }
    for name in ("~$RVTools.xlsx", "Thumbs.db", "desktop.ini"):
        (tmp_path / name).write_bytes(b"\x05User\x00\x00")
    with Store(":memory:") as store:
        cores, rejected, notes = _read(store, _folder(tmp_path, files), "cpu_cores")
    assert (cores, rejected) == ({"a": 2}, [(2, "made_at")])
    assert "vMetaData.csv, line 2: not one row of vmetadata is good" in notes
    assert "the export does not tell when" in notes


def _book(path: Path, tabs: Mapping[str, str], broken: str = "") -> Path:
    """A workbook of the tabs; of the one that is `broken` the first half is there."""
    book, whole = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.worksheets[0])
    for tab, text in tabs.items():
        sheet = book.create_sheet(tab)
        for line in text.splitlines():
            sheet.append(line.split(","))
    book.save(whole)
    part = f"sheet{list(tabs).index(broken) + 1}.xml" if broken else "none"
    with zipfile.ZipFile(whole) as made, zipfile.ZipFile(path, "w") as kept:
        for name in made.namelist():
            content = made.read(name)
            kept.writestr(name, content[: len(content) // 2] if name.endswith(part) else content)
    return path


def _spoiled(path: Path, part: str) -> Path:
    """The workbook with noise in the middle of a part of it, which no longer unpacks."""
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo(part).header_offset + 40 + len(part)
    content = bytearray(path.read_bytes())
    content[at : at + 20] = bytes(byte ^ 0x5A for byte in content[at : at + 20])
    path.write_bytes(content)
    return path


def test_a_broken_side_tab_costs_no_machine(tmp_path: Path) -> None:
    tabs = {"vInfo": INFO + "a,poweredOn,2,4096,10240,dc,h,vm-1,u-1,vc\n", "vDisk": "VM,Disk,Capacity MiB\na,1,1024\n"}
    half, noise = _book(tmp_path / "half.xlsx", tabs, "vDisk"), _book(tmp_path / "noise.xlsx", tabs)
    _spoiled(noise, "xl/worksheets/sheet2.xml")
    with Store(":memory:") as store:
        for path in (half, noise):
            gib, _, notes = _read(store, path, "storage_gib")
            assert gib == {"a": 10}, "as provisioned"
            assert f"{path.name}: sheet vDisk is broken and not read" in notes
        with pytest.raises(TraceError, match=r"sheet vInfo is broken and not read; export it anew; .* known trace"):
            store.ingest(_book(tmp_path / "info.xlsx", tabs, "vInfo"))
        with pytest.raises(TraceError, match=r"styles\.xlsx: is a broken workbook"):
            store.ingest(_spoiled(_book(tmp_path / "styles.xlsx", tabs), "xl/styles.xml"))
    assert "half.xlsx: sheet vDisk is broken and not read; export it anew" in inspect(half).info.notes


def test_a_fraction_in_a_number_cell_is_no_thousands(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["VM", "Powerstate", "CPUs", "Memory", "Provisioned MiB"])
    sheet.append(["a", "poweredOn", 2, "4.096", 512.125])
    meta = book.create_sheet("vMetaData")
    meta.append(["RVTools version", "xlsx creation datetime"])
    meta.append(["4.4", datetime.datetime.fromisoformat("2024-05-01T10:00:00")])
    book.save(tmp_path / "RVTools.xlsx")
    with Store(":memory:") as store:
        gib, _, notes = _read(store, tmp_path / "RVTools.xlsx", "memory_gib + storage_gib")
    assert gib == {"a": 4 + 512.125 / 1024}
    assert "taken at 2024-05-01 10:00:00:" in notes


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_first_line_that_tells_the_separator(tmp_path: Path, encoding: str) -> None:
    text = "sep=;\r\nVM;Powerstate;CPUs;Memory\r\na;poweredOn;2;4.096\r\nb;poweredOn;two;4.096\r\n"
    (tmp_path / "vInfo.csv").write_text(text, encoding=encoding, newline="")
    with Store(":memory:") as store:
        assert _read(store, tmp_path, "memory_gib")[:2] == ({"a": 4}, [(4, "cpus")]), "lines are those of the file"
