"""What holds for every packing: nothing overfull, every wish kept, and answers that do not depend on how one asks."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import InputError
from planner.optimise.packing import Boxes, Items, Packing, Spread, pack
from planner.verify import verify_proof

EFFORT = 0.02


@st.composite
def questions(draw: st.DrawFn) -> tuple[Items, Boxes]:
    """Small questions with any mix of periods, limits, exclusions, slots and spread."""
    classes, kinds, resources = (draw(st.integers(1, most)) for most in (5, 3, 3))
    periods = draw(st.sampled_from([0, 0, 2, 3]))
    shape = (classes, periods, resources) if periods else (classes, resources)
    needs = st.integers(0, 9)
    size = np.array(draw(st.lists(needs, min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))), float)
    size = size.reshape(shape)
    size[..., 0] = np.maximum(size[..., 0], 1)
    rows = st.lists(st.integers(4, 20), min_size=resources, max_size=resources)
    room = np.array(draw(st.lists(rows, min_size=kinds, max_size=kinds)), float)

    def each(values: st.SearchStrategy[int], many: int) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=many, max_size=many)))

    usd = each(st.integers(1, 9), kinds) / 4
    slots = each(st.integers(1, 4), kinds) if draw(st.booleans()) else None
    available = each(st.integers(0, 6), kinds) if draw(st.booleans()) else None
    fits = each(st.booleans(), classes * kinds).reshape(classes, kinds) if draw(st.booleans()) else None
    spread = None
    if draw(st.booleans()):
        wish = st.none() | st.builds(Spread, st.sampled_from("ab"), st.integers(1, 3), st.sampled_from([1, 1, 2]))
        spread = tuple(draw(st.lists(wish, min_size=classes, max_size=classes)))
    return Items(size, each(st.integers(0, 6), classes), spread, fits), Boxes(room, usd, slots, available)


def asked(question: tuple[Items, Boxes]) -> Packing:
    return pack(*question, gap=0.0, effort=EFFORT)


def outcome(packing: Packing) -> tuple[float, float, int]:
    return packing.usd, packing.bound_usd, int(packing.unplaced.sum())


@given(questions())
@settings(max_examples=12)
def test_every_box_of_the_placement_holds_what_it_may(question: tuple[Items, Boxes]) -> None:
    items, boxes = question
    packing = asked(question)
    table = packing.placement()
    counts = np.bincount(table["class"], minlength=len(items.count))
    assert (counts + packing.unplaced == items.count).all()
    assert not table.duplicated(["class", "item"]).any()
    for (box, _), inside in table.groupby(["box", "number"]):
        held = inside["class"].to_numpy()
        assert (items.size[held].sum(axis=0) <= boxes.room[box]).all()  # whole numbers: exact
        assert boxes.max_items is None or len(held) <= boxes.max_items[box]
        assert items.fits is None or items.fits[held, box].all()
        for group in groups(items):
            here = [items.spread[i] for i in held if items.spread[i] and items.spread[i].group == group]  # type: ignore[index, union-attr]
            assert len(here) <= groups(items)[group][0]
    numbers = table.groupby("box")["number"].agg(["nunique", "max"])
    assert (numbers["nunique"] == numbers["max"] + 1).all()
    assert (numbers["nunique"] == packing.opened[numbers.index]).all()
    assert boxes.available is None or (packing.opened <= boxes.available).all()
    assert packing.usd == pytest.approx(packing.opened @ boxes.usd)
    assert packing.bound_usd <= packing.usd
    for i in np.flatnonzero(packing.unplaced):
        assert packing.reasons[i]
    for group, (_, zones) in groups(items).items():
        mine = [s is not None and s.group == group for s in items.spread or ()]
        if zones > 1:
            held = table.loc[np.array(mine)[table["class"]], "zone"].value_counts()
            assert len(held) <= zones
            assert held.max() <= -(-items.count[mine].sum() // zones) if len(held) else True
    findings = list(verify_proof(json.loads(json.dumps(packing.proof)), "proof"))
    assert [f.what for f in findings if not f.holds] == []


def groups(items: Items) -> dict[str, tuple[int, int]]:
    """Group -> most in a box and zones, as its members agree."""
    found: dict[str, tuple[int, int]] = {}
    for wish in items.spread or ():
        if wish is not None:
            most, zones = found.get(wish.group, (wish.most_per_box, wish.zones))
            found[wish.group] = min(most, wish.most_per_box), max(zones, wish.zones)
    return found


@given(questions(), st.randoms(use_true_random=False))
@settings(max_examples=5)
def test_the_order_of_classes_changes_nothing(question: tuple[Items, Boxes], dice: object) -> None:
    items, boxes = question
    order = list(range(len(items.count)))
    dice.shuffle(order)  # type: ignore[attr-defined]
    moved = Items(
        items.size[order],
        items.count[order],
        None if items.spread is None else tuple(items.spread[i] for i in order),
        None if items.fits is None else items.fits[order],
    )
    assert outcome(asked((moved, boxes))) == outcome(asked(question))


@given(questions(), st.sampled_from([2.0, 0.1, 1 / 3, 1e-6, 1e6, 1.7]))
@settings(max_examples=5)
def test_scaling_sizes_and_rooms_changes_nothing(question: tuple[Items, Boxes], factor: float) -> None:
    items, boxes = question
    scaled = replace(items, size=items.size * factor), replace(boxes, room=boxes.room * factor)
    assert outcome(asked(scaled)) == outcome(asked(question))


@given(questions())
@settings(max_examples=5)
def test_a_class_split_in_two_equal_rows_changes_nothing(question: tuple[Items, Boxes]) -> None:
    items, boxes = question
    half = items.count // 2
    twice = Items(
        np.concatenate([items.size, items.size]),
        np.concatenate([half, items.count - half]),
        None if items.spread is None else items.spread * 2,
        None if items.fits is None else np.concatenate([items.fits, items.fits]),
    )
    assert outcome(asked((twice, boxes))) == outcome(asked(question))


@given(questions(), st.data())
@settings(max_examples=5)
def test_one_more_item_never_lowers_the_bound(question: tuple[Items, Boxes], data: st.DataObject) -> None:
    """Where all fit before and after: a bound is on what is placed."""
    items, boxes = question
    i = data.draw(st.integers(0, len(items.count) - 1))
    more = replace(items, count=items.count + np.eye(len(items.count), dtype=np.int64)[i])
    less, larger = asked(question), asked((more, boxes))
    if not larger.unplaced.any() and not less.unplaced.any():
        assert larger.bound_usd >= less.bound_usd - 1e-9


GOOD = {
    "size": np.array([[1.0, 2.0], [2.0, 1.0]]),
    "count": np.array([2, 3]),
    "room": np.array([[4.0, 8.0], [8.0, 8.0]]),
    "usd": np.array([1.0, 1.5]),
    "max_items": np.array([3, 4]),
    "available": np.array([5, 5]),
}
WRONG = {"negative": -1.0, "NaN": np.nan, "infinite": np.inf}


@pytest.mark.parametrize("field", GOOD)
@pytest.mark.parametrize("kind", [*WRONG, "empty", "fraction", "shape"])
@pytest.mark.parametrize("effort", [0.0, EFFORT])
def test_every_wrong_number_is_refused_with_its_name(field: str, kind: str, effort: float) -> None:
    values = {name: array.astype(float) for name, array in GOOD.items()}
    whole = field in {"count", "max_items", "available"}
    if kind in WRONG:
        values[field].flat[1] = WRONG[kind]
    elif kind == "fraction":
        if not whole:
            return
        values[field][1] = 1.5
    elif kind == "empty":
        values[field] = values[field][:0]
    else:
        values[field] = values[field].reshape(1, 1, 1, -1)
    items = Items(values["size"], values["count"])
    boxes = Boxes(values["room"], values["usd"], values["max_items"], values["available"])
    with pytest.raises(InputError, match=r"items|boxes"):
        pack(items, boxes, effort=effort)


@pytest.mark.parametrize("periods", [0, 2])
def test_zero_size_is_refused_and_what_fits_no_box_is_named(periods: int) -> None:
    sizes = np.array([[1.0, 1.0], [0.0, 0.0], [9.0, 1.0]])
    size = np.repeat(sizes[:, None], periods, axis=1) if periods else sizes
    boxes = Boxes(GOOD["room"], GOOD["usd"])
    with pytest.raises(InputError, match="class 1 has zero size"):
        pack(Items(size, np.array([1, 1, 1])), boxes)
    packing = pack(Items(size[[0, 2]], np.array([1, 1])), boxes)
    assert packing.unplaced.tolist() == [0, 1]
    assert "no box that fits" in packing.reasons[1]


def test_what_two_boxes_hold_is_placed_though_first_fit_leaves_some_over() -> None:
    items = Items(np.array([[4.0], [3.0]]), np.array([2, 4]))
    packing = pack(items, Boxes(np.array([[10.0]]), np.array([2.0]), available=np.array([2])), effort=EFFORT)
    assert packing.unplaced.tolist() == [0, 0]
