"""What was proved about the cost of servers, put together from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from planner.optimise.packing import Packing
from planner.optimise.packing.instance import ENDLESS
from planner.plan import Certificate

__all__ = ["certified"]


def certified(parts: Sequence[Packing], fixed: tuple[float, float], bound_usd: float, told: str) -> Certificate:
    """A certificate for packings beside which a fixed cost stands.

    Args:
        parts: packings, each with its own proof.
        fixed: what is spent besides, and what it cannot be less than.
        bound_usd: of the packings together; no more than they prove.
        told: how the rest was found, in words.
    """
    usd, least = fixed
    methods = list(dict.fromkeys(part.method for part in parts))
    proof: dict[str, Any] = {"version": 1, "closed_form": told}
    if parts:
        ratio = list(float(usd).as_integer_ratio())
        proof |= {"constant_usd": ratio, "parts": [{"weight": [1, 1], "proof": _open(part.proof)} for part in parts]}
    return Certificate(
        usd=usd + float(sum(part.usd for part in parts)),
        bound_usd=least + bound_usd,
        method="; ".join([*methods, told]),
        proof=proof,
    )


def _open(proof: dict[str, Any]) -> dict[str, Any]:
    """The same proof with boxes without end told as such, where some are limited."""
    return proof | {"available": [None if n is None or n >= ENDLESS else n for n in proof["available"]]}
