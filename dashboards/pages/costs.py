"""What is the money spent on, by whom, and when?"""

from __future__ import annotations

import streamlit as st

import charts
import data
import frames
import opened
from tables import table
from words import CENT, inert, listed, money, share

SHOWN = 15


def by_category(document: data.Document) -> None:
    """All models, one beside the other."""
    rows = frames.categories(document)
    sums = rows.groupby("category")["usd_per_month"].sum().sort_values(ascending=False)
    st.subheader("By category")
    st.write(f"Over all models most goes to {sums.index[0]}, {share(sums.iloc[0] / (sums.sum() or 1))} of the bills.")
    st.altair_chart(charts.cost_by_category(rows), width="stretch", alt="Monthly cost by model and category")
    wide = rows.pivot_table(index="model", columns="category", values="usd_per_month", sort=False).reset_index()
    st.caption("US dollars a month")
    table(wide, "categories", dollars=list(wide.columns[1:]))


def over_time(document: data.Document, model: str) -> None:
    """Cash by month of one model, and the sums of all so far."""
    flow = frames.cash(document)
    mine = flow[flow["model"] == model]
    st.subheader(f"{model}: cash flow by month")
    back = float(-mine["usd"].clip(upper=0).sum())
    worth = f"; {money(back)} of it comes back at the end as what bought things are still worth" if back >= CENT else ""
    st.write(f"{money(mine.iloc[0]['usd'])} is paid at the start and {money(mine['usd'].sum())} in all{worth}.")
    st.altair_chart(charts.cash_by_month(mine), width="stretch", alt=f"Payments of {model} by month")
    st.subheader("Paid so far, and where lines cross")
    passed, baseline = frames.crossings(document), document["scenario"]["baseline"]
    first = passed.drop_duplicates("model")
    told = [f"{m} in month {n}" for m, n in zip(first["model"], first["month"], strict=True)]
    st.write(
        f"Diamonds mark where a model has paid less than {baseline}, the baseline, for the first time after having "
        f"paid more: {listed(told)}."
        if told
        else f"No model that starts dearer than {baseline}, the baseline, falls below it within the horizon."
    )
    st.altair_chart(charts.cash_flow(flow, passed), width="stretch", alt="Cumulative payments by month and model")
    wide = flow.pivot_table(index="month", columns="model", values="cumulative_usd", sort=False).reset_index()
    st.caption("US dollars paid so far")
    table(wide, "cash", 260, list(wide.columns[1:]))


def by_workload(document: data.Document, model: str) -> None:
    """Who causes the cost of one model, and what it pays for."""
    rows = frames.workloads(document, model)
    st.subheader(f"{model}: by workload")
    idle = float(rows.loc[rows["workload"] == "(idle)", "share"].sum())
    real = rows[~rows["workload"].isin(["(idle)", "(others)"])].head(SHOWN)
    if len(real):
        st.write(
            f"{inert(real.iloc[0]['workload'])} costs most, {money(real.iloc[0]['usd_per_month'])} a month; "
            f"{share(idle)} of the bill is capacity that no workload uses."
        )
        chart = charts.ranked(real, "workload", "usd_per_month", "US dollars a month")
        st.altair_chart(chart, width="stretch", alt=f"Dearest workloads of {model}")
    table(rows, "workloads", 300)
    st.subheader(f"{model}: every line of the bill")
    st.write("Quantity times the listed price is the cost, and nothing else is.")
    table(frames.lines(document, model), "lines", 360)


st.title("What is the money spent on?")
document = opened.study()
if document is not None:
    by_category(document)
    model = opened.model(document, "costs.model")
    over_time(document, model)
    by_workload(document, model)
