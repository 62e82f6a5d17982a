"""Tidy rows in, a chart of load and capacity out: pure functions."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

from charts import GREY, MODEL_COLOURS, roomy
from words import DAYS

__all__ = ["binding", "heat_map", "provisioned_and_used", "quality", "savings", "utilisation"]

_AXIS: Final = 72
_RESOURCE_COLOURS: Final = {"cpu": "#3b8fd0", "memory": "#e6860b"}
_ACTIVITY: Final = {"active": "#2ca02c", "idle": "#e6860b", "zombie": "#d64ba0", "unknown": GREY}
_MIDNIGHTS: Final = list(range(0, 168, 24))
_DAY_LABEL: Final = "[{}][floor(datum.value / 24) % 7]".format(", ".join(f"'{day}'" for day in DAYS))


def heat_map(rows: pd.DataFrame, title: str, form: str = ".1f") -> alt.Chart:
    """A week as seven rows of 24 cells; columns hour (of the week, Monday first) and amount."""
    told = rows.assign(day=rows["hour"].map(lambda h: DAYS[int(h) // 24]), clock=rows["hour"] % 24)
    chart: alt.Chart = (
        alt.Chart(told)
        .mark_rect()
        .encode(
            x=alt.X("clock:O", title="hour of the day (UTC)", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("day:N", sort=list(DAYS), title=None),
            color=alt.Color("amount:Q", title=title, scale=alt.Scale(scheme="viridis"), legend=alt.Legend(format="~s")),
            tooltip=["day", alt.Tooltip("clock:O", title="hour"), alt.Tooltip("amount:Q", format=form, title=title)],
        )
        .properties(height=230)
    )
    return chart


def provisioned_and_used(rows: pd.DataFrame, model: str) -> alt.LayerChart:
    """What is paid for as a stepped line above what is used as an area; columns hour, what, amount of one resource."""
    axis = alt.Axis(values=_MIDNIGHTS, labelExpr=_DAY_LABEL, labelAlign="left", labelAngle=0)
    base = alt.Chart(rows).encode(
        x=alt.X("hour:Q", title="hour of the week", axis=axis, scale=alt.Scale(domain=[0, 168], nice=False)),
        y=alt.Y("amount:Q", title=None, axis=alt.Axis(format="~s", labelLimit=80)),
        tooltip=["what", "hour", alt.Tooltip("amount:Q", format=",.1f")],
    )
    colour = MODEL_COLOURS.get(model, GREY)
    used = base.transform_filter("datum.what == 'used'").mark_area(color=colour, opacity=0.45)
    paid = base.transform_filter("datum.what == 'provisioned'")
    return (used + paid.mark_line(color=colour, interpolate="step-after", strokeWidth=2)).properties(height=200)


def utilisation(rows: pd.DataFrame) -> alt.LayerChart:
    """Grouped bars of the share of provisioned capacity in use; columns model, resource, share."""
    names = list(_RESOURCE_COLOURS)
    most = max(1.0, float(rows["share"].max()) if len(rows) else 1.0)
    base = alt.Chart(rows).encode(
        y=alt.Y("model:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
        yOffset=alt.YOffset("resource:N", sort=names),
        x=alt.X(
            "share:Q",
            title="mean share of provisioned capacity in use",
            axis=alt.Axis(format="%"),
            scale=alt.Scale(domain=[0, 1.08 * most], nice=False),
        ),
        tooltip=["model", "resource", alt.Tooltip("share:Q", format=".1%")],
    )
    scale = alt.Scale(domain=names, range=list(_RESOURCE_COLOURS.values()))
    text = base.transform_calculate(told="datum.resource + ' ' + format(datum.share, '.0%')").mark_text(
        align="left", dx=4, color=GREY, fontSize=10
    )
    bars = base.mark_bar().encode(color=alt.Color("resource:N", title="resource", scale=scale))
    height = 44 * max(1, rows["model"].nunique()) + _AXIS
    return (bars + text.encode(text="told:N")).properties(height=height)


def quality(rows: pd.DataFrame) -> alt.Chart:
    """Workloads by stars, stacked by activity; columns stars (text), activity, workloads."""
    names = [a for a in _ACTIVITY if a in set(rows["activity"])]
    scale = alt.Scale(domain=names, range=[_ACTIVITY[n] for n in names])
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            y=alt.Y("stars:N", sort=None, title="recorded"),
            x=alt.X("sum(workloads):Q", title="workloads", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("activity:N", title="activity", scale=scale),
            tooltip=["stars", "activity", alt.Tooltip("sum(workloads):Q", title="workloads")],
        )
        .properties(height=210)
    )
    return chart


def binding(rows: pd.DataFrame) -> alt.Chart:
    """What a machine's price is paid for, as shares; columns model, resource, share."""
    colours = ["#3b8fd0", "#e6860b", "#2ca02c", "#d64ba0", "#9467bd"]
    names = list(dict.fromkeys(rows["resource"]))
    scale = alt.Scale(domain=names, range=colours[: len(names)])
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            y=alt.Y("model:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
            x=alt.X("share:Q", title="share of what a machine is worth", axis=alt.Axis(format="%"), stack="zero"),
            color=alt.Color("resource:N", title="resource", scale=scale),
            tooltip=["model", "resource", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(height=34 * max(1, rows["model"].nunique()) + _AXIS)
    )
    return chart


def savings(rows: pd.DataFrame) -> alt.LayerChart:
    """How much less a packing costs than a rule of thumb; columns model, rule, share."""
    base = alt.Chart(rows).encode(
        y=alt.Y("model:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
        yOffset=alt.YOffset("rule:N"),
        x=roomy(rows["share"], "share", "less than the rule of thumb", "%"),
        tooltip=["model", "rule", alt.Tooltip("share:Q", format=".1%")],
    )
    scale = alt.Scale(domain=list(MODEL_COLOURS), range=list(MODEL_COLOURS.values()))
    bars = base.mark_bar().encode(color=alt.Color("model:N", scale=scale, legend=None))
    told = base.transform_calculate(told="datum.rule + ' ' + format(datum.share, '.1%')")
    text = told.mark_text(align="left", dx=4, color=GREY, fontSize=10).encode(text="told:N")
    return (bars + text).properties(height=48 * max(1, rows["model"].nunique()) + _AXIS)
