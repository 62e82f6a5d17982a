"""planner: one recorded demand, every deployment model, proved bounds, sourced prices."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

__all__ = ["MODELS", "Plan", "Scenario", "Study", "run"]

_HOMES: Final = {
    "MODELS": "planner.models",
    "Plan": "planner.plan",
    "Scenario": "planner.scenario",
    "Study": "planner.study",
    "run": "planner.study",
}
"""Where each name lives. It is fetched when first asked for, so that `planner --help` need not load the solver."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
