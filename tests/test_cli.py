"""The command line as a user meets it: the real commands on real files, and one clear line for each mistake."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from planner.cli import app
from planner.cli.screen import show_table
from planner.cli.serve import command
from planner.cli.write import SUFFIXES
from planner.report import FORMATS
from planner.store import Store

STUDY = Path(__file__).parent / "golden" / "report" / "study.json"
SCENARIO = """
name = "two machines"
horizon_years = 1
[trace]
path = "samples.csv"
[[models]]
kind = "physical"
[[models]]
kind = "iaas"
"""


def planner(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def mistakes(result: Result) -> list[str]:
    """The lines of stderr; fails on a traceback or on another exit code than 2."""
    assert result.exit_code == 2, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.stderr.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two machines over two days, hour by hour, and a scenario about them."""
    made = tmp_path_factory.mktemp("estate")
    rows = [
        f"{name},2026-03-{2 + hour // 24:02}T{hour % 24:02}:00:00,{used},{used * 2},4,16"
        for name, base in (("web", 0.5), ("=cmd()", 1.0))
        for hour in range(48)
        for used in (base + 0.25 * (hour % 24 > 8),)
    ]
    head = "workload,sampled_at,cpu_cores,memory_gib,allocated_cpu_cores,allocated_memory_gib"
    (made / "samples.csv").write_text("\n".join([head, *rows]) + "\n")
    (made / "question.toml").write_text(SCENARIO)
    return made


@pytest.fixture(scope="module")
def answered(folder: Path) -> Result:
    """One run that writes everything that a run can write."""
    targets = ("-o", folder / "r.html", "--json", folder / "s.json", "--placements", folder / "p.parquet")
    return planner("run", folder / "question.toml", "--store", folder / "s.duckdb", *targets)


def test_run_ends_with_the_comparison_and_the_files(folder: Path, answered: Result) -> None:
    assert answered.exit_code == 0, answered.output
    study = json.loads((folder / "s.json").read_text())
    assert [m["model"] for m in study["models"]] == ["physical", "iaas"]
    for entry in study["models"]:
        (row,) = (line for line in answered.stdout.splitlines() if re.match(rf"{entry['model']} +\d", line))
        assert f"{entry['tco_usd']:,.2f}" in row
    assert answered.stdout.rstrip().endswith(f"report: {folder / 'r.html'}")
    assert "<!doctype html>" in (folder / "r.html").read_text()
    placed = pd.read_parquet(folder / "p.parquet")
    assert set(placed["workload"]) == {"web", "=cmd()"}
    assert set(placed["model"]) == {"physical", "iaas"}


def test_the_same_question_gives_the_same_document(folder: Path, answered: Result, tmp_path: Path) -> None:
    assert answered.exit_code == 0
    again = planner("run", folder / "question.toml", "--store", ":memory:", "--json", tmp_path / "s.json")
    assert again.exit_code == 0, again.output
    texts = [re.sub(r'"created_at": "[^"]+"', "", p.read_text()) for p in (folder / "s.json", tmp_path / "s.json")]
    assert texts[0] == texts[1]


def test_a_saved_study_is_reported_by_its_id_and_from_its_json(folder: Path, answered: Result, tmp_path: Path) -> None:
    assert answered.exit_code == 0
    study_id = json.loads((folder / "s.json").read_text())["study_id"]
    by_id = planner("report", study_id, "-o", tmp_path / "a.html", "--store", folder / "s.duckdb")
    by_file = planner("report", folder / "s.json", "-o", tmp_path / "b.html")
    assert (by_id.exit_code, by_file.exit_code) == (0, 0), by_id.output + by_file.output
    texts = [path.read_text() for path in (tmp_path / "a.html", tmp_path / "b.html", folder / "r.html")]
    assert texts[0] == texts[1] == texts[2]
    told = planner("report", study_id, "-o", tmp_path / "a.parquet.zip", "--store", folder / "s.duckdb")
    assert told.exit_code == 0, told.output
    with zipfile.ZipFile(tmp_path / "a.parquet.zip") as archive, archive.open("placements.parquet") as file:
        pd.testing.assert_frame_equal(pd.read_parquet(file), pd.read_parquet(folder / "p.parquet"))
    (line,) = mistakes(planner("report", study_id[:-1], "-o", tmp_path / "c.md", "--store", folder / "s.duckdb"))
    assert f"did you mean '{study_id}'" in line
    (line,) = mistakes(planner("report", "x", "-o", tmp_path / "c.md", "--store", ":memory:"))
    assert "no study is saved there yet" in line


def test_a_recording_can_be_run_as_it_is(folder: Path, tmp_path: Path) -> None:
    """Settings of the command line hold for it, and a setting reaches the answer."""
    one_year = ("--set", "horizon_years=1", "--set", 'models=[{kind="iaas"}]', "--store", ":memory:")
    target = tmp_path / "s.json"
    result = planner("run", folder / "samples.csv", "--format", "planner", *one_year, "--json", target)
    assert result.exit_code == 0, result.output
    study = json.loads(target.read_text())
    assert study["scenario"]["name"] == "samples.csv"
    assert study["trace"]["format"] == "planner"
    assert [p["model"] for p in study["plans"]] == ["iaas"]
    more = planner("run", folder / "samples.csv", *one_year, "--set", "demand.headroom=9", "--json", target)
    assert more.exit_code == 0, more.output
    grown = json.loads(target.read_text())
    assert grown["plans"][0]["usd_per_month"] > 1.5 * study["plans"][0]["usd_per_month"]


def test_sizes_of_percentage_recordings_are_assumed_on_the_command_line(tmp_path: Path) -> None:
    rows = [f"a,2026-03-02T{hour:02}:00:00,50,25" for hour in range(24)]
    (tmp_path / "p.csv").write_text("\n".join(["workload,sampled_at,cpu_percent,memory_percent", *rows]) + "\n")
    short = ("--store", ":memory:", "--set", "horizon_years=1", "--set", 'models=[{kind="iaas"}]')
    sizes = ("--assume-cores", "8", "--assume-memory-gib", "32", "--json", tmp_path / "s.json")
    result = planner("run", tmp_path / "p.csv", *short, *sizes)
    assert result.exit_code == 0, result.output
    study = json.loads((tmp_path / "s.json").read_text())
    used = study["plans"][0]["used"]["cpu_cores"]
    assert max(used) == pytest.approx(8 * 0.5 * 1.05), "half of eight cores, a year later"
    told = {a["name"]: a["value"] for a in study["plans"][0]["assumptions"]}
    assert told["demand.assumed_cpu_cores"] == 8


def test_ingest_tells_what_it_found_and_adds_nothing_twice(folder: Path, tmp_path: Path) -> None:
    first = planner("ingest", folder / "samples.csv", "--store", tmp_path / "s.duckdb")
    assert first.exit_code == 0, first.output
    told = dict(re.split(r"  +", line, maxsplit=1) for line in first.stdout.splitlines())
    assert told["format"].startswith("planner: ")
    assert told["workloads"] == "2"
    assert told["samples"] == "96"
    assert told["lines"] == "96 read, 0 rejected"
    assert told["span"] == "2026-03-02 00:00 to 2026-03-03 23:00 UTC"
    assert told["quality"] == "5 stars 2; active 2"
    second = planner("ingest", folder / "samples.csv", "--store", tmp_path / "s.duckdb")
    assert second.exit_code == 0, second.output
    assert "nothing was added" in second.stdout


def test_rejected_rows_are_told_with_line_and_reason_and_in_the_exit_code(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "samples.csv").read_text().splitlines()
    lines[3] = "web,2026-03-02T02:00:00,not a number,1,4,16"
    lines[60] = "=cmd(),yesterday,1,2,4,16"
    (tmp_path / "bad.csv").write_text("\n".join(lines) + "\n")
    result = planner("ingest", tmp_path / "bad.csv", "--store", ":memory:", "--rejects", tmp_path / "rejects.csv")
    assert result.exit_code == 1, result.output
    assert "96 read, 2 rejected" in result.stdout
    shown = result.stderr.splitlines()
    assert re.search(r"bad\.csv:4: .+", shown[0])
    assert re.search(r"bad\.csv:61: .+", shown[1])
    written = pd.read_csv(tmp_path / "rejects.csv")
    assert written["line"].tolist() == [4, 61]
    assert written["text"].tolist() == [lines[3], f"'{lines[60]}"], "a spreadsheet must not run what a trace holds"
    unwritable = planner("ingest", tmp_path / "bad.csv", "--store", ":memory:", "--rejects", tmp_path / "no" / "r.csv")
    assert "cannot write the rejected rows" in mistakes(unwritable)[-1]


def test_many_rejected_rows_are_summed_up(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "samples.csv").read_text().splitlines()
    lines += [f"web,2026-03-09T00:00:{second:02},x,1,4,16" for second in range(30)]
    (tmp_path / "bad.csv").write_text("\n".join(lines) + "\n")
    result = planner("ingest", tmp_path / "bad.csv", "--store", ":memory:")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 11
    assert "and 20 more" in result.stderr


def test_run_says_that_rows_were_rejected(folder: Path, tmp_path: Path) -> None:
    text = (folder / "samples.csv").read_text() + "web,2026-03-09T00:00:00,x,1,4,16\n"
    (tmp_path / "bad.csv").write_text(text)
    settings = ("--set", "horizon_years=1", "--set", 'models=[{kind="iaas"}]')
    result = planner("run", tmp_path / "bad.csv", "--store", ":memory:", *settings)
    assert result.exit_code == 0, result.output
    assert "note: 1 rows of the recording were rejected" in result.stderr


def test_targets_that_cannot_be_written_are_told_before_the_work(folder: Path, tmp_path: Path) -> None:
    """In one line each, and nothing is planned or left behind."""
    old = tmp_path / "old.json"
    old.write_text("kept")
    for option, what in (("--json", "study"), ("--placements", "placements"), ("-o", "report")):
        bad = tmp_path / f"{what}.html"
        bad.mkdir()
        good = ("--json", old) if option != "--json" else ("-o", tmp_path / "r.html")
        result = planner("run", folder / "question.toml", "--store", tmp_path / "s.duckdb", option, bad, *good)
        assert mistakes(result) == [f"error: {bad}: cannot write the {what} (Is a directory)"]
    (line,) = mistakes(planner("run", folder / "question.toml", "--store", ":memory:", "--placements", "/proc/x"))
    assert line.startswith("error: /proc/x: cannot write the placements (")
    assert old.read_text() == "kept"
    assert not (tmp_path / "r.html").exists()
    assert not (tmp_path / "s.duckdb").exists(), "the recording was not even read"


def test_an_answer_outlives_a_target_that_fails_in_the_end(folder: Path, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.is_char_device():
        pytest.skip("needs /dev/full")
    asked = ("run", folder / "question.toml", "--store", tmp_path / "s.duckdb")
    result = planner(*asked, "--placements", full)
    assert mistakes(result)[-1] == "error: /dev/full: cannot write the placements (No space left on device)"
    assert re.search(r"^physical +\d", result.stdout, re.MULTILINE), "the table was printed"
    with Store(tmp_path / "s.duckdb") as store:
        assert len(store.studies()) == 1, "the study was kept"


def spoilt(folder: Path) -> Iterator[tuple[list[str | Path], str]]:
    """Commands with one mistake each, and what its line must say."""
    (folder / "empty.csv").write_text("")
    (folder / "poem.txt").write_text("Shall I compare thee\nto a summer's day?\n")
    (folder / "broken.json").write_text("{")
    (folder / "binary.json").write_bytes(b"\xff\xfe\x00")
    (folder / "other.json").write_text("[]")
    memory = ["--store", ":memory:"]
    yield ["ingest", folder / "absent.csv", *memory], "absent.csv"
    yield ["ingest", folder / "empty.csv", *memory], "empty.csv"
    yield ["ingest", folder / "poem.txt", *memory], "poem.txt"
    yield ["ingest", folder / "samples.csv", "--format", "plannr", *memory], "'planner'"
    yield ["run", folder / "absent.toml", *memory], "absent.toml"
    yield ["run", "sample:nothing_of_the_kind", *memory], "nothing_of_the_kind"
    yield ["run", folder / "question.toml", "--set", "demand.headroom", *memory], "KEY=VALUE"
    yield ["run", folder / "question.toml", "--set", "demand.hedroom=1", *memory], "'headroom'"
    yield ["run", folder / "question.toml", "-o", folder / "r.pdg", *memory], "'.pdf'"
    yield ["run", folder / "question.toml", "-o", folder / "no" / "r.md", *memory], "there is no folder"
    yield ["run", folder / "question.toml", "--json", folder / "no" / "s.json", *memory], "there is no folder"
    yield ["report", folder / "absent.json", "-o", folder / "r.md"], "cannot be read"
    yield ["report", folder / "broken.json", "-o", folder / "r.md"], "broken.json:1"
    yield ["report", folder / "binary.json", "-o", folder / "r.md"], "expected a study document"
    yield ["report", folder / "other.json", "-o", folder / "r.md"], "holds list"
    yield ["report", STUDY, "-o", folder / "r.doc"], "'.doc'"
    yield ["report", "x", "-o", folder / "r.md", "--store", folder / "samples.csv" / "s.duckdb"], "samples.csv"
    yield ["sample", "azure_vn", folder / "x"], "'azure_vm'"
    yield ["sample", "planner", folder / "samples.csv" / "x"], "cannot write the sample"
    yield ["list", "prices", "--kind", "egres"], "'egress'"
    yield ["list", "prices", "--provider", "azur"], "'azure'"


def test_each_mistake_is_one_clear_line(folder: Path) -> None:
    for arguments, expected in spoilt(folder):
        lines = mistakes(planner(*arguments))
        assert len(lines) == 1, (arguments, lines)
        assert lines[0].startswith("error: "), lines
        assert expected in lines[0], (arguments, lines)


def test_all_mistakes_of_a_scenario_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text('nam = "x"\nhorizon_years = 99\n[[models]]\nkind = "physical"\nspars = 2\n')
    lines = mistakes(planner("run", tmp_path / "wrong.toml", "--store", ":memory:"))
    assert [re.findall(r"line (\d+)", line) for line in lines] == [["1"], ["2"], ["5"]] or len(lines) == 3
    assert any("did you mean 'name'" in line for line in lines)
    assert any("did you mean 'spares'" in line for line in lines)
    assert all("wrong.toml" in line for line in lines)


@pytest.mark.parametrize("what", ["models", "formats", "prices", "assumptions"])
def test_lists_as_table_and_as_json(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    table, plain = planner("list", what), planner("list", what, "--json")
    assert (table.exit_code, plain.exit_code) == (0, 0), table.output + plain.output
    rows: list[dict[str, str]] = json.loads(plain.stdout)
    assert len(rows) >= 4
    assert len(table.stdout.splitlines()) == len(rows) + 3, "one line a row where stdout is no terminal"
    assert all(isinstance(cell, str) for row in rows for cell in row.values())


def test_listed_assumptions_are_all_settings_with_unit_and_source() -> None:
    from planner.demand import Policy
    from planner.models import MODELS

    rows = {row["name"]: row for row in json.loads(planner("list", "assumptions", "--json").stdout)}
    expected = {f"demand.{name}" for name in Policy.model_fields}
    expected |= {f"{kind}.{name}" for kind, m in MODELS.items() for name in m.model_fields if name != "kind"}
    assert {name for name in rows if name.count(".") == 1} == expected
    assert {"multi_cloud.sites.own-hosts.latency_ms", "multi_cloud.traffic.0.gib_per_month"} <= set(rows)
    assert all(row["unit"] and row["source"] and row["what it is"] for row in rows.values())
    assert rows["demand.cpu_percentile"]["value"] == "95"


def test_price_rows_of_a_kind_show_source_status_and_range() -> None:
    rows = json.loads(planner("list", "prices", "--kind", "electricity", "--json").stdout)
    assert rows
    assert all(row["source"] and row["as of"] and row["status"] for row in rows)
    narrowed = planner("list", "prices", "--kind", "vm", "--provider", "aws", "--region", "us-east-1", "--json")
    assert {(row["provider"], row["region"]) for row in json.loads(narrowed.stdout)} == {("aws", "us-east-1")}


def test_every_command_explains_itself() -> None:
    top = planner("--help")
    assert top.exit_code == 0
    for name in ("demo", "ingest", "run", "list", "sample", "report", "serve"):
        assert re.search(rf"\b{name}\b", top.stdout)
        assert planner(name, "--help").exit_code == 0
    assert re.fullmatch(
        r"planner( \d+\.\d+\S*|, run from a checkout that is not installed)\n", planner("--version").stdout
    )
    assert planner("list").exit_code == 2, "nothing was asked"


def wide(capsys: pytest.CaptureFixture[str], columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = [["kubernetes", "1,234,567.89", "14 months", "62.0 %"], ["iaas", "9.00", "at once", "41.6 %"]]
    heads: Any = [("Model", "left"), ("Cost (USD)", "right"), ("Payback", "right"), ("CPU", "right")]
    show_table("Comparison", heads, rows, droppable=("Payback",))
    return capsys.readouterr().out.splitlines()


def test_narrow_terminals_never_break_a_number(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = wide(capsys, 100, monkeypatch)
    assert "14 months" in " ".join(whole)
    dropped = wide(capsys, 42, monkeypatch)
    assert dropped[-1] == "(too narrow here for: Payback)"
    assert any(line.startswith("kubernetes") and "1,234,567.89" in line for line in dropped)
    assert all(len(line.rstrip()) <= 42 for line in dropped)
    listed = wide(capsys, 24, monkeypatch)
    assert "Cost (USD)  1,234,567.89" in listed
    assert "Payback     14 months" in listed


def started(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "planner", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "", **environment},
        cwd=Path(__file__).parents[1],
    )


@pytest.mark.slow
def test_as_a_module_in_a_process_of_its_own(folder: Path, tmp_path: Path) -> None:
    with started("report", STUDY, "-o", tmp_path / "r.md") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out == f"report: {tmp_path / 'r.md'}\n"
    with started("ingest", folder / "absent.csv", "--store", ":memory:", NO_COLOR="1", FORCE_COLOR="") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.count("\n") == 1
    assert "\x1b[" not in err


def test_help_loads_neither_database_nor_solver() -> None:
    heavy = "{'duckdb', 'pandas', 'numba', 'pulp', 'jinja2'}"
    code = f"import sys; import planner.cli; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_accident() -> None:
    with started("list", "prices", "--kind", "vm") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=60)
    assert "Traceback" not in err


@pytest.mark.slow
def test_ctrl_c_ends_with_130(folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    with started("run", folder / "samples.csv", "--set", "horizon_years=10", "--store", store) as process:
        assert process.stderr is not None
        while not store.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        err = process.stderr.read()
        process.wait(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_samples_are_seeded_and_sized(tmp_path: Path) -> None:
    size = ("--vms", "3", "--days", "1")
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        made = planner("sample", "azure_vm", tmp_path / name, "--seed", seed, *size)
        assert made.exit_code == 0, made.output
    contents = [
        {file.relative_to(tmp_path / name): file.read_bytes() for file in sorted((tmp_path / name).rglob("*.gz"))}
        for name in "abc"
    ]
    assert contents[0] == contents[1]
    assert contents[0].keys() == contents[2].keys()
    assert contents[0] != contents[2]
    read = planner("ingest", tmp_path / "a", "--store", ":memory:")
    assert read.exit_code == 0, read.output
    assert re.search(r"format +azure_vm: ", read.stdout)
    assert re.search(r"workloads +3\n", read.stdout)


@pytest.mark.slow
def test_demo_ends_with_five_models_and_a_report(tmp_path: Path) -> None:
    with started("demo", "-o", tmp_path / "d.html", "--json", tmp_path / "d.json") as process:
        out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    study = json.loads((tmp_path / "d.json").read_text())
    assert {"physical", "hypervisor", "iaas", "kubernetes", "functions"} <= {m["model"] for m in study["models"]}
    for entry in study["models"]:
        assert re.search(rf"^{entry['model']} +{entry['rank']} +{entry['tco_usd']:,.2f} ", out, re.MULTILINE)
    assert out.rstrip().endswith(f"report: {tmp_path / 'd.html'}")
    assert study["models"][0]["model"] in (tmp_path / "d.html").read_text()


UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}  # fmt: skip
CALLS: list[tuple[str, dict[str, str]]] = [
    ("/", {}),
    ("/api/health", {}),
    ("/", {"Host": "rebound.example"}),
    ("/api/studies", {"Host": "rebound.example"}),
    ("/api/studies", {"Origin": "http://other.example"}),
    ("/_stcore/stream", {**UPGRADE, "Origin": "http://localhost", "Host": "localhost"}),
    ("/_stcore/stream", {**UPGRADE, "Origin": "http://rebound.example", "Host": "rebound.example"}),
]
"""Of the pages, the API beside them and the socket between page and server."""


def status(port: int, path: str, **headers: str) -> int:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        line.request("GET", path, headers=headers)
        return line.getresponse().status
    finally:
        line.close()


@pytest.mark.slow
def test_serve_starts_the_dashboard_on_loopback_by_name() -> None:
    pytest.importorskip("streamlit")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = started("serve", "--port", str(port))
    try:
        for _ in range(120):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1) as answer:
                    assert answer.read() == b"ok"
                    break
            except OSError:
                assert process.poll() is None, process.communicate()
                time.sleep(0.25)
        else:
            pytest.fail("the dashboard did not come up")
        answers = [status(port, path, **headers) for path, headers in CALLS]
        assert answers == [200, 200, 403, 403, 403, 101, 403], answers
    finally:
        process.terminate()
        process.communicate(timeout=30)
    settings = command("127.0.0.1", port)
    assert settings[settings.index("--browser.gatherUsageStats") + 1] == "false"
    assert settings[settings.index("--server.headless") + 1] == "true"


def test_serve_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "streamlit", None)
    (line,) = mistakes(planner("serve"))
    assert "pip install 'planner[ui]'" in line


def test_the_options_name_every_suffix() -> None:
    told = re.findall(r"\.[a-z]+(?:\.[a-z]+)?", SUFFIXES)
    assert sorted(told) == sorted(FORMATS)
