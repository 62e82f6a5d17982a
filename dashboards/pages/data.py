"""What came in, and how far can it be trusted?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import data
import forms
import loads
import opened
import work
from tables import counts, table
from words import inert, share

NOT_ASKED = ("name", "trace", "demand", "today", "where", "models", "price_books", "baseline")


def received() -> str | None:
    """The uploaded recording, once it is read: its trace path; None where nothing was uploaded or it is refused."""
    with st.expander("Upload a recording", expanded=not data.studies()):
        files = st.file_uploader("Recording files", accept_multiple_files=True, key="upload")
        known = data.known_formats()
        format_name = str(st.selectbox("Format of the upload", known, key="format", help="auto: found out by content"))
    trace = read_once(files, format_name) if files else None
    if trace is None:
        return None
    told = f"{inert(trace.name)}: {trace.format}, {trace.workloads:,} workloads, {trace.rejected:,} rows rejected"
    (st.warning if trace.rejected else st.success)(told)
    return data.stored(trace.trace_id)


def read_once(files: list[Any], format_name: str) -> Any:
    """What is known of the upload; it is read the first time only, as the page draws itself again and again."""
    seen = (format_name, *(file.file_id for file in files))
    before, trace = st.session_state.get("received", (None, None))
    if before == seen:
        return trace
    try:
        with st.spinner("Reading the upload"):
            trace = data.upload(files, format_name)
    except data.PlannerError as error:
        st.error(inert(error))
        return None
    st.session_state["received"] = (seen, trace)
    return trace


def chosen(document: data.Document | None) -> str | None:
    """The trace path of the recording to look at: the upload, else the one chosen."""
    path = received()
    known = data.recorded() | {f"{name} (ships with planner)": path for name, path in data.samples().items()}
    paths = list(known.values())
    wanted = "sample:planner" if document is None else data.stored(str(document["trace"]["trace_id"]))
    start = paths.index(path or wanted) if (path or wanted) in paths else 0
    picked = st.selectbox("Recording", list(known), start, key=f"known.{path or wanted}")
    return known.get(str(picked))


def plan(path: str) -> None:
    """What to ask, and the button that asks it."""
    with st.expander("How to plan it"):
        kinds = st.multiselect("Models to compare", list(data.MODELS), list(data.MODELS), key="models")
        st.subheader("Horizon and money")
        study = forms.form(data.Scenario, "ask", skip=NOT_ASKED)
        st.subheader("Where to rent")
        where = forms.form(data.Where, "ask.where")
        st.subheader("How samples become sizes")
        demand = forms.form(data.Policy, "ask.demand")
        known = data.bills()
        named = (
            st.selectbox("Bill of what is paid today", [None, *known], key="bill", placeholder="none")
            if known
            else None
        )
    tables: dict[str, Any] = {f"where.{k}": v for k, v in where.items()} | {f"demand.{k}": v for k, v in demand.items()}
    if named:
        tables["today.bill"] = known[named]
    if st.button("Plan", type="primary", disabled=not kinds or work.running("plan"), key="plan"):
        try:
            work.begin("plan", data.asked(path, "auto", usual(study | tables), kinds))
        except data.PlannerError as error:
            st.error(inert(error))
    found = work.outcome("plan")
    if found is not None:
        opened.keep(found)
        st.switch_page("pages/compare.py", query_params={"study": found})


def usual(settings: dict[str, Any]) -> dict[str, Any]:
    """Only what differs from the defaults."""
    default = data.settings_of(data.Scenario().model_dump(mode="json"))
    return {k: v for k, v in settings.items() if k not in default or v != default[k]}


def show(trace: Any) -> None:
    """Counts, stars, idle and zombie machines, rejected rows."""
    found = trace.quality
    unused = found.get("idle", 0) + found.get("zombie", 0)
    counts(
        {"Workloads": trace.workloads, "Samples": trace.samples, "Unused": unused, "Rejected": trace.rejected},
        Unused="Idle: at most 5 % of CPU or memory; or zombie: zeros.",
        Rejected="Rows. Loaded and rejected ones add up to the lines read.",
    )
    if trace.start:
        span = f"{trace.start:%Y-%m-%d %H:%M} to {trace.end:%Y-%m-%d %H:%M} UTC"
        st.write(f"Recorded from {span}. Format {trace.format}: {inert(trace.reason)}.")
    for note in trace.notes:
        st.warning(inert(note))
    machines(data.estate("quality", trace.trace_id), found)
    refused(trace)


def machines(rows: pd.DataFrame, found: dict[str, int]) -> None:
    """Quality by stars and activity, and the machines that are poorly recorded or do nothing."""
    if rows.empty:
        st.info("This recording tells of no workloads.")
        return
    total = sum(found.get(f"stars_{n}", 0) for n in range(1, 6)) or 1
    st.subheader("How complete it is")
    st.write(
        f"{share(found.get('stars_5', 0) / total)} of the workloads have five stars: more than 80 % of the samples "
        f"that their own pace lets expect. {int((rows['gaps'] > 0).sum()):,} have gaps."
    )
    by = rows.groupby(["stars", "activity"]).size().rename("workloads").reset_index().sort_values("stars")
    by["stars"] = by["stars"].map(lambda n: f"{n} of 5 stars")
    st.altair_chart(loads.quality(by), width="stretch", alt="Workloads by how complete their recording is")
    st.subheader("Idle, zombie and poorly recorded")
    kinds = ["idle", "zombie", "unknown", "active"]
    kept = st.multiselect("Show workloads that are", kinds, kinds[:3], key="activity")
    told = rows[rows["activity"].isin(kept)].assign(share=lambda each: each["samples"] / each["expected_samples"])
    if told.empty:
        st.write("None of the workloads is one of these.")
        return
    st.write(f"{len(told):,} workloads. Idle ones could be shared or made smaller, zombies deleted.")
    table(told.rename(columns={"share": "samples there"}), "quality", 300)


def refused(trace: Any) -> None:
    """Rejected rows with reasons."""
    st.subheader("Rejected rows")
    rows = data.rejects(trace.trace_id)
    if rows.empty:
        st.write(f"None: all {trace.lines:,} lines were read.")
        return
    most = inert(rows["reason"].value_counts().index[0])
    st.write(f"{len(rows):,} of {trace.lines:,} lines were left out, most of them because: {most}.")
    table(rows, "rejects", 300)


st.title("What came in?")
now = opened.study_id()
try:
    before = data.saved(now) if now else None
except data.PlannerError as error:
    st.error(inert(error))
    before = None
picked = chosen(before)
if picked:
    try:
        with st.spinner("Reading the recording"):
            read = data.recording(picked)
    except data.PlannerError as error:
        st.error(inert(error))
    else:
        plan(data.stored(read.trace_id) if not picked.startswith("sample:") else picked)
        show(read)
