"""Compiles the packing's kernels, so that tests find them compiled: coverage would slow the compiler down by half."""

from benchmarks.instances import big_items, distinct, kubernetes
from planner.optimise.baselines import BASELINES
from planner.optimise.packing import Boxes, pack

if __name__ == "__main__":
    items, boxes = big_items(60)
    scarce = Boxes(boxes.room, boxes.usd, available=(items.count.sum() // 40).repeat(len(boxes.usd)))
    for question in ((items, boxes), (items, scarce), kubernetes(200), distinct(3_200)):
        pack(*question, effort=0.002)
    for greedy in BASELINES.values():
        greedy(items, boxes)
