"""MODELS: every deployment model, found by looking into this folder."""

from __future__ import annotations

from typing import Final

from planner.models._folder import found
from planner.models.base import DeploymentModel

__all__ = ["MODELS", "DeploymentModel"]

MODELS: Final = found()
"""kind -> class, in the order of listings."""
