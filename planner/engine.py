"""pmap: one seam for work on many cores or machines; the same answer on each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Final, TypeVar
from urllib.parse import urlsplit

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from planner.errors import InputError, near_miss

__all__ = ["ENGINES", "pmap"]

In = TypeVar("In")
Out = TypeVar("Out")

ENGINES: Final = {"serial": None, "local": None, "dask": "distributed", "ray": "ray", "spark": "joblibspark"}
"""Engine -> the package it needs besides joblib; `dask://host:port` and the like name a running cluster."""


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
    if name == "dask":
        from_address = f"tcp://{address}" if address else None
        from_client = __import__("distributed").Client(from_address)
        with from_client, parallel_config("dask"):
            return list(Parallel(n_jobs=workers)(delayed(fn)(item) for item in work))
    if name == "ray":
        __import__("ray.util.joblib", fromlist=["register_ray"]).register_ray()
    if name == "spark":
        __import__("joblibspark").register_spark()
    with parallel_config(name):
        return list(Parallel(n_jobs=workers)(delayed(fn)(item) for item in work))
