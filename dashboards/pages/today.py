"""When is the estate busy, who uses most of it, and what does it cost today?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

import charts
import data
import loads
import opened
from tables import table
from words import hour_of_week, inert, listed, money, share

SHOWN = 15


def busy(hours: pd.DataFrame, size: pd.Series) -> None:
    """The week as a map, for what the recording tells."""
    kinds = {
        "CPU": ("cpu_cores", "cores in use", float(size["cpu_cores"] or 0)),
        "memory": ("memory_gib", "GiB in use", float(size["memory_gib"] or 0)),
        "requests": ("requests_per_s", "requests a second", 0.0),
    }
    there = [name for name, (column, *_) in kinds.items() if column in hours and hours[column].notna().any()]
    st.subheader("When it is busy")
    if not there:
        st.info("The recording tells sizes only, no readings over time; there is no week to show.")
        return
    what = str(st.radio("Show", there, horizontal=True, key="heat"))
    column, unit, allocated = kinds[what]
    rows = hours[["hour", column]].rename(columns={column: "amount"}).dropna()
    order = rows.sort_values("amount")
    top, low = order.iloc[-1], order.iloc[0]
    part = f" That is {share(top['amount'] / allocated)} of what is allocated." if allocated else ""
    st.write(
        f"Busiest is {hour_of_week(int(top['hour']))} with {top['amount']:,.1f} {unit}, quietest "
        f"{hour_of_week(int(low['hour']))} with {low['amount']:,.1f}.{part}"
    )
    st.altair_chart(loads.heat_map(rows, unit), width="stretch", alt=f"{unit} by hour of the week")


def biggest(rows: pd.DataFrame) -> None:
    """Who uses most."""
    st.subheader("Biggest consumers")
    column = "busy_hours" if rows["mean_cpu_cores"].isna().all() else "mean_cpu_cores"
    known = rows.dropna(subset=[column])
    if known.empty:
        st.info("The recording does not tell what single workloads use.")
        return
    first = known.sort_values(column, ascending=False).head(SHOWN)
    part = float(first[column].sum() / (known[column].sum() or 1))
    unit = "cores in use on average" if column == "mean_cpu_cores" else "hours of running calls"
    st.write(f"The {len(first)} largest cause {share(part)} of it: {listed(first['workload'], 3)}.")
    shown = first[["workload", column]]
    st.altair_chart(charts.ranked(shown, "workload", column, unit, ",.1f"), width="stretch", alt=f"Workloads by {unit}")
    table(rows.dropna(axis=1, how="all"), "consumers", 320)


def paid(document: Mapping[str, Any]) -> None:
    """What a bill says, where one came in."""
    st.subheader("What it costs today")
    told, rows = document.get("today"), data.bill(str(document["trace"]["trace_id"]))
    if told:
        usd = float(told["effective_usd_per_month"])
        st.write(
            f"The bill {inert(told.get('name', ''))} comes to {money(usd)} a month on average, "
            f"over {told['months']} months."
        )
        by = pd.DataFrame(told["by_service_category"]).rename(columns={"effective_usd_per_month": "usd_per_month"})
        chart = charts.ranked(by, "service_category", "usd_per_month", "US dollars a month")
        st.altair_chart(chart, width="stretch", alt="The bill by service category")
        table(by, "bill")
    elif not rows.empty:
        st.write(f"This recording is a bill of {int(rows['charges'].sum()):,} charges.")
        table(rows, "bill")
    else:
        st.write(
            "No bill came in, so what is paid today is not known. The study measures every model against "
            f"{document['scenario']['baseline']}. Bring a FOCUS bill in on Data and choose it there."
        )


st.title("What runs today?")
document = opened.study()
if document is not None:
    trace_id, policy = str(document["trace"]["trace_id"]), document["scenario"]["demand"]
    try:
        busy(data.estate("hours", trace_id, policy), data.estate("allocated", trace_id, policy).iloc[0])
        biggest(data.estate("consumers", trace_id, policy))
    except data.PlannerError as error:
        st.error(inert(error))
    paid(document)
