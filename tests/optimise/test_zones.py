"""Replicas over zones: every zone its share, whatever the boxes, and a proof that says so."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.optimise.packing import Boxes, Items, Packing, Spread, pack
from planner.verify import verify_proof

ROOM = np.array([[4.0, 8.0], [8.0, 16.0]])
BOXES = Boxes(ROOM, np.array([1.0, 1.9]))


def failed(packing: Packing) -> list[str]:
    """What an independent reading of the proof does not find true."""
    return [f.what for f in verify_proof(json.loads(json.dumps(packing.proof)), "proof") if not f.holds]


def by_zone(items: Items, packing: Packing, group: str) -> list[int]:
    """How many items of a group sit in each zone that holds some, ascending."""
    assert items.spread is not None
    members = [i for i, wish in enumerate(items.spread) if wish is not None and wish.group == group]
    seats = packing.placement()
    return sorted(seats[seats["class"].isin(members)].groupby("zone").size().tolist())


questions = st.lists(
    st.tuples(
        st.sampled_from([0.5, 1.0, 1.5, 3.0]),
        st.sampled_from([0.5, 2.0, 5.0]),
        st.integers(1, 20),
        st.sampled_from(["", "web", "db"]),
    ),
    min_size=1,
    max_size=6,
)


@given(question=questions, zones=st.integers(2, 4), most=st.integers(1, 3), effort=st.sampled_from([0.0, 0.01]))
def test_groups_are_spread_evenly(
    question: list[tuple[float, float, int, str]], zones: int, most: int, effort: float
) -> None:
    size, count = np.array([(c, m) for c, m, _, _ in question]), np.array([n for _, _, n, _ in question])
    wishes = tuple(Spread(g, most, zones if g == "web" else 1) if g else None for *_, g in question)
    items = Items(size, count, wishes)
    packing = pack(items, BOXES, effort=effort)
    assert packing.unplaced.sum() == 0
    assert failed(packing) == []
    web = sum(n for _, _, n, g in question if g == "web")
    if web:
        even = [web // zones + (z < web % zones) for z in range(zones)]
        assert by_zone(items, packing, "web") == sorted(n for n in even if n)


def test_every_box_stands_in_one_zone() -> None:
    items = Items(np.array([[1.0, 1.0], [0.5, 0.5]]), np.array([12, 7]), (Spread("web", 2, 3), None))
    packing = pack(items, BOXES, effort=0.1)
    seats = packing.placement()
    assert (seats.groupby(["box", "number"])["zone"].nunique() == 1).all()
    assert packing.patterns
    assert by_zone(items, packing, "web") == [4, 4, 4]


def test_limited_boxes_stand_in_all_zones() -> None:
    boxes = Boxes(ROOM, BOXES.usd, available=np.array([2, 4]))
    items = Items(np.array([[4.0, 8.0]]), np.array([9]), (Spread("web", 9, 3),))
    packing = pack(items, boxes, effort=0.1)
    assert packing.unplaced.sum() == 0
    assert packing.opened.tolist() == [1, 4] or packing.opened.tolist() == [2, 4]
    assert by_zone(items, packing, "web") == [3, 3, 3]
    assert failed(packing) == []


def test_a_proof_that_puts_a_group_into_one_zone_is_refused() -> None:
    items = Items(np.array([[1.0, 1.0]]), np.array([6]), (Spread("web", 2, 3),))
    proof = json.loads(json.dumps(pack(items, BOXES, effort=0.1).proof))
    proof["zone"] = [0] * len(proof["zone"])
    assert "every group is spread evenly over its zones" in [f.what for f in verify_proof(proof, "x") if not f.holds]


def test_zones_cost_no_less_than_none_and_the_bound_leaves_them_out() -> None:
    size, count = np.array([[3.0, 2.0], [1.0, 6.0], [0.5, 1.0]]), np.array([7, 5, 30])
    plain = pack(Items(size, count), BOXES)
    zoned = pack(Items(size, count, (Spread("a", 9, 3), Spread("b", 9, 3), None)), BOXES)
    assert zoned.usd >= plain.bound_usd - 1e-9
    assert zoned.bound_usd == pytest.approx(plain.bound_usd)


def test_ten_in_three_zones_beside_thousands_of_different_ones_cost_about_what_they_do_without() -> None:
    """Three thousand sizes are too many for columns; a few that keep apart must not make small boxes of all of them."""
    rng = np.random.default_rng(3)
    size = np.vstack([rng.uniform(0.05, 1.0, (3_100, 2)) * [1.0, 2.5], [[0.5, 1.0]]])
    count = np.append(np.ones(3_100, np.int64), 10)
    boxes = Boxes(ROOM, BOXES.usd + 0.6)
    asked = Items(size, count, (*[None] * 3_100, Spread("control", 4, 3)))
    zoned, plain = pack(asked, boxes, effort=1e-3), pack(Items(size, count), boxes, effort=1e-3)
    assert by_zone(asked, zoned, "control") == [3, 3, 4]
    assert zoned.unplaced.sum() == 0
    assert failed(zoned) == []
    assert zoned.bound_usd <= plain.usd <= zoned.usd * (1 + 1e-9)
    assert zoned.usd <= plain.usd * 1.01
