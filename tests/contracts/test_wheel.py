"""An installed wheel works outside the checkout: prices, samples, scenarios, SQL and pages come with it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize("folder", ["planner/sql", "planner/report", "datasets", "dashboards"])
def test_all_data_is_in_the_wheel(installed: Path, folder: str) -> None:
    source = ROOT / folder
    kept = {".sql", ".j2", ".csv", ".toml", ".parquet", ".gz", ".typ", ".ttf"} | (
        {".py"} if folder == "dashboards" else set()
    )
    names = [p.relative_to(ROOT) for p in source.rglob("*") if p.suffix in kept]
    inside = [n if n.parts[0] == "planner" else Path("planner") / n for n in names]
    assert names
    assert [n for n in inside if not (installed / n).exists()] == []


@pytest.mark.slow
def test_it_answers_from_anywhere(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "planner", "run", "sample:bitbrains", "--store", ":memory:", "-o", "r.html"]
    models = ["--set", 'models=[{kind="iaas"}]', "--set", "horizon_years=1"]
    done = subprocess.run(
        [*command, *models],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "iaas" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_it_prints_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """Template and fonts come with it; nothing is fetched."""
    study = ROOT / "tests" / "golden" / "report" / "study.json"
    done = subprocess.run(
        [sys.executable, "-m", "planner", "report", study, "-o", "r.pdf"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1", "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    content = (tmp_path / "r.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"LiberationSans" in content
