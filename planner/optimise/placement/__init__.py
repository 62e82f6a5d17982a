"""Workloads onto sites, with the traffic between them: where everything runs, with a proved bound."""

from planner.optimise.placement.answer import MOST_PAIRS, Placement, assign
from planner.optimise.placement.program import program
from planner.optimise.placement.types import Flows, Sites, Units, Wishes, admitted

__all__ = ["MOST_PAIRS", "Flows", "Placement", "Sites", "Units", "Wishes", "admitted", "assign", "program"]
