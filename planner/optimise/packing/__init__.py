"""Items into boxes: how many of what, and which item in which box, with a proved bound."""

from planner.optimise.packing.engine import pack
from planner.optimise.packing.types import Boxes, Items, Packing, Spread

__all__ = ["Boxes", "Items", "Packing", "Spread", "pack"]
