"""Figures to geometry: shares of a chart's width and height, so that a drawing needs no arithmetic and no browser."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from planner.report.blocks import Bar, Bars, Curve, Curves, Segment
from planner.report.show import money, whole_money

__all__ = ["paired_bars", "stacked_bars", "ticks", "time_curves"]


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that cover low to high, a cent apart at least, at most `most` steps.

    >>> ticks(0.0, 930.0)
    [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]
    >>> ticks(0.0, 0.0)
    [0.0, 1.0]
    """
    if high - low < 0.01:
        return [low, low + 1.0]
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 2.5, 5, 10, 20):
        first, last = math.floor(low / (factor * power)), math.ceil(high / (factor * power))
        if last - first <= most:
            break
    return [round(i * factor * power, 10) for i in range(first, last + 1)]


def stacked_bars(caption: str, parts: Mapping[str, Mapping[str, float]], hues: Mapping[str, int]) -> Bars:
    """One bar a name, made of its parts in USD, which stand in the order of `hues` and keep their hue in all bars."""
    widest = max((sum(max(0.0, v) for v in row.values()) for row in parts.values()), default=0.0) or 1.0
    bars = tuple(
        Bar(
            name,
            money(sum(row.values())),
            tuple(_segment(k, row[k], widest, hues[k]) for k in hues if row.get(k, 0.0) > 0),
        )
        for name, row in parts.items()
    )
    return Bars(caption, bars, tuple(hues.items()))


def _segment(label: str, usd: float, widest: float, hue: int) -> Segment:
    return Segment(label, usd / widest, money(usd), hue)


def paired_bars(caption: str, rows: Sequence[tuple[str, str, float, str, int]]) -> Bars:
    """One bar a row of (name, what it measures, share of the whole width, shown, hue)."""
    bars = tuple(
        Bar(name, shown, (Segment(what, min(1.0, max(0.0, share)), shown, hue),))
        for name, what, share, shown, hue in rows
    )
    return Bars(caption, bars)


def time_curves(caption: str, series: Mapping[str, Sequence[float]], hues: Mapping[str, int]) -> Curves:
    """Cumulative USD by month, one curve a name; month 0 is the first value."""
    values = [v for row in series.values() for v in row]
    marks = ticks(min([0.0, *values]), max([0.0, *values]))
    last = max((len(row) for row in series.values()), default=1) - 1
    months = range(0, last + 1, max(1, 12 * math.ceil(last / 120)) if last >= 24 else max(1, math.ceil(last / 6)))
    return Curves(
        caption,
        tuple(Curve(n, money(row[-1]), hues[n], _points(row, last, marks)) for n, row in series.items()),
        tuple((m / max(1, last), f"{m}") for m in months),
        tuple((1 - (v - marks[0]) / (marks[-1] - marks[0]), whole_money(v)) for v in marks),
        "USD",
    )


def _points(row: Sequence[float], last: int, marks: list[float]) -> tuple[tuple[float, float], ...]:
    span = marks[-1] - marks[0]
    return tuple((m / max(1, last), 1 - (usd - marks[0]) / span) for m, usd in enumerate(row))
