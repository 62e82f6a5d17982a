"""Studies that take a while: asked for, watched, cancelled, while the page stays usable."""

from __future__ import annotations

import streamlit as st

import data
from words import inert

__all__ = ["begin", "outcome", "place", "running"]

_EVERY_SECONDS = 0.25
_PLACE = "work.place"
_BUTTONS = ("plan", "plan_changes", "plan_to_keep", "plan_stack")
"""Keys of the buttons that ask for a study."""


def place() -> None:
    """Where work shows: at the top of every page, at once when a button that asks for it was pressed.

    The rest of the page is drawn before the work begins, and that may take half a second; so may a browser with its
    first bar, so words come before it.
    """
    spot = st.session_state[_PLACE] = st.empty()
    if any(st.session_state.get(button) for button in _BUTTONS):
        with spot.container():
            st.markdown("Asked for: the work begins.")
            st.progress(0.0)


def begin(name: str, scenario: data.Scenario) -> None:
    """Asks for a study under a name of this session; says so where it is refused."""
    st.session_state.pop(f"work.{name}.told", None)
    try:
        st.session_state[f"work.{name}"] = data.start(scenario)
    except data.PlannerError as error:
        st.session_state[f"work.{name}.told"] = ("error", str(error))


def running(name: str) -> bool:
    """Whether a study of that name is being planned."""
    return f"work.{name}" in st.session_state


def outcome(name: str) -> str | None:
    """Draws at the top how far the study is, or why it failed; returns its id, once, when it is there."""
    spot = st.session_state.pop(_PLACE, None) or st.empty()
    if running(name):
        with spot.container():
            _watch(name)
    else:
        spot.empty()
    found: str | None = st.session_state.pop(f"work.{name}.found", None)
    kind, words = st.session_state.get(f"work.{name}.told", ("", ""))
    if kind == "error":
        st.error(inert(words))
        st.caption("Nothing was kept. Change what the message names, and plan again.")
    elif kind:
        st.info(words)
    return found


@st.fragment(run_every=_EVERY_SECONDS)
def _watch(name: str) -> None:
    """The bar and the button to cancel; draws itself again until the study has ended, then the page."""
    try:
        job = data.job(st.session_state[f"work.{name}"])
    except (data.PlannerError, KeyError):
        st.session_state.pop(f"work.{name}", None)
        st.rerun()
    if job.status.ended:
        del st.session_state[f"work.{name}"]
        if job.study_id is not None:
            st.session_state[f"work.{name}.found"] = job.study_id
        else:
            _tell(name, job)
        st.rerun()
    share = job.done / job.total if job.total else 0.0
    st.progress(min(1.0, share), f"{job.doing.capitalize()} ({job.done} of {job.total} plans)")
    if st.button("Cancel", key=f"work.{name}.cancel"):
        data.cancel(job.job_id)


def _tell(name: str, job: data.Job) -> None:
    told = ("error", job.error) if job.error else ("info", "Cancelled. Nothing was kept.")
    st.session_state[f"work.{name}.told"] = told
