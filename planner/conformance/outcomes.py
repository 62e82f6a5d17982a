"""Outcomes: what the sources say beside what this planner says, figure by figure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from planner.conformance.examples import Collection, Example, Expected, Skipped, Slip
from planner.conformance.question import Figure, Figures, Question
from planner.errors import PlannerError, near_miss
from planner.report.show import rounded

__all__ = ["Examined", "Outcome", "examined"]

Plain = float | str


@dataclass(frozen=True)
class Outcome:
    """One figure of one example; of a list the element that differs most."""

    id: str
    what: str
    figure: str
    source: str
    place: str
    type: str
    note: str
    theirs: Plain
    ours: Plain
    agrees: bool
    compared: int = 1
    """Elements of the list; 1 where it is none."""
    decimals: int = 2
    """Digits after the point that both were compared to, and are shown with."""
    problem: str = ""
    """Why there is no figure of ours."""

    @property
    def difference(self) -> float | None:
        """Ours less theirs; none where one of them is no number."""
        if isinstance(self.theirs, str) or isinstance(self.ours, str):
            return None
        return self.ours - self.theirs


@dataclass(frozen=True)
class Examined:
    """All outcomes of some files, with the slips that were found and what does not apply."""

    outcomes: tuple[Outcome, ...]
    slips: tuple[Slip, ...]
    not_applicable: tuple[Skipped, ...]
    sources: dict[str, str]

    @property
    def disagreeing(self) -> tuple[Outcome, ...]:
        """Figures that differ by more than their source's rounding."""
        return tuple(o for o in self.outcomes if not o.agrees)

    @property
    def reproduced(self) -> tuple[str, ...]:
        """Ids of the examples all of whose figures agree; what only recomputes a slip is none."""
        wrong = {o.id for o in self.disagreeing} | {s.id for s in self.slips}
        return tuple(dict.fromkeys(o.id for o in self.outcomes if o.id not in wrong))

    def recomputed(self, slip: Slip) -> Outcome | None:
        """The outcome that recomputes a slip; none where no example does."""
        hits = [o for o in self.outcomes if slip.example and (o.id, o.figure) == (slip.example, slip.figure)]
        return hits[0] if hits else None

    def document(self) -> dict[str, Any]:
        """All of it as plain values."""
        slips = [s.model_dump() | {"ours": o.ours if (o := self.recomputed(s)) else None} for s in self.slips]
        return {
            "reproduced": list(self.reproduced),
            "disagreeing": list(dict.fromkeys(o.id for o in self.disagreeing)),
            "figures": [_plain(asdict(o) | {"difference": o.difference}) for o in self.outcomes],
            "slips": slips,
            "not_applicable": [s.model_dump() for s in self.not_applicable],
            "sources": self.sources,
        }


def examined(collections: Sequence[Collection], done: Callable[[str], None] = lambda _: None) -> Examined:
    """Asks every example of `collections`; `done` is told the id of each that was asked."""
    outcomes: list[Outcome] = []
    pairs = [pair for c in collections for pair in c.questions()]
    for example, question in sorted(pairs, key=lambda pair: _natural(pair[0].id)):
        outcomes += _asked(example, question)
        done(example.id)
    return Examined(
        tuple(outcomes),
        tuple(sorted((s for c in collections for s in c.slip), key=lambda s: _natural(s.id))),
        tuple(sorted((s for c in collections for s in c.not_applicable), key=lambda s: _natural(s.id))),
        {key: where for c in collections for key, where in c.sources.items()},
    )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON can tell it: what is no number is none."""
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers in a name count as numbers.

    >>> sorted(["E10", "E2", "E1b", "E1"], key=_natural)
    ['E1', 'E1b', 'E2', 'E10']
    """
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name) if part]


def _asked(example: Example, question: Question) -> list[Outcome]:
    try:
        found = question.figures()
    except (PlannerError, ValueError) as error:  # what does not fit together in a table is told where it is asked
        problem = "; ".join(str(error).splitlines())
        return [_lacking(example, name, wanted, problem) for name, wanted in example.expect.items()]
    return [_compared(example, name, wanted, found) for name, wanted in example.expect.items()]


def _compared(example: Example, name: str, wanted: Expected, found: Figures) -> Outcome:
    if name not in found:
        return _lacking(example, name, wanted, f"no figure {name!r}; {near_miss(name, found)}")
    theirs, ours = _elements(wanted.value), _elements(found[name])
    if len(theirs) != len(ours):
        return _lacking(example, name, wanted, f"{name}: {len(ours)} figures, the source tells {len(theirs)}")
    decimals = max([example.decimals if wanted.decimals is None else wanted.decimals, *map(_digits, theirs)])
    agree = [_agrees(t, o, wanted, decimals) for t, o in zip(theirs, ours, strict=True)]
    at = int(np.argmax([_off(t, o, a) for t, o, a in zip(theirs, ours, agree, strict=True)]))
    told = (theirs[at], ours[at], all(agree))
    return Outcome(*_head(example, name), *told, len(theirs), decimals)


def _head(example: Example, name: str) -> tuple[str, str, str, str, str, str, str]:
    return (example.id, example.what, name, example.source, example.place, example.type, example.note)


def _lacking(example: Example, name: str, wanted: Expected, problem: str) -> Outcome:
    return Outcome(*_head(example, name), _elements(wanted.value)[0], "", False, problem=problem)


def _elements(value: Figure | Sequence[Plain]) -> list[Plain]:
    return [value] if isinstance(value, float | int | str) else list(value)


def _digits(value: Plain) -> int:
    """Digits after the point, as printed."""
    if isinstance(value, str) or not np.isfinite(value):
        return 0
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _agrees(theirs: Plain, ours: Plain, wanted: Expected, decimals: int) -> bool:
    if isinstance(theirs, str) or isinstance(ours, str):
        return theirs == ours
    if wanted.within is not None or wanted.relative is not None:
        room = max(wanted.within or 0.0, (wanted.relative or 0.0) * abs(theirs))
        return abs(ours - theirs) <= room * (1 + 1e-12)
    step = str(Decimal(1).scaleb(-decimals))
    return bool(np.isfinite(ours)) and rounded(ours, step) == rounded(theirs, step)


def _off(theirs: Plain, ours: Plain, agrees: bool) -> float:
    """How badly a figure differs: those that disagree before all others."""
    if isinstance(theirs, str) or isinstance(ours, str):
        return 0.0 if agrees else np.inf
    gap = abs(ours - theirs) / max(abs(theirs), 1e-12)
    return gap if agrees else 1e9 + gap
