"""The study that all pages speak of: chosen on the left, kept in the address, opened by it."""

from __future__ import annotations

import streamlit as st

import data
import frames
from words import inert

__all__ = ["choose", "keep", "model", "study", "study_id"]

_KEY = "study"


def study_id() -> str | None:
    """The study of this session: the address says, else what was opened last; it is put back into the address."""
    told = st.query_params.get(_KEY) or st.session_state.get(_KEY)
    if told:
        st.session_state[_KEY] = told
        if st.query_params.get(_KEY) != told:
            st.query_params[_KEY] = told
    return told


def keep(found: str) -> None:
    """Opens a study on every page; what was tried on another is no longer shown."""
    st.session_state[_KEY] = found
    st.session_state.pop("tried", None)
    st.session_state.pop("changes", None)
    st.query_params.from_dict({_KEY: found})


def choose() -> None:
    """The list of saved studies on the left."""
    known, now = data.studies(), study_id()
    if now is not None and now not in known:
        known = {now: f"study {now}"} | known
    with st.sidebar:
        if not known:
            st.caption("No study is saved yet. Choose a recording on the page Data and press Plan.")
            return
        st.session_state["picked"] = now
        st.selectbox(
            "Study",
            list(known),
            format_func=lambda i: known.get(i, i),
            key="picked",
            on_change=lambda: keep(str(st.session_state["picked"])),
            placeholder="Choose a saved study",
            help="The address of the page names the study: send it on, or open it again later.",
        )


def study() -> data.Document | None:
    """The document of the open study; where there is none, or not here, says what to do."""
    now = study_id()
    if now is None:
        st.info("No study is open. Choose one on the left, or plan a recording on the page Data.")
        st.page_link("pages/data.py", label="Go to Data")
        return None
    try:
        document = data.saved(now)
    except data.PlannerError as error:
        st.error(inert(error))
        st.page_link("pages/data.py", label="Go to Data")
        return None
    trace, asked = document["trace"], document["scenario"]
    st.caption(
        f"{inert(asked['name'])} of {inert(trace['name'])}: {trace['workloads']:,} workloads, "
        f"{trace['samples']:,} samples, format {inert(trace['format'])}. "
        f"Planned {asked['horizon_years']} years ahead, rented at {inert(asked['where']['provider'])} "
        f"{inert(asked['where']['region'])}."
    )
    return document


def model(document: data.Document, key: str, among: list[str] | None = None) -> str:
    """Which model the rest of the page speaks of, best first; the choice is in the address and survives a reload."""
    names = frames.models(document) if among is None else among
    wanted = st.query_params.get("model")
    start = names.index(wanted) if wanted in names else 0
    chosen = str(st.selectbox("Deployment model", names, start, key=f"{key}.{document['study_id']}"))
    if chosen != (wanted or names[0]):
        st.query_params["model"] = chosen
    return chosen
