"""How much capacity is paid for, how much of it is used, and what binds?"""

from __future__ import annotations

import streamlit as st

import charts
import data
import frames
import loads
import opened
from tables import table
from words import inert, money, share

SHOWN = 15


def over_the_week(document: data.Document, model: str) -> None:
    """One chart a resource: what is paid for above what is used."""
    rows = frames.week(document, model)
    st.subheader(f"{model}: provisioned against used over the week")
    if rows.empty:
        st.info(f"{model} provisions nothing: it is billed by use, or nothing could be placed.")
        return
    for resource, part in rows.groupby("resource", sort=False):
        mean = part.groupby("what")["amount"].mean()
        paid, used = float(mean.get("provisioned", 0.0)), float(mean.get("used", 0.0))
        st.write(
            f"{str(resource)[0].upper()}{str(resource)[1:]}: on average {paid:,.0f} are paid for (line) and "
            f"{used:,.0f} used (area), {share(used / paid) if paid else 'unknown'}."
        )
        chart = loads.provisioned_and_used(part, model)
        st.altair_chart(chart, width="stretch", alt=f"{resource}: provisioned and used by hour of the week")


def made_of(document: data.Document, model: str) -> None:
    """Machines by type."""
    rows = frames.boxes(document, model)
    st.subheader(f"{model}: machines by type")
    if rows.empty:
        st.write("No machines of its own.")
        return
    total = int(rows["count"].sum())
    kinds = rows["type"].nunique()
    told = f"{total:,} of one type:" if kinds == 1 else f"{total:,} of {kinds} types; most are"
    st.write(f"In all {told} {inert(rows.iloc[0]['type'])}.")
    shown = rows.head(SHOWN).assign(kind=lambda r: r["type"] + " (" + r["term"] + ")")
    chart = charts.ranked(shown, "kind", "count", "machines (owned, or most at once)", ",.0f")
    st.altair_chart(chart, width="stretch", alt=f"Machines of {model} by type")
    table(rows, "boxes", 260)


def what_binds(document: data.Document) -> None:
    """Shadow prices, and the saving against rules of thumb."""
    rows = frames.binding(document)
    st.subheader("What binds")
    if rows.empty:
        st.write("No model of this study packs several workloads into one machine, so nothing has a shadow price.")
    else:
        top = rows.sort_values("share").iloc[-1]
        st.write(
            f"In {top['model']}, {share(top['share'])} of what a machine is worth is its {inert(top['resource'])}: one "
            f"more unit needed costs {money(top['usd_per_month'])} a month (its shadow price)."
        )
        st.altair_chart(loads.binding(rows), width="stretch", alt="What a machine is worth, by resource")
        table(rows.rename(columns={"usd_per_month": "shadow price (USD a month)"}), "binding")
    saved = frames.savings(document)
    st.subheader("Saving against rules of thumb")
    if saved.empty:
        st.write("No model of this study packs, so there is no rule of thumb to compare with.")
        return
    top = saved.sort_values("share").iloc[-1]
    st.write(f"{top['model']} is packed {share(top['share'])} cheaper than by {top['rule']}.")
    st.altair_chart(loads.savings(saved), width="stretch", alt="Saving against first fit and others")


st.title("How much capacity, and how much of it is used?")
document = opened.study()
if document is not None:
    model = opened.model(document, "capacity.model")
    over_the_week(document, model)
    made_of(document, model)
    what_binds(document)
    with st.expander(f"Further figures of {model}"):
        table(frames.figures(document, model), "figures")
