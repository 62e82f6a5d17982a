"""The only door to the solvers: problems as columns in, outcomes as values out. Always minimises.

Models are written with PuLP and run by HiGHS inside this process; a problem with very many variables, and a larger
one without integers, is handed to HiGHS as arrays, because building objects one by one would take longer than solving.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from enum import Enum

import highspy
import numpy as np
import pulp
from numpy.typing import NDArray
from scipy import sparse

from planner.errors import SolverError

__all__ = ["Growing", "Limits", "Outcome", "Problem", "Status", "lp_text", "solve"]

Floats = NDArray[np.float64]
MODELLED = 1_500
"""Unit: variables. Source: PuLP builds about 60,000 variables a second; above this the arrays go straight to HiGHS."""
RELAXED = 100
"""Unit: variables, of a program without integers. Source: those are solved in less time than objects are built."""


class Status(Enum):
    """What came of it."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible, not proved optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    NOTHING = "stopped before any solution"


@dataclass(frozen=True)
class Problem:
    """Minimise usd·x where lower ≤ matrix·x ≤ upper and 0 ≤ x ≤ most; `whole` marks integers."""

    usd: Floats
    """[variable]."""
    matrix: sparse.csr_array
    """[row, variable]."""
    lower: Floats
    """[row], -inf where open."""
    upper: Floats
    """[row], inf where open."""
    most: Floats | None = None
    """[variable], none: without end."""
    whole: NDArray[np.bool_] | None = None
    """[variable], none: all continuous."""
    name: str = "planner"


@dataclass(frozen=True)
class Limits:
    """When to stop; nothing here but `seconds` depends on the clock."""

    nodes: int | None = None
    gap: float = 0.0
    seconds: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What a solver answered: `bound` is its dual bound, `duals` what one more unit of a row would cost (LP only)."""

    status: Status
    objective: float
    bound: float
    values: Floats
    duals: Floats

    @property
    def solved(self) -> bool:
        """Whether `values` hold a solution."""
        return self.status in (Status.OPTIMAL, Status.FEASIBLE)


def solve(problem: Problem, limits: Limits | None = None) -> Outcome:
    """Solve once.

    Raises:
        SolverError: HiGHS failed for a reason other than the problem itself.
    """
    return _outcome(_run(_load(problem, limits or Limits())), problem.whole is not None)


def lp_text(problem: Problem) -> str:
    """The problem in LP format, for people and golden files."""
    model = _modelled(problem)
    lines = [f"\\ {problem.name}", "Minimize", f"OBJ: {model.objective}", "Subject To"]
    lines += [f"{constraint.name}: {constraint}" for constraint in model.constraints()]
    bounds = [
        f"{v.lowBound:g} <= {v.name}" + (f" <= {v.upBound:g}" if v.upBound is not None else "")
        for v in model.variables()
    ]
    whole = [v.name for v in model.variables() if v.cat == pulp.LpInteger]
    return "\n".join([*lines, "Bounds", *bounds, *(["Generals", " ".join(whole)] if whole else []), "End"]) + "\n"


class Growing:
    """A linear program that grows by columns and starts each time from its last basis."""

    def __init__(self, problem: Problem) -> None:
        self._highs = _load(problem, Limits())

    def add(self, usd: Floats, columns: sparse.csc_array) -> None:
        """Add variables ≥ 0 with their costs [variable] and coefficients [row, variable]."""
        count = len(usd)
        self._highs.addCols(
            count,
            usd,
            np.zeros(count),
            np.full(count, highspy.kHighsInf),
            columns.nnz,
            columns.indptr[:-1].astype(np.int32),
            columns.indices.astype(np.int32),
            columns.data.astype(np.float64),
        )

    def settle(self, lower: Floats, upper: Floats, most: Floats) -> None:
        """Give all rows other sides and all variables other ceilings."""
        rows, columns = range(len(lower)), np.arange(len(most), dtype=np.int32)
        for row, low, high in zip(rows, lower.tolist(), upper.tolist(), strict=True):
            self._highs.changeRowBounds(row, low, high)
        self._highs.changeColsBounds(len(columns), columns, np.zeros(len(columns)), most)

    def solve(self) -> Outcome:
        """Solve the program as it stands."""
        return _outcome(_run(self._highs), False)


def _silenced() -> None:
    """Make one solver with standard output closed: the first one of a process prints a banner, whatever it is told."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        highspy.Highs()  # type: ignore[no-untyped-call]
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


_silenced()


def _load(problem: Problem, limits: Limits) -> highspy.Highs:
    if len(problem.usd) > (RELAXED if problem.whole is None else MODELLED):
        highs = _passed(problem)
    else:
        model = _modelled(problem)
        engine = pulp.HiGHS(msg=False)
        engine.createAndConfigureSolver(model)
        engine.buildSolverModel(model)
        highs = model.solverModel
    options = {"output_flag": False, "threads": 1, "random_seed": 0, "mip_rel_gap": limits.gap, "mip_abs_gap": 1e-9}
    if limits.nodes is not None:
        options["mip_max_nodes"] = limits.nodes
    if limits.seconds is not None:
        options["time_limit"] = max(0.01, limits.seconds)
    for key, value in options.items():
        highs.setOptionValue(key, value)
    return highs


def _modelled(problem: Problem) -> pulp.LpProblem:
    """The same problem as PuLP objects, in the order of its columns and rows."""
    model = pulp.LpProblem(problem.name, pulp.LpMinimize)
    count = len(problem.usd)
    most = np.full(count, np.inf) if problem.most is None else problem.most
    whole = np.zeros(count, bool) if problem.whole is None else problem.whole
    kinds = [pulp.LpInteger if w else pulp.LpContinuous for w in whole]
    variables = [
        model.add_variable(f"x{j:06d}", 0, None if np.isinf(most[j]) else float(most[j]), kinds[j])
        for j in range(count)
    ]
    model.setObjective(pulp.LpAffineExpression(list(zip(variables, map(float, problem.usd), strict=True))))
    rows = problem.matrix.tocsr()
    for i in range(rows.shape[0]):
        span = slice(rows.indptr[i], rows.indptr[i + 1])
        terms = [(variables[j], float(v)) for j, v in zip(rows.indices[span], rows.data[span], strict=True)]
        _bounded(model, i, pulp.LpAffineExpression(terms), (problem.lower[i], problem.upper[i]))
    return model


def _bounded(model: pulp.LpProblem, row: int, expression: pulp.LpAffineExpression, sides: tuple[float, float]) -> None:
    lower, upper = sides
    if lower == upper:
        model.addConstraint(expression == lower, f"r{row:05d}")
    elif np.isfinite(lower) and np.isfinite(upper):
        raise SolverError(f"row {row} has two different sides ({lower:g}, {upper:g}); write it as two rows")
    elif np.isfinite(lower):
        model.addConstraint(expression >= lower, f"r{row:05d}")
    else:
        model.addConstraint(expression <= upper, f"r{row:05d}")


def _passed(problem: Problem) -> highspy.Highs:
    """The same problem handed over as arrays."""
    columns = problem.matrix.tocsc()
    program = highspy.HighsLp()
    program.num_row_, program.num_col_ = columns.shape
    program.col_cost_ = problem.usd
    program.col_lower_ = np.zeros(columns.shape[1])
    program.col_upper_ = np.full(columns.shape[1], highspy.kHighsInf) if problem.most is None else problem.most
    program.row_lower_, program.row_upper_ = problem.lower, problem.upper
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = columns.indptr.astype(np.int32)
    program.a_matrix_.index_ = columns.indices.astype(np.int32)
    program.a_matrix_.value_ = columns.data.astype(np.float64)
    if problem.whole is not None:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        program.integrality_ = [kinds[int(w)] for w in problem.whole]
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.passModel(program)
    return highs


def _run(highs: highspy.Highs) -> highspy.Highs:
    if highs.run() == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS failed: {highs.modelStatusToString(highs.getModelStatus())}")
    return highs


def _outcome(highs: highspy.Highs, whole: bool) -> Outcome:
    status = _status(highs)
    info, solution = highs.getInfo(), highs.getSolution()
    solved = status in (Status.OPTIMAL, Status.FEASIBLE)
    objective = float(info.objective_function_value) if solved else float("inf")
    relaxed = objective if status is Status.OPTIMAL else float("-inf")
    bound = float(info.mip_dual_bound) if whole else relaxed
    return Outcome(status, objective, bound, np.array(solution.col_value), np.array(solution.row_dual))


def _status(highs: highspy.Highs) -> Status:
    kinds = highspy.HighsModelStatus
    ended = highs.getModelStatus()
    if ended == kinds.kOptimal:
        return Status.OPTIMAL
    if ended in (kinds.kInfeasible, kinds.kUnboundedOrInfeasible):
        return Status.INFEASIBLE
    if ended == kinds.kUnbounded:
        return Status.UNBOUNDED
    feasible = highs.getInfo().primal_solution_status == 2
    return Status.FEASIBLE if feasible else Status.NOTHING
