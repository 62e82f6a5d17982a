"""A scenario file: what it may say, and how every mistake in it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.bundle import bundled
from planner.errors import ScenarioError
from planner.models import MODELS
from planner.models.base import DeploymentModel, told
from planner.scenario import Scenario, load, parse, with_settings

SHIPPED = sorted(bundled("datasets", "scenarios").glob("*.toml"))


def mistakes(folder: Path, text: str) -> list[str]:
    path = folder / "x.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_scenarios_load_and_name_recordings_that_ship(path: Path) -> None:
    assert load(path).trace_path().exists()


def test_an_empty_file_asks_for_everything_by_default(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("", encoding="utf-8")
    assert load(path) == Scenario()
    assert load(path).measured_against == "physical"


def test_all_mistakes_at_once_each_with_its_line(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path,
        'horizn_years = 3\ngrowth_per_year = "much"\n[demand]\ncpu_percentil = 95\nheadroom = -1\n'
        '[[models]]\nkind = "physical"\n[[models]]\nkind = "iaas"\nspare = 2\n[[models]]\nkind = "kubernets"\n',
    )
    assert len(told) == 6
    expected = [
        ("line 1", "horizn_years", "'horizon_years'"),
        ("line 2", "growth_per_year", "number"),
        ("line 4", "demand.cpu_percentil", "'cpu_percentile'"),
        ("line 5", "demand.headroom", "greater than or equal to 0"),
        ("line 10", "models.1.spare", "no such setting"),
        ("line 11", "models.2.kind", "'kubernetes'"),
    ]
    for line, field, hint in expected:
        assert any(line in t and field in t and hint in t and "x.toml" in t for t in told), (line, told)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a = ", "no valid TOML"),
        ('[[models]]\nkind = "iaas"\n[[models]]\nkind = "iaas"', "iaas stands twice"),
        ("models = []", "at least one model"),
        ('baseline = "physicl"', "did you mean 'physical'"),
        ("[[models]]\nspares = 2", "no deployment model"),
        ("horizon_years = 0", "greater than or equal to 1"),
        ("demand = 3", "demand"),
    ],
)
def test_one_mistake_one_line(tmp_path: Path, text: str, hint: str) -> None:
    told = mistakes(tmp_path, text)
    assert len(told) == 1
    assert hint in told[0]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        load(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes("name = 'é'".encode("latin-1"))
    with pytest.raises(ScenarioError, match="UTF-8"):
        load(tmp_path / "latin.toml")


def test_an_unknown_shipped_recording_names_what_is_near() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'azure_vm'"):
        parse({"trace": {"path": "sample:azure_wm"}}).trace_path()


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('price_books = ["p.csv"]\n[trace]\npath = "t.csv"\n', encoding="utf-8")
    scenario = load(path)
    assert scenario.trace_path() == tmp_path / "t.csv"
    assert scenario.price_books == (str(tmp_path / "p.csv"),)


def test_settings_change_a_scenario_by_dotted_name() -> None:
    settings = {"demand.headroom": 0.5, "horizon_years": 1, "physical.spares": 3, "where.region": "eu-west-1"}
    changed = with_settings(Scenario(), settings)
    assert changed.demand.headroom == 0.5
    assert changed.horizon_years == 1
    assert changed.where.region == "eu-west-1"
    assert next(m for m in changed.models if m.kind == "physical").model_dump()["spares"] == 3
    assert [m.kind for m in changed.models] == [m.kind for m in Scenario().models]
    with pytest.raises(ScenarioError, match="did you mean 'headroom'"):
        with_settings(Scenario(), {"demand.hedroom": 0.5})


@pytest.mark.parametrize("kind", list(MODELS))
def test_every_assumption_that_is_listed_can_be_set_by_its_name(kind: str) -> None:
    asked = Scenario()
    (model,) = (m for m in asked.models if m.kind == kind)
    for name, value, _ in told(model, blank=True):
        given = value.kind if isinstance(value, DeploymentModel) else value
        again = with_settings(asked, {f"{kind}.{name}": given})
        (changed,) = (m for m in again.models if m.kind == kind)
        assert {n: v for n, v, _ in told(changed)}[name] == value


def test_tables_of_a_model_are_entered_by_name_or_number() -> None:
    settings = {
        "multi_cloud.sites.own-hosts.latency_ms": 7,
        "multi_cloud.sites.0.model.min_nodes": 5,
        "multi_cloud.traffic.0.caller": "a",
        "multi_cloud.traffic.0.gib_per_month": 3,
    }
    model = next(m for m in with_settings(Scenario(), settings).models if m.kind == "multi_cloud")
    found = {name: value for name, value, _ in told(model)}
    assert found["sites.own-hosts.latency_ms"] == 7
    assert next(site.model.min_nodes for site in model.sites if site.name == "aws-clusters") == 5
    assert (found["traffic.0.caller"], found["traffic.0.gib_per_month"]) == ("a", 3)
    assert len(model.sites) == len(MODELS["multi_cloud"]().sites)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kuberntes.min_nodes", "did you mean 'kubernetes'"),
        ("demnd.headroom", "did you mean 'demand'"),
        ("multi_cloud.sites.own-host.latency_ms", "did you mean 'own-hosts'"),
        ("multi_cloud.sites.own-hosts.latncy_ms", "did you mean 'latency_ms'"),
        ("multi_cloud.sites.own-hosts.model.spare", "did you mean 'spares'"),
        ("multi_cloud.sites.own-hosts", "expected the name of a field at the end"),
        ("multi_cloud.sites.9.latency_ms", "no row '9'"),
    ],
)
def test_a_setting_that_is_nowhere_is_told_with_what_is_near(name: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        with_settings(Scenario(), {name: 1})
