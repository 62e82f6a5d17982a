"""Which cases of a test run by default and which only with ``-m slow``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest

__all__ = ["lanes"]


def lanes(cases: Iterable[Any], slow: Collection[Any]) -> list[Any]:
    """The cases, those of `slow` marked as such; one that is no case is an error."""
    listed = list(cases)
    assert set(slow) <= set(listed), set(slow) - set(listed)
    return [pytest.param(case, marks=[pytest.mark.slow] * (case in slow), id=str(case)) for case in listed]
