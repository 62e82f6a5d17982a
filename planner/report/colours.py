"""The colours of charts, by the numbers that `facts.hue` and `facts.category_hue` give."""

from __future__ import annotations

from typing import Final

__all__ = ["COLOURS"]

COLOURS: Final = (
    "#8c564b", "#9467bd", "#1f77b4", "#17a2b8", "#2ca02c", "#e6860b", "#d64ba0", "#7f7f7f",
    "#bcbd22", "#d62728", "#5b6abf", "#a0785a",
    "#1f77b4", "#17a2b8", "#2ca02c", "#9467bd", "#bcbd22", "#8c564b", "#e6860b", "#d64ba0", "#7f7f7f", "#d62728",
)  # fmt: skip
"""Twelve for deployment models, then ten for categories of cost; readable on white and on black."""
