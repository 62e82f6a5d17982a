"""All caching, and the only import of planner among the pages: what pages ask, in frames and plain values."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import streamlit as st

from planner import sandbox
from planner.api.access import Access
from planner.bundle import bundled
from planner.demand import Policy
from planner.errors import InputError, PlannerError
from planner.models import MODELS
from planner.plan import Plan
from planner.report import render
from planner.scenario import SAMPLE, STORED, Scenario, Where, parse
from planner.store import Store, TraceInfo, formats, limits_from
from planner.study import answer
from planner.workspaces import workspaces

__all__ = [
    "MODELS",
    "NewSettings",
    "PlannerError",
    "Policy",
    "Question",
    "Scenario",
    "Where",
    "access",
    "assumptions",
    "cash",
    "categories",
    "comparison",
    "known_formats",
    "person",
    "plan",
    "recorded",
    "report",
    "samples",
    "saved",
    "sign_in",
    "stored",
    "text",
    "unplaced",
    "upload",
    "utilisation",
]

Document = dict[str, Any]
NewSettings = dict[str, Any]
_UNSAFE = re.compile(r"[^\w.@+-]+")


class Upload(Protocol):
    """A file as the browser sent it."""

    name: str

    def getbuffer(self) -> memoryview:
        """The bytes of the file."""


@dataclass(frozen=True)
class Question:
    """What the person at the page asks; only what differs from the defaults is in the settings."""

    trace: str
    format: str = "auto"
    name: str | None = None
    demand: NewSettings = field(default_factory=dict)
    where: NewSettings = field(default_factory=dict)
    study: NewSettings = field(default_factory=dict)
    models: dict[str, NewSettings] = field(default_factory=dict)

    def scenario(self) -> Scenario:
        """The scenario that asks it.

        Raises:
            ScenarioError: a setting is out of its range.
        """
        models = [{"kind": kind} | settings for kind, settings in self.models.items()]
        trace = {"path": self.trace, "format": self.format, "name": self.name}
        return parse({"trace": trace, "demand": self.demand, "where": self.where, "models": models} | self.study)


@st.cache_resource
def access() -> Access:
    """Who may come in, as this process was told."""
    return Access.from_environment()


def person() -> str | None:
    """Who looks at the page: empty where nobody is asked, None where it is not known yet."""
    if not access().asks:
        return ""
    if access().login and st.user.get("is_logged_in"):
        return _vouched_for(dict(st.user))
    known: str | None = st.session_state.get("person")
    return known


def _vouched_for(claims: Mapping[str, Any]) -> str:
    """What the login knows a person by: the address where that is verified, as for a token; else its subject."""
    if claims.get("email") and claims.get("email_verified"):
        return str(claims["email"]).lower()
    return f"{claims.get('iss')} {claims['sub']}"


def sign_in(token: str) -> bool:
    """Whether a token is known; from then on the session is its person's."""
    found = access().person(token.strip())
    if found is not None:
        st.session_state["person"] = found
    return found is not None


def _store() -> Store:
    """The store of whoever looks at the page.

    Raises:
        InputError: nobody has said who it is.
    """
    who = person()
    if who is None:
        raise InputError("sign in first")
    return workspaces().store(who)


def stored(trace_id: str) -> str:
    """The trace path of a recording in the store."""
    return STORED + trace_id


def text(document: Document) -> str:
    """The study as JSON."""
    return json.dumps(document, indent=1)


def known_formats() -> list[str]:
    """Every format of recordings, found out first."""
    return ["auto", *formats()]


def samples() -> dict[str, str]:
    """Recordings that ship: what to call them -> the trace path that names them."""
    return {p.name: SAMPLE + p.name for p in sorted(bundled("datasets", "samples").iterdir()) if p.is_dir()}


def upload(files: Sequence[Upload], format_name: str) -> TraceInfo:
    """Reads uploaded files into the store, in a process with limits; their names never leave a folder of their own.

    ``PLANNER_UPLOAD_LIMITS`` changes limits, such as ``seconds=1200 rows=1e9``.

    Raises:
        TraceError: they are too large, of no known format, or hold no good row.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / (_UNSAFE.sub("_", Path(file.name).name).lstrip(".") or "upload") for file in files]
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file.getbuffer())
        guard = limits_from(sandbox.Guard, os.environ.get("PLANNER_UPLOAD_LIMITS", "").split())
        return sandbox.ingest(_store(), paths if len(paths) > 1 else paths[0], format_name, guard=guard)


def recorded() -> dict[str, str]:
    """Recordings in the store: what to call them -> the trace path that names them."""
    traces = _store().traces()
    names = traces["name"] + " (" + traces["format"] + ", " + traces["workloads"].astype(str) + " workloads)"
    return dict(zip(names, STORED + traces["trace_id"], strict=True))


def plan(question: Question, progress: Callable[[Plan], None]) -> Document:
    """The study document that answers a question; read, where it was answered before.

    Raises:
        InputError: the question cannot be answered as it stands; the message says what to change.
    """
    return answer(question.scenario(), _store(), progress)


def saved(study_id: str) -> Document:
    """The document of a saved study.

    Raises:
        InputError: there is none of that id.
    """
    document = _store().document(study_id)
    if document is None:
        raise InputError(f"study {study_id!r}: not in this workspace")
    told: Document = json.loads(document)
    return told


def report(document: Document) -> str:
    """The study as a page of HTML that stands alone."""
    return render(document, ".html")


def comparison(document: Document) -> pd.DataFrame:
    """One row a model, best first, columns named for people with their units."""
    first = {p["model"]: p for p in document["plans"] if p["year"] == 0}
    rows = [
        {
            "rank": m["rank"],
            "model": m["model"],
            "total cost (USD)": m["tco_usd"],
            "present value (USD)": m["npv_usd"],
            "first year (USD a month)": first[m["model"]]["usd_per_month"],
            "payback (months)": m["payback_months"],
            "CPU in use": first[m["model"]]["utilisation"]["cpu"],
            "memory in use": first[m["model"]]["utilisation"]["memory"],
            "left out": m["unplaced"],
            "gap to bound": first[m["model"]]["certificate"]["gap"],
        }
        for m in sorted(document["models"], key=lambda m: m["rank"])
    ]
    return pd.DataFrame(rows)


def categories(document: Document) -> pd.DataFrame:
    """First year's monthly cost: model, category, usd_per_month."""
    rows = [
        {"model": p["model"], "category": e["category"], "usd_per_month": e["usd_per_month"]}
        for p in document["plans"]
        for e in p["lines"]
        if p["year"] == 0 and e["usd_per_month"]
    ]
    frame = pd.DataFrame(rows, columns=["model", "category", "usd_per_month"])
    return frame.groupby(["model", "category"], sort=False)["usd_per_month"].sum().reset_index()


def utilisation(document: Document) -> pd.DataFrame:
    """First year's mean use of what is provisioned: model, resource, share."""
    rows = [
        {"model": p["model"], "resource": resource, "share": share}
        for p in document["plans"]
        for resource, share in p["utilisation"].items()
        if p["year"] == 0
    ]
    return pd.DataFrame(rows, columns=["model", "resource", "share"])


def cash(document: Document) -> pd.DataFrame:
    """What is paid up to each month: model, month, cumulative_usd."""
    frame = pd.DataFrame([{"model": m["model"], "usd": m["cash_usd"]} for m in document["models"]]).explode("usd")
    frame["month"] = frame.groupby("model", sort=False).cumcount()
    frame["cumulative_usd"] = frame["usd"].astype(float).groupby(frame["model"], sort=False).cumsum()
    return frame[["model", "month", "cumulative_usd"]].reset_index(drop=True)


def unplaced(document: Document) -> pd.DataFrame:
    """What does not fit in the first year, and why: model, workload, reason."""
    rows = [{"model": p["model"]} | u for p in document["plans"] if p["year"] == 0 for u in p["unplaced"]]
    return pd.DataFrame(rows, columns=["model", "workload", "reason"])


def assumptions(document: Document) -> pd.DataFrame:
    """Every number the plans rest on, once: name, value, unit, source, measured."""
    rows = [a for p in document["plans"] for a in p["assumptions"]]
    frame = pd.DataFrame(rows, columns=["name", "value", "unit", "source", "measured"])
    return frame.assign(value=frame["value"].astype(str)).drop_duplicates(ignore_index=True)
