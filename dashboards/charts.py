"""Tidy rows in, a chart out: pure functions, one colour per deployment model everywhere."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

__all__ = ["CATEGORY_COLOURS", "MODEL_COLOURS", "cash_flow", "cost_by_category", "utilisation"]

MODEL_COLOURS: Final = {
    "physical": "#8c564b",
    "hypervisor": "#9467bd",
    "iaas": "#1f77b4",
    "kubernetes": "#17a2b8",
    "service_mesh": "#2ca02c",
    "functions": "#e6860b",
    "serverless_containers": "#d64ba0",
    "multi_cloud": "#7f7f7f",
}
"""Readable on white and on black; every chart also names the model in words."""

CATEGORY_COLOURS: Final = {
    "compute": "#1f77b4",
    "storage": "#17a2b8",
    "network": "#2ca02c",
    "licence": "#9467bd",
    "platform": "#bcbd22",
    "facilities": "#8c564b",
    "labour": "#e6860b",
    "support": "#d64ba0",
    "migration": "#7f7f7f",
}
_HEIGHT: Final = 44


def cost_by_category(rows: pd.DataFrame) -> alt.Chart:
    """Stacked bars of dollars a month; columns model, category, usd_per_month."""
    names = [c for c in CATEGORY_COLOURS if c in set(rows["category"])]
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            y=alt.Y("model:N", sort=None, title=None, axis=alt.Axis(labelLimit=200)),
            x=alt.X("sum(usd_per_month):Q", title="US dollars a month", axis=alt.Axis(format="~s")),
            color=alt.Color(
                "category:N",
                title="category",
                scale=alt.Scale(domain=names, range=[CATEGORY_COLOURS[n] for n in names]),
            ),
            order=alt.Order("rank:Q"),
            tooltip=["model", "category", alt.Tooltip("sum(usd_per_month):Q", format=",.2f", title="USD a month")],
        )
        .transform_calculate(rank=f"indexof({names!r}, datum.category)")
        .properties(height=_HEIGHT * max(1, rows["model"].nunique()))
    )
    return chart


def utilisation(rows: pd.DataFrame) -> alt.Chart:
    """Grouped bars of the share of provisioned capacity in use; columns model, resource, share."""
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            y=alt.Y("model:N", sort=None, title=None, axis=alt.Axis(labelLimit=200)),
            yOffset=alt.YOffset("resource:N"),
            x=alt.X(
                "share:Q",
                title="mean share of provisioned capacity in use",
                axis=alt.Axis(format="%"),
                scale=alt.Scale(domain=[0, max(1.0, float(rows["share"].max()) if len(rows) else 1.0)]),
            ),
            color=alt.Color("resource:N", scale=alt.Scale(domain=["cpu", "memory"], range=["#1f77b4", "#e6860b"])),
            tooltip=["model", "resource", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(height=_HEIGHT * max(1, rows["model"].nunique()))
    )
    return chart


def cash_flow(rows: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Cumulative cash by month, one line a model named at its end; columns model, month, cumulative_usd."""
    names = list(dict.fromkeys(rows["model"]))
    base = alt.Chart(rows).encode(
        x=alt.X("month:Q", title="month"),
        y=alt.Y("cumulative_usd:Q", title="US dollars paid so far", axis=alt.Axis(format="~s")),
        color=alt.Color(
            "model:N",
            title="model",
            sort=None,
            scale=alt.Scale(domain=names, range=[MODEL_COLOURS.get(n, "#7f7f7f") for n in names]),
        ),
        tooltip=["model", "month", alt.Tooltip("cumulative_usd:Q", format=",.2f", title="USD so far")],
    )
    ends = base.transform_filter(f"datum.month == {int(rows['month'].max()) if len(rows) else 0}")
    label = ends.mark_text(align="left", dx=5).encode(text="model:N")
    return alt.layer(base.mark_line(), label).properties(height=360)
