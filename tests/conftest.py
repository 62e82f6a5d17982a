"""What every test may rely on: a quiet, deterministic hypothesis and a browser, where there is one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI", "").lower() == "true"

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=60, print_blob=True)
settings.register_profile("local", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("ci" if IN_CI else "local")


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
