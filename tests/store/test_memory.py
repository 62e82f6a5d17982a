"""A recording larger than the memory it may take goes through, to the same demand."""

from __future__ import annotations

import json
from collections.abc import Callable
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


def of_pods(first: int) -> str:
    """A list of a thousand pods, as kubectl prints it."""
    wants = {"requests": {"cpu": "100m", "memory": "128Mi"}}
    spec = {"nodeName": "n1", "containers": [{"name": "c", "image": "x" * 60, "resources": wants}]}
    pods = [
        {"kind": "Pod", "metadata": {"name": f"p-{i}", "namespace": "d", "uid": f"{i}"}, "spec": spec}
        for i in range(first, first + 1000)
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": pods})


def of_points(_: int) -> str:
    """An answer of CloudWatch with as many data points as it may have."""
    moments = [f"2024-01-{1 + k // 288:02}T{k // 12 % 24:02}:{k % 12 * 5:02}:00+00:00" for k in range(1440)]
    points = [{"Timestamp": moment, "Average": 5.0, "Unit": "Percent"} for moment in moments]
    return json.dumps({"Label": "CPUUtilization", "Datapoints": points})


@pytest.mark.parametrize(("document", "workloads"), [(of_pods, 2000), (of_points, 1)])
def test_documents_of_one_file_take_no_more_memory_than_apart(
    tmp_path: Path, document: Callable[[int], str], workloads: int
) -> None:
    """Each row once carried the text of its document with it."""
    path = tmp_path / "i-0abc.json"
    path.write_text("\n".join(map(document, (0, 1000))), encoding="utf-8")
    with Store(":memory:", "128MiB", "1MiB") as store:
        assert store.ingest(path).workloads == workloads


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
