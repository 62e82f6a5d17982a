"""Numbers and names as pages say them: short, with units, and never taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import pandas as pd

__all__ = ["CENT", "DAYS", "LONGEST", "hour_of_week", "inert", "listed", "money", "neutral", "share"]

CENT: Final = 0.005
"""Amounts below it are told as nothing; unit: USD."""
LONGEST: Final = 40
"""Characters of a name that a sentence or a narrow column bears."""
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$:~&])")
_FORMULA: Final = re.compile(r"^[=+\-@\t\r]")


def inert(text: object) -> str:
    r"""Text of a recording or a user that no page takes for markup.

    >>> print(inert("![x](http://a.b) $1$ :red[y]"))
    \!\[x\]\(http\://a\.b\) \$1\$ \:red\[y\]
    """
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def neutral(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with texts that a spreadsheet would take for a formula led by an apostrophe.

    >>> neutral(pd.DataFrame({"a": ["=1+1", "web"], "b": [-1, 2]}))["a"].tolist()
    ["'=1+1", 'web']
    """
    texts = [c for c in frame.columns if frame[c].dtype == object or pd.api.types.is_string_dtype(frame[c])]
    return frame.assign(**{c: frame[c].map(_plain) for c in texts})


def _plain(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def money(usd: float) -> str:
    """An amount in a sentence; amounts are told to the cent in tables.

    >>> money(1234.5), money(1234567.0), money(-0.4)
    ('1,234.50 USD', '1.23 million USD', '-0.40 USD')
    """
    return f"{usd / 1e6:,.2f} million USD" if abs(usd) >= 1e6 else f"{usd:,.2f} USD"


def share(value: float | None) -> str:
    """A fraction as a percentage.

    >>> share(0.1234), share(None)
    ('12 %', 'unknown')
    """
    return "unknown" if value is None or value != value else f"{100 * value:.0f} %"  # noqa: PLR0124 - not a number


def hour_of_week(hour: int) -> str:
    """An hour of the week, Monday first.

    >>> hour_of_week(0), hour_of_week(37)
    ('Mon 00:00', 'Tue 13:00')
    """
    return f"{DAYS[hour // 24 % 7]} {hour % 24:02d}:00"


def listed(names: Iterable[object], most: int = 5) -> str:
    """Names in a sentence, the first few; of long ones the beginning.

    >>> listed("abc", 2), listed(["x"]), listed([])
    ('a, b and 1 more', 'x', 'none')
    >>> listed(["k" * 64])
    'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…'
    """
    told = [inert(name if len(name) <= LONGEST else name[: LONGEST - 1] + "…") for name in map(str, names)]
    rest = len(told) - most
    return (", ".join(told[:most]) + (f" and {rest} more" if rest > 0 else "")) or "none"
