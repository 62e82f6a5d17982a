"""Placement against all placements of tiny questions, and what its limits do."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.optimise.placement import Flows, Placement, Sites, Units, Wishes, admitted, assign, program
from planner.optimise.solver import lp_text

GOLDEN = Path(__file__).parents[1] / "golden" / "optimise" / "placement.lp"


def units(usd, count=None, size=None, whole=None) -> Units:
    usd = np.array(usd, float)
    many = len(usd)
    return Units(
        usd,
        np.array([1] * many if count is None else count, np.int64),
        np.ones((many, 1)) if size is None else np.array(size, float).reshape(many, -1),
        np.zeros(many, bool) if whole is None else np.array(whole, bool),
    )


def sites(fixed, provider=None, room=None) -> Sites:
    many = len(fixed)
    ends = np.full((many, 1), np.inf) if room is None else np.array(room, float).reshape(many, -1)
    return Sites(np.array(fixed, float), np.array(range(many) if provider is None else provider, np.int64), ends)


def usd_of(asked: Units, there: Sites, wishes: Wishes, where: np.ndarray) -> float:
    total = float((np.where(where > 0, asked.usd, 0.0) * where).sum() + there.fixed_usd[where.any(axis=0)].sum())
    if wishes.flows is not None:
        home = where.argmax(axis=1)
        ends = zip(wishes.flows.caller, wishes.flows.callee, wishes.flows.gib, strict=True)
        total += sum(g * wishes.flows.usd_per_gib[home[a], home[b]] for a, b, g in ends)
    return total


def by_brute_force(asked: Units, there: Sites, wishes: Wishes) -> float:
    """The least cost of all placements; inf where there is none."""
    flows = set() if wishes.flows is None else {*wishes.flows.caller.tolist(), *wishes.flows.callee.tolist()}
    bound = flows | {u for group in (*wishes.together, *wishes.apart) for u in group}
    choices = []
    for u, many in enumerate(asked.count):
        rows = [row for row in product(range(many + 1), repeat=len(there.fixed_usd)) if sum(row) == many]
        rows = [row for row in rows if all(np.isfinite(asked.usd[u, s]) for s, n in enumerate(row) if n)]
        choices.append([row for row in rows if max(row) == many or not (asked.whole[u] or u in bound)])
    tried = (np.array(rows) for rows in product(*choices))
    return min((usd_of(asked, there, wishes, w) for w in tried if admitted(there, asked, wishes, w)), default=np.inf)


@st.composite
def questions(draw) -> tuple[Units, Sites, Wishes]:
    many, places = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    whole = st.lists(st.booleans(), min_size=many, max_size=many)
    usd = [[draw(st.sampled_from([1, 2, 3, 5, 8, 13, np.inf])) for _ in range(places)] for _ in range(many)]
    sizes = [[draw(st.integers(1, 5)), draw(st.integers(1, 5))] for _ in range(many)]
    asked = units(usd, [draw(st.integers(1, 2)) for _ in range(many)], sizes, draw(whole))
    room = [[draw(st.sampled_from([4, 9, np.inf, np.inf])) for _ in range(2)] for _ in range(places)]
    owners = np.unique([draw(st.integers(0, 2)) for _ in range(places)], return_inverse=True)[1]
    there = sites([draw(st.integers(0, 12)) for _ in range(places)], owners, room)
    pair = st.lists(st.integers(0, many - 1), min_size=2, max_size=2, unique=True).map(tuple)
    groups = st.lists(pair, max_size=1).map(tuple) if many > 1 else st.just(())
    flows = None
    if many > 1 and draw(st.booleans()):
        ends = np.array([draw(pair) for _ in range(2)], np.int64)
        tariff = np.array([[0.0 if a == b else draw(st.sampled_from([0, 1, 2])) for b in range(places)]
                           for a in range(places)])  # fmt: skip
        flows = Flows(ends[:, 0], ends[:, 1], np.array([3.0, 1.0]), tariff)
    share, least = draw(st.sampled_from([1.0, 1.0, 0.6])), draw(st.integers(1, 2))
    return asked, there, Wishes(flows, draw(groups), draw(groups), share, least)


@given(questions())
def test_as_good_as_the_best_of_all_placements(question: tuple[Units, Sites, Wishes]) -> None:
    asked, there, wishes = question
    least, found = by_brute_force(*question), assign(*question)
    assert found.bound_usd <= found.usd + 1e-6
    if np.isinf(least):
        assert found.left
        assert all(found.reason[u] for u in found.left)
        return
    assert not found.left
    assert found.copies.sum(axis=1).tolist() == asked.count.tolist()
    assert admitted(there, asked, wishes, found.copies)
    assert found.usd == pytest.approx(least, abs=1e-6)
    assert usd_of(asked, there, wishes, found.copies) == pytest.approx(found.usd, abs=1e-6)


@given(questions())
def test_a_looser_question_never_costs_more(question: tuple[Units, Sites, Wishes]) -> None:
    asked, there, wishes = question
    tight = assign(asked, there, wishes)
    if tight.left:
        return
    looser = (
        (there, replace(wishes, max_provider_share=1.0)),
        (there, replace(wishes, min_providers=1)),
        (there, replace(wishes, apart=())),
        (there, replace(wishes, together=())),
        (replace(there, room=np.full_like(there.room, np.inf)), wishes),
        (replace(there, fixed_usd=np.zeros_like(there.fixed_usd)), wishes),
    )
    for place, wish in looser:
        assert assign(asked, place, wish).usd <= tight.usd + 1e-6


def test_the_program_of_three_units_is_the_one_that_was_read() -> None:
    """Two providers, a flow from the first unit to the second, half of all cores each at most."""
    flows = Flows(np.array([0]), np.array([1]), np.array([100.0]), np.array([[0.0, 0.25], [0.0, 0.0]]))
    wishes = Wishes(flows, max_provider_share=0.5, min_providers=2)
    asked = units([[3, 4], [5, 2], [1, np.inf]], count=[1, 1, 2], size=[2, 4, 1], whole=[True, True, False])
    assert lp_text(program(asked, sites([7, 0], room=[8, np.inf]), wishes)) == GOLDEN.read_text(encoding="utf-8")


def test_traffic_pulls_together_what_prices_pull_apart() -> None:
    asked, there = units([[1, 3], [3, 1]]), sites([0, 0])
    assert assign(asked, there, Wishes()).usd == 2
    talk = Flows(np.array([0]), np.array([1]), np.array([100.0]), np.array([[0.0, 0.09], [0.09, 0.0]]))
    found = assign(asked, there, Wishes(talk))
    assert found.usd == 4
    assert (found.copies > 0).any(axis=0).sum() == 1


def test_copies_are_split_over_sites_one_by_one() -> None:
    found = assign(units([[1, 2]], count=[5]), sites([0, 0], room=[3, np.inf]), Wishes())
    assert found.copies.tolist() == [[3, 2]]
    whole = assign(units([[1, 2]], count=[5], whole=[True]), sites([0, 0], room=[3, np.inf]), Wishes())
    assert whole.copies.tolist() == [[0, 5]]


def left(*question: object) -> tuple[list[int], list[str]]:
    found: Placement = assign(*question)  # type: ignore[arg-type]
    return found.left, [found.reason[u] for u in found.left]


def test_what_cannot_be_placed_is_named_with_the_limits_in_conflict() -> None:
    who, why = left(units([[1], [1], [1]]), sites([0], room=[2]), Wishes())
    assert len(who) == 1
    assert why == ["in conflict, together with the sites it may use: site capacity"]
    who, why = left(units([[1, 1], [1, np.inf]]), sites([0, 0], [0, 0]), Wishes(min_providers=2))
    assert who == [0, 1]
    assert "at least 2" in why[0]
    who, why = left(units([[1, np.inf]] * 3 + [[1, 1]]), sites([0, 0]), Wishes(max_provider_share=0.5))
    assert len(who) == 2
    assert "at most 0.5" in why[0]
    who, why = left(units([[1, np.inf], [np.inf, 1]]), sites([0, 0]), Wishes(together=((0, 1),)))
    assert (who, why[0][:16]) == ([0, 1], "no site may hold")
    who, why = left(units([[1, 1], [1, 1]]), sites([0, 0]), Wishes(together=((0, 1),), apart=((1, 0),)))
    assert (who, "keep apart" in why[0]) == ([0, 1], True)


@given(st.integers(0, 2**32 - 1))
def test_grouping_keeps_the_answer_a_placement(seed: int) -> None:
    random = np.random.default_rng(seed)
    usd = random.lognormal(2, 1, (60, 1)) * random.lognormal(0, 0.3, (60, 3))
    usd[random.random((60, 3)) < 0.1] = np.inf
    asked, there = units(usd, random.integers(1, 4, 60)), sites([20, 5, 0], [0, 1, 1])
    fine, rough = assign(asked, there, Wishes()), assign(asked, there, Wishes(), most_pairs=40)
    assert rough.groups < fine.groups
    assert rough.left == fine.left
    assert (rough.copies.sum(axis=1) == fine.copies.sum(axis=1)).all()
    assert rough.usd == pytest.approx(usd_of(asked, there, Wishes(), rough.copies))
    assert fine.bound_usd - 1e-6 <= fine.usd <= rough.usd + 1e-6


def test_nothing_to_place() -> None:
    found = assign(units(np.zeros((0, 2))), sites([1, 1]), Wishes(min_providers=2))
    assert (found.usd, found.left, found.copies.shape) == (0.0, [], (0, 2))
