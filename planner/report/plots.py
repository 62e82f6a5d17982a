"""Charts of a study as Vega-Lite, for pages that draw them and for paper that holds them as SVG."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from itertools import accumulate
from typing import Any, Final

import altair as alt
import pandas as pd
import vl_convert

from planner.kept import kept
from planner.report.colours import COLOURS
from planner.report.facts import Facts, category_hue, in_order

__all__ = ["cash_so_far", "cost_by_category", "libraries", "one_model", "svg", "utilisation"]

_VERSION: Final = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
_FONT: Final = "Liberation Sans, system-ui, sans-serif"
_ROW: Final = 30
_USD: Final = {"format": ",.2f", "title": "USD a month"}
Spec = dict[str, Any]


@cache
def libraries() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that needs no network.

    Bundling them takes two seconds, so the script is kept in the user's cache folder, where that can be written.

    Source: vega.github.io (BSD 3-Clause), as vl-convert ships them.
    """
    return kept(f"vega-{_VERSION}-vl-convert-{version('vl-convert-python')}.js", _bundled)


def _bundled() -> str:
    script = str(vl_convert.javascript_bundle(None, _VERSION))  # type: ignore[arg-type]  # None: all of it
    return script.replace("</script", "<\\/script").replace("<!--", "\\x3c!--")


def svg(spec: Spec) -> str:
    """A chart as SVG, drawn without a browser."""
    return str(vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=_VERSION))


def _spec(chart: Any) -> Spec:
    """Vega-Lite without what differs from one call to the next."""
    told: Spec = chart.configure(background="transparent", font=_FONT).configure_view(stroke=None).to_dict()
    return told


def _coloured(names: Sequence[str], hues: Sequence[int]) -> alt.Scale:
    return alt.Scale(domain=list(names), range=[COLOURS[hue] for hue in hues])


def _monthly(facts: Facts) -> pd.DataFrame:
    rows = [(name, category, usd) for name in facts.names for category, usd in facts.categories(name).items()]
    return pd.DataFrame(rows, columns=["model", "category", "usd"])


def cost_by_category(facts: Facts) -> Spec:
    """A month of the first year, model by model, stacked by category; a click on the legend picks one out."""
    rows = _monthly(facts)
    order = in_order(set(rows["category"]))
    rows["place"] = rows["category"].map({category: place for place, category in enumerate(order)})
    picked = alt.selection_point("picked", fields=["category"], bind="legend")
    chart = alt.Chart(rows, width="container", height=_ROW * max(1, len(facts.names))).mark_bar()
    encoded = chart.encode(
        x=alt.X("usd:Q", title="USD a month, first year", axis=alt.Axis(format="~s", tickCount=8)),
        y=alt.Y("model:N", title=None, sort=facts.names),
        color=alt.Color("category:N", title=None, sort=order, scale=_coloured(order, [category_hue(c) for c in order])),
        order=alt.Order("place:Q"),
        opacity=alt.condition(picked, alt.value(1.0), alt.value(0.15)),
        tooltip=["model:N", "category:N", alt.Tooltip("usd:Q", **_USD)],
    )
    return _spec(encoded.add_params(picked))


def cash_so_far(facts: Facts) -> Spec:
    """All payments up to a month; a click on the legend picks a model out, the wheel looks closer."""
    flows = [(str(m["model"]), accumulate(m.get("cash_usd") or ())) for m in facts.models]
    paid = [(name, month, usd) for name, flow in flows for month, usd in enumerate(flow)]
    rows = pd.DataFrame(paid, columns=["model", "month", "usd"])
    picked = alt.selection_point("picked", fields=["model"], bind="legend")
    names = facts.names
    encoded = alt.Chart(rows, width="container", height=320).mark_line(strokeWidth=2.5).encode(
        x=alt.X("month:Q", title="month", axis=alt.Axis(tickMinStep=1), scale=alt.Scale(nice=False)),
        y=alt.Y("usd:Q", title="USD paid so far", axis=alt.Axis(format="~s")),
        color=alt.Color("model:N", title=None, sort=names, scale=_coloured(names, [facts.hues[n] for n in names])),
        strokeDash=alt.StrokeDash("model:N", title=None, sort=names, scale=alt.Scale(domain=names)),
        opacity=alt.condition(picked, alt.value(1.0), alt.value(0.15)),
        tooltip=["model:N", "month:Q", alt.Tooltip("usd:Q", format=",.2f", title="USD so far")],
    )  # fmt: skip
    return _spec(encoded.add_params(picked).interactive("zoom", bind_y=False))


def utilisation(facts: Facts) -> Spec:
    """Mean use of what is provisioned, by model, resource and year."""
    rows = pd.DataFrame(
        [(p["model"], p["year"], "CPU" if r == "cpu" else r, share) for n in facts.names for p in facts.plans(n)
         for r, share in p["utilisation"].items()],
        columns=["model", "year", "resource", "share"],
    )  # fmt: skip
    chart = alt.Chart(rows, width="container", height=_ROW * 2 * max(1, len(facts.names))).mark_bar()
    encoded = chart.transform_filter("datum.year == year").encode(
        x=alt.X("share:Q", title="share of what is provisioned", axis=alt.Axis(format="%", tickCount=8)),
        y=alt.Y("model:N", title=None, sort=facts.names),
        yOffset="resource:N",
        color=alt.Color("resource:N", title=None, scale=_coloured(["CPU", "memory"], [2, 5])),
        tooltip=["model:N", "year:O", "resource:N", alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
    years = [int(year) for year in sorted(set(rows["year"]))]
    return _spec(encoded.add_params(alt.param(name="year", value=years[0], bind=_chooser(years))))


def _chooser(years: list[int]) -> Any:
    return alt.binding_radio(options=years, name="year ") if len(years) > 1 else alt.Undefined


def one_model(facts: Facts, model: str) -> Spec:
    """A month of each year of one model, stacked by category: for paper, with its names beside the colours."""
    rows = pd.DataFrame(
        [(f"year {p['year']}", str(e["category"]), e["usd_per_month"]) for p in facts.plans(model) for e in p["lines"]],
        columns=["year", "category", "usd"],
    )
    rows = rows[rows["usd"] != 0].groupby(["year", "category"], sort=False)["usd"].sum().reset_index()
    order = in_order(set(rows["category"]))
    rows["place"] = rows["category"].map({category: place for place, category in enumerate(order)})
    legend = alt.Legend(orient="bottom", columns=5, labelFontSize=11, symbolType="square")
    chart = alt.Chart(rows, width=560, height=34 * max(1, rows["year"].nunique())).mark_bar(size=20)
    encoded = chart.encode(
        x=alt.X("usd:Q", title="USD a month", axis=alt.Axis(format="~s", labelFontSize=11)),
        y=alt.Y("year:N", title=None, axis=alt.Axis(labelFontSize=11)),
        color=alt.Color(
            "category:N",
            title=None,
            sort=order,
            scale=_coloured(order, [category_hue(c) for c in order]),
            legend=legend,
        ),
        order=alt.Order("place:Q"),
    )
    return _spec(encoded)
