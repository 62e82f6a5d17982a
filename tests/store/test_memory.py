"""A recording larger than the memory it may take goes through, to the same demand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from planner.bundle import bundled
from planner.demand import Policy
from planner.errors import InputError, TraceError
from planner.store import Store
from planner.store.reduction import reduce


def recording(path: Path, rows: int, machines: int) -> Path:
    text = f"""
        select 'vm' || i % {machines} as workload,
            timestamp '2024-01-01' + to_seconds(300 * (i // {machines})) as sampled_at,
            round(hash(i) / 1.8e19 * 4, 4) as cpu_cores, round(hash(i + 1) / 1.8e19 * 16, 4) as memory_gib
        from range({rows}) t(i)
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"copy ({text}) to '{path}' (header)")
    return path


SIZES = [pytest.param(120_000, 300, id="some"), pytest.param(17_000_000, 4000, id="640 MiB", marks=pytest.mark.slow)]


@pytest.mark.parametrize(("rows", "machines"), SIZES)
def test_a_cap_changes_nothing_but_the_passes(tmp_path: Path, rows: int, machines: int) -> None:
    """At full size the file is ten times the cap."""
    path = recording(tmp_path / "trace.csv", rows, machines)
    found = []
    for cap in ("64MiB", "4GiB"):
        with Store(tmp_path / f"{cap}.duckdb", cap, "4GiB") as store:
            info = store.ingest(path)
            found.append((info, store.demand(info.trace_id, Policy())))
            limit = "select parse_formatted_bytes(current_setting('memory_limit')) as most"
            assert store._frame(limit)["most"][0] == {"64MiB": 64 << 20, "4GiB": 4 << 30}[cap]
    (info, capped), (same, free) = found
    assert info == same
    assert np.array_equal(capped.busy, free.busy)
    assert np.array_equal(capped.mean, free.mean)


@pytest.mark.slow
def test_functions_in_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pass or many: the same rows."""
    with Store(":memory:") as store:
        info = store.ingest(bundled("datasets", "samples", "azure_functions"))
        connection = store._cursor()
        one = reduce(connection, info.trace_id, Policy())
        monkeypatch.setattr("planner.store.reduction._BYTES_PER_CALL", 1 << 18)
        many = reduce(connection, info.trace_id, Policy())
    order = ["number", "period"]
    rows = [each.calls.sort_values(order).reset_index(drop=True) for each in (one, many)]
    assert rows[0].equals(rows[1])
    assert len(rows[0]) > 0


def test_too_little_is_one_clear_error(tmp_path: Path) -> None:
    path = recording(tmp_path / "trace.csv", 100_000, 300)
    with Store(tmp_path / "s.duckdb", "8MiB", "1MiB") as store:
        with pytest.raises(TraceError, match=r"needs more (memory|room on disk).*--(memory|spill)"):
            store.ingest(path)
        assert store.traces().empty
    with pytest.raises(InputError, match="a limit cannot be set"):
        Store(":memory:", "much")
