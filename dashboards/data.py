"""What is a person's: recordings, studies, scenarios, work on them. With reference the only import of planner."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import pandas as pd
import streamlit as st

from planner import report, sandbox
from planner.api.access import Access
from planner.bundle import bundled
from planner.demand import Policy
from planner.errors import InputError, PlannerError
from planner.jobs import Job, Status, desk
from planner.models import MODELS
from planner.report.advice import recommendation
from planner.report.asking import again, settings_of
from planner.report.blocks import Note
from planner.report.facts import Facts
from planner.report.revalued import MONEY_ONLY, revalued
from planner.scenario import SAMPLE, STORED, Scenario, Where, parse, with_settings
from planner.store import Store, TraceInfo, formats, limits_from
from planner.workspaces import workspaces

__all__ = [
    "MODELS",
    "Document",
    "Export",
    "Job",
    "PlannerError",
    "Policy",
    "Scenario",
    "Status",
    "Where",
    "access",
    "advice",
    "asked",
    "bill",
    "bills",
    "cancel",
    "changed",
    "estate",
    "exports",
    "forget_scenario",
    "job",
    "known_formats",
    "market",
    "money_only",
    "name_scenario",
    "person",
    "placed",
    "reckoned",
    "recorded",
    "recording",
    "rejects",
    "samples",
    "saved",
    "scenarios",
    "settings_of",
    "sign_in",
    "start",
    "stored",
    "studies",
    "upload",
]

Document = Mapping[str, Any]
_UNSAFE: Final = re.compile(r"[^\w.@+-]+")
_MOST_STUDIES: Final = 50


class Upload(Protocol):
    """A file as the browser sent it."""

    name: str

    def getbuffer(self) -> memoryview:
        """The bytes of the file."""


@dataclass(frozen=True)
class Export:
    """A file that a study can be had as."""

    label: str
    name: str
    mime: str
    make: Callable[[], bytes]


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


def _owner() -> str:
    """Whose jobs are asked for and seen."""
    return person() or ""


def _workspace() -> str:
    """What tells one person's workspace from another's among all that is cached."""
    return f"{_owner()} {_store().path}"


# Recordings


def stored(trace_id: str) -> str:
    """The trace path of a recording in the store."""
    return STORED + trace_id


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


def recording(path: str) -> TraceInfo:
    """What is known of the recording that a trace path names; one that ships is read the first time.

    Raises:
        TraceError: there is none of that path.
    """
    if path.startswith(STORED):
        return _store().trace(path.removeprefix(STORED))
    return _shipped(_store(), _workspace(), path)


@st.cache_resource
def _shipped(_store: Store, workspace: str, path: str) -> TraceInfo:
    return _store.ingest(bundled("datasets", "samples", path.removeprefix(SAMPLE)))


def estate(name: Any, trace_id: str, policy: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """The estate as it was recorded, by a query of planner's sql/estate.sql; sizes it lacks are those of a policy."""
    sizes = {k: v for k, v in (policy or {}).items() if k.startswith("assumed_") and v is not None}
    return _estate(_store(), (_workspace(), trace_id), name, sizes)


@st.cache_data(max_entries=64)
def _estate(_store: Store, key: tuple[str, str], name: Any, sizes: dict[str, float]) -> pd.DataFrame:
    return _store.estate(name, key[1], Policy(**sizes))


def rejects(trace_id: str) -> pd.DataFrame:
    """The bad rows of a recording: file, line, reason, text."""
    return _store().rejects(trace_id)


def bill(trace_id: str) -> pd.DataFrame:
    """The charges of a recording that is a bill; no rows where it is none."""
    return _store().bill(trace_id)


def bills() -> dict[str, str]:
    """Bills in the store: what to call them -> the path that names them."""
    traces = _store().traces()
    found = traces[traces["charges"].fillna(0) > 0]
    return dict(zip(found["name"] + " (" + found["format"] + ")", STORED + found["trace_id"], strict=True))


# Studies


def studies() -> dict[str, str]:
    """Saved studies, newest first: id -> what to call it."""
    store, workspace = _store(), _workspace()
    return {str(i): _label(store, workspace, str(i)) for i in store.studies()["study_id"][:_MOST_STUDIES]}


@st.cache_data(max_entries=1024)
def _label(_store: Store, workspace: str, study_id: str) -> str:
    """When a study was made, then its name: the list is narrow, and long names of recordings begin alike."""
    told = _store.summary(study_id)
    name = told.get("name", "study")
    kind = told.get("trace", "") if name == "study" else f"{name}, {told.get('trace', '')}"
    return f"{told.get('created_at', '')[:16].replace('T', ' ')} · {kind} · {study_id[:6]}"


def saved(study_id: str) -> Document:
    """The document of a saved study; it is shared, so it must not be changed.

    Raises:
        InputError: there is none of that id.
    """
    return _saved(_store(), _workspace(), study_id)


@st.cache_resource(max_entries=32)
def _saved(_store: Store, workspace: str, study_id: str) -> Document:
    document = _store.document(study_id)
    if document is None:
        raise InputError(f"study {study_id!r}: not in this workspace; choose another on the left, or plan it on Data")
    told: Document = json.loads(document)
    return told


def placed(study_id: str, model: str) -> pd.DataFrame:
    """Where a model puts each workload in the first year: workload, sku, replicas."""
    return _placed(_store(), (_workspace(), study_id), model)


@st.cache_data(max_entries=64)
def _placed(_store: Store, key: tuple[str, str], model: str) -> pd.DataFrame:
    return _store.placed(key[1], model)


def advice(document: Document) -> list[tuple[str, bool]]:
    """The recommendation in plain words, sentence by sentence, and whether it is a warning."""
    return [(b.text, b.warning) for b in recommendation(Facts(document)).blocks if isinstance(b, Note)]


def exports(document: Document) -> list[Export]:
    """Every file that a study can be had as; made when it is asked for."""
    store = _store()

    def write(suffix: str) -> bytes:
        placed = store.placements(str(document["study_id"])) if report.FORMATS[suffix].placed else None
        return report.export(document, suffix, placed)

    return [Export(f.name, f"study{suffix}", f.mime, partial(write, suffix)) for suffix, f in report.FORMATS.items()]


# Scenarios


def scenarios() -> pd.DataFrame:
    """Named studies, newest first: name, study_id, based_on, saved_at."""
    return _store().scenarios()


def name_scenario(name: str, study_id: str, based_on: str | None = None) -> None:
    """Gives a study a name.

    Raises:
        InputError: the name is empty, too long or taken.
    """
    _store().name_scenario(name, study_id, based_on)


def forget_scenario(name: str) -> None:
    """Takes a name away.

    Raises:
        InputError: there is no scenario of that name.
    """
    _store().forget_scenario(name)


def asked(path: str, format_name: str, settings: Mapping[str, Any], kinds: Sequence[str]) -> Scenario:
    """The scenario that asks some models about a recording, with dotted settings.

    Raises:
        ScenarioError: a setting is out of its range.
    """
    plain = parse({"trace": {"path": path, "format": format_name}, "models": [{"kind": kind} for kind in kinds]})
    return with_settings(plain, settings)


def changed(document: Document, changes: Mapping[str, Any]) -> Scenario:
    """The scenario of a study with dotted settings changed.

    Raises:
        ScenarioError: a setting is out of its range.
    """
    return with_settings(again(document["scenario"], str(document["trace"]["trace_id"])), changes)


def money_only(document: Document, changes: Mapping[str, Any]) -> bool:
    """Whether changed settings leave every plan as it is."""
    years = int(document["scenario"]["horizon_years"])
    return set(changes) <= set(MONEY_ONLY) and int(changes.get("horizon_years", years)) <= years


def reckoned(document: Document, changes: Mapping[str, Any]) -> Document:
    """The study with other settings of money, its plans as they are.

    Raises:
        InputError: a setting needs new plans.
    """
    return revalued(document, changes)


def market() -> pd.DataFrame:
    """Where machines are rented, and on which terms: provider, region, term."""
    return _market(_store())


@st.cache_data
def _market(_store: Store) -> pd.DataFrame:
    offers = _store.catalog().offers
    rented = offers[(offers["kind"] == "vm") & offers["lifetime_months"].isna()]
    return rented[["provider", "region", "term"]].astype(str).drop_duplicates(ignore_index=True)


# Work that takes a while


def start(scenario: Scenario) -> str:
    """Asks for a study; it is planned beside the pages. The id of the job.

    Raises:
        InputError: too much is open already.
    """
    return desk().start(scenario, _store(), _owner()).job_id


def job(job_id: str) -> Job:
    """How far a job is.

    Raises:
        InputError: there is no such job.
    """
    return desk().job(job_id, _owner())


def cancel(job_id: str) -> None:
    """Stops a job; nothing of it is kept.

    Raises:
        InputError: there is no such job.
    """
    desk().cancel(job_id, _owner())
