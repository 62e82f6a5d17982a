"""Numbers as they are shown. Amounts are rounded here and nowhere before: half up, to cents."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

__all__ = [
    "by_how_much",
    "count",
    "gap",
    "instant",
    "money",
    "months",
    "name_list",
    "plain",
    "rate",
    "rounded",
    "share",
    "whole_money",
    "years",
]

NONE = "–"


def rounded(value: float, step: str) -> Decimal:
    """A number to the nearest `step`, half up.

    >>> rounded(2.345, "0.01"), rounded(0.5, "1")
    (Decimal('2.35'), Decimal('1'))
    """
    # 15 digits hold what was meant and leave out the dust of binary fractions: 3 x 333.335 is 1000.005
    return Decimal(f"{value:.15g}").quantize(Decimal(step), ROUND_HALF_UP)


def money(usd: float | None) -> str:
    """An amount to the cent, half up.

    >>> money(1234.565), money(3 * 333.335), money(-0.005), money(0.0), money(None)
    ('1,234.57', '1,000.01', '-0.01', '0.00', '–')
    """
    if usd is None or not math.isfinite(usd):
        return NONE
    cents = rounded(usd, "0.01")
    return f"{cents if cents else abs(cents):,.2f}"


def whole_money(usd: float) -> str:
    """An amount for an axis: short, without cents.

    >>> whole_money(1_250_000.0), whole_money(20_000.0), whole_money(0.0), whole_money(-12.5)
    ('1.25M', '20k', '0', '-12.5')
    """
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(usd) >= limit:
            return f"{usd / limit:.4g}{letter}"
    return f"{usd:.4g}"


def share(fraction: float | None) -> str:
    """A fraction as a percentage with one decimal.

    >>> share(0.12345), share(1.0), share(None)
    ('12.3 %', '100.0 %', '–')
    """
    if fraction is None or not math.isfinite(fraction):
        return NONE
    return f"{rounded(fraction * 100, '0.1'):,} %"


def rate(fraction: float | None) -> str:
    """A fraction that was set, as a percentage with the digits it was set with.

    >>> rate(0.07), rate(0.125), rate(None)
    ('7 %', '12.5 %', '–')
    """
    return NONE if fraction is None else f"{plain(round(fraction * 100, 10))} %"


def gap(fraction: float | None) -> str:
    """How far above the proved bound, rounded up so that nothing looks better than proved.

    >>> gap(0.0001234), gap(0.0), gap(1e-9), gap(None), gap(float("inf"))
    ('0.02 %', '0.00 %', '0.01 %', 'not proved', 'not proved')
    """
    if fraction is None or not math.isfinite(fraction):
        return "not proved"
    # a thousandth of a cent of dust from floating point is no gap
    hundredths = math.ceil(max(0.0, fraction) * 1e4 - 1e-7)
    return f"{hundredths / 100:,.2f} %"


def months(value: float | None) -> str:
    """When something has paid back; none: not within the horizon.

    >>> months(None), months(0), months(1), months(14.0)
    ('none', 'at once', '1 month', '14 months')
    """
    if value is None:
        return "none"
    if value <= 0:
        return "at once"
    return "1 month" if value == 1 else f"{plain(value)} months"


def years(value: int) -> str:
    """A horizon in words.

    >>> years(1), years(3)
    ('1 year', '3 years')
    """
    return "1 year" if value == 1 else f"{value} years"


def by_how_much(more: float, than: float) -> str:
    """A difference beside what it differs from, in brackets; empty where that is nothing.

    >>> by_how_much(5.0, 20.0), by_how_much(-190.0, 10.0), by_how_much(1.0, 0.0)
    (' (25.0 %)', ' (19 times that)', '')
    """
    if than <= 0:
        return ""
    ratio = abs(more) / than
    return f" ({share(ratio)})" if ratio < 10 else f" ({ratio:,.0f} times that)"


def count(value: float | None) -> str:
    """A whole number with separators.

    >>> count(1234567), count(None)
    ('1,234,567', '–')
    """
    return NONE if value is None else f"{round(value):,}"


def plain(value: object) -> str:
    """Any figure of an assumption or a price row: every digit that matters, no exponent.

    >>> plain(0.0000002), plain(1234.5), plain(730.0), plain(True), plain(None), plain("P95")
    ('0.0000002', '1,234.5', '730', 'yes', '–', 'P95')
    >>> plain(("a", 2.0)), plain(())
    ('a, 2', '–')
    """
    if value is None:
        return NONE
    if isinstance(value, tuple | list):
        return ", ".join(plain(part) for part in value) or NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return NONE
    digits = f"{Decimal(f'{value:.10g}'):,f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def instant(value: object) -> str:
    """A moment in UTC, to the minute.

    >>> instant("2013-08-12T13:40:46"), instant("2019-07-15 00:00:00"), instant(None)
    ('2013-08-12 13:40', '2019-07-15 00:00', '–')
    """
    return NONE if value is None else str(value).replace("T", " ")[:16]


def name_list(names: list[str], most: int = 5) -> str:
    """The first few names and how many more there are.

    >>> name_list(["a", "b", "c"], most=2)
    'a, b and 1 more'
    >>> name_list(["a", "b"])
    'a, b'
    """
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")
