"""Finds the recordings that are not part of the repository; tests that need one skip where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[2] / "shared"


def shared(*parts: str) -> Path:
    """A file or folder of the shared recordings; skips the test where it is absent."""
    root = Path(os.environ.get("PLANNER_SHARED", _DEFAULT))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {'/'.join(parts)} under $PLANNER_SHARED (or ../shared beside the checkout)")
    return path
