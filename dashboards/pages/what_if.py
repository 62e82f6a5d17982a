"""What changes if growth, service level, place, money or a model's own setting is another?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import charts
import data
import forms
import frames
import opened
import work
from tables import table
from words import CENT, inert, listed, money

QUICK = ("growth_per_year", "demand.headroom", "demand.cpu_percentile", "demand.memory_percentile")
_TOTAL = ("before (USD)", "after (USD)")
_PRESENT = ("present value before (USD)", "present value after (USD)")
MONEY = ("discount_rate_per_year", "horizon_years")


class Draft:
    """What is changed from the open study so far; kept for the session."""

    def __init__(self, document: data.Document) -> None:
        self.document = document
        # A study of an older planner lacks settings that came since: it was planned as their defaults plan now.
        usual = data.settings_of(data.Scenario().model_dump(mode="json"))
        told = data.settings_of(document["scenario"])
        self.before = {k: v for k, v in usual.items() if k.split(".")[0] in {m.split(".")[0] for m in told}} | told
        self.changes: dict[str, Any] = st.session_state.setdefault("changes", {})
        # A new number in every key makes inputs begin anew once changes are taken back.
        self.key = f"{document['study_id']}.{st.session_state.setdefault('drafts', 0)}"

    def put(self, setting: str, value: Any) -> None:
        """Keeps a value where it differs from the study's."""
        if value == self.before.get(setting):
            self.changes.pop(setting, None)
        else:
            self.changes[setting] = value

    def start(self, prefix: str) -> dict[str, Any]:
        """Values of one table as they stand, by the names of its fields."""
        now = self.before | self.changes
        return {k.removeprefix(prefix): v for k, v in now.items() if k.startswith(prefix)}

    def draw(self, owner: Any, setting: str) -> None:
        """One input."""
        prefix, _, name = setting.rpartition(".")
        prefix = f"{prefix}." if prefix else ""
        value = forms.field_input(owner, name, f"{self.key}.quick.{setting}", self.start(prefix))
        self.put(setting, value)

    def clear(self) -> None:
        """Takes all changes back."""
        st.session_state["changes"] = {}
        st.session_state["drafts"] += 1


def quick(draft: Draft) -> None:
    """What is changed most often."""
    cells = st.columns(3)
    for place, setting in enumerate((*QUICK, *MONEY)):
        owner = data.Policy if setting.startswith("demand.") else data.Scenario
        with cells[place % 3]:
            draft.draw(owner, setting)
    market = data.market()
    regions = market[["provider", "region"]].drop_duplicates().apply(tuple, axis=1).tolist()
    where = draft.start("where.")
    now = (where["provider"], where["region"])
    options = regions if now in regions else [now, *regions]
    with cells[0]:
        chosen = st.selectbox(
            "region", options, options.index(now), format_func=" ".join, key=f"{draft.key}.region",
            help="Where rented models rent, unless a model says otherwise.",
        )  # fmt: skip
    draft.put("where.provider", chosen[0])
    draft.put("where.region", chosen[1])
    commitment(draft, sorted(set(market["term"])))


def commitment(draft: Draft, terms: list[str]) -> None:
    """On which terms machines are rented, for all models that may choose."""
    kinds = [m["kind"] for m in draft.document["scenario"]["models"] if "terms" in m]
    if not kinds:
        return
    now = list(draft.start(f"{kinds[0]}.")["terms"])
    chosen = st.multiselect(
        "commitment", sorted({*terms, *now}), now, key=f"{draft.key}.terms",
        help=f"Terms that machines may be rented on, in {', '.join(kinds)}; the cheapest mix of them is taken.",
    )  # fmt: skip
    for kind in kinds:
        if chosen != now:
            draft.put(f"{kind}.terms", chosen)


def everything(draft: Draft) -> None:
    """All other settings: of the service level, and of one model at a time."""
    tables = {"the service level": "demand"} | {f"model {m['kind']}": m["kind"] for m in scenario_models(draft)}
    with st.expander("All settings of the service level or of a model"):
        which = tables[str(st.selectbox("Settings of", list(tables), key=f"{draft.key}.which"))]
        owner = data.Policy if which == "demand" else data.MODELS[which]
        prefix = f"{which}."
        shown = [s.removeprefix(prefix) for s in QUICK if s.startswith(prefix)]
        values = forms.form(owner, f"{draft.key}.{which}", draft.start(prefix), ("kind", "terms", *shown))
        for name, value in values.items():
            draft.put(prefix + name, value)


def scenario_models(draft: Draft) -> list[dict[str, Any]]:
    """The models of the study that this planner knows."""
    return [m for m in draft.document["scenario"]["models"] if m["kind"] in data.MODELS]


def told(draft: Draft) -> None:
    """The changes in a table, and the button that takes them back."""
    st.subheader("Changed from the saved study")
    if not draft.changes:
        st.write("Nothing yet. Change a setting above; changes of money only are answered at once.")
        return
    rows = [{"setting": k, "was": str(draft.before.get(k)), "is": str(v)} for k, v in draft.changes.items()]
    table(pd.DataFrame(rows), "changes")
    st.button("Take all changes back", on_click=draft.clear, key="clear")


def answer(draft: Draft) -> data.Document | None:
    """The study with the changes: at once where only money changes, else planned when asked for."""
    if draft.changes and data.money_only(draft.document, draft.changes):
        try:
            return data.reckoned(draft.document, draft.changes)
        except data.PlannerError as error:
            st.error(inert(error))
            return None
    idle = draft.changes and not work.running("what_if")
    if st.button("Plan with these changes", type="primary", disabled=not idle, key="plan_changes"):
        plan(draft)
    found = work.outcome("what_if")
    if found is not None:
        st.query_params["tried"] = found
    tried = st.query_params.get("tried")
    try:
        return data.saved(tried) if tried else None
    except data.PlannerError as error:
        st.error(inert(error))
        return None


def plan(draft: Draft) -> None:
    """Asks for the study with the changes."""
    try:
        work.begin("what_if", data.changed(draft.document, draft.changes))
    except data.PlannerError as error:
        st.error(inert(error))


def compare(before: data.Document, after: data.Document) -> None:
    """The difference to the saved study, model by model."""
    rows = frames.difference(before, after)
    # Where only the price of money is another, what is paid stays and what that is worth today moves.
    same = (rows["difference (USD)"].abs() < CENT).all()
    what, old, new = ("present value", *_PRESENT) if same else ("total cost", *_TOTAL)
    best, was = rows.iloc[0], frames.models(before)[0]
    change = best[new] - best[old] if pd.notna(best[old]) else 0.0
    moved = "as before" if best["model"] == was else f"before it was {was}"
    st.subheader("The difference")
    st.write(
        f"{best['model']} is best, {moved}; its {what} is {money(best[new])}, {money(abs(change))} "
        f"{'more' if change > 0 else 'less'} than in the saved study."
    )
    named = {old: "before", new: "after"}
    pairs = rows.melt("model", list(named), "what", "usd").dropna().assign(what=lambda r: r["what"].map(named))
    chart = charts.before_and_after(pairs, f"{what} over the horizon (US dollars)")
    st.altair_chart(chart, width="stretch", alt=f"{what.capitalize()} before and after, by model")
    table(rows, "difference")


def keep(draft: Draft, after: data.Document, at_once: bool) -> None:
    """Saving the answer under a name, or opening it; one that was worked out at once is planned first."""
    if at_once:
        st.caption("Worked out from the plans of the saved study. To keep it, plan it: then it has an address too.")
        if st.button("Plan and keep it", disabled=work.running("what_if"), key="plan_to_keep"):
            plan(draft)
        found = work.outcome("what_if")
        if found is not None:
            st.session_state["changes"] = {}
            st.query_params["tried"] = found
            st.rerun()
        return
    with st.form("name", border=False):
        name = st.text_input("Save it as a scenario called", key="scenario_name", max_chars=120)
        if st.form_submit_button("Save"):
            try:
                data.name_scenario(name, str(after["study_id"]), str(draft.document["study_id"]))
                st.success(f"Saved as {inert(name)}: see Scenarios.")
            except data.PlannerError as error:
                st.error(inert(error))
    if st.button("Open it as the study"):
        opened.keep(str(after["study_id"]))
        st.switch_page("pages/compare.py", query_params={"study": str(after["study_id"])})


st.title("What if?")
document = opened.study()
if document is not None:
    draft = Draft(document)
    quick(draft)
    everything(draft)
    told(draft)
    after = answer(draft)
    if after is not None:
        compare(document, after)
        keep(draft, after, bool(draft.changes) and data.money_only(document, draft.changes))
    else:
        best = frames.comparison(document).iloc[0]
        st.write(f"In the saved study {listed([best['model']])} is best: {money(best['total cost (USD)'])} in all.")
