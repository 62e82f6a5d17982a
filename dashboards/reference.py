"""What is the same for everybody: what settings mean, and other people's published numbers."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st
from pydantic import BaseModel

from planner.conformance import Examined, examined, load, shipped
from planner.demand import Policy
from planner.models import MODELS
from planner.models.base import described
from planner.scenario import Scenario, Where

__all__ = ["meaning", "owner_of", "published", "reproduced"]


def meaning(setting: str) -> tuple[str, str, str] | None:
    """What a dotted setting means, its unit and its source; None: it is no setting."""
    owner, name = owner_of(setting), setting.rpartition(".")[2]
    return None if owner is None or name not in owner.model_fields else described(owner, name)


def owner_of(setting: str) -> type[BaseModel] | None:
    """The class of settings that a dotted setting belongs to; None: there is none of that name."""
    table = setting.rpartition(".")[0]
    classes: dict[str, type[BaseModel]] = {"": Scenario, "demand": Policy, "where": Where, **MODELS}
    return classes.get(table)


@st.cache_resource
def published() -> pd.DataFrame:
    """The published examples that ship: id, what, source, figures."""
    rows = [
        {"id": e.id, "what": e.what, "source": e.source, "figures": len(e.expect)}
        for path in shipped()
        for e in load(path).example
    ]
    return pd.DataFrame(rows)


@st.cache_resource
def _reproduced() -> dict[str, Examined]:
    """The one run of this process, once it is done."""
    return {}


def reproduced(progress: Callable[[str], None] | None = None) -> Examined | None:
    """Other people's figures beside ours; run once a process, when `progress` is given, else None until then."""
    kept = _reproduced()
    if "all" not in kept and progress is not None:
        kept["all"] = examined([load(path) for path in shipped()], progress)
    return kept.get("all")
