"""The frame around the pages: title, navigation, nothing else."""

from __future__ import annotations

import streamlit as st

st.set_page_config(page_title="planner", page_icon=None, layout="wide")
st.navigation(
    [
        st.Page("pages/compare.py", title="Compare", default=True),
        st.Page("pages/assumptions.py", title="Assumptions"),
    ]
).run()
