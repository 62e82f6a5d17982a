"""Which kind of infrastructure is cheapest for this recording, how full does it run, and what does not fit?"""

from __future__ import annotations

import streamlit as st

import charts
import data
import frames
import loads
import opened
from tables import table
from words import inert, money, share


def downloads(document: data.Document) -> None:
    """Every file that the study can be had as."""
    found = data.exports(document)
    st.caption("Download this study as")
    for start in range(0, len(found), 3):
        for cell, export in zip(st.columns(3), found[start : start + 3], strict=False):
            cell.download_button(
                export.label, export.make, export.name, export.mime,
                key=f"get.{export.name}", on_click="ignore", width="stretch", wrap=True,
            )  # fmt: skip


def costs(document: data.Document) -> None:
    """What a month costs, and when it is paid."""
    rows = frames.categories(document)
    totals = rows.groupby("model", sort=False)["usd_per_month"].sum()
    st.subheader("What a month of the first year costs")
    st.write(
        f"{totals.idxmin()} has the lowest monthly bill, {money(totals.min())}, {totals.idxmax()} the highest, "
        f"{money(totals.max())}. Bought things are spread evenly over their life; what is paid once is not in it."
    )
    st.altair_chart(charts.cost_by_category(rows), width="stretch", alt="Monthly cost by model and category")
    st.subheader("When it is paid")
    flow = frames.cash(document)
    least = flow[flow["month"] == 0].sort_values("cumulative_usd").iloc[0]
    st.write(
        f"{least['model']} asks for least at the start, {money(least['cumulative_usd'])}. All payments up to a month, "
        "not discounted; what is left of bought things comes back at the end."
    )
    st.altair_chart(charts.cash_flow(flow), width="stretch", alt="Cumulative payments by month and model")


def show(document: data.Document) -> None:
    """The comparison: a table, why the first beats the second, three charts, and what was left out."""
    rows = frames.comparison(document)
    best = rows.iloc[0]
    st.subheader(f"{best['model']} costs least: {best['total cost (USD)']:,.2f} USD over the horizon")
    table(rows, "comparison")
    for text, warning in data.advice(document):
        (st.warning if warning else st.write)(inert(text))
    downloads(document)
    costs(document)
    st.subheader("How full it runs")
    used = frames.utilisation(document)
    cpu = used[used["resource"] == "cpu"].sort_values("share", ascending=False).iloc[0]
    st.write(
        f"{cpu['model']} uses most of its CPU, {share(cpu['share'])} on average: what workloads use of all that is "
        "paid for, spares and overhead included."
    )
    st.altair_chart(loads.utilisation(used), width="stretch", alt="Share of capacity in use by model")
    left = frames.unplaced(document)
    if len(left):
        st.subheader("What does not fit, and why")
        most = left["model"].value_counts()
        st.write(f"{most.index[0]} leaves out most, {most.iloc[0]:,} workloads.")
        table(left, "unplaced", 300)


st.title("What would it cost somewhere else?")
document = opened.study()
if document is not None:
    show(document)
