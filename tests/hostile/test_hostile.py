"""Each hostile file is one clear error or a correct ingest; the store and the disk around it stay as they were."""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostile.corpus import CASES, Case
from planner import sandbox
from planner.errors import TraceError
from planner.sandbox import Guard
from planner.store import Limits, Store, TraceInfo
from store.writing import csv, hourly

BY_NAME = {case.name: case for case in CASES}
TABLES = "select table_name from duckdb_columns() where column_name = 'trace_id' and not internal"


def everything(store: Store) -> dict[str, list[int]]:
    """Rows and a hash of every table that holds recordings."""
    tables = store._frame(TABLES)["table_name"].tolist()
    query = "select count(*) as n, coalesce(bit_xor(hash(t)), 0) as h from {} t"
    return {table: store._frame(query.format(table)).iloc[0].tolist() for table in tables}


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def judged(case: Case, outcome: TraceInfo | TraceError) -> None:
    if isinstance(outcome, TraceInfo):
        assert case.error is None or case.either
        assert (outcome.samples, outcome.rejected) == (case.samples, case.rejected)
        return
    words = str(outcome)
    assert case.error is not None, words
    assert re.search(case.error, words), words
    assert len(words.splitlines()) == 1
    assert len(words) < 1000


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store(":memory:") as opened:
        yield opened


@pytest.mark.parametrize("name", BY_NAME)
def test_in_this_process(tmp_path: Path, store: Store, name: str) -> None:
    case = BY_NAME[name]
    made = tmp_path / "made"
    made.mkdir()
    path = case.make(made, 64)
    whole, before = everything(store), files(tmp_path)
    try:
        outcome: TraceInfo | TraceError = store.ingest(path, limits=Limits(expansion=50))
    except TraceError as error:
        outcome = error
        assert everything(store) == whole
    judged(case, outcome)
    assert files(tmp_path) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_guarded_at_full_size(tmp_path: Path, name: str) -> None:
    """At a gibibyte, in the child: within 30 s and 1 GB, and a recording that was there before is still whole."""
    case = BY_NAME[name]
    made = tmp_path / "made"
    made.mkdir()
    path = case.make(made, 1024)
    with Store(tmp_path / "s.duckdb") as store:
        store.ingest(csv(tmp_path, *hourly("before", 30), name="before.csv"))
        whole, before = everything(store), files(tmp_path)
        start = time.monotonic()
        try:
            outcome: TraceInfo | TraceError = sandbox.ingest(store, path, guard=Guard(expansion=50))
        except TraceError as error:
            outcome = error
            assert everything(store) == whole
        assert time.monotonic() - start < 30
        assert files(tmp_path) == before
    judged(case, outcome)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1 << 20
