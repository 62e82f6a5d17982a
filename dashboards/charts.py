"""Tidy rows in, a chart of money out: pure functions, one colour per deployment model everywhere."""

from __future__ import annotations

from typing import Any, Final

import altair as alt
import pandas as pd

__all__ = [
    "CATEGORY_COLOURS",
    "MODEL_COLOURS",
    "bars_of_models",
    "before_and_after",
    "cash_by_month",
    "cash_flow",
    "cost_by_category",
    "model_colour",
    "ranked",
    "roomy",
    "side_by_side",
]

MODEL_COLOURS: Final = {
    "physical": "#a0705f",
    "hypervisor": "#9467bd",
    "iaas": "#3b8fd0",
    "kubernetes": "#17a2b8",
    "service_mesh": "#2ca02c",
    "functions": "#e6860b",
    "serverless_containers": "#d64ba0",
    "multi_cloud": "#8a8a8a",
}
"""Readable on white and on black; every chart also names the model in words."""

CATEGORY_COLOURS: Final = {
    "compute": "#3b8fd0",
    "storage": "#17a2b8",
    "network": "#2ca02c",
    "licence": "#9467bd",
    "platform": "#bcbd22",
    "facilities": "#a0705f",
    "labour": "#e6860b",
    "support": "#d64ba0",
    "migration": "#8a8a8a",
}
_AXIS: Final = 72
"""Height that an axis with its title takes, px: Streamlit counts it into a chart's height."""
_LEGEND: Final = 18
"""Height of an entry of a legend, px."""
_TICKS: Final = 8
_DASHES: Final = ([1, 0], [8, 4], [2, 3], [10, 3, 2, 3], [4, 4], [12, 4], [6, 2, 2, 2], [3, 6])
_MONEY_AXIS: Final = "~s"
GREY: Final = "#8a8a8a"
"""Readable on white and on black."""


def model_colour(names: list[str], title: str | None = "model") -> alt.Color:
    """Colours of the named models."""
    colours = [MODEL_COLOURS.get(n, GREY) for n in names]
    legend = None if title is None else alt.Legend(labelLimit=200)
    return alt.Color("model:N", title=title, sort=None, scale=alt.Scale(domain=names, range=colours), legend=legend)


def _names(rows: pd.DataFrame, column: str = "model") -> list[str]:
    return list(dict.fromkeys(rows[column]))


def _row_axis(column: str = "model") -> alt.Y:
    return alt.Y(f"{column}:N", sort=None, title=None, axis=alt.Axis(labelLimit=220))


def roomy(values: pd.Series, field: str, title: str, form: str) -> alt.X:
    """A horizontal axis with room for what is written beside the longest bar."""
    most, least = (float(v) if v == v else 0.0 for v in (values.max(), values.min()))  # noqa: PLR0124 - not a number
    scale = alt.Scale(domain=[min(0.0, 1.15 * least), max(1.18 * most, 0.01)], nice=False)
    return alt.X(f"{field}:Q", title=title, axis=alt.Axis(format=form, tickCount=_TICKS), scale=scale)


def cost_by_category(rows: pd.DataFrame) -> alt.Chart:
    """Stacked bars of dollars a month; columns model, category, usd_per_month."""
    names = [c for c in CATEGORY_COLOURS if c in set(rows["category"])]
    scale = alt.Scale(domain=names, range=[CATEGORY_COLOURS[n] for n in names])
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            y=_row_axis(),
            x=alt.X("sum(usd_per_month):Q", title="US dollars a month", axis=alt.Axis(format=_MONEY_AXIS)),
            color=alt.Color("category:N", title="category", scale=scale),
            order=alt.Order("rank:Q"),
            tooltip=["model", "category", alt.Tooltip("sum(usd_per_month):Q", format=",.2f", title="USD a month")],
        )
        .transform_calculate(rank=f"indexof({names!r}, datum.category)")
        .properties(height=max(34 * rows["model"].nunique(), _LEGEND * rows["category"].nunique()) + _AXIS)
    )
    return chart


def ranked(rows: pd.DataFrame, name: str, value: str, title: str, form: str = ",.2f") -> alt.Chart:
    """Bars of one colour, one a row, in the order of the rows, the value written beside each."""
    base = alt.Chart(rows).encode(
        y=_row_axis(name),
        x=roomy(rows[value], value, title, "%" if form.endswith("%") else _MONEY_AXIS),
        tooltip=[name, alt.Tooltip(f"{value}:Q", format=form, title=title)],
    )
    text = base.mark_text(align="left", dx=4, color=GREY).encode(text=alt.Text(f"{value}:Q", format=form))
    height = 26 * max(1, len(rows)) + _AXIS
    return (base.mark_bar(color=CATEGORY_COLOURS["compute"]) + text).properties(height=height)


def bars_of_models(rows: pd.DataFrame, value: str, title: str, form: str = ",.2f") -> alt.LayerChart:
    """One bar a model in its own colour, the value written beside it; columns model and `value`."""
    base = alt.Chart(rows).encode(
        y=_row_axis(),
        x=roomy(rows[value], value, title, "%" if form.endswith("%") else _MONEY_AXIS),
        tooltip=["model", alt.Tooltip(f"{value}:Q", format=form, title=title)],
    )
    text = base.mark_text(align="left", dx=4, color=GREY).encode(text=alt.Text(f"{value}:Q", format=form))
    bars = base.mark_bar().encode(color=model_colour(_names(rows), None))
    return (bars + text).properties(height=30 * max(1, len(rows)) + _AXIS)


def cash_flow(rows: pd.DataFrame, crossings: pd.DataFrame | None = None) -> alt.LayerChart:
    """Cumulative cash by month, one line a model named at its end; columns model, month, cumulative_usd.

    `crossings`, of the same columns, are marked by a point: there a line falls below that of the baseline.
    """
    names = _names(rows)
    dashes = [list(_DASHES[i % len(_DASHES)]) for i in range(len(names))]
    base = alt.Chart(rows).encode(
        x=alt.X("month:Q", title="month", axis=alt.Axis(format="d", tickMinStep=1)),
        y=alt.Y("cumulative_usd:Q", title="US dollars paid so far", axis=alt.Axis(format=_MONEY_AXIS)),
        color=model_colour(names),
        tooltip=["model", "month", alt.Tooltip("cumulative_usd:Q", format=",.2f", title="USD so far")],
    )
    dash = alt.StrokeDash("model:N", title="model", sort=None, scale=alt.Scale(domain=names, range=dashes))
    parts = [base.mark_line(strokeWidth=2).encode(strokeDash=dash)]
    if crossings is not None and len(crossings):
        points = alt.Chart(crossings).mark_point(size=180, filled=True, shape="diamond", opacity=1)
        parts.append(
            points.encode(
                x="month:Q",
                y="cumulative_usd:Q",
                color=model_colour(names),
                tooltip=["model", alt.Tooltip("month:Q", title="below the baseline from month")],
            )
        )
    return alt.layer(*parts).properties(height=400)


def cash_by_month(rows: pd.DataFrame) -> alt.Chart:
    """Bars of what one model pays in each month, what comes back below the line; columns model, month, usd."""
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("month:O", title="month", axis=alt.Axis(labelOverlap=True, labelAngle=0)),
            y=alt.Y("usd:Q", title="US dollars paid in the month", axis=alt.Axis(format=_MONEY_AXIS)),
            color=model_colour(_names(rows), None),
            tooltip=["model", "month", alt.Tooltip("usd:Q", format=",.2f", title="USD")],
        )
        .properties(height=300)
    )
    return chart


def before_and_after(rows: pd.DataFrame, title: str) -> alt.Chart:
    """Two bars a model, before paler than after; columns model, what (before | after), usd."""
    return _grouped(rows, "what", ["before", "after"], title)


def side_by_side(rows: pd.DataFrame, title: str) -> alt.Chart:
    """One bar a scenario beneath each model, paler one by one and named; columns model, what, usd."""
    return _grouped(rows, "what", _names(rows, "what"), title)


def _grouped(rows: pd.DataFrame, column: str, order: list[str], title: str) -> alt.Chart:
    levels: list[Any] = [round(0.35 + 0.65 * (i + 1) / len(order), 2) for i in range(len(order))]
    base = alt.Chart(rows).encode(
        y=_row_axis(),
        yOffset=alt.YOffset(f"{column}:N", sort=order),
        x=roomy(rows["usd"], "usd", title, _MONEY_AXIS),
        tooltip=["model", column, alt.Tooltip("usd:Q", format=",.2f", title="USD")],
    )
    bars = base.mark_bar().encode(
        color=model_colour(_names(rows), None),
        opacity=alt.Opacity(f"{column}:N", sort=order, scale=alt.Scale(domain=order, range=levels), legend=None),
    )
    text = base.mark_text(align="left", dx=4, color=GREY, fontSize=10).encode(text=f"{column}:N")
    height = (16 * len(order) + 14) * max(1, rows["model"].nunique()) + _AXIS
    chart: alt.Chart = (bars + text).properties(height=height)
    return chart
