"""Files of examples: what agrees and what does not, and mistakes told in one clear line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from planner.cli import app
from planner.conformance import Collection, examined, load
from planner.errors import InputError

CASH = """
[sources]
book = "a book"

[[example]]
id = "X1"
what = "a flow"
source = "book"

[example.ask]
kind = "cash"
flow = [-100, 60, 60.5]

[example.expect]
"total" = {theirs}
"""
PLAN = """
[[example]]
id = "X2"
what = "a function"
source = "book"

[example.ask]
kind = "plan"
model = { kind = "functions", support_plan = "none", free_tier = false }
rounding = "line"
workloads = [
  { type = "function", calls_per_month = 1e6, seconds_per_request = 1, memory_gib_per_request = 1 },
]
prices = [
  { sku = "x-duration", kind = "function_duration", unit = "GB-second", usd_per_unit = 1.0005e-5 },
  { sku = "x-requests", kind = "function_requests", unit = "million requests", usd_per_unit = 0.205 },
]

[example.expect]
"usd function_duration" = 10.01
"usd function_requests" = 0.21
"usd" = 10.22
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def called(*arguments: object):
    return CliRunner().invoke(app, ["conformance", *map(str, arguments)], env={"COLUMNS": "80"})


def test_the_table_tells_theirs_ours_and_the_difference(tmp_path: Path) -> None:
    done = called(written(tmp_path, CASH.replace("{theirs}", "20.5") + PLAN), "--json", tmp_path / "out.json")
    assert done.exit_code == 0, done.output
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80
    assert "X1" in done.stdout
    assert "2 published examples reproduced, 0 disagree (4 figures in all)" in done.stdout
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert document["reproduced"] == ["X1", "X2"]
    assert [f["ours"] for f in document["figures"]] == pytest.approx([20.5, 10.01, 0.21, 10.22])


def test_a_wrong_figure_fails(tmp_path: Path) -> None:
    done = called(written(tmp_path, CASH.replace("{theirs}", "20.51")))
    assert done.exit_code == 1
    assert "X1: total: disagrees: 20.50, not 20.51" in done.stderr


def test_what_cannot_be_asked_fails_with_the_reason(tmp_path: Path) -> None:
    done = called(written(tmp_path, PLAN.replace("function_requests", "object_requests", 1)))
    assert done.exit_code == 1
    assert "no function_requests price" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'kind = "cash"',
            'kind = "cahs"',
            "line 10: example X1: ask: 'cahs' is no kind of question; did you mean 'cash'",
        ),
        ("flow =", "flwo =", "line 10: example X1: ask: 'flwo': no such field; did you mean 'flow'?"),
        ('source = "book"', "", "line 5: example X1: source: Field required"),
        ('"total" = {theirs}', '"total" = { valu = 1 }', "'valu': no such field; did you mean 'value'?"),
        ('"total" = {theirs}', "", "example X1: expect: "),
        ('what = "a flow"', 'what = "a flow', "no valid TOML"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = written(tmp_path, CASH.replace(old, new).replace("{theirs}", "20.5"))
    done = called(path)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {path}")
    assert told in line


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kind = "functions"', 'kind = "function"', "'function' is no deployment model; did you mean 'functions'?"),
        ("free_tier", "free_teir", "no such setting; did you mean 'free_tier'"),
        ("GB-second", "GB-seconds", "unit 'GB-seconds': did you mean 'GB-second'"),
        ("usd_per_unit = 0.205", "usd = 0.205", "'usd': no column of a price row"),
        ('"function_duration"', '"function_durations"', "kind 'function_durations': did you mean 'function_duration'"),
        ('sku = "x-duration", ', "", "a price row lacks 'sku'"),
    ],
)
def test_a_mistake_in_a_plan_is_told_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        load(written(tmp_path, PLAN.replace(old, new, 1)))
    assert len(str(caught.value).splitlines()) == 1
    assert "example X2: ask" in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("rounding =", "hours = [100]\nrounding =", "hours sum to 100.0, expected a month"),
        ('type = "function", ', 'type = "function", busy = [[1], [2]], ', "could not broadcast"),
    ],
)
def test_what_does_not_fit_together_fails_with_the_reason(tmp_path: Path, old: str, new: str, told: str) -> None:
    done = called(written(tmp_path, PLAN.replace(old, new)), "--json", tmp_path / "out.json")
    assert done.exit_code == 1
    assert told in done.stderr
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["disagreeing"] == ["X2"]


def test_what_is_not_paid_for_costs_nothing(tmp_path: Path) -> None:
    done = called(written(tmp_path, PLAN + '"usd function_provisioned" = 0\n"quantity vm" = 0\n'))
    assert done.exit_code == 0, done.output


def test_rows_of_a_book_come_behind_the_examples_own(tmp_path: Path) -> None:
    requests = (
        '  { sku = "x-requests", kind = "function_requests", unit = "million requests", usd_per_unit = 0.205 },\n'
    )
    text = PLAN.replace(requests, "").replace("rounding =", 'book = "rest"\nrounding =')
    assert requests in PLAN
    assert called(written(tmp_path, f"[books]\nrest = [\n{requests}]\n{text}")).exit_code == 0
    done = called(written(tmp_path, f"[books]\nrets = [\n{requests}]\n{text}"))
    assert done.exit_code == 2
    assert "example X2: book 'rest': did you mean 'rets'?" in done.stderr


def test_a_figure_that_does_not_exist_is_told_with_what_is_near(tmp_path: Path) -> None:
    text = CASH.replace('"total" = {theirs}', '"totla" = 20.5')
    done = called(written(tmp_path, text))
    assert done.exit_code == 1
    assert "no figure 'totla'; did you mean 'total'?" in done.stderr


def test_a_list_of_another_length_does_not_agree(tmp_path: Path) -> None:
    done = called(written(tmp_path, CASH.replace("{theirs}", "[20.5, 1]")))
    assert done.exit_code == 1
    assert "1 figures, the source tells 2" in done.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = called(tmp_path / "none.toml")
    assert done.exit_code == 2
    assert "cannot be read" in done.stderr


def ask(flow: list[float], theirs: float, **how: float) -> bool:
    row = {"id": "X", "what": "w", "source": "s", "ask": {"kind": "cash", "flow": flow}}
    table = Collection.model_validate({"example": [{**row, "expect": {"total": {"value": theirs, **how}}}]})
    return not examined([table]).disagreeing


@given(st.floats(-1e6, 1e6).map(lambda x: round(x, 2)), st.floats(-0.004, 0.004))
def test_what_rounds_to_the_same_cent_agrees_and_nothing_else(usd: float, dust: float) -> None:
    assert ask([usd + dust], usd)
    assert not ask([usd + dust + 0.01], usd)


def test_tolerances() -> None:
    assert ask([2.345], 2.35)
    assert not ask([2.344], 2.35)
    assert not ask([0.31], 0.314), "as many digits as the source prints"
    assert ask([3.0], 3.2, within=0.2)
    assert not ask([3.0], 3.21, within=0.2)
    assert ask([98.0], 100.0, relative=0.02)
    assert ask([3.4], 3.0, decimals=0)
