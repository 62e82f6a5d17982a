"""Which kind of infrastructure is cheapest for this recording, how full does it run, and what does not fit?"""

from __future__ import annotations

from typing import Any

import streamlit as st

import charts
import data
import forms

MONEY = st.column_config.NumberColumn(format="dollar")
SHARE = st.column_config.NumberColumn(format="percent")
COLUMNS = {
    "total cost (USD)": MONEY,
    "present value (USD)": MONEY,
    "first year (USD a month)": MONEY,
    "CPU in use": SHARE,
    "memory in use": SHARE,
    "gap to bound": SHARE,
}


def recording() -> tuple[str, str]:
    """The recording to plan, shipped, uploaded or known from before: its path, and its format."""
    st.sidebar.header("Recording")
    known = data.samples() | data.recorded()
    files = st.sidebar.file_uploader("Upload a recording", accept_multiple_files=True, key="upload")
    formats = data.known_formats()
    format_name = st.sidebar.selectbox("Format of the upload", formats, key="format", help="auto: found out by content")
    if files:
        try:
            trace = data.upload(files, str(format_name))
        except data.PlannerError as error:
            st.sidebar.error(str(error))
        else:
            told = f"{trace.name}: {trace.format}, {trace.workloads:,} workloads, {trace.rejected:,} rows rejected"
            (st.sidebar.warning if trace.rejected else st.sidebar.success)(told)
            return data.stored(trace.trace_id), "auto"
    names = list(known)
    start = names.index("planner") if "planner" in names else 0
    chosen = st.sidebar.selectbox("Or choose one", names, start, key="known", disabled=not names)
    return known.get(str(chosen), ""), "auto"


def settings() -> data.Question:
    """The question as the sidebar puts it."""
    path, format_name = recording()
    st.sidebar.header("Service level")
    with st.sidebar.expander("How samples become sizes"):
        demand = forms.form(data.Policy, "demand")
    with st.sidebar.expander("Horizon and money"):
        study = forms.form(
            data.Scenario, "study", ("name", "trace", "demand", "today", "where", "models", "price_books", "baseline")
        )
    with st.sidebar.expander("Where to rent"):
        where = forms.form(data.Where, "where")
    st.sidebar.header("Models")
    kinds = st.sidebar.multiselect("Compare", list(data.MODELS), list(data.MODELS), key="models")
    models: dict[str, dict[str, Any]] = {}
    for kind in kinds:
        with st.sidebar.expander(f"Settings of {kind}"):
            models[kind] = forms.form(data.MODELS[kind], f"model.{kind}")
    return data.Question(path, format_name, None, demand, where, study, models)


def ask(question: data.Question) -> None:
    """Plans, with a bar that moves plan by plan; the answer is kept for the session."""
    years = int(question.study.get("horizon_years", data.Scenario.model_fields["horizon_years"].default))
    total, done = max(1, len(question.models) * years), 0
    bar = st.progress(0.0, "Reading the recording")

    def step(made: Any) -> None:
        nonlocal done
        done += 1
        bar.progress(min(1.0, done / total), f"Planned {made.model}, year {made.year}")

    try:
        st.session_state["document"] = data.plan(question, step)
    except data.PlannerError as error:
        st.error(str(error))
    bar.empty()


def show(document: dict[str, Any]) -> None:
    """The comparison: a table, three charts, and what was left out."""
    rows = data.comparison(document)
    best = rows.iloc[0]
    trace = document["trace"]
    st.caption(
        f"{trace['name']}: {trace['workloads']:,} workloads, {trace['samples']:,} samples, format {trace['format']}, "
        f"{trace['rejected']:,} rows rejected. Planned {document['scenario']['horizon_years']} years ahead."
    )
    st.subheader(f"{best['model']} costs least: {best['total cost (USD)']:,.2f} USD over the horizon")
    st.dataframe(rows, column_config=COLUMNS, hide_index=True, width="stretch", key="comparison")
    downloads = st.columns(2)
    downloads[0].download_button("Download the report (HTML)", data.report(document), "report.html", "text/html")
    downloads[1].download_button("Download the study (JSON)", data.text(document), "study.json", "application/json")
    st.subheader("What a month of the first year costs")
    st.write("Each bar is the sum of its lines; bought things are spread evenly over their life.")
    st.altair_chart(charts.cost_by_category(data.categories(document)), width="stretch")
    st.subheader("How full it runs")
    st.write("What workloads use on average, as a share of all that is paid for, spares and overhead included.")
    st.altair_chart(charts.utilisation(data.utilisation(document)), width="stretch")
    st.subheader("When it is paid")
    st.write("All payments up to a month, not discounted; what is left of bought things comes back at the end.")
    st.altair_chart(charts.cash_flow(data.cash(document)), width="stretch")
    left = data.unplaced(document)
    if len(left):
        st.subheader("What does not fit, and why")
        st.dataframe(left, hide_index=True, width="stretch", key="unplaced")


st.title("What would it cost somewhere else?")
asked = settings()
if st.sidebar.button("Plan", type="primary", width="stretch", disabled=not (asked.models and asked.trace)):
    ask(asked)
if "document" in st.session_state:
    show(st.session_state["document"])
else:
    st.write("Choose or upload a recording on the left, then press Plan.")
