"""Everything that can go wrong, as one tree.

    PlannerError                    caught at the doors: cli, api, dashboards/data.py
    ├── InputError (ValueError)     the reader can mend it: names file, line, field, what was expected, what is near
    │   ├── TraceError              a recording that cannot be read
    │   ├── PriceBookError          a price that is missing or malformed
    │   └── ScenarioError           a question that cannot be asked
    └── SolverError                 an optimisation that did not answer

Not fitting is no error: a workload that no box holds is named in `Plan.unplaced`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

__all__ = [
    "InputError",
    "PlannerError",
    "PriceBookError",
    "ScenarioError",
    "SolverError",
    "TraceError",
    "near_miss",
    "printable",
]

_NO_TEXT: Final = re.compile("[\ud800-\udfff]")
"""What stands in a file's name for bytes that are no UTF-8."""


class PlannerError(Exception):
    """The root: what a door turns into one clear line and exit code 2."""

    def __str__(self) -> str:
        return printable(super().__str__())


class InputError(PlannerError, ValueError):
    """Something given to planner that whoever gave it can mend."""


class TraceError(InputError):
    """A recording that cannot be read."""


class PriceBookError(InputError):
    """A price that is missing or malformed."""


class ScenarioError(InputError):
    """A question that cannot be asked."""


class SolverError(PlannerError):
    """An optimisation that did not answer."""


def printable(text: str) -> str:
    """Text that every door can write: a mark stands for each byte of a file's name that is no UTF-8.

    >>> printable("caf" + chr(0xDCE9) + ".csv")
    'caf\ufffd.csv'
    """
    return _NO_TEXT.sub("\ufffd", text)


def near_miss(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known words, or all of them where none is near.

    >>> near_miss("kubernets", ["physical", "kubernetes"])
    "did you mean 'kubernetes'?"
    >>> near_miss("zzz", ["b", "a"])
    'known: a, b'
    """
    choices = sorted(set(known))
    close = get_close_matches(word, choices, n=2)
    if close:
        return "did you mean " + " or ".join(repr(c) for c in close) + "?"
    return "known: " + ", ".join(choices)
