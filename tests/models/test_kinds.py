"""A model is one file, named as its kind; whoever only lists kinds does not wait for solvers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from planner import models

LISTED = """
import sys
from planner.models import kinds
assert "iaas" in kinds()
print(*sorted({"pulp", "highspy", "numba", "scipy", "planner.models.iaas", "planner.study"} & set(sys.modules)))
"""


def test_kinds_are_the_names_of_the_models() -> None:
    assert list(models.MODELS) == list(models.kinds())
    assert models.MODELS is models.MODELS


def test_kinds_are_listed_without_a_solver() -> None:
    done = subprocess.run([sys.executable, "-c", LISTED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_nothing_else_is_made_up() -> None:
    with pytest.raises(AttributeError, match="MODLES"):
        _ = models.MODLES  # type: ignore[attr-defined]
