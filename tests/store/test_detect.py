"""Which format a recording has: every shipped and published one is of one format, alone and together."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner.bundle import bundled
from planner.errors import TraceError
from planner.samples import SAMPLES
from planner.store import Store
from planner.store.detect import detect
from planner.store.sources import find
from shared import shared
from store.writing import written

ALONG: Final = {"deployments", "subscriptions", "trace", "function_durations_percentiles", "app_memory_percentiles"}
"""Tables that go along with others; alone they are of no format."""


@pytest.mark.parametrize("name", SAMPLES)
def test_every_shipped_file_is_of_one_format_alone_and_together(name: str, tmp_path: Path) -> None:
    folder = bundled("datasets", "samples", name)
    files = {path.parent.name + path.name[:5]: path for path in folder.rglob("*") if path.is_file()}
    with Store(":memory:") as store, store._cursor() as connection:
        found = detect(connection, find([folder], tmp_path)[0])
        assert (found.format.name, found.notes) == (name, ())
        for path in files.values():
            if path.name.split(".")[0] not in ALONG:
                assert detect(connection, find([path], tmp_path)[0]).format.name == name, path


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("azure-vm-v1-sample",), "azure_vm"),
        (("azure-functions-2019", "dirigent-100"), "azure_functions"),
        (("azure-functions-2019", "azure2021-sample"), "azure_functions_2021"),
        (("bitbrains-gwa-t-12", "fastStorage_sample_1vm.csv.gz"), "bitbrains"),
        (("alibaba-openb-gpu-v2023",), "alibaba_openb"),
    ],
)
def test_every_published_recording_is_of_one_format(parts: tuple[str, ...], name: str, tmp_path: Path) -> None:
    with Store(":memory:") as store, store._cursor() as connection:
        found = detect(connection, find([shared("traces", *parts)], tmp_path)[0])
    assert (found.format.name, found.notes) == (name, ())


def test_two_numbers_under_a_header_are_no_machine(tmp_path: Path) -> None:
    """Plausible values are less than a header that another format knows."""
    path = written(tmp_path / "trace.csv", "workload,time,cpu_cores", *[f"1,{t},2" for t in range(9)])
    odd = written(tmp_path / "a b.csv", "workload time", *["5 7"] * 9)
    with Store(":memory:") as store:
        assert store.ingest(path).format == "planner"
        with pytest.raises(TraceError, match="no known trace format"):
            store.ingest(odd)
        assert store.ingest(odd, format="gcd_vms").rejected == 1


@pytest.mark.parametrize("columns", [1, 2, 5, 6, 7, 8, 9, 11, 12])
def test_numbers_under_a_foreign_header_are_of_no_format(columns: int, tmp_path: Path) -> None:
    """As many numbers as a table without a header has columns; what they are is told by nothing."""
    header = ",".join(["epoch", *[f"m{n}" for n in range(columns - 1)]])
    rows = [",".join([str(1_700_000_000 + t), *[str((t * n) % 3) for n in range(columns - 1)]]) for t in range(20)]
    path = written(tmp_path / "m.csv", header if columns > 1 else "load", *(rows if columns > 1 else ["7"] * 20))
    no_format = pytest.raises(TraceError, match="no known trace format")
    with Store(":memory:") as store, store._cursor() as connection, no_format:
        detect(connection, find([path], tmp_path)[0])


def test_an_official_header_above_a_table_without_one_is_one_bad_row(tmp_path: Path) -> None:
    rows = [f"{t},vm7,1,9,5" for t in range(0, 3000, 300)]
    path = written(tmp_path / "r.csv", "timestamp,vmid,mincpu,maxcpu,avgcpu", *rows)
    with Store(":memory:") as store:
        info = store.ingest(path)
    assert (info.format, info.samples, info.rejected) == ("azure_vm", 10, 1)


def test_a_header_that_lacks_a_column_is_told_of_which_format_it_would_be(tmp_path: Path) -> None:
    """Gigabytes are not taken for the megabytes that the formats tell."""
    tables = {
        "vInfo.csv": ("VM,Powerstate,CPUs,Memory GB,Host", "a,poweredOn,2,4,h", "rvtools but for memory_mib"),
        "bill.csv": (
            "EffectiveCost,BillingCurrency,BillingPeriodStart,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName",
            "1,USD,2024-09-01,2024-09-01,2024-09-02,Usage,AWS",
            "focus but for BilledCost",
        ),
        "a.csv": ("Server name,Cores,Memory (In GB),OS name", "a,4,8,x", "azure_migrate but for memory_in_mb"),
    }
    with Store(":memory:") as store:
        for name, (header, row, words) in tables.items():
            with pytest.raises(TraceError, match=rf"; {name} would be {words}, which its header lacks\. Known"):
                store.ingest(written(tmp_path / name, header, row))


ALIBABA = {
    "machine_meta": "m_1,0,1,2,96,100,USING",
    "machine_usage": "m_1932,386640,41,92,,,43.04,33.08,5",
    "container_meta": "c_1,m_2556,0,app_5052,started,400,400,1.56",
    "container_usage": "c_66550,m_2637,386650,3,90,1.2,0.1,2,0.10,0.20,0",
    "batch_task": "M1,1.0,j_1,1,Terminated,435484,435485,100.0,0.2",
    "batch_instance": "ins_1,M1,j_217,10,Terminated,673795,673797,m_2637,1,1,13.0,16.0,0.02,0.02",
}


@pytest.mark.parametrize("name", ALIBABA)
def test_a_table_of_alibaba_is_told_from_those_of_azure_and_google(tmp_path: Path, name: str) -> None:
    """Eleven fields are an Azure VM table or container usage, nine machine usage or batch tasks, eight meta or jobs."""
    path = written(tmp_path / "unnamed.csv", *[ALIBABA[name]] * 3)
    with Store(":memory:") as store, store._cursor() as connection:
        found = detect(connection, find([path], tmp_path)[0])
    assert (found.format.name, list(found.files)) == ("alibaba_2018", [name])


ALIBABA_2017 = {
    "server_event": "0,1,add,,64,0.6899697150103833,1",
    "server_usage": "39600,1,25.3,33.6,42.1,16.2,17.0,17.1",
    "container_event": "0,Create,1,299,4,0.0424,0.0399,0|1|32|33",
    "container_event_ended": "0,Create,1,299,4,0.0424,0.0399,0|1|32|33,",
    "container_usage": "39600,1,10.5,50.1,3.2,0.4,0.4,0.4,1.2,0.5,1.9,0.9",
    "batch_task": "6459,6524,3,4,15740,Terminated,50,0.007956928014909534",
    "batch_instance": "41562,41618,120,686,299,Terminated,1,1,1.48,0.52,0.0194,0.0124",
}


@pytest.mark.parametrize("name", ALIBABA_2017)
def test_a_table_of_the_older_alibaba_trace_is_told_from_the_newer(tmp_path: Path, name: str) -> None:
    """Of v2017; its batch tables have the names of v2018 and other columns; its machines are numbers, there m_1."""
    path = written(tmp_path / "unnamed.csv", *[ALIBABA_2017[name]] * 3)
    newer = written(tmp_path / "machine_usage.csv", *[f"{m},10,41,92,,,43.04,33.08,5" for m in ("m_1", "m_2", "7")])
    with Store(":memory:") as store, store._cursor() as connection:
        found = detect(connection, find([path], tmp_path)[0])
        info = store.ingest(newer)
    assert (found.format.name, list(found.files)) == ("alibaba_2017", [name])
    assert (info.format, info.samples, info.rejected) == ("alibaba_2018", 2, 1)


def test_eight_small_numbers_are_no_measurements_of_the_older_alibaba_trace(tmp_path: Path) -> None:
    """Those are of whole minutes; a row in which nothing was measured is none either."""
    foreign = written(tmp_path / "n.csv", *[",".join(str(n + i) for n in range(8)) for i in range(1, 20)])
    good = ALIBABA_2017["container_usage"]
    mixed = written(
        tmp_path / "u.csv",
        *(t + good[5:] for t in ("39600", "39900", "40200")),
        "39600,2" + "," * 10,
        "39601" + good[5:],
    )
    with Store(":memory:") as store:
        with pytest.raises(TraceError, match="no known trace format"):
            store.ingest(foreign)
        info = store.ingest(mixed)
    assert (info.format, info.samples, info.rejected) == ("alibaba_2017", 3, 2)


def test_azure_tables_are_told_from_those_of_alibaba(tmp_path: Path) -> None:
    table = written(tmp_path / "a.csv", *[f"c_{n},1,2,0,300,9,5,8,Unknown,4,32" for n in range(5)])
    readings = written(tmp_path / "b.csv", *[f"{t},7,1,9,5" for t in range(0, 3000, 300)])
    with Store(":memory:") as store:
        assert store.ingest(table).format == store.ingest(readings).format == "azure_vm"


def test_an_unknown_parquet_file_is_told_by_its_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({f"c{n}": [1] for n in range(30)}), tmp_path / "x.parquet")
    with (
        Store(":memory:") as store,
        pytest.raises(TraceError, match=r"x\.parquet is Parquet with columns c0, c1, .*10 more"),
    ):
        store.ingest(tmp_path / "x.parquet")


def test_files_of_several_folders_are_named_by_the_one_that_holds_all(tmp_path: Path) -> None:
    paths = [written(tmp_path / "both" / name / "x.csv", "x;y", "1;2") for name in ("a", "b")]
    with Store(":memory:") as store, pytest.raises(TraceError, match=r"2 files in .*both: no known"):
        store.ingest(paths)
