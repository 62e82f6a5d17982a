"""pmap: one seam for work on many cores or machines; the same answer on each engine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from planner.errors import InputError, near_miss

__all__ = ["ENGINES", "HERE", "Fanout", "pmap"]

In = TypeVar("In")
Out = TypeVar("Out")

ENGINES: Final = {"serial": None, "local": None, "dask": "distributed", "ray": "ray", "spark": "joblibspark"}
"""Engine -> the package it needs besides joblib; `dask://host:port` and the like name a running cluster."""


@dataclass(frozen=True)
class Fanout:
    """Where work that can be divided is done; by default here, in this process."""

    engine: str = "serial"
    """serial, local, dask, ray or spark; dask://host:port and the like name a running cluster."""
    workers: int = -1
    """Processes; -1: as many as the engine has."""

    @property
    def here(self) -> bool:
        """Whether all is done in this process."""
        return self.engine == "serial"

    @property
    def shards(self) -> int:
        """Pieces that a large piece of work is cut into: four a worker, so that none waits long for another."""
        workers = self.workers if self.workers > 0 else os.cpu_count() or 1
        return 1 if self.here else 4 * workers

    def map(self, fn: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
        """`pmap` on this engine."""
        return pmap(fn, items, self.engine, self.workers)


PATIENCE_S: Final = 60.0
"""How long a Spark cluster may take to give a core. Unit: seconds. Source: our choice."""

_PAUSE_S: Final = 0.25

HERE: Final = Fanout()
"""All in this process."""


def pmap(fn: Callable[[In], Out], items: Iterable[In], engine: str = "local", workers: int = -1) -> list[Out]:
    """``[fn(x) for x in items]`` on `workers` processes (-1: all cores) of an engine, in the order of `items`.

    `fn` must be importable where it runs. A killed local worker is survived once: the work is done again.

    Raises:
        InputError: the engine is unknown or its package is not installed.
    """
    name = urlsplit(engine).scheme or engine
    if name not in ENGINES:
        raise InputError(f"engine {engine!r}: {near_miss(name, ENGINES)}")
    needs = ENGINES[name]
    if needs is not None and find_spec(needs) is None:
        raise InputError(f"engine {name!r} needs the package {needs}: pip install 'planner[{name}]'")
    work = list(items)
    if name == "serial" or len(work) < 2:
        return [fn(item) for item in work]
    if name == "local":
        return _local(fn, work, workers)
    return _on_cluster(fn, work, engine, workers)


def _local(fn: Callable[[In], Out], work: list[In], workers: int) -> list[Out]:
    try:
        return list(Parallel(n_jobs=workers, backend="loky")(delayed(fn)(item) for item in work))
    except TerminatedWorkerError:
        return list(Parallel(n_jobs=workers, backend="loky")(delayed(fn)(item) for item in work))


def _on_cluster(fn: Callable[[In], Out], work: list[In], engine: str, workers: int) -> list[Out]:
    name, address = urlsplit(engine).scheme or engine, urlsplit(engine).netloc
    with ExitStack() as cluster:
        try:
            cluster.enter_context(_CLUSTERS[name](address))
        except InputError:
            raise
        except Exception as error:  # each engine has its own for a server that is not there
            told = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError(f"engine {engine!r}: cannot be reached: {told}") from error
        with parallel_config(name):
            return list(Parallel(n_jobs=workers)(delayed(fn)(item) for item in work))


def _dask(address: str) -> AbstractContextManager[Any]:
    client: AbstractContextManager[Any] = _package("distributed").Client(f"tcp://{address}" if address else None)
    return client


@contextmanager
def _ray(address: str) -> Iterator[None]:
    ray = _package("ray")
    ray.init(address=f"ray://{address}" if address else None, ignore_reinit_error=True, log_to_driver=False)
    _package("ray.util.joblib").register_ray()
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _spark(address: str) -> Iterator[None]:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else Spark takes whatever python3 is on the path
    master = f"spark://{address}" if address else "local[*]"
    builder = _package("pyspark.sql").SparkSession.builder.master(master).appName("planner")
    session = builder.config("spark.ui.enabled", "false").getOrCreate()
    _package("joblibspark").register_spark()
    try:
        _wait_for_a_core(session.sparkContext, master)
        yield
    finally:
        session.stop()


def _wait_for_a_core(context: Any, master: str) -> None:
    """A cluster starts its workers' processes once a session is there, and joblib counts them before."""
    java = context._jsc.sc()  # noqa: SLF001 - joblibspark asks there too
    profile = java.resourceProfileManager().resourceProfileFromId(0)
    last = time.monotonic() + PATIENCE_S
    while java.maxNumConcurrentTasks(profile) < 1:
        if time.monotonic() > last:
            raise InputError(f"engine {master!r}: no worker offers a core in {PATIENCE_S:g} s")
        time.sleep(_PAUSE_S)


def _package(name: str) -> Any:
    return import_module(name)


_CLUSTERS: Final = {"dask": _dask, "ray": _ray, "spark": _spark}
