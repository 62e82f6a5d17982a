"""Conservation: loaded and rejected rows of each cluster trace are those of the file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from planner.store import Store

ROWS = {
    "google_2011": "i // 50 * 300000000 || ',,' || '77,' || i % 50 || ',5,0.5,0.25' || repeat(',', 11) || '1,0,'",
    "google_2019": "i // 50 * 300000000 || ',77,' || i % 50 || ',0.5,0.25'",
    "alibaba_2017": "i // 50 * 300 || ',' || i % 50 || ',20,40,30,1.5,1.5,1.5'",
    "alibaba_2018": "'m_' || i % 50 || ',' || i // 50 * 60 || ',20,40,,,1.5,2.5,5'",
    "gcd_vms": "i % 97 || ' ' || i % 89",
    "planetlab": "i % 97",
    "azure_functions_2021": "'a' || i % 9 || ',f,' || i / 10 || ',0.5'",
    "alibaba_openb": "'p' || i || ',1000,2048,1,500'",
}
"""A good row, number i, as SQL."""
HEADERS = {
    "google_2019": "start_time,collection_id,instance_index,average_usage.cpus,average_usage.memory\n",
    "azure_functions_2021": "app,func,end_timestamp,duration\n",
    "alibaba_openb": "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n",
}


@pytest.mark.parametrize("n", [2_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ROWS)
def test_loaded_and_rejected_rows_are_those_of_the_file(tmp_path: Path, name: str, n: int) -> None:
    """One row in a hundred is bad: a field too many, words for a number, an open quote, nothing at all."""
    with duckdb.connect(":memory:") as connection:
        lines = connection.execute(f"""
            select case when i % 100 <> 50 then w when i % 400 = 50 then w || ' ,x'
                when i % 400 = 150 then 'x ' || w || 'x' when i % 400 = 250 then '"' || w else '   ' end as line
            from (select i, cast({ROWS[name]} as varchar) as w from range({n}) r(i)) order by i
        """).df()["line"]
    path = tmp_path / "20110303" / "part"
    path.parent.mkdir()
    path.write_text(HEADERS.get(name, "") + "\n".join(lines) + "\n")
    with Store(tmp_path / "store.duckdb") as store:
        info = store.ingest(path)
        rejects = store.rejects(info.trace_id)
        samples = int(store._frame("select count(*) n from usage")["n"][0])
    loaded = {"azure_functions_2021": int(info.calls), "alibaba_openb": info.workloads}.get(name, samples)
    assert (info.format, info.rejected, info.lines, loaded) == (name, n // 100, n, n - n // 100)
    first = 1 + (name in HEADERS)
    assert np.array_equal(rejects["line"].to_numpy(), np.arange(50, n, 100) + first)
