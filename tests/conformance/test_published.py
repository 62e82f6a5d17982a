"""Every published example that ships is reproduced, and every one that was collected is answered or refused."""

from __future__ import annotations

import re
from functools import cache

import pytest

from planner.conformance import Examined, examined, load, shipped
from shared import shared

pytestmark = pytest.mark.no_cover
FILES = [load(path) for path in shipped()]
IDS = list(dict.fromkeys(e.id for c in FILES for e in c.example))


@cache
def answers() -> Examined:
    return examined(FILES)


@pytest.mark.parametrize("name", IDS)
def test_as_published(name: str) -> None:
    found = answers()
    told = [o for o in found.outcomes if o.id == name]
    assert told
    assert [(o.figure, o.theirs, o.ours, o.problem) for o in told if not o.agrees] == []


def test_at_least_fifty_are_reproduced() -> None:
    found = answers()
    assert len(found.reproduced) >= 50
    assert not found.disagreeing


def test_sources_are_told_and_slips_recomputed() -> None:
    found = answers()
    known = set(found.sources)
    assert {o.source for o in found.outcomes} <= known
    assert all(s.source in known or s.source == "third party" for s in (*found.slips, *found.not_applicable))
    recomputed = [s for s in found.slips if s.example]
    assert recomputed
    for slip in recomputed:
        outcome = found.recomputed(slip)
        assert outcome is not None, slip.id
        assert isinstance(outcome.ours, float)
        assert float(re.sub(r"[^\d.]", "", slip.printed)) != pytest.approx(outcome.ours, rel=1e-3)


def test_nothing_is_both_reproduced_and_refused() -> None:
    found = answers()
    assert not set(found.reproduced) & {s.id for s in found.not_applicable}


def collected() -> set[str]:
    """Ids of the collected examples and slips; `E30a–f`, `F1a,b` and `C27h–j` stand for several."""
    text = shared("conformance", "WORKED_EXAMPLES.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-IS]\d[^ |]*) \|", text, flags=re.MULTILINE)
    return {single for row in rows for single in _single(row)}


def _single(row: str) -> list[str]:
    spread = re.fullmatch(r"([A-I]\d+)([a-z])([–,])([a-z])", row)
    if spread is None:
        return [row]
    stem, first, sign, last = spread.groups()
    letters = [first, last] if sign == "," else [chr(n) for n in range(ord(first), ord(last) + 1)]
    return [stem + letter for letter in letters]


def test_every_collected_example_is_answered_or_refused_with_a_reason() -> None:
    found = answers()
    answered, refused = {o.id for o in found.outcomes}, {s.id for s in (*found.not_applicable, *found.slips)}
    wanted = collected()
    assert len(wanted) > 100
    assert wanted - answered - refused == set()
    assert answered | refused <= wanted
