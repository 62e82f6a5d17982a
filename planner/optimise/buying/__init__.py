"""On what terms: promised, paid as used or spot, for one sku or over many, and what a bill then charges."""

from planner.optimise.buying.charging import (
    Bill,
    Commitment,
    Order,
    Usage,
    charged,
    reserved,
    saved_usd,
    savings_rate,
)
from planner.optimise.buying.floors import Floor, floor, middle_share
from planner.optimise.buying.levels import (
    PAID_AS_USED,
    SUSTAINED,
    Terms,
    running_hours,
    split,
    sustained_hours,
    sustained_share,
)
from planner.optimise.buying.mix import Mix, mix

__all__ = [
    "PAID_AS_USED",
    "SUSTAINED",
    "Bill",
    "Commitment",
    "Floor",
    "Mix",
    "Order",
    "Terms",
    "Usage",
    "charged",
    "floor",
    "middle_share",
    "mix",
    "reserved",
    "running_hours",
    "saved_usd",
    "savings_rate",
    "split",
    "sustained_hours",
    "sustained_share",
]
