"""The packing that a textbook writes: one binary variable an item and slot, given to a solver as it is."""

from __future__ import annotations

import numpy as np
import pulp

from planner.optimise.packing import Boxes, Items

__all__ = ["VARIABLES", "assignment_mip"]

VARIABLES = 150_000
"""Unit: variables. Source: with more, building the model alone takes longer than the time limit."""
SPARE = 1.3
"""Unit: slots a box. Source: room for plans of more and smaller boxes than first fit opened."""


def assignment_mip(items: Items, boxes: Boxes, fleet: int, solver: str, seconds: float) -> tuple[float, str] | None:
    """Cost and state after `seconds`, with slots for somewhat more boxes than a `fleet` of first fit; None: too large.

    Args:
        solver: `CBC` or `HiGHS`.
    """
    size = np.repeat(np.asarray(items.size, float), items.count, axis=0)
    slots, kinds = int(np.ceil(SPARE * fleet)), range(len(boxes.usd))
    if len(size) * slots > VARIABLES:
        return None
    model = pulp.LpProblem("assignment", pulp.LpMinimize)
    inside = [[model.add_variable(f"x{i}_{s}", 0, 1, pulp.LpBinary) for s in range(slots)] for i in range(len(size))]
    opened = [[model.add_variable(f"y{s}_{k}", 0, 1, pulp.LpBinary) for k in kinds] for s in range(slots)]
    model.setObjective(pulp.lpSum(float(boxes.usd[k]) * opened[s][k] for s in range(slots) for k in kinds))
    for row in inside:
        model.addConstraint(pulp.lpSum(row) == 1)
    for s in range(slots):
        model.addConstraint(pulp.lpSum(opened[s]) <= 1)
        for r in range(size.shape[1]):
            load = pulp.lpSum(float(size[i, r]) * inside[i][s] for i in range(len(size)) if size[i, r])
            model.addConstraint(load <= pulp.lpSum(float(boxes.room[k, r]) * opened[s][k] for k in kinds))
    engines = {"CBC": pulp.PULP_CBC_CMD, "HiGHS": pulp.HiGHS}
    model.solve(engines[solver](msg=False, timeLimit=seconds, threads=1))
    if model.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return float("inf"), "no plan in time"
    cost = float(sum(boxes.usd[k] * round(opened[s][k].value() or 0) for s in range(slots) for k in kinds))
    return cost, "optimal" if model.sol_status == pulp.LpSolutionOptimal else "time limit"
