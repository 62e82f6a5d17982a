"""The frame around the pages: title, door, navigation, the study they speak of, nothing else."""

from __future__ import annotations

import streamlit as st

import data
import door
import opened
import work
from words import inert

st.set_page_config(page_title="planner", page_icon=None, layout="wide")
work.place()
door.admit()
page = st.navigation(
    [
        st.Page("pages/data.py", title="Data", default=True),
        st.Page("pages/today.py", title="Today"),
        st.Page("pages/compare.py", title="Compare"),
        st.Page("pages/costs.py", title="Costs"),
        st.Page("pages/capacity.py", title="Capacity"),
        st.Page("pages/where.py", title="Where"),
        st.Page("pages/what_if.py", title="What-if"),
        st.Page("pages/scenarios.py", title="Scenarios"),
        st.Page("pages/assumptions.py", title="Assumptions"),
        st.Page("pages/conformance.py", title="Conformance"),
    ],
    expanded=True,
)
door.let_out()
try:
    opened.choose()
except data.PlannerError as error:
    st.error(inert(error))
    st.stop()
page.run()
work.follow()
