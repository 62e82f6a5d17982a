"""planner: one recorded demand, every deployment model, proved bounds, sourced prices."""

from __future__ import annotations

from planner.models import MODELS
from planner.plan import Plan
from planner.scenario import Scenario
from planner.study import Study, run

__all__ = ["MODELS", "Plan", "Scenario", "Study", "run"]
