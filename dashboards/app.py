"""The frame around the pages: title, door, navigation, nothing else."""

from __future__ import annotations

import streamlit as st

import door

st.set_page_config(page_title="planner", page_icon=None, layout="wide")
door.admit()
st.navigation(
    [
        st.Page("pages/compare.py", title="Compare", default=True),
        st.Page("pages/assumptions.py", title="Assumptions"),
    ]
).run()
