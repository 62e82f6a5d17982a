"""Resources, units and sourced numbers: the words every other module counts in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from planner.errors import InputError

__all__ = [
    "CPU",
    "GPU",
    "HOURS_PER_MONTH",
    "HOURS_PER_WEEK",
    "HOURS_PER_YEAR",
    "LONGEST_MONTH",
    "MEMORY",
    "MONTHS_PER_YEAR",
    "RESOURCES",
    "SECONDS_PER_HOUR",
    "SHORTEST_MONTH",
    "STORAGE",
    "Assumption",
    "parse",
]

RESOURCES: Final = ("cpu_cores", "memory_gib", "gpus", "storage_gib")
"""Last axis of every array of needs or capacities. One cpu_core is one schedulable CPU thread (a vCPU)."""
CPU, MEMORY, GPU, STORAGE = range(4)

HOURS_PER_MONTH: Final = 730.0
SHORTEST_MONTH: Final = 28 * 24.0
LONGEST_MONTH: Final = 31 * 24.0
HOURS_PER_YEAR: Final = 8760.0
HOURS_PER_WEEK: Final = 168
MONTHS_PER_YEAR: Final = 12
SECONDS_PER_HOUR: Final = 3600.0

_SUFFIXES: Final = {
    "": 1.0,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
}


@dataclass(frozen=True)
class Assumption:
    """A number a plan rests on: what it is, how much, in which unit, who says so, and whether the trace measured it."""

    name: str
    value: float | int | str | bool | None
    unit: str
    source: str
    measured: bool = False


def parse(text: str) -> float:
    """A Kubernetes quantity as a plain number of its base unit.

    Raises:
        InputError: the text is no number followed by a known suffix.

    >>> parse("512Mi") / 2**20
    512.0
    >>> parse("250m")
    0.25
    """
    stripped = text.strip()
    number = stripped.rstrip("mkMGTPi")
    suffix = stripped[len(number) :]
    if suffix not in _SUFFIXES:
        known = ", ".join(s for s in _SUFFIXES if s)
        raise InputError(f"quantity {text!r}: unknown suffix {suffix!r}, expected one of {known}")
    try:
        return float(number) * _SUFFIXES[suffix]
    except ValueError:
        raise InputError(f"quantity {text!r}: expected a number such as '250m' or '512Mi'") from None
