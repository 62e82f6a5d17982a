"""What every test may rely on: a quiet, deterministic hypothesis and a browser, where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
IN_CI = os.environ.get("CI", "").lower() == "true"

TURNS = (("",), ("tests/test_study.py", "tests/dashboards"), ("tests/contracts/test_models.py", "tests/test_cli.py",
         "tests/conformance", "tests/known"),
         ("tests/optimise/test_packing", "tests/optimise/test_many"), ("tests/models", "tests/optimise"))  # fmt: skip
"""The first need no compiled kernel, the second take longest."""

UNCOUNTED = (
    *("tests/optimise/test_packing.py", "tests/optimise/test_many.py", "tests/known", "tests/store/test_bad_rows.py"),
    *(f"tests/models/test_{kind}.py" for kind in ("hypervisor", "physical", "multi_cloud", "service_mesh", "clusters")),
    "tests/dashboards/test_browser.py",
)
"""Long tests of lines that shorter ones reach too; counting takes time. Nor is it counted what drawn examples reach."""

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=3, print_blob=True)
settings.register_profile("local", deadline=None, derandomize=True, max_examples=3)
settings.load_profile("ci" if IN_CI else "local")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where tests run side by side, kernels are compiled beside them, by a process that coverage does not slow down."""
    if getattr(session.config.option, "numprocesses", None):
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        process = subprocess.Popen([sys.executable, "-m", "compiling"], env={**os.environ, "PYTHONPATH": paths})
        session.config.add_cleanup(process.wait)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that pack come after those that do not, when kernels are compiled; lines of some are not counted."""
    for item in items:
        drawn = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if drawn or item.nodeid.startswith(UNCOUNTED):
            item.add_marker("no_cover")
    turns = [(name, turn) for turn, names in enumerate(TURNS) for name in names]
    items.sort(key=lambda item: max((len(name), turn) for name, turn in turns if item.nodeid.startswith(name))[1])


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Each test works out its own answers."""
    from planner.models._remembered import forget  # here: the process that hands out tests needs no planner

    forget()


def absent(what: str) -> None:
    """Skips the test for want of `what`; in CI, where everything must be there, fails it instead."""
    if IN_CI:
        pytest.fail(f"{what} is missing and CI must have it")
    pytest.skip(f"needs {what}")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of a Chromium to drive (Debian: apt install chromium)."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        absent("chromium (Debian: apt install chromium)")
    assert found is not None
    return Path(found)
