"""What a study document asked: as a scenario to be asked again, and as settings to be changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from planner.demand import Policy
from planner.scenario import SAMPLE, STORED, Scenario, Where, parse

__all__ = ["again", "settings_of"]


def again(asked: Mapping[str, Any], trace_id: str) -> Scenario:
    """The scenario of a study document, to be asked again: what it left at its default is not set.

    The recording is the one in the workspace, as the file it came from may be gone; one that ships is named as it was.

    Raises:
        ScenarioError: the document was written by a planner with other settings.
    """
    trace = dict(asked["trace"])
    if not str(trace["path"]).startswith((SAMPLE, STORED)):
        trace = {"path": STORED + trace_id, "name": trace.get("name")}
    usual = {model.kind: model for model in Scenario().models}
    models = [
        {"kind": m["kind"], **_changed(m, usual[m["kind"]])} if m.get("kind") in usual else dict(m)
        for m in asked["models"]
    ]
    plain = {k: v for k, v in _changed(asked, Scenario()).items() if k not in {"demand", "where"}}
    tables = {"demand": _changed(asked["demand"], Policy()), "where": _changed(asked["where"], Where())}
    found = parse({**plain, **tables, "trace": trace, "models": models, "baseline": None})
    named = asked.get("baseline")
    return found if named in {None, found.measured_against} else found.model_copy(update={"baseline": named})


def _changed(table: Mapping[str, Any], defaults: BaseModel) -> dict[str, Any]:
    """The entries of a table that are not as by default."""
    usual = defaults.model_dump(mode="json")
    return {key: value for key, value in table.items() if key not in usual or value != usual[key]}


def settings_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The scenario of a study document as dotted settings, as `with_settings` takes them; name and recording apart.

    >>> told = settings_of(Scenario(growth_per_year=0.1).model_dump(mode="json"))
    >>> told["growth_per_year"], told["where.region"]
    (0.1, 'us-east-1')
    """
    tables = {"name", "trace", "demand", "today", "where", "models", "baseline"}
    plain = {k: v for k, v in asked.items() if k not in tables}
    inner = {f"{table}.{k}": v for table in ("demand", "where") for k, v in asked[table].items()}
    models = {f"{m['kind']}.{k}": v for m in asked["models"] for k, v in m.items() if k != "kind"}
    return plain | inner | models
