"""Which workload goes to which site or model, what may not leave, and what does traffic cost?"""

from __future__ import annotations

import streamlit as st

import charts
import data
import frames
import opened
from tables import table
from words import inert, listed, money, share


def portfolio(document: data.Document) -> None:
    """The sites of a portfolio and which workload sits where."""
    rows = frames.sites(document)
    st.subheader("Sites of the portfolio")
    if rows.empty:
        st.write("This study has no model of several sites; plan multi_cloud to let each workload choose.")
        return
    used = rows[rows["workloads"] > 0]
    total = float(rows["workloads"].sum()) or 1.0
    top = rows.iloc[0]
    st.write(
        f"{len(used)} of {len(rows)} sites are used: {listed(used['site'])}. {inert(top['site'])} takes "
        f"{share(top['workloads'] / total)} of the workloads for {money(top['usd_per_month'])} a month."
    )
    chart = charts.ranked(rows, "site", "workloads", "workloads placed there", ",.0f")
    st.altair_chart(chart, width="stretch", alt="Workloads by site")
    table(rows, "sites")


def seats(document: data.Document) -> None:
    """Where one model puts each workload."""
    model = opened.model(document, "where.model")
    rows = data.placed(str(document["study_id"]), model)
    st.subheader(f"{model}: which workload goes where")
    if rows.empty:
        st.write(f"{model} keeps no list of places: calls run wherever the provider has room.")
        return
    if model == "multi_cloud":
        parts = rows["sku"].str.partition("/")
        rows = rows.assign(site=parts[0], sku=parts[2])[["workload", "site", "sku", "replicas"]]
    st.write(f"{rows['workload'].nunique():,} workloads on {rows['sku'].nunique():,} types of machine.")
    wanted = st.text_input("Find a workload", key="find", placeholder="part of a name")
    if wanted:
        rows = rows[rows["workload"].str.contains(wanted, case=False, regex=False)]
    table(rows.rename(columns={"sku": "type"}), "seats", 360)


def residency(document: data.Document) -> None:
    """What may not leave."""
    rows = frames.unplaced(document)
    kept = rows[rows["reason"].str.startswith("may not leave")] if len(rows) else rows
    st.subheader("Residency")
    if kept.empty:
        st.write("No workload was kept back: the recording names no residency, or every model rents where it may run.")
        return
    models = kept["model"].value_counts()
    st.write(f"{models.index[0]} cannot take {models.iloc[0]:,} workloads that may not leave where they are.")
    table(kept, "residency", 260)


def traffic(document: data.Document) -> None:
    """What the network costs, model by model."""
    rows = frames.prices_paid(document)
    st.subheader("Traffic and network")
    if rows.empty:
        st.write("No model pays for traffic or network.")
        return
    sums = rows.groupby("model", sort=False)["usd_per_month"].sum().reset_index()
    top = sums.sort_values("usd_per_month").iloc[-1]
    st.write(f"{top['model']} pays most for network, {money(top['usd_per_month'])} a month.")
    chart = charts.bars_of_models(sums, "usd_per_month", "US dollars a month for network")
    st.altair_chart(chart, width="stretch", alt="Network cost by model")
    table(rows, "traffic", 300)


st.title("Where does each workload go?")
document = opened.study()
if document is not None:
    portfolio(document)
    seats(document)
    residency(document)
    traffic(document)
    with st.expander("Providers and regions of every model"):
        table(frames.places(document), "places")
