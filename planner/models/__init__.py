"""MODELS: every deployment model, found by looking into this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.models._folder import found, kinds
from planner.models.base import DeploymentModel

__all__ = ["MODELS", "DeploymentModel", "kinds"]

if TYPE_CHECKING:
    MODELS: dict[str, type[DeploymentModel]]
    """kind -> class, in the order of listings."""


def __getattr__(name: str) -> Any:
    """MODELS, when it is first asked for: its solvers take a second to load, and names of models need none."""
    if name != "MODELS":
        raise AttributeError(f"module 'planner.models' has no attribute {name!r}")
    return globals().setdefault(name, found())
