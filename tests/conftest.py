"""What every test may rely on: a quiet, deterministic hypothesis and a browser, where there is one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI", "").lower() == "true"

TURNS = (
    ("tests/contracts/test_models.py",),
    ("",),
    ("tests/test_study.py", "tests/dashboards"),
    ("tests/models", "tests/optimise", "tests/test_cli.py"),
)
"""The first compiles the packing's kernels for most of a minute; the second needs none; the third takes long."""

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=60, print_blob=True)
settings.register_profile("local", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("ci" if IN_CI else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker compiles the kernels while the others run what needs none; then all find them compiled."""
    turns = [(name, turn) for turn, names in enumerate(TURNS) for name in names]
    items.sort(key=lambda item: max((len(name), turn) for name, turn in turns if item.nodeid.startswith(name))[1])


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
