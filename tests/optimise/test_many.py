"""Very many items, all different or in few classes, and very many groups: what is packed, how well, and its proof."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.instances import distinct, kubernetes, vm_hosts
from planner.optimise.packing import Boxes, Items, Packing, Spread, pack
from planner.optimise.packing.firstfit import first_fit
from planner.optimise.packing.instance import instance
from planner.verify import verify_proof


def refused(packing: Packing) -> list[str]:
    """What the checker does not accept of a proof."""
    return [f.what for f in verify_proof(json.loads(json.dumps(packing.proof)), "proof") if not f.holds]


def all_different(n: int, seed: int) -> tuple[Items, Boxes]:
    """Machines of 1 to 100 cores in few types of hosts, one half with giants of which no host holds two."""
    rng = np.random.default_rng(seed)
    size = np.minimum(rng.lognormal(0.5, 1.0, (n, 2)) * [1, 4], [60, 500]).round(3)
    return Items(size, np.ones(n, np.int64)), Boxes(
        np.array([[32, 128.0], [64, 256], [64, 512]]), np.array([1.5, 3.0, 3.9])
    )


@pytest.mark.slow
def test_different_pods_are_packed_and_proved() -> None:
    packing = pack(*distinct(4_000))
    assert packing.gap <= 0.008
    assert refused(packing) == []


@pytest.mark.slow
def test_large_items_look_for_large_boxes() -> None:
    """By volume all types of hosts are as good; items that take most of a small one leave it half empty."""
    rng = np.random.default_rng(4)
    size = np.maximum(
        1, np.repeat(vm_hosts(6_000)[0].size, vm_hosts(6_000)[0].count, axis=0) * rng.uniform(0.5, 1, (6_000, 3))
    )
    packing = pack(Items(size.round(2), np.ones(6_000, np.int64)), vm_hosts(6_000)[1])
    assert packing.gap <= 0.012
    assert refused(packing) == []


@pytest.mark.slow
def test_giants_pay_for_the_room_they_spoil() -> None:
    """Few giants need nearly all memory of a box and little else: the bound by volume alone does not see that."""
    rng = np.random.default_rng(3)
    giants = np.column_stack([rng.uniform(0.05, 0.15, 60), rng.uniform(0.96, 0.99, 60)])
    others = np.column_stack([rng.uniform(0.01, 0.06, 4_000), rng.uniform(0.01, 0.03, 4_000)])
    packing = pack(Items(np.vstack([giants, others]), np.ones(4_060, np.int64)), Boxes(np.ones((1, 2)), np.ones(1)))
    first = Fraction(*packing.proof["level1_usd"]) / packing.evidence.usd_scale
    assert packing.bound_usd > 1.1 * first
    assert packing.gap <= 0.01
    assert refused(packing) == []


@pytest.mark.slow
def test_different_items_keep_their_spread() -> None:
    items, boxes = distinct(5_000, seed=2)
    group = np.random.default_rng(0).integers(0, 900, len(items.count))
    spread = tuple(Spread(f"g{g}", 1 + g % 2) if g % 3 else None for g in group.tolist())
    packing = pack(Items(items.size, items.count, spread), boxes, effort=0.2)
    assert refused(packing) == []
    assert packing.gap <= 0.02


@pytest.mark.slow
def test_different_items_have_the_same_answer_twice() -> None:
    items, boxes = all_different(4_000, 1)
    one, two = pack(items, boxes, effort=0.2), pack(items, boxes, effort=0.2)
    assert one.usd == two.usd
    assert one.bound_usd == two.bound_usd
    assert one.proof == two.proof


@pytest.mark.slow
def test_very_many_groups_stay_apart_from_the_start() -> None:
    """More groups than a table of groups by boxes has room for."""
    groups = 50_000
    size = np.linspace(1.0, 6.0, 2 * groups)[:, None]
    spread = tuple(Spread(f"g{i // 2}") for i in range(2 * groups))
    question = instance(Items(size, np.ones(2 * groups, np.int64), spread), Boxes(np.array([[10_000.0]]), np.ones(1)))
    pile, left = first_fit(question)
    rows = np.repeat(np.arange(len(pile.box)), pile.lengths)
    held = np.unique(rows * groups + question.group[pile.item], return_counts=True)[1]
    assert not left.any()
    assert len(question.cap) == groups
    assert held.max() == 1


@pytest.mark.slow
@pytest.mark.parametrize("make", [kubernetes, vm_hosts])
def test_time_grows_with_classes_and_not_with_items(make: object) -> None:
    items, boxes = make(10**11)  # type: ignore[operator]
    packing = pack(items, boxes, effort=0)
    assert not packing.unplaced.any()
    assert len(packing.pile.box) < 40_000
    assert packing.gap < 0.1
    assert refused(packing) == []


@pytest.mark.slow
def test_equal_rows_share_very_many_boxes() -> None:
    items, boxes = kubernetes(3 * 10**9)
    third = items.count // 3
    thrice = Items(np.repeat(items.size, 3, axis=0), np.concatenate([third, third, third]).reshape(3, -1).T.ravel())
    packing = pack(thrice, boxes, effort=0)
    assert (packing.pile.covered(len(thrice.count)) == thrice.count).all()
    assert refused(packing) == []


def test_limited_boxes_for_very_many_items_are_not_exceeded() -> None:
    items, boxes = vm_hosts(10**10)
    scarce = Boxes(boxes.room, boxes.usd, available=np.array([10**7, 10**7 + 3, 10**6 + 1, 0, 2 * 10**7]))
    packing = pack(items, scarce, effort=0)
    assert (packing.opened <= scarce.available).all()  # type: ignore[operator]
    assert packing.unplaced.any()
    assert refused(packing) == []


@pytest.mark.slow
@pytest.mark.parametrize(("n", "seed", "most"), [(20_000, 3, 0.0035), (50_000, 1, 0.0025), (200_000, 2, 0.002)])
def test_many_different_pods_come_near_their_bound(n: int, seed: int, most: float) -> None:
    assert pack(*distinct(n, seed)).gap <= most


@pytest.mark.slow
def test_a_million_different_pods_come_near_their_bound() -> None:
    assert pack(*distinct(1_000_000, 5)).gap <= 0.0025
