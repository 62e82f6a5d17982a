"""The README must name what exists, and its commands must run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from planner.cli import app
from planner.models import MODELS
from planner.samples import SAMPLES
from planner.store import formats

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    return sorted(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("word", [*(f"planner {c}" for c in commands()), *MODELS, *formats()])
def test_readme_names_every_command_model_and_format(word: str) -> None:
    assert word in README


def test_the_first_two_blocks_are_the_two_commands() -> None:
    assert [len(block.strip().splitlines()) for block in BLOCKS[:2]] == [1, 1]
    assert "planner demo" in BLOCKS[0]
    assert "-m pytest" in BLOCKS[1]


def test_every_planner_command_of_the_readme_is_one_the_program_knows() -> None:
    told = [line for block in BLOCKS for line in block.splitlines()]
    calls = [shlex.split(c)[1:] for line in told for c in re.findall(r"(?:^|\s|/)(planner [a-z][^#&|]*)", line)]
    assert calls
    for name, *rest in calls:
        assert name in commands(), name
        known = {o for p in get_command(app).commands[name].params for o in p.opts}  # type: ignore[attr-defined]
        assert {word.split("=")[0] for word in rest if word.startswith("-")} <= known, (name, rest)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_of_the_readme_lead_somewhere(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists(), target


def test_datasets_are_described() -> None:
    told = (ROOT / "datasets" / "README.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "datasets" / "prices").glob("*.csv")):
        assert path.name in told, path.name
    for name in SAMPLES:
        assert name in told, name
