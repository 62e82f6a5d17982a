"""Whose published numbers does this planner reproduce?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import reference
from tables import counts, table


def run() -> Any:
    """The figures, worked out once a process; the bar moves example by example."""
    examples = reference.published()
    st.write(
        f"{len(examples):,} examples that others published ship with planner: {int(examples['figures'].sum()):,} "
        "figures. Running them takes up to a minute; the answer is kept until the server stops."
    )
    if not st.button("Run them", type="primary", key="run"):
        table(examples, "examples", 420)
        return None
    bar, done = st.progress(0.0, "Starting"), 0
    st.button("Cancel", key="cancel")  # any press ends this run at its next step

    def step(name: str) -> None:
        nonlocal done
        done += 1
        bar.progress(min(1.0, done / len(examples)), f"Asked {name} ({done} of {len(examples)})")

    found = reference.reproduced(step)
    st.rerun()
    return found


def show(found: Any) -> None:
    """Figures beside ours, slips in the sources, and what does not apply."""
    rows = pd.DataFrame([row(o) for o in found.outcomes])
    wrong = len({o.id for o in found.disagreeing})
    told = {"Examples reproduced": len(found.reproduced), "Disagree": wrong, "Slips in sources": len(found.slips)}
    counts(told | {"Do not apply": len(found.not_applicable)})
    st.subheader("Published figures beside ours")
    st.write("Each is compared to the digits that its source prints.")
    only = st.toggle("Only those that disagree", key="only")
    table(rows[~rows["agrees"]] if only else rows, "figures", 460)
    st.subheader("Slips found in the sources")
    table(pd.DataFrame([s.model_dump() for s in found.slips]), "slips")
    st.subheader("Published numbers that do not apply")
    table(pd.DataFrame([s.model_dump() for s in found.not_applicable]), "not_applicable", 300)
    st.subheader("Sources")
    table(pd.DataFrame(sorted(found.sources.items()), columns=["key", "where"]), "sources", 300)


def row(outcome: Any) -> dict[str, Any]:
    """One figure."""
    theirs, ours = (v if isinstance(v, str) else f"{v:,.{outcome.decimals}f}" for v in (outcome.theirs, outcome.ours))
    told = {"id": outcome.id, "what": outcome.what, "figure": outcome.figure, "theirs": theirs, "ours": ours}
    return told | {"agrees": outcome.agrees, "difference": outcome.difference, "source": outcome.source}


st.title("Whose numbers are reproduced?")
found = reference.reproduced() or run()
if found is not None:
    show(found)
