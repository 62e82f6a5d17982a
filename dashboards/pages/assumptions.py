"""Which numbers do the plans rest on, who says so, and what was measured?"""

from __future__ import annotations

import streamlit as st

import data

st.title("What the plans rest on")
if "document" not in st.session_state:
    st.write("Nothing is planned yet: go to Compare and press Plan.")
else:
    rows = data.assumptions(st.session_state["document"])
    st.write(f"{len(rows):,} numbers, {int(rows['measured'].sum()):,} of them measured in the recording.")
    st.dataframe(rows, hide_index=True, width="stretch", height=700)
