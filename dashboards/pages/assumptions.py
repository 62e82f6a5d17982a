"""Which numbers do the plans rest on, who says so, and what was measured?"""

from __future__ import annotations

import streamlit as st

import data
import forms
import frames
import opened
import reference
from tables import table
from words import inert


def filtered(document: data.Document) -> None:
    """All numbers, narrowed by words and by kind."""
    rows = frames.assumptions(document)
    cells = st.columns([2, 1, 1])
    words = cells[0].text_input("Find", key="find", placeholder="words of a name, unit or source")
    kinds = ["all", "measured", "not measured", "FROM MEMORY"]
    kind = cells[1].selectbox("Show", kinds, key="kind")
    groups = ["all", *dict.fromkeys(rows["name"].str.split(".").str[0])]
    group = cells[2].selectbox("About", groups, key="about")
    shown = rows if group == "all" else rows[rows["name"].str.split(".").str[0] == group]
    for word in words.lower().split():
        text = (shown["name"] + " " + shown["unit"] + " " + shown["source"]).str.lower()
        shown = shown[text.str.contains(word, regex=False)]
    if kind == "FROM MEMORY":
        shown = shown[shown["source"].str.contains("FROM MEMORY", regex=False)]
    elif kind != "all":
        shown = shown[shown["measured"] == (kind == "measured")]
    st.write(
        f"{len(rows):,} numbers, {int(rows['measured'].sum()):,} of them measured in the recording; "
        f"{len(shown):,} are shown."
    )
    table(shown, "assumptions", 520)


def override(document: data.Document) -> None:
    """One setting with another value, to be tried on What-if."""
    st.subheader("Override one")
    known = data.settings_of(document["scenario"])
    told = {name: setting for setting in known if (name := named(setting)) is not None}
    name = st.selectbox("Setting", list(told), key=f"setting.{document['study_id']}")
    if name is None:
        return
    setting = told[name]
    what, unit, source = reference.meaning(setting) or ("", "", "")
    st.write(f"{inert(what)} Unit: {inert(unit)}. Source: {inert(source)}.")
    owner, field = reference.owner_of(setting), setting.rpartition(".")[2]
    if owner is None or not st.toggle("Override it", key=f"override.{setting}"):
        st.write(f"The study uses {inert(known[setting])}.")
        return
    changes = st.session_state.setdefault("changes", {})
    begin = {field: changes.get(setting, known[setting])}
    value = forms.field_input(owner, field, f"value.{document['study_id']}.{setting}", begin)
    if st.button("Try it on What-if", type="primary", disabled=value == known[setting]):
        changes[setting] = value
        st.session_state["drafts"] = st.session_state.get("drafts", 0) + 1
        st.switch_page("pages/what_if.py", query_params={"study": str(document["study_id"])})


def named(setting: str) -> str | None:
    """What a setting is called among the assumptions; None: it has no input."""
    table_name, _, field = setting.rpartition(".")
    owner = reference.owner_of(setting)
    if owner is None or field not in forms.fields(owner, ("kind", "name", "trace", "price_books", "baseline")):
        return None
    return setting if table_name else f"scenario.{field}"


st.title("What do the plans rest on?")
document = opened.study()
if document is not None:
    filtered(document)
    override(document)
