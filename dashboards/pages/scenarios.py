"""Which scenarios are saved, and how do they differ?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import charts
import data
import frames
import opened
import work
from tables import table
from words import inert, money


def listed(rows: pd.DataFrame) -> None:
    """All scenarios with their best answer."""
    st.subheader("Saved")
    if rows.empty:
        st.write("No scenario is saved yet. Name the open study below, or save one on What-if.")
        return
    told = [summed(row) for row in rows.to_dict("records")]
    st.write(f"{len(told)} scenarios; a scenario is a saved study with a name.")
    table(pd.DataFrame(told), "scenarios")


def summed(row: dict[Any, Any]) -> dict[str, Any]:
    """One line of the list."""
    try:
        document = data.saved(str(row["study_id"]))
    except data.PlannerError:
        return {"name": row["name"], "best model": "its study is gone", "saved (UTC)": row["saved_at"]}
    best = frames.comparison(document).iloc[0]
    return {
        "name": row["name"],
        "recording": document["trace"]["name"],
        "best model": best["model"],
        "its total cost (USD)": best["total cost (USD)"],
        "horizon (years)": document["scenario"]["horizon_years"],
        "models": len(document["models"]),
        "study": row["study_id"],
        "made from": row["based_on"],
        "saved (UTC)": row["saved_at"],
    }


def name_open(now: str | None) -> None:
    """Saving the open study under a name."""
    with st.form("save", clear_on_submit=True):
        name = st.text_input("Save the open study as", key="new_name", max_chars=120)
        if st.form_submit_button("Save", disabled=now is None) and now is not None:
            done(lambda: data.name_scenario(name, now), f"Saved as {inert(name)}.")


def duplicate(rows: pd.DataFrame) -> None:
    """The same study under another name."""
    with st.form("duplicate", clear_on_submit=True):
        source = st.selectbox("Duplicate", rows["name"].tolist(), key="source")
        name = st.text_input("Name of the copy", key="copy_name", max_chars=120)
        if st.form_submit_button("Duplicate"):
            row = rows[rows["name"] == source].iloc[0]
            based_on = None if pd.isna(row["based_on"]) else str(row["based_on"])
            done(lambda: data.name_scenario(name, str(row["study_id"]), based_on), f"Saved as {inert(name)}.")


def delete(rows: pd.DataFrame) -> None:
    """Taking a name away."""
    with st.form("delete", clear_on_submit=True):
        name = str(st.selectbox("Delete", rows["name"].tolist(), key="gone"))
        sure = st.checkbox("Yes, delete this name; its study stays saved", key="sure")
        if st.form_submit_button("Delete"):
            if sure:
                done(lambda: data.forget_scenario(name), f"{inert(name)} is deleted.")
            else:
                st.warning("Nothing was deleted: tick the box first.")


def done(act: Any, words: str) -> None:
    """Does it, draws the page anew and says so there; or says why not."""
    try:
        act()
    except data.PlannerError as error:
        st.error(inert(error))
    else:
        st.session_state["said"] = words
        st.rerun()


def changes_of(row: pd.Series) -> dict[str, Any]:
    """What a scenario changes: against the study it was made from, else against the defaults."""
    told = data.settings_of(data.saved(str(row["study_id"]))["scenario"])
    if pd.isna(row["based_on"]):
        before = data.settings_of(data.Scenario().model_dump(mode="json"))
    else:
        before = data.settings_of(data.saved(str(row["based_on"]))["scenario"])
    return {k: v for k, v in told.items() if k in before and before[k] != v}


def stack(rows: pd.DataFrame) -> None:
    """Changes of some scenarios on top of another one."""
    st.subheader("Stack")
    st.write("Take one scenario and apply the changes of others on top, in the order they are chosen.")
    names = rows["name"].tolist()
    cells = st.columns(2)
    ground = cells[0].selectbox("Begin with", names, key="ground")
    upper = cells[1].multiselect("Apply on top", [n for n in names if n != ground], key="upper")
    name = st.text_input("Name of the stack", " + ".join([str(ground), *upper])[:120], max_chars=120)
    try:
        by = rows.set_index("name")
        base = data.saved(str(by.loc[ground, "study_id"]))
        changes: dict[str, Any] = {}
        for each in upper:
            changes |= changes_of(by.loc[each])
        if upper:
            told = f"Changes {len(changes)} settings: {inert(', '.join(changes))}."
            st.write(told if changes else "Changes nothing.")
        if st.button("Plan the stack", disabled=not changes or work.running("stack"), key="plan_stack"):
            st.session_state["stack"] = (name, str(base["study_id"]))
            kinds = {m["kind"] for m in base["scenario"]["models"]}
            usable = {k: v for k, v in changes.items() if k.split(".")[0] not in set(data.MODELS) - kinds}
            work.begin("stack", data.changed(base, usable))
    except data.PlannerError as error:
        st.error(inert(error))
    found = work.outcome("stack")
    if found is not None and "stack" in st.session_state:
        label, based_on = st.session_state.pop("stack")
        done(lambda: data.name_scenario(label, found, based_on), f"Saved as {inert(label)}.")


def beside(rows: pd.DataFrame) -> None:
    """Two or more, side by side."""
    st.subheader("Compare side by side")
    chosen = st.multiselect("Scenarios", rows["name"].tolist(), rows["name"].tolist()[:2], key=f"beside.{len(rows)}")
    if len(chosen) < 2:
        st.write("Choose two or more.")
        return
    by = rows.set_index("name")["study_id"]
    try:
        documents = {name: data.saved(str(by[name])) for name in chosen}
    except data.PlannerError as error:
        st.error(inert(error))
        return
    tables = {name: frames.comparison(d).set_index("model")["total cost (USD)"] for name, d in documents.items()}
    wide = pd.DataFrame(tables)
    least = wide.min().sort_values()
    st.write(
        f"{inert(least.index[0])} has the cheapest best answer, {money(least.iloc[0])}; the dearest is that of "
        f"{inert(least.index[-1])}, {money(least.iloc[-1])}."
    )
    long = wide.rename_axis("model").reset_index().melt("model", var_name="what", value_name="usd").dropna()
    chart = charts.side_by_side(long, "total cost over the horizon (US dollars)")
    st.altair_chart(chart, width="stretch", alt="Total cost by model and scenario")
    table(wide.rename(columns=lambda c: f"{c} (USD)").rename_axis("model").reset_index(), "beside")
    differing(documents)


def differing(documents: dict[str, data.Document]) -> None:
    """Settings in which the scenarios are not alike."""
    told = {n: {"recording": d["trace"]["name"]} | data.settings_of(d["scenario"]) for n, d in documents.items()}
    frame = pd.DataFrame({n: {k: str(v) for k, v in each.items()} for n, each in told.items()}).fillna("not asked")
    rows = frame[frame.ne(frame.iloc[:, 0], axis=0).any(axis=1)]
    st.write(f"They differ in {len(rows)} settings." if len(rows) else "Their settings are the same.")
    if len(rows):
        table(rows.rename_axis("setting").reset_index(), "differing")


st.title("Which scenarios are there?")
if "said" in st.session_state:
    st.success(st.session_state.pop("said"))
now = opened.study_id()
rows = data.scenarios()
listed(rows)
name_open(now)
if len(rows):
    cells = st.columns(2)
    with cells[0]:
        duplicate(rows)
    with cells[1]:
        delete(rows)
    names = rows.set_index("name")["study_id"]
    other = st.selectbox("Open the study of", list(names.index), key="open_name")
    if st.button("Open"):
        opened.keep(str(names[other]))
        st.switch_page("pages/compare.py", query_params={"study": str(names[other])})
    stack(rows)
    beside(rows)
