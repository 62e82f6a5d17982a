"""A process killed in the middle of an ingest or a save: the workspace opens, and holds all of it or nothing."""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from planner.store import Store

ROWS = 60_000
PLACED = 30_000
POINTS = [pytest.param(2, id="few"), pytest.param(50, id="fifty", marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def server() -> ForkServerContext:
    """Children that need not import first."""
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(["planner.store", "store.test_killed"])
    return context


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("killed") / "trace.csv"
    rows = f"""
        select 'vm' || i % 100 as workload, timestamp '2024-01-01' + to_seconds(300 * (i // 100)) as sampled_at,
            case when i % 1000 = 7 then 'x' else '1.5' end as cpu_cores, 4 as memory_gib from range({ROWS}) t(i)
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"copy ({rows}) to '{path}' (header)")
    return path


def ingest(workspace: Path, recording: Path, begun: Event) -> None:
    with Store(workspace) as store:
        begun.set()
        store.ingest(recording)


def placements(version: int) -> pd.DataFrame:
    names = [f"w{n}" for n in range(PLACED)]
    return pd.DataFrame({"model": "iaas", "year": 0, "workload": names, "replica": 0, "sku": f"v{version}", "box": 0})


def save(workspace: Path, recording: Path, begun: Event) -> None:
    """Saves a study again and again, each time another version of it."""
    with Store(workspace) as store:
        begun.set()
        for version in range(1000):
            store.save("study", {"placements": placements(version)}, f'{{"version": {version}}}')


def killed(server: ForkServerContext, work: Callable[..., None], paths: tuple[Path, Path], after: float) -> None:
    """Starts `work` and kills it so many seconds after it has begun."""
    begun = server.Event()
    child = server.Process(target=work, args=(*paths, begun))
    child.start()
    assert begun.wait(60)
    time.sleep(after)
    if child.pid is not None and child.is_alive():
        os.kill(child.pid, signal.SIGKILL)
    child.join()
    child.close()


def moments(points: int, seconds: float) -> Iterator[float]:
    """Random moments, one in each of as many equal parts of the time that the work takes."""
    part = seconds / points
    yield from (np.arange(points) + np.random.default_rng(5).random(points)) * part


@pytest.mark.parametrize("points", POINTS)
def test_an_ingest_is_all_or_nothing(tmp_path: Path, server: ForkServerContext, recording: Path, points: int) -> None:
    with Store(tmp_path / "whole.duckdb") as store:
        start = time.monotonic()
        whole = store.ingest(recording)
        seconds = time.monotonic() - start
    assert (whole.samples, whole.rejected) == (ROWS - ROWS // 1000, ROWS // 1000)
    for number, after in enumerate(moments(points, 1.2 * seconds)):
        workspace = tmp_path / f"{number}.duckdb"
        killed(server, ingest, (workspace, recording), after)
        with Store(workspace) as store:
            kept = len(store.traces())
            counts = store._frame("select (select count(*) from usage) u, (select count(*) from rejects) r").iloc[0]
            assert counts.tolist() == [kept * whole.samples, kept * whole.rejected]
            again = store.ingest(recording)
            assert again.repeated == bool(kept)
            assert (again.samples, again.rejected) == (whole.samples, whole.rejected)
            assert store._frame("select count(*) u from usage")["u"][0] == whole.samples


@pytest.mark.parametrize("points", POINTS)
def test_a_save_is_all_or_nothing(tmp_path: Path, server: ForkServerContext, recording: Path, points: int) -> None:
    workspace = tmp_path / "s.duckdb"
    for after in moments(points, 0.4):
        killed(server, save, (workspace, recording), after)
        with Store(workspace) as store:
            document = store.document("study")
            found = store._frame("select sku, count(*) n from placements where study_id = 'study' group by all")
            if document is None:
                assert found.empty
            else:
                assert found.to_numpy().tolist() == [["v" + document.split()[1].rstrip("}"), PLACED]]
            store.save("study", {"placements": placements(-1)}, '{"version": -1}')
            assert store.document("study") == '{"version": -1}'
