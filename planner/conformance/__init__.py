"""Conformance: other people's published numbers, run through the models, the bills and the finance of this planner.

An example is data: what is asked (a demand, price rows, a month, a rounding rule), what its source says, and how
exactly. `load` reads a file of them, `examined` runs them, and nothing here knows a formula of its own: each kind of
question hands its table to the part of the planner that answers such questions for every study.
"""

from planner.conformance.examples import Collection, Example, load, shipped
from planner.conformance.outcomes import Examined, Outcome, examined

__all__ = ["Collection", "Examined", "Example", "Outcome", "examined", "load", "shipped"]
