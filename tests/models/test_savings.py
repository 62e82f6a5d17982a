"""What packing saves against rules of thumb is told for every model that packs, with the resource that binds."""

from __future__ import annotations

import numpy as np
import pytest

from planner.models._savings import Case, savings
from planner.optimise.packing import Boxes, Items, pack

ONE_SIZE = Boxes(np.array([[10.0, 100.0, 1.0]]), np.array([2.0]))


def case(items: Items, boxes: Boxes) -> Case:
    packing = pack(items, boxes, effort=0.1)
    return Case(items, boxes, packing.opened, int(packing.unplaced.sum()))


def test_the_saving_is_of_boxes_and_the_price_that_of_the_resource_that_binds() -> None:
    """Sizes 6, 5, 5, 4 fill two boxes of ten, by first fit decreasing as well, and memory is plenty."""
    items = Items(np.array([[6, 1, 0], [5, 1, 0], [4, 1, 0]], float), np.array([1, 2, 1]))
    figures = savings([case(items, ONE_SIZE)], months=730)
    assert figures["saving_vs_first_fit_decreasing"] == 0.0
    assert figures["shadow_price_cpu_cores_usd_per_month"] == pytest.approx(2.0 / 10 * 730)
    assert figures["share_of_worth_cpu_cores"] == pytest.approx(1.0)
    assert "shadow_price_memory_gib_usd_per_month" not in figures


def test_first_fit_that_opens_three_for_two_is_told_as_a_third_saved() -> None:
    items = Items(np.array([[4, 0, 0], [3, 0, 0]], float), np.array([2, 4]))
    assert savings([case(items, ONE_SIZE)])["saving_vs_first_fit_decreasing"] == pytest.approx(1 / 3)


def test_a_rule_that_leaves_more_out_is_not_compared_by_cost() -> None:
    items = Items(np.array([[4, 0, 0], [3, 0, 0]], float), np.array([2, 4]))
    boxes = Boxes(ONE_SIZE.room, ONE_SIZE.usd, available=np.array([2]))
    figures = savings([case(items, boxes)])
    assert figures["left_over_more_by_first_fit_decreasing"] == 1.0
    assert "saving_vs_first_fit_decreasing" not in figures


def test_nothing_packed_tells_nothing() -> None:
    assert savings([]) == {}


def test_where_a_pass_pod_by_pod_would_take_long_its_figure_is_absent() -> None:
    items = Items(np.array([[1.0, 1.0, 0.0]]), np.array([200_000]))
    figures = savings([case(items, ONE_SIZE)])
    assert "saving_vs_karpenter_style" not in figures
    assert figures["saving_vs_first_fit_decreasing"] == 0.0
