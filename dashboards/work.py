"""Studies that take a while: asked for, watched, cancelled, while the page stays usable."""

from __future__ import annotations

import time

import streamlit as st

import data
from words import inert

__all__ = ["begin", "follow", "outcome", "place", "running"]

_EVERY_SECONDS = 0.25
_PLACE = "work.place"
_BAR = "work.bar"
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
    if running(name) and not _settled(name):
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


def follow() -> None:
    """Moves the bar that the page drew until its study has ended, then draws the page again; comes last in a drawing.

    A fragment that runs by a timer would do it too, but a tick of it that arrives while the next page is drawn makes
    Streamlit drop what was drawn.
    """
    name, bar = st.session_state.pop(_BAR, (None, None))
    while name is not None and running(name) and not _settled(name):
        time.sleep(_EVERY_SECONDS)
        bar.progress(*_state(name))
    if name is not None:
        st.rerun()


def _watch(name: str) -> None:
    """The bar and the button to cancel."""
    st.session_state[_BAR] = (name, st.progress(*_state(name)))
    if st.button("Cancel", key=f"work.{name}.cancel"):
        data.cancel(st.session_state[f"work.{name}"])


def _state(name: str) -> tuple[float, str]:
    """How far a study is, as a share and in words."""
    job = data.job(st.session_state[f"work.{name}"])
    share = job.done / job.total if job.total else 0.0
    return min(1.0, share), f"{job.doing.capitalize()} ({job.done} of {job.total} plans)"


def _settled(name: str) -> bool:
    """Whether a study has ended or is no longer known; what came of it is kept for `outcome`."""
    try:
        job = data.job(st.session_state[f"work.{name}"])
    except data.PlannerError:
        st.session_state.pop(f"work.{name}", None)
        return True
    if not job.status.ended:
        return False
    del st.session_state[f"work.{name}"]
    if job.study_id is not None:
        st.session_state[f"work.{name}.found"] = job.study_id
    else:
        _tell(name, job)
    return True


def _tell(name: str, job: data.Job) -> None:
    told = ("error", job.error) if job.error else ("info", "Cancelled. Nothing was kept.")
    st.session_state[f"work.{name}.told"] = told
