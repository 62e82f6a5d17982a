"""Call graphs: alone, beside samples, and in what the models make of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from models.catalogs import demand
from planner.demand import TRAFFIC_COLUMNS, Demand, Policy, concat
from planner.errors import ScenarioError
from planner.models._between import MOST_FLOWS, flows, recorded
from planner.models._graph import graph
from planner.models.service_mesh import ServiceMesh
from planner.store import Store
from shared import shared

STATED = Policy(assumed_cpu_cores=1, assumed_memory_gib=1, profile="single")
MIB = 2**20


def write(folder: Path, *rows: str, header: str = "caller,callee,rps,bytes", name: str = "graph.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows, ""]))
    return path


def test_a_graph_alone_is_services_of_unknown_size_that_serve_what_is_asked_of_them(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,10,1048576", "a,c,1,0", "c,b,5,2097152", "a,b,2,1048576")
    with Store(":memory:") as store:
        info = store.ingest(path)
        with pytest.raises(ScenarioError, match="assumed_cpu_cores"):
            store.demand(info.trace_id, Policy())
        asked = store.demand(info.trace_id, STATED)
    assert (info.format, info.workloads, info.flows, info.lines, info.rejected) == ("service_graph", 3, 3, 4, 0)
    assert asked.workloads["workload"].tolist() == ["a", "b", "c"]
    assert asked.requests_per_s[:, 0].tolist() == [0, 17, 1]
    assert asked.traffic is not None
    assert tuple(asked.traffic.columns) == TRAFFIC_COLUMNS
    assert asked.traffic["requests_per_s"].tolist() == [12, 1, 5]
    assert asked.traffic["gib_per_month"].tolist() == pytest.approx([12 * 730 * 3600 / 1024, 0, 10 * 730 * 3600 / 1024])
    assert any("1 rows name the same pair" in note for note in info.notes)


@pytest.mark.parametrize(
    ("header", "row", "mib"),
    [
        ("source,target,qps,bytes_per_s", "a,b,4,{}", 1),
        ("source_workload,destination_workload,requests_per_s,request_bytes,response_bytes", "a,b,4,{},{}", 8),
        ("from,to,rps,mib_per_s", "a,b,4,3", 3),
        ("client,server,rps", "a,b,4", None),
    ],
)
def test_headers_of_other_tools_and_units(tmp_path: Path, header: str, row: str, mib: float | None) -> None:
    with Store(":memory:") as store:
        info = store.ingest(write(tmp_path, row.format(MIB, MIB), header=header))
        traffic = store.demand(info.trace_id, STATED).traffic
    assert traffic is not None
    assert traffic["requests_per_s"].tolist() == [4]
    gib = traffic["gib_per_month"][0]
    assert pd.isna(gib) if mib is None else gib == pytest.approx(mib * 730 * 3600 / 1024)


def test_a_pair_without_a_row_at_a_time_made_no_calls_then(tmp_path: Path) -> None:
    rows = [f"2024-01-01T0{h}:00:00Z,a,b,8,0" for h in range(4)] + ["2024-01-01T00:00:00Z,a,c,8,0"]
    with Store(":memory:") as store:
        info = store.ingest(write(tmp_path, *rows, header="timestamp,caller,callee,rps,bytes"))
        traffic = store.demand(info.trace_id, STATED).traffic
    assert traffic is not None
    assert traffic["requests_per_s"].tolist() == [8, 2]
    assert str(info.end) == "2024-01-01 03:00:00"


BAD = {
    "a rate in words": ("a,b,often,1", "requests_per_s: expected a number"),
    "a negative rate": ("a,b,-1,1", "requests_per_s: expected"),
    "no caller": (",b,1,1", "caller: missing"),
    "blanks for a callee": ("a, ,1,1", "callee: expected"),
    "not a number": ("a,b,nan,1", "requests_per_s: expected"),
    "too short": ("a,b,1", "too few fields"),
    "a stray quote": ('"a,b,1,1', "broken quote"),
}


def test_bad_rows_cost_no_good_one(tmp_path: Path) -> None:
    good = [f"s{n},s{n + 1},1,1" for n in range(len(BAD))]
    rows = [row for pair in zip(good, (line for line, _ in BAD.values()), strict=True) for row in pair]
    with Store(":memory:") as store:
        info = store.ingest(write(tmp_path, *rows))
        rejects = store.rejects(info.trace_id)
    assert (info.flows, info.rejected, info.lines) == (len(BAD), len(BAD), 2 * len(BAD))
    assert rejects["line"].tolist() == list(range(3, 3 + 2 * len(BAD), 2))
    for found, (_, reason) in zip(rejects["reason"], BAD.values(), strict=True):
        assert found.startswith(reason)


def test_beside_samples_the_graph_is_part_of_the_demand(tmp_path: Path) -> None:
    write(tmp_path, "a,2024-01-01,2", "b,2024-01-01,1", header="workload,sampled_at,cpu_cores", name="samples.csv")
    write(tmp_path, "a,shop,4,8", "b,,4,8", header="workload,application,cpu_cores,memory_gib", name="workloads.csv")
    write(tmp_path, "shop,b,5,1", "b,nobody,5,1", header="caller,callee,requests_per_s,mib_per_s", name="traffic.csv")
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        asked = store.demand(info.trace_id, Policy(profile="single"))
    assert (info.format, info.flows, info.lines) == ("planner", 2, 6)
    assert any("1 pairs of the traffic name what is no workload" in note for note in info.notes)
    told = graph(asked)
    assert told is not None
    assert (told.caller.tolist(), told.callee.tolist(), told.requests_per_s.tolist()) == ([0], [1], [5.0])


@pytest.mark.slow
def test_nezha_by_the_documented_conversion(tmp_path: Path) -> None:
    archive = shared("traces", "nezha-service-mesh", "onlineboutique-2022-08-22.tar.xz")
    shutil.unpack_archive(archive, tmp_path, filter="data")
    metric = tmp_path / "onlineboutique-2022-08-22" / "metric"
    (metric / "onlineboutique").mkdir()
    readme = (Path(__file__).resolve().parents[2] / "datasets" / "README.md").read_text(encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in re.findall(r"^```sh\n(.*?)^```$", readme, flags=re.DOTALL | re.MULTILINE):
        if "onlineboutique" in block:
            subprocess.run(["bash", "-c", block], check=True, cwd=metric, env={**os.environ, "PATH": path})
    with Store(":memory:") as store:
        info = store.ingest(metric / "onlineboutique")
        asked = store.demand(info.trace_id, Policy(profile="single"))
        alone = store.ingest(metric / "onlineboutique" / "traffic.csv")
        means = store._frame("select avg(cpu_cores) c, avg(memory_gib) m from usage group by workload").sum()
    assert (info.format, info.workloads, info.samples, info.flows, info.rejected) == ("planner", 10, 12_090, 14, 0)
    assert (alone.format, alone.workloads, alone.flows) == ("service_graph", 10, 14)
    assert [100 * means["c"], 1024 * means["m"]] == pytest.approx([31.95, 461.0], rel=2e-3)
    assert asked.traffic is not None
    into = asked.traffic.groupby(asked.traffic["callee"].str.split("-").str[0])["requests_per_s"].sum()
    assert into[["productcatalogservice", "currencyservice"]].tolist() == pytest.approx([46.23, 25.75], abs=0.005)


def _asked(*rows: tuple[str, str, float, float]) -> Demand:
    """Three called workloads w0, w1, w2 and what they send each other."""
    served = {"kind": "container", "busy": [1, 2], "seconds_per_request": 0.01}
    asked = demand(*({**served, "requests_per_s": rps} for rps in (100.0, 50.0, 10.0)))
    return replace(asked, traffic=pd.DataFrame(list(rows), columns=list(TRAFFIC_COLUMNS)))


def test_proxies_carry_the_calls_that_were_recorded() -> None:
    asked = _asked(("w0", "w1", 30.0, 1.0), ("w0", "w2", 20.0, 1.0))
    calls = ServiceMesh(calls_per_request=7.0).mesh.calls
    assert calls.made(asked)[:, 0] == pytest.approx([50.0, 0.0, 0.0])
    assert calls.through(asked)[:, 0] == pytest.approx([150 * 1.15, 50 * 1.15, 10 * 1.15])
    blind = replace(asked, traffic=None)
    assert calls.made(blind)[:, 0] == pytest.approx([700.0, 350.0, 70.0])
    later = asked.grown(0.0)
    assert later.traffic is not None
    assert later.traffic.equals(asked.traffic)
    assert calls.made(replace(asked, growth_per_year=1.0).grown(1))[0, 0] == pytest.approx(100.0)


def test_a_call_is_encrypted_where_both_of_its_ends_are_in_the_mesh() -> None:
    asked = _asked(("w0", "w1", 30.0, 1.0), ("w0", "w2", 10.0, 1.0), ("w0", "elsewhere", 99.0, 1.0))
    asked.workloads["kind"] = ["container", "container", "vm"]
    assert ServiceMesh(meshed_kinds=("container",)).mesh.calls.encrypted(asked) == pytest.approx(0.75)
    assert ServiceMesh().mesh.calls.encrypted(replace(asked, traffic=None)) is None


def test_flows_between_units_are_the_recorded_ones_unless_the_settings_tell_them() -> None:
    asked = _asked(("w0", "w1", 1.0, 30.0), ("w1", "w2", 1.0, 5.0), ("w2", "w2", 1.0, 9.0), ("w0", "w1", 1.0, 2.0))
    unit = asked.members["class"].to_numpy()
    caller, callee, gib = flows(asked, unit, (), 0.0)
    assert (caller.tolist(), callee.tolist(), gib.tolist()) == ([0, 1], [1, 2], [32.0, 5.0])
    together = recorded(asked, unit * 0)
    assert len(together[2]) == 0
    many = [("w0", "w1", 1.0, 1.0)] * (MOST_FLOWS + 1)
    assert flows(_asked(*many), unit, (), 0.0)[2].tolist() == [MOST_FLOWS + 1.0]


def test_an_application_stands_for_its_members_and_demands_join_with_their_traffic() -> None:
    asked = _asked(("shop", "w2", 9.0, 3.0))
    asked.workloads["application"] = ["shop", "shop", ""]
    told = graph(asked)
    assert told is not None
    assert told.requests_per_s.tolist() == [4.5, 4.5]
    assert told.made(3)[:2].tolist() == [4.5, 4.5]
    part = asked.select([0, 2])
    assert concat([part, asked.select([1])]).traffic is not None
    kept = graph(part)
    assert kept is not None
    assert kept.requests_per_s.tolist() == [9.0]
