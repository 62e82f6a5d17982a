"""One seam for work on many cores: the same answer on each engine, in order."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from planner.engine import pmap
from planner.errors import InputError


def square(x: int) -> int:
    return x * x


def die_once(folder: str) -> str:
    marker = Path(folder) / "died"
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


@pytest.mark.parametrize("engine", ["serial", "local"])
def test_order_is_kept(engine: str) -> None:
    assert pmap(square, range(20), engine, workers=2) == [x * x for x in range(20)]


@pytest.mark.parametrize("engine", ["local", pytest.param("dask", marks=pytest.mark.slow)])
def test_a_killed_worker_is_survived(tmp_path: Path, engine: str) -> None:
    assert pmap(die_once, [str(tmp_path)] * 2, engine, workers=2) == ["alive", "alive"]


def test_an_unknown_engine_is_named_with_what_is_near() -> None:
    with pytest.raises(InputError, match="did you mean 'dask'"):
        pmap(square, [1, 2], "dusk://host:1")


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.engine.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"planner\[ray\]"):
        pmap(square, [1, 2], "ray")


@pytest.mark.slow
def test_a_running_cluster_is_named_by_its_address() -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        engine = cluster.scheduler_address.replace("tcp://", "dask://")
        assert pmap(square, range(5), engine) == [0, 1, 4, 9, 16]
    with pytest.raises(InputError, match=f"engine '{engine}': cannot be reached"):
        pmap(square, range(5), engine)
