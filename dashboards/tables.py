"""Tables that sort, show units and can be taken away as CSV; no cell becomes a formula elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from words import LONGEST, neutral

__all__ = ["MOST_ROWS", "columns_for", "counts", "table"]

MOST_ROWS: Final = 5000
"""Rows a browser still scrolls with ease; the CSV holds all."""
_ROW: Final = 35
"""Height of a row as Streamlit draws it, px."""
_SHARES: Final = ("share", "CPU in use", "memory in use", "gap to bound", "samples there")
_NAMES: Final = ("workload", "application", "owner")
"""Columns of names that recordings make up; long ones (hashes) are shown in full where one is clicked."""
_COLUMN: Final = st.column_config
_NARROW: Final = {
    "payback (months)": ("payback (mo.)", 102, "Months until it has paid back what it costs more at the start."),
    "CPU in use": ("CPU in use", 88, "Mean share of the CPU that is paid for."),
    "memory in use": ("memory in use", 112, "Mean share of the memory that is paid for."),
    "gap to bound": ("gap", 70, "Gap to bound: how much cheaper a better packing could be at most."),
}
"""Columns of small numbers under long words: a title as wide as they may be, the width in px, what they mean."""


def columns_for(frame: pd.DataFrame, dollars: Iterable[str] = ()) -> dict[str, Any]:
    """How each column is shown: amounts of money with cents, shares as percentages, counts with thousands.

    Columns whose names tell no currency are money where `dollars` names them.
    """
    found: dict[str, Any] = {}
    for name in map(str, frame.columns):
        if name in _NARROW:
            title, width, help_text = _NARROW[name]
            form = "percent" if name in _SHARES else None
            found[name] = _COLUMN.NumberColumn(title, width=width, help=help_text, format=form)
        elif name in _SHARES:
            found[name] = _COLUMN.NumberColumn(format="percent", width="small")
        elif "usd_per_unit" in name:
            found[name] = _COLUMN.NumberColumn("USD per unit", format="%.6g")
        elif "USD" in name or "usd" in name or name in set(dollars):
            found[name] = _COLUMN.NumberColumn(_titled(name), format="dollar")
        elif pd.api.types.is_float_dtype(frame[name]):
            found[name] = _COLUMN.NumberColumn(_titled(name), format="localized")
        elif "_" in name:
            found[name] = _COLUMN.Column(_titled(name))
    return found | {name: _COLUMN.TextColumn(name, width="medium") for name in _NAMES if _is_long(frame, name)}


def _is_long(frame: pd.DataFrame, name: str) -> bool:
    return name in frame and bool((frame[name].astype("str").str.len() > LONGEST).any())


_UNITS: Final = {
    "first year (USD a month)": "a month (USD)",
    "usd_per_month": "USD a month",
    "usd_once": "USD once",
    "cpu_cores": "allocated (cores)",
    "mean_cpu_cores": "mean use (cores)",
    "max_cpu_cores": "most used (cores)",
    "memory_gib": "allocated (GiB)",
    "mean_memory_gib": "mean use (GiB)",
    "max_memory_gib": "most used (GiB)",
    "busy_hours": "running (hours)",
}


def _titled(name: str) -> str:
    return _UNITS.get(name, name.replace("_", " "))


def counts(told: Mapping[str, int], **meanings: str) -> None:
    """Counts side by side, in as many rows as the window needs; `meanings` explain some of them."""
    with st.container(horizontal=True, gap="medium"):
        for name, count in told.items():
            st.metric(name, f"{count:,}", help=meanings.get(name), width="content")


def table(frame: pd.DataFrame, key: str, height: int | None = None, dollars: Iterable[str] = ()) -> None:
    """Draws a table with a button beneath it that saves all its rows."""
    told = neutral(frame)
    shown = told.head(MOST_ROWS)
    config = columns_for(frame, dollars)
    size: Any = "auto" if height is None else min(height, _ROW * (len(shown) + 1) + 3)
    st.dataframe(shown, column_config=config, hide_index=True, width="stretch", key=key, height=size, placeholder="–")
    rest = f" (shown: the first {MOST_ROWS:,} of {len(told):,})" if len(told) > MOST_ROWS else ""
    st.download_button(
        f"Save this table as CSV{rest}",
        lambda: told.to_csv(index=False).encode(),
        f"{key}.csv",
        "text/csv",
        key=f"{key}.csv",
        type="tertiary",
        on_click="ignore",
    )
