from planner.models import MODELS as MODELS
from planner.plan import Plan as Plan
from planner.scenario import Scenario as Scenario
from planner.study import Study as Study
from planner.study import run as run

__all__ = ["MODELS", "Plan", "Scenario", "Study", "run"]
