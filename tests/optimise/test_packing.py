"""The packing engine: what it refuses, what it packs, what it proves."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.instances import big_items, falkenauer_t, falkenauer_u, kubernetes, vm_hosts
from planner.errors import InputError
from planner.optimise.packing import Boxes, Items, Packing, Spread, pack
from planner.verify import verify_proof

BOXES = Boxes(np.array([[4.0, 8.0], [8.0, 16.0]]), np.array([1.0, 1.9]))


def sound(items: Items, boxes: Boxes, packing: Packing) -> None:
    """Nothing overfull, everything there once, cost and bound right, the proof accepted by the checker."""
    size = np.asarray(items.size, float).reshape(len(items.count), -1)
    periods = size.shape[1] // boxes.room.shape[1]
    room = np.tile(boxes.room, (1, periods))
    covered = np.zeros(len(items.count), np.int64)
    for box, content, times in packing.patterns:
        assert (content @ size <= room[box] * (1 + 1e-9)).all()
        assert boxes.max_items is None or content.sum() <= boxes.max_items[box]
        covered += content * times
    assert (covered + packing.unplaced == items.count).all()
    assert boxes.available is None or (packing.opened <= boxes.available).all()
    assert packing.usd == pytest.approx(packing.opened @ boxes.usd)
    assert packing.bound_usd <= packing.usd + 1e-12
    table = packing.placement()
    assert (np.bincount(table["class"], minlength=len(covered)) == covered).all()
    for box, number in table.groupby("box")["number"].nunique().items():
        assert number == packing.opened[int(box)]
    findings = list(verify_proof(json.loads(json.dumps(packing.proof)), "proof"))
    assert [f.what for f in findings if not f.holds] == []


@pytest.mark.parametrize(
    ("size", "count", "boxes", "word"),
    [
        ([[-1.0, 1.0]], [1], BOXES, "negative"),
        ([[np.nan, 1.0]], [1], BOXES, "NaN"),
        ([[0.0, 0.0]], [1], BOXES, "zero size"),
        (np.zeros((0, 2)), np.zeros(0, int), BOXES, "empty"),
        ([[1.0, 1.0]], [-2], BOXES, "whole number"),
        ([[1.0, 1.0]], [1], Boxes(np.array([[np.inf, 1.0]]), np.ones(1)), "infinite"),
        ([[1.0, 1.0]], [1], Boxes(np.zeros((0, 2)), np.zeros(0)), "empty"),
        ([[1.0]], [1], BOXES, "resources"),
        ([[1.0, 1.0]] * 2, [10**12, 1], BOXES, "no more than"),
        ([[1.0, 1.0]], [1], replace(BOXES, available=np.array([1e30, 1.0])), "no more than"),
    ],
)
def test_bad_input_is_refused_with_a_reason(size: object, count: object, boxes: Boxes, word: str) -> None:
    with pytest.raises(InputError, match=word):
        pack(Items(np.array(size, float), np.array(count)), boxes)


def test_what_fits_nowhere_is_left_over_with_the_resource_named() -> None:
    packing = pack(Items(np.array([[1.0, 1.0], [9.0, 1.0]]), np.array([3, 2])), BOXES)
    assert packing.unplaced.tolist() == [0, 2]
    assert "resource 0" in packing.reasons[1]
    assert packing.reasons[0] == ""


def test_scarce_boxes_and_exclusions_are_named() -> None:
    items = Items(np.array([[4.0, 8.0], [1.0, 1.0]]), np.array([5, 1]), fits=np.array([[True, True], [False, False]]))
    packing = pack(items, Boxes(BOXES.room, BOXES.usd, available=np.array([1, 1])))
    assert packing.unplaced.tolist() == [2, 1]
    assert "available" in packing.reasons[0]
    assert "fits" in packing.reasons[1]
    sound(items, Boxes(BOXES.room, BOXES.usd, available=np.array([1, 1])), packing)


def test_spread_keeps_a_group_apart() -> None:
    wish = Spread("web", 1)
    items = Items(np.array([[1.0, 1.0], [0.5, 1.0], [1.0, 2.0]]), np.array([4, 3, 5]), spread=(wish, wish, None))
    packing = pack(items, BOXES)
    assert all(content[0] + content[1] <= 1 for _, content, _ in packing.patterns)
    assert packing.opened.sum() >= 7
    sound(items, BOXES, packing)


def test_max_items_is_respected() -> None:
    items = Items(np.array([[0.1, 0.1]]), np.array([25]))
    boxes = Boxes(BOXES.room, BOXES.usd, max_items=np.array([5, 8]))
    packing = pack(items, boxes)
    assert packing.usd == pytest.approx(5.0)
    assert packing.bound_usd == pytest.approx(5.0)
    sound(items, boxes, packing)


def test_by_profile_never_costs_more_than_by_peak() -> None:
    day, night = [[3.0, 2.0], [1.0, 2.0]], [[1.0, 2.0], [3.0, 2.0]]
    profile = Items(np.array([day, night]), np.array([10, 10]))
    peak = Items(np.array([np.max(day, axis=0), np.max(night, axis=0)]), np.array([10, 10]))
    ours, theirs = pack(profile, BOXES), pack(peak, BOXES)
    assert ours.usd <= theirs.usd
    assert ours.usd == pytest.approx(9.5)
    sound(profile, BOXES, ours)


def test_free_boxes_are_filled_first() -> None:
    boxes = Boxes(BOXES.room, np.array([0.0, 1.9]), available=np.array([2, 100]))
    items = Items(np.array([[1.0, 2.0]]), np.array([24]))
    packing = pack(items, boxes)
    assert packing.opened.tolist() == [2, 2]
    sound(items, boxes, packing)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [kubernetes, *(pytest.param(m, marks=pytest.mark.slow) for m in (vm_hosts, big_items))]
)
def test_effort_zero_is_sound_and_the_search_beats_it(make: object) -> None:
    items, boxes = make(300)  # type: ignore[operator]
    quick, good = pack(items, boxes, effort=0.0), pack(items, boxes, effort=0.05)
    sound(items, boxes, quick)
    sound(items, boxes, good)
    assert good.usd <= quick.usd
    assert good.bound_usd >= quick.bound_usd * (1 - 1e-9)


def test_the_same_question_has_the_same_answer() -> None:
    items, boxes = kubernetes(200, classes=40)
    one, other = pack(items, boxes, effort=0.05), pack(items, boxes, effort=0.05)
    assert json.dumps(one.proof) == json.dumps(other.proof)


@pytest.mark.parametrize(
    "known",
    [
        falkenauer_u(60, 1),
        *(pytest.param(k, marks=pytest.mark.slow) for k in (falkenauer_u(120, 2), falkenauer_t(60, 1))),
    ],
    ids=lambda k: k.name,
)
def test_planted_optima_are_found_and_proved(known: object) -> None:
    packing = pack(known.items, known.boxes, effort=0.3)  # type: ignore[attr-defined]
    assert packing.bound_usd <= known.upper  # type: ignore[attr-defined]
    assert packing.usd == packing.bound_usd


def brute(size: np.ndarray, boxes: Boxes) -> float:
    """The least cost by trying every partition."""
    n = len(size)
    fits = {}
    for mask in range(1, 1 << n):
        load = size[[i for i in range(n) if mask >> i & 1]].sum(axis=0)
        prices = [u for room, u in zip(boxes.room, boxes.usd, strict=True) if (load <= room).all()]
        fits[mask] = min(prices, default=np.inf)
    best = [0.0] + [np.inf] * ((1 << n) - 1)
    for mask in range(1, 1 << n):
        sub = mask
        while sub:
            if sub & (mask & -mask):
                best[mask] = min(best[mask], fits[sub] + best[mask ^ sub])
            sub = (sub - 1) & mask
    return best[-1]


tiny = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 16)), min_size=1, max_size=6)


@given(tiny)
@settings(max_examples=25)
def test_tiny_instances_against_brute_force(sizes: list[tuple[int, int]]) -> None:
    size = np.array(sizes, float)
    items = Items(size, np.ones(len(size), np.int64))
    packing = pack(items, BOXES, gap=0.0, effort=0.02)
    best = brute(size, BOXES)
    assert packing.bound_usd <= best + 1e-9 <= packing.usd + 2e-9
    sound(items, BOXES, packing)


@given(tiny, st.tuples(st.integers(1, 8), st.integers(0, 16)))
@settings(max_examples=12)
def test_one_more_item_never_lowers_the_bound(sizes: list[tuple[int, int]], more: tuple[int, int]) -> None:
    def bound(rows: list[tuple[int, int]]) -> float:
        return pack(Items(np.array(rows, float), np.ones(len(rows), np.int64)), BOXES, gap=0.0, effort=0.02).bound_usd

    assert bound([*sizes, more]) >= bound(sizes) - 1e-6


@given(tiny, st.permutations(range(6)), st.sampled_from([3.0, 0.1, 1 / 7, 1e-6, 1e5, 1.7]))
@settings(max_examples=12)
def test_order_scale_and_splitting_change_nothing(
    sizes: list[tuple[int, int]], order: list[int], factor: float
) -> None:
    size, count = np.array(sizes, float), np.full(len(sizes), 2)
    plain = pack(Items(size, count), BOXES, effort=0.02)
    some = [i for i in order if i < len(size)]
    moved = pack(Items(size[some], count[some]), BOXES, effort=0.02)
    scaled = pack(Items(size * factor, count), Boxes(BOXES.room * factor, BOXES.usd), effort=0.02)
    split = Items(np.vstack([size, size]), np.ones(2 * len(size), np.int64))
    halves = pack(split, BOXES, effort=0.02)
    for other in (moved, scaled, halves):
        assert (other.usd, other.bound_usd) == (plain.usd, plain.bound_usd)
    sound(split, BOXES, halves)


def test_a_million_items_are_placed_in_columns() -> None:
    items, boxes = kubernetes(1_000_000)
    packing = pack(items, boxes, effort=0.0)
    table = packing.placement()
    assert len(table) == 1_000_000
    load = table.assign(cpu=items.size[table["class"], 0]).groupby(["box", "number"])["cpu"].sum()
    assert (load.to_numpy() <= boxes.room[load.index.get_level_values(0), 0]).all()
    assert (np.bincount(table["class"], minlength=len(items.count)) == items.count).all()


def test_limits_of_time_are_told() -> None:
    items, boxes = big_items(400)
    assert "cut short" in pack(items, boxes, seconds=0.0).method


def test_zero_counts_pack_into_nothing() -> None:
    packing = pack(Items(np.ones((2, 2)), np.zeros(2, np.int64)), BOXES)
    assert packing.usd == 0.0
    assert len(packing.placement()) == 0
    assert not list(itertools.chain(packing.patterns))


ONE = np.array([[1.0, 1.0]])
TWO = np.array([[1.0, 1.0], [2.0, 1.0]])
FEW: dict[str, list[int]] = {"available": [2, 3]}


@pytest.mark.parametrize(
    ("items", "boxes", "holds", "conflicting"),
    [
        (Items(ONE, np.array([40])), FEW, "40 items, the boxes available hold 32", "count, available"),
        (Items(ONE, np.array([6]), (Spread("g"),)), FEW, "hold 5", "count, available, spread"),
        (Items(ONE, np.array([20]), None, np.array([[True, False]])), FEW, "hold 8", "count, available, fits"),
        (Items(ONE, np.array([20])), FEW | {"max_items": [1, 2]}, "hold 8", "count, available, max_items"),
        (Items(TWO, np.array([3, 3]), (Spread("g"),) * 2), FEW, "hold 5", "count of classes 0, 1, available, spread"),
        (Items(TWO, np.array([20, 10])), FEW, "resource 0: 40 needed, 32", "available, count of classes 0, 1"),
    ],
)
def test_the_smallest_conflicting_set_is_named(
    items: Items, boxes: dict[str, list[int]], holds: str, conflicting: str
) -> None:
    limits = {name: np.array(values) for name, values in boxes.items()}
    packing = pack(items, Boxes(BOXES.room, BOXES.usd, **limits), effort=0.02)
    told = packing.reasons[int(np.flatnonzero(packing.unplaced)[0])]
    assert holds in told
    assert f"(smallest conflicting set: {conflicting})" in told


@pytest.mark.slow
@settings(max_examples=20)
@given(
    days=st.lists(
        st.lists(st.tuples(st.sampled_from([0.3, 1.0, 2.5]), st.sampled_from([1.0, 3.0, 7.0])), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    ),
    count=st.integers(1, 9),
)
def test_by_profile_is_never_dearer_than_by_peak(days: list[list[tuple[float, float]]], count: int) -> None:
    size = np.array(days)
    many = np.full(len(size), count)
    profile, peak = pack(Items(size, many), BOXES, effort=0.02), pack(Items(size.max(axis=1), many), BOXES, effort=0.02)
    assert profile.usd <= peak.usd + 1e-9
    sound(Items(size, many), BOXES, profile)


@pytest.mark.parametrize("asked", [{"gap": float("nan")}, {"gap": -1.0}, {"effort": float("inf")}, {"seconds": -1.0}])
def test_limits_that_mean_nothing_are_refused(asked: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(asked))):
        pack(Items(np.ones((1, 1)), np.array([1])), Boxes(np.ones((1, 1)), np.ones(1)), **asked)  # type: ignore[arg-type]
