"""The shipped recordings: in the official layouts, as calibrated, and made again byte by byte."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.bundle import bundled
from planner.errors import InputError
from planner.samples import SAMPLES, Size, write
from planner.samples.estate import simulate
from planner.samples.functions import TRIGGERS
from planner.store import Store

FORMATS = list(SAMPLES)


def content(path: Path) -> pd.DataFrame | bytes:
    return pd.read_parquet(path) if path.suffix == ".parquet" else unpacked(path)


def unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_what_ships_is_what_is_generated(name: str, tmp_path: Path) -> None:
    made = write(name, tmp_path)
    shipped = bundled("datasets", "samples", name)
    assert sorted(p.relative_to(tmp_path) for p in made) == sorted(
        p.relative_to(shipped) for p in shipped.rglob("*") if p.is_file()
    )
    for path in made:
        here, there = content(path), content(shipped / path.relative_to(tmp_path))
        if isinstance(here, pd.DataFrame):
            assert isinstance(there, pd.DataFrame)
            pd.testing.assert_frame_equal(here, there)
        else:
            assert here == there


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_seed_the_same_bytes_and_another_seed_others(name: str, tmp_path: Path) -> None:
    size = Size(vms=12, functions=12, days=1)
    one, two, other = (write(name, tmp_path / str(i), seed, size) for i, seed in enumerate((5, 5, 6)))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
    assert [p.read_bytes() for p in one] != [p.read_bytes() for p in other]


@pytest.mark.parametrize("name", FORMATS)
def test_each_goes_in_by_itself_without_a_bad_row(name: str) -> None:
    with Store(":memory:") as store:
        trace = store.ingest(bundled("datasets", "samples", name))
    assert (trace.format, trace.rejected) == (name, 0)
    assert trace.workloads == (SAMPLES[name].vms or SAMPLES[name].functions)


def test_an_unknown_sample_names_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'bitbrains'"):
        write("bitbrain", tmp_path)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_estate_is_as_busy_as_published_ones(seed: int) -> None:
    """Google 2011 as VMs: CPU mean 21.84, sd 13.62, median 18; memory 19.55, 16.66, 12; Bitbrains-50: 15.92 %."""
    machines = simulate(Size(vms=300, days=14), 900, seed)
    active = ~np.isin(machines.role, ["idle", "zombie"])
    cpu, memory = 100 * machines.cpu[active], 100 * machines.memory[active]
    assert [cpu.mean(), cpu.std(), np.median(cpu)] == pytest.approx([21.84, 13.62, 18.0], rel=0.10)
    assert [memory.mean(), memory.std()] == pytest.approx([19.55, 16.66], rel=0.10)
    assert np.median(memory) == pytest.approx(12.0, rel=0.25)
    busy = float((machines.cpu.mean(axis=1) * machines.vcpu).sum() / machines.vcpu.sum())
    assert 0.12 < busy < 0.24
    assert (machines.role == "idle").sum() == 24
    assert (machines.cpu[machines.role == "zombie"] == 0).all()


def test_the_estate_breathes_with_day_and_week() -> None:
    machines = simulate(Size(vms=300, days=14), 900, 0)
    total = (machines.cpu * machines.vcpu[:, None]).sum(axis=0)
    hour, day = np.arange(len(total)) // 4 % 24, np.arange(len(total)) // 96 % 7
    noon, night = total[(hour >= 10) & (hour < 16) & (day < 5)].mean(), total[(hour < 6) & (day < 5)].mean()
    assert 1.3 < noon / night < 2.2
    assert 0.7 < total[day >= 5].mean() / total[day < 5].mean() < 0.95


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    calls, durations, memory = write("azure_functions", tmp_path_factory.mktemp("f"))
    return pd.read_csv(calls), pd.read_csv(durations), pd.read_csv(memory)


def test_functions_are_skewed_as_published(functions: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]) -> None:
    """Shahrad et al. 2020, by application 45 / 36 / 19 %, the last > 99.5 % of calls."""
    calls, durations, _ = functions
    minutes = calls.columns[4:]
    assert list(minutes) == [str(m) for m in range(1, 1441)]
    daily = calls[minutes].sum(axis=1)
    by_app = daily.groupby(calls["HashApp"]).sum().sort_values()
    assert (by_app <= 24).mean() == pytest.approx(0.45, abs=0.08)
    assert (by_app <= 1440).mean() == pytest.approx(0.81, abs=0.06)
    assert (by_app > 86400).mean() == pytest.approx(0.03, abs=0.03)
    assert by_app[by_app > 1440].sum() / by_app.sum() > 0.99
    average = durations["Average"]
    assert [(average < 100).mean(), (average < 1000).mean()] == pytest.approx([0.20, 0.50], abs=0.02)
    assert (average > 60000).mean() == pytest.approx(0.04, abs=0.015)
    shares = calls["Trigger"].value_counts(normalize=True)
    assert {t: shares.get(t, 0.0) for t in TRIGGERS} == pytest.approx(TRIGGERS, abs=0.01)
    sizes = calls["HashApp"].value_counts()
    assert (sizes == 1).mean() == pytest.approx(0.54, abs=0.05)
    assert (sizes <= 10).mean() >= 0.93
    by_minute = calls[minutes].sum(axis=0).to_numpy().reshape(24, 60).sum(axis=1)
    assert 1.6 < by_minute.max() / by_minute.min() < 2.4


def test_functions_are_in_the_official_layout(functions: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]) -> None:
    calls, durations, memory = functions
    assert list(calls.columns[:4]) == ["HashOwner", "HashApp", "HashFunction", "Trigger"]
    assert list(durations.columns[3:7]) == ["Average", "Count", "Minimum", "Maximum"]
    assert list(durations.columns[7:]) == [f"percentile_Average_{q}" for q in (0, 1, 25, 50, 75, 99, 100)]
    assert list(memory.columns[:4]) == ["HashOwner", "HashApp", "SampleCount", "AverageAllocatedMb"]
    assert (calls[calls.columns[4:]].sum(axis=1) > 0).all()
    percentiles = durations[durations.columns[7:]].to_numpy()
    assert (np.diff(percentiles, axis=1) >= 0).all()


def test_machines_are_in_the_official_layouts() -> None:
    table = pd.read_csv(bundled("datasets", "samples", "azure_vm", "vmtable", "vmtable.csv.gz"), header=None, dtype=str)
    assert table.shape[1] == 11
    assert set(table[9]) <= {"2", "4", "8", "24", ">24"}
    assert ">24" in set(table[9])
    assert set(table[10]) <= {"2", "4", "8", "32", "64", ">64"}
    assert ">64" in set(table[10])
    folder = bundled("datasets", "samples", "azure_vm", "vm_cpu_readings")
    readings = pd.concat(pd.read_csv(p, header=None) for p in sorted(folder.iterdir()))
    assert (readings[0].diff().dropna() >= 0).all(), "ordered by time, all machines at each"
    assert ((readings[2] <= readings[4]) & (readings[4] <= readings[3])).all(), "min, max, avg"
    first = (bundled("datasets", "samples", "bitbrains") / "fastStorage" / "2013-8" / "1.csv").read_text(
        encoding="utf-8"
    )
    head, row = first.splitlines()[:2]
    assert head.startswith("Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ]")
    assert row.startswith("13763")
    assert row.count(";\t") == head.count(";\t") == 10
