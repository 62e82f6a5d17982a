"""The shipped recordings: in the official layouts, as calibrated, and made again byte by byte."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from planner.bundle import bundled
from planner.errors import InputError
from planner.samples import SAMPLES, Size, write
from planner.samples.alibaba_2017 import SERVER_CONTAINERS
from planner.samples.alibaba_2018 import MACHINE_CONTAINERS
from planner.samples.azure_functions import CALLS_BY_TRIGGER, TRIGGERS
from planner.samples.azure_vm import CATEGORIES
from planner.samples.bitbrains import HEADER
from planner.samples.draws import quantiles, shared_out, wander
from planner.samples.estate import GIB_PER_VCPU, MOST_MEMORY_GIB, ROLES, VCPU, Machines, simulate
from planner.store import Store
from shared import shared

FORMATS = list(SAMPLES)
WORKLOADS: dict[str, Callable[[Size], int]] = {
    "azure_functions": lambda size: size.functions,
    "azure_functions_2021": lambda size: size.functions,
    "alibaba_2017": lambda size: size.vms - (-size.vms // SERVER_CONTAINERS),
    "alibaba_2018": lambda size: size.vms - (-size.vms // MACHINE_CONTAINERS),
    "focus": lambda _: 0,
    "request_rates": lambda size: size.functions,
    "service_graph": lambda size: size.vms + 1,
}
"""What a sample holds, where it is not the machines of its size."""
STEPS_A_DAY = 96


def content(path: Path) -> object:
    """What a file says; a newer library may compress the same differently."""
    if path.suffix == ".parquet":
        return parquet.read_table(path)
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def sample(name: str) -> Path:
    return bundled("datasets", "samples", name)


@pytest.fixture(scope="module")
def estate() -> Machines:
    return simulate(SAMPLES["planner"], 900, 0)


@pytest.mark.parametrize("name", FORMATS)
def test_what_ships_is_what_is_generated(name: str, tmp_path: Path) -> None:
    made = write(name, tmp_path)
    shipped = {path.relative_to(sample(name)) for path in sample(name).rglob("*") if path.is_file()}
    assert {path.relative_to(tmp_path) for path in made} == shipped
    for path in made:
        assert content(path) == content(sample(name) / path.relative_to(tmp_path)), path


def test_what_ships_is_small() -> None:
    assert sum(path.stat().st_size for path in bundled("datasets", "samples").rglob("*") if path.is_file()) < 6e6


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_the_same_seed_the_same_bytes_and_another_seed_others(name: str, tmp_path: Path) -> None:
    size = Size(vms=12, functions=12, days=1)
    one, two, other = (write(name, tmp_path / str(i), seed, size) for i, seed in enumerate((5, 5, 6)))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
    assert [p.read_bytes() for p in one] != [p.read_bytes() for p in other]


SIZES = [
    pytest.param(Size(vms=1, functions=1, days=1), id="1", marks=pytest.mark.slow),
    pytest.param(Size(vms=5, functions=11, days=2), id="n"),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("size", SIZES)
def test_any_size_and_seed_goes_in_by_itself_without_a_bad_row(name: str, size: Size, tmp_path: Path) -> None:
    write(name, tmp_path, 7, size)
    with Store(":memory:") as store:
        trace = store.ingest(tmp_path)
    assert (trace.format, trace.rejected) == (name, 0)
    assert trace.workloads == WORKLOADS.get(name, lambda size: size.vms)(size)


def test_days_without_a_memory_file_are_as_in_the_published_trace(tmp_path: Path) -> None:
    names = [path.name for path in write("azure_functions", tmp_path, 0, Size(functions=2, days=14))]
    assert sum(name.startswith("app_memory") for name in names) == 12
    assert sum(name.startswith("invocations") for name in names) == 14


def test_an_unknown_sample_names_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'bitbrains'"):
        write("bitbrain", tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file: cannot write the sample"):
        write("planner", tmp_path / "file", 0, Size(vms=1, days=1))


def test_draws_meet_their_curve_and_their_shares() -> None:
    curve = ((0.0, 1.0), (0.5, 10.0), (1.0, 1000.0))
    drawn = quantiles(curve, 1000)
    assert [np.median(drawn), (drawn <= 10).mean()] == pytest.approx([10, 0.5], rel=0.01)
    assert (np.diff(drawn) > 0).all()
    dealt = shared_out(np.random.default_rng(0), {"a": 0.7, "b": 0.2, "c": 0.1}, 10)
    assert sorted(dealt) == ["a"] * 7 + ["b"] * 2 + ["c"]


def test_drift_is_standard_normal_and_forgets_itself() -> None:
    drift = wander(np.random.default_rng(0), (400, 600), 6)
    assert [drift.mean(), drift.std()] == pytest.approx([0, 1], abs=0.02)
    alike, later = (np.mean(drift[:, k:] * drift[:, :-k]) for k in (1, 24))
    assert alike > 0.75
    assert abs(later) < 0.02


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_estate_is_as_busy_as_published_ones(seed: int) -> None:
    """Google 2011 as VMs: CPU mean 21.84, sd 13.62, median 18; memory 19.55, 16.66, 12; Bitbrains-50: 15.92 %."""
    machines = simulate(Size(vms=300, days=14), 900, seed)
    used = ~np.isin(machines.role, ["idle", "zombie"])
    for share, published in ((machines.cpu, (21.84, 13.62, 18.0)), (machines.memory, (19.55, 16.66, 12.0))):
        percent = 100 * share[used]
        assert (percent.mean(), percent.std(), np.median(percent)) == pytest.approx(published, rel=0.04)
    busy = float((machines.cpu.mean(axis=1) * machines.vcpu).sum() / machines.vcpu.sum())
    assert 100 * busy == pytest.approx(15.92, rel=0.10)


def test_the_estate_resembles_the_recorded_machines(estate: Machines) -> None:
    """Half the Google 2011 VMs: quartiles of mean use; their day is calmer than our fortnight, Bitbrains' is not."""
    archive = shared("traces", "google-2011-gcd-vms", "GCD_VMs_half.tar.gz")
    with tarfile.open(archive) as tar:
        files = [tar.extractfile(member) for member in tar.getmembers() if member.isfile()]
        recorded = np.array([np.loadtxt(BytesIO(file.read().replace(b",", b" "))) for file in files if file])
    used = ~np.isin(estate.role, ["idle", "zombie"])
    quarters = [0.25, 0.5, 0.75]
    for column, share in enumerate((estate.cpu, estate.memory)):
        theirs = np.quantile(recorded[:, :, column].mean(axis=1), quarters)
        assert np.quantile(100 * share[used].mean(axis=1), quarters) == pytest.approx(theirs, rel=0.10)
    cpu = estate.cpu[used]
    peak = np.median(np.quantile(cpu, 0.95, axis=1) / cpu.mean(axis=1))
    calm = np.median(np.quantile(recorded[:, :, 0], 0.95, axis=1) / recorded[:, :, 0].mean(axis=1))
    assert calm < peak < 2.0, "between Google 2011 (1.19) and Bitbrains-50 (2.0)"


def test_the_estate_breathes_with_day_and_week(estate: Machines) -> None:
    total = (estate.cpu * estate.vcpu[:, None]).sum(axis=0)
    hour, day = np.arange(len(total)) * 24 // STEPS_A_DAY % 24, np.arange(len(total)) // STEPS_A_DAY % 7
    by_hour = np.array([total[(hour == h) & (day < 5)].mean() for h in range(24)])
    assert 1.4 < by_hour.max() / by_hour.min() < 2.0
    assert 11 <= by_hour.argmax() <= 16
    assert 0.7 < total[day >= 5].mean() / total[day < 5].mean() < 0.95
    batch = estate.cpu[estate.role == "batch"].mean(axis=0)
    assert batch[hour == 2].mean() > 1.5 * batch[hour == 14].mean()


def test_the_estate_has_bursts_idle_machines_and_zombies(estate: Machines) -> None:
    shares = {role: (estate.role == role).mean() for role in ROLES}
    assert shares == pytest.approx(ROLES, abs=0.004)
    assert (estate.cpu[estate.role == "zombie"] == 0).all()
    assert (estate.memory[estate.role == "zombie"] == 0).all()
    assert (estate.cpu[estate.role == "idle"].mean(axis=1) < 0.05).all()
    assert (estate.memory[estate.role == "idle"].mean(axis=1) < 0.05).all()
    bursty, office = (estate.cpu[estate.role == role] for role in ("bursty", "office"))
    peaks = [np.median(cpu.max(axis=1) / np.median(cpu, axis=1)) for cpu in (bursty, office)]
    assert peaks[0] > 1.5 * peaks[1]


def test_the_estate_has_the_sizes_of_real_ones(estate: Machines) -> None:
    for number, share in VCPU.items():
        assert (estate.vcpu == number).mean() == pytest.approx(share, abs=0.004)
    ratio = estate.memory_gib / estate.vcpu
    assert set(ratio[estate.memory_gib < MOST_MEMORY_GIB]) <= set(GIB_PER_VCPU)
    assert (estate.memory_gib.min(), estate.memory_gib.max()) == (2, 128)
    assert estate.storage_gib.min() >= 40
    assert 500 < estate.storage_gib.max() <= 1000
    sizes = np.unique(estate.application, return_counts=True)[1]
    assert set(sizes) == {1, 2, 3, 4, 6}


def test_the_estate_ships_with_the_flaws_of_a_recording() -> None:
    with Store(":memory:") as store:
        quality = store.ingest(sample("planner")).quality
    assert all(quality[f"stars_{stars}"] > 0 for stars in range(1, 6)), quality
    assert quality["stars_5"] > 0.9 * 300
    assert (quality["zombie"], quality["unknown"]) == (12, 3)
    assert 30 <= quality["idle"] <= 45
    table = pd.read_csv(sample("planner") / "workloads.csv")
    assert (table["created_at"].count(), table["deleted_at"].count()) == (12, 12)
    samples = pd.read_parquet(sample("planner") / "samples.parquet")
    assert list(samples.columns) == ["workload", "sampled_at", "cpu_cores", "memory_gib"]
    sized = samples.merge(table, on="workload", suffixes=("", "_allocated"))
    assert (sized["cpu_cores"] <= sized["cpu_cores_allocated"]).all()
    assert (sized["memory_gib"] <= sized["memory_gib_allocated"]).all()


def test_azure_machines_are_in_the_official_layout() -> None:
    table = pd.read_csv(sample("azure_vm") / "vmtable" / "vmtable.csv.gz", header=None, dtype=str)
    assert table.shape == (300, 11)
    assert table[0].str.fullmatch(r"[A-Za-z0-9+/]{64}").all()
    assert set(table[8]) == set(CATEGORIES)
    assert set(table[9]) == {"2", "4", "8", "24", ">24"}
    assert set(table[10]) == {"2", "4", "8", "32", "64", ">64"}
    created, deleted = table[3].astype(int), table[4].astype(int)
    end = 14 * 86400
    assert ((created % 300 == 0) & (deleted % 300 == 0) & (created < deleted) & (deleted <= end)).all()
    assert ((created > 0).sum(), (deleted < end).sum()) == (30, 30)
    average, p95, most = (table[column].astype(float) for column in (6, 7, 5))
    assert ((average <= most) & (p95 <= most) & (most <= 100)).all()
    deployments = pd.read_csv(sample("azure_vm") / "deployments" / "deployments.csv.gz", header=None)
    assert deployments.set_index(0)[1].to_dict() == table[2].value_counts().to_dict()
    subscriptions = pd.read_csv(sample("azure_vm") / "subscriptions" / "subscriptions.csv.gz", header=None)
    assert subscriptions.set_index(0)[2].to_dict() == table[1].value_counts().to_dict()


def test_azure_readings_are_the_first_of_the_official_files() -> None:
    table = pd.read_csv(sample("azure_vm") / "vmtable" / "vmtable.csv.gz", header=None).set_index(0)
    folder = sample("azure_vm") / "vm_cpu_readings"
    names = [f"vm_cpu_readings-file-{n}-of-56.csv.gz" for n in range(1, 9)]
    assert sorted(path.name for path in folder.iterdir()) == names
    readings = pd.concat([pd.read_csv(folder / name, header=None) for name in names])
    assert set(readings[0]) == set(range(0, 2 * 86400, 300))
    assert (readings[0].diff().dropna() >= 0).all(), "ordered by time, all machines at each"
    assert ((readings[2] <= readings[4]) & (readings[4] <= readings[3])).all(), "min, max, avg"
    life = table.loc[readings[1]]
    assert ((life[3].to_numpy() <= readings[0]) & (readings[0] < life[4].to_numpy())).all()
    read = readings.groupby(1)[3].max()
    assert (read <= table[5].reindex(read.index)).all(), "the table knows the whole fortnight"
    assert 0 < 300 - len(read) < 45, "machines created later have no readings in the first files"


def test_azure_averages_of_the_table_are_those_of_all_readings(tmp_path: Path) -> None:
    paths = write("azure_vm", tmp_path, 3, Size(vms=20, days=1))
    table = pd.read_csv(paths[0], header=None).set_index(0)
    readings = pd.concat([pd.read_csv(path, header=None) for path in paths[3:]])
    by_machine = readings.groupby(1)
    for column, found in ((5, by_machine[3].max()), (6, by_machine[4].mean()), (7, by_machine[3].quantile(0.95))):
        assert found.to_numpy() == pytest.approx(table[column].reindex(found.index).to_numpy(), abs=1e-5)


def test_bitbrains_machines_are_in_the_official_layout() -> None:
    folder = sample("bitbrains") / "fastStorage" / "2013-8"
    assert sorted(path.name for path in folder.iterdir()) == [f"{n}.csv" for n in range(1, 6)]
    for path in folder.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[0] == ";\t".join(HEADER)
        assert {line.count(";\t") for line in lines} == {10}
        table = pd.DataFrame([line.split(";\t") for line in lines[1:]], columns=list(HEADER), dtype=float)
        steps = table["Timestamp [ms]"].diff().dropna()
        assert table["Timestamp [ms]"].iloc[0] < 1e11, "seconds, whatever the header says"
        assert (steps % 300 == 0).all()
        assert (steps > 300).any(), "gaps"
        assert table["CPU usage [MHZ]"].to_numpy() == pytest.approx(
            (table["CPU capacity provisioned [MHZ]"] * table["CPU usage [%]"] / 100).to_numpy(), abs=1
        )
        assert (table["Memory usage [KB]"] <= table["Memory capacity provisioned [KB]"]).all()


def test_the_bitbrains_header_is_that_of_the_published_file() -> None:
    published = shared("traces", "bitbrains-gwa-t-12", "fastStorage_sample_1vm.csv.gz")
    with gzip.open(published, "rt", encoding="utf-8") as file:
        assert file.readline().rstrip("\n").split(";\t") == list(HEADER)


@pytest.fixture(scope="module", params=[0, 1, 2])
def functions(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    calls, durations, memory = write("azure_functions", tmp_path_factory.mktemp("f"), request.param)
    return pd.read_csv(calls), pd.read_csv(durations), pd.read_csv(memory)


@pytest.mark.slow
def test_calls_are_skewed_as_published(functions: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]) -> None:
    """Shahrad et al. 2020: of applications 45 / 36 / 19 %, the last > 99.5 % of calls, 3 % more than one a second."""
    calls = functions[0]
    daily = calls[calls.columns[4:]].sum(axis=1)
    by_app = daily.groupby(calls["HashApp"]).sum()
    assert (by_app <= 24).mean() == pytest.approx(0.45, abs=0.05)
    assert (by_app <= 1440).mean() == pytest.approx(0.81, abs=0.02)
    assert (by_app > 86400).mean() == pytest.approx(0.03, abs=0.01)
    assert by_app[by_app > 1440].sum() / by_app.sum() > 0.995
    assert (daily <= 1440).mean() == pytest.approx(0.90, abs=0.07)
    sizes = calls["HashApp"].value_counts()
    assert (sizes == 1).mean() == pytest.approx(0.54, abs=0.02)
    assert (sizes <= 10).mean() == pytest.approx(0.95, abs=0.02)


def test_triggers_have_their_published_shares(functions: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]) -> None:
    calls = functions[0]
    minutes = calls[calls.columns[4:]]
    by_function = calls["Trigger"].value_counts(normalize=True)
    assert by_function.to_dict() == pytest.approx(TRIGGERS, abs=0.005)
    by_call = minutes.sum(axis=1).groupby(calls["Trigger"]).sum() / minutes.to_numpy().sum()
    assert by_call.to_dict() == pytest.approx(CALLS_BY_TRIGGER, abs=0.05)
    timers = minutes[calls["Trigger"] == "timer"].to_numpy()
    assert set(np.unique(timers)) == {0, 1}
    rings = [np.unique(np.diff(np.flatnonzero(row))) for row in timers]
    assert all(len(gaps) <= 1 for gaps in rings), "evenly"


def test_calls_follow_the_day_at_half_load_by_night(
    functions: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
) -> None:
    calls = functions[0]
    minutes = calls[calls.columns[4:]].to_numpy()
    assert (minutes.sum(axis=1) > 0).all(), "functions without a call are absent"
    by_hour = minutes.sum(axis=0).reshape(24, 60).sum(axis=1)
    assert 1.7 < by_hour.max() / by_hour.min() < 2.5


def test_durations_and_memory_are_as_published(functions: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]) -> None:
    """20 % of functions average below 100 ms, 50 % below 1 s, 4 % above a minute; maxima 50 % < 3 s, 10 % > 1 min."""
    calls, durations, memory = functions
    average, longest = durations["Average"], durations["Maximum"]
    found = [(average < 100).mean(), (average < 1000).mean(), (average > 60000).mean()]
    assert found == pytest.approx([0.20, 0.50, 0.04], abs=0.01)
    assert [(longest < 3000).mean(), (longest > 60000).mean()] == pytest.approx([0.50, 0.10], abs=0.01)
    percentiles = durations[durations.columns[7:]].to_numpy()
    assert (np.diff(percentiles, axis=1) >= 0).all()
    assert ((durations["Minimum"] <= average) & (average <= longest)).all()
    assert (durations["Count"] == calls[calls.columns[4:]].sum(axis=1)).all()
    assert memory["AverageAllocatedMb"].median() == pytest.approx(170, rel=0.02)
    assert (memory["AverageAllocatedMb"] <= 400).mean() == pytest.approx(0.90, abs=0.01)


def test_functions_are_in_the_official_layout(functions: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]) -> None:
    calls, durations, memory = functions
    keys = ["HashOwner", "HashApp", "HashFunction"]
    assert list(calls.columns) == [*keys, "Trigger", *(str(m) for m in range(1, 1441))]
    tail = [f"percentile_Average_{q}" for q in (0, 1, 25, 50, 75, 99, 100)]
    assert list(durations.columns) == [*keys, "Average", "Count", "Minimum", "Maximum", *tail]
    tail = [f"AverageAllocatedMb_pct{q}" for q in (1, 5, 25, 50, 75, 95, 99, 100)]
    assert list(memory.columns) == ["HashOwner", "HashApp", "SampleCount", "AverageAllocatedMb", *tail]
    assert len(calls) == len(durations) == 200
    assert calls[keys].equals(durations[keys])
    assert not memory.duplicated(["HashOwner", "HashApp"]).any()
    assert set(memory["HashApp"]) == set(calls["HashApp"])
