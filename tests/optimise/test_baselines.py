"""The rules of thumb are honest peers: they pack everything that fits, within what there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.optimise.baselines import BASELINES, first_fit, karpenter_style
from planner.optimise.packing import Boxes, Items, pack

NAMES = list(BASELINES)


def question(sizes: list[tuple[int, int]], counts: list[int]) -> tuple[Items, Boxes]:
    items = Items(size=np.array(sizes, float), count=np.array(counts))
    room = np.array([[10.0, 10.0], [20.0, 40.0]])
    return items, Boxes(room=room, usd=np.array([1.0, 2.5]), max_items=np.array([4, 6]))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_never_below_the_bound_and_never_overfull(name: str, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), min_size=1, max_size=6))
    counts = data.draw(st.lists(st.integers(1, 20), min_size=len(sizes), max_size=len(sizes)))
    items, boxes = question(sizes, counts)
    greedy = BASELINES[name](items, boxes)
    assert greedy.unplaced.sum() == 0
    assert greedy.usd >= pack(items, boxes, effort=0.0).bound_usd - 1e-9
    packed = items.count @ items.size
    assert (greedy.opened @ boxes.room >= packed - 1e-6).all()
    assert boxes.max_items is not None
    assert greedy.opened @ boxes.max_items >= items.count.sum()


@pytest.mark.parametrize("name", NAMES)
def test_what_fits_nowhere_is_left_over(name: str) -> None:
    items, boxes = question([(5, 5), (30, 1)], [2, 3])
    greedy = BASELINES[name](items, boxes)
    assert greedy.unplaced.tolist() == [0, 3]


@pytest.mark.parametrize("name", NAMES)
def test_limited_boxes_are_respected(name: str) -> None:
    items = Items(size=np.array([[10.0]]), count=np.array([5]))
    boxes = Boxes(room=np.array([[10.0], [20.0]]), usd=np.array([1.0, 3.0]), available=np.array([1, 1]))
    greedy = BASELINES[name](items, boxes)
    assert greedy.opened.tolist() == [1, 1]
    assert greedy.unplaced.sum() == 2


def test_a_limit_on_items_fills_a_box_before_its_resources_do() -> None:
    """160 pods on nodes of 58 need three nodes, however small the pods (kubecost/cost-analyzer-helm-chart #1384)."""
    items = Items(size=np.array([[0.01]]), count=np.array([160]))
    boxes = Boxes(room=np.array([[4.0]]), usd=np.array([1.0]), max_items=np.array([58]))
    assert first_fit(items, boxes).opened.tolist() == [3]


def test_a_claim_is_launched_as_the_cheapest_type_that_holds_it() -> None:
    """The pass fills the largest type it knows and only then asks what is cheapest."""
    items = Items(size=np.array([[1.0]]), count=np.array([3]))
    boxes = Boxes(room=np.array([[4.0], [8.0]]), usd=np.array([1.0, 1.9]))
    assert karpenter_style(items, boxes).opened.tolist() == [1, 0]
