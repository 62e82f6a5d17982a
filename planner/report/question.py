"""What was asked, and how good the recording is that the answer rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from planner.report.blocks import Column, Note, Section, Table
from planner.report.facts import Facts
from planner.report.show import count, instant, plain, rate, years

__all__ = ["asked", "quality", "title"]

_STARS: Final = {
    5: "more than 80 % of the expected samples are there",
    4: "60 to 80 %",
    3: "40 to 60 %",
    2: "20 to 40 %",
    1: "20 % or less",
}
_ACTIVITY: Final = {
    "active": "uses more than 5 % of its CPU and memory, or more than 2 % of its network",
    "idle": "runs, but below those shares: a candidate to switch off or to share",
    "zombie": "nothing but zeros: a candidate to delete",
    "unknown": "no readings: sized by what was allocated",
}


def title(facts: Facts) -> str:
    """The name of the study."""
    return str(facts.scenario.get("name") or f"Study of {facts.trace['name']}")


def asked(facts: Facts) -> tuple[tuple[str, str], ...]:
    """The question in a few lines: trace, service level, horizon, money, place."""
    scenario, trace = facts.scenario, facts.trace
    rows = [
        ("Trace", f"{trace['name']} (format {trace['format']})"),
        ("Recorded", _recorded(trace)),
        ("Span", f"{instant(trace['start'])} to {instant(trace['end'])} UTC" if trace.get("start") else "not told"),
        ("Sized for", _policy(scenario.get("demand") or {})),
        ("Horizon", f"{years(facts.horizon)}, demand growing {rate(scenario.get('growth_per_year') or 0.0)} a year"),
        ("Money", f"USD, discounted at {rate(scenario.get('discount_rate_per_year') or 0.0)} a year"),
        ("Compared with", str(scenario.get("baseline") or "physical")),
    ]
    where = scenario.get("where") or {}
    if where:
        rows.append(("Rented in", f"{where.get('provider', '')} {where.get('region', '')}".strip()))
    books = scenario.get("price_books") or []
    rows.append(("Prices", ", ".join(str(b) for b in books) if books else "the price books shipped with planner"))
    return tuple(rows)


def _recorded(trace: Mapping[str, Any]) -> str:
    parts = [f"{count(trace['workloads'])} workloads", f"{count(trace['samples'])} samples"]
    if trace.get("calls"):
        parts += [f"{count(trace['calls'])} calls", f"{plain(round(float(trace.get('gb_seconds') or 0), 2))} GB-s"]
    return ", ".join([*parts, f"{count(trace['rejected'])} rows rejected"])


def _policy(policy: Mapping[str, Any]) -> str:
    if not policy:
        return "the default service level"
    if policy.get("sizing") == "allocated":
        return "what was allocated, as it is"
    levels = [f"{name} {_percentile(policy.get(f'{name.lower()}_percentile'))}" for name in ("CPU", "memory")]
    profile = str(policy.get("profile") or "hour_of_week").replace("_", " ")
    window = f", last {plain(policy['window_days'])} days" if policy.get("window_days") else ""
    return f"{' and '.join(levels)} plus {rate(policy.get('headroom') or 0.0)} headroom, by {profile}{window}"


def _percentile(value: float | None) -> str:
    if value is None:
        return "as measured"
    return "at its maximum" if value == 100 else f"at P{plain(value)}"


def quality(facts: Facts) -> Section:
    """Stars, activity, rejected rows and what was odd in the recording."""
    found = facts.trace.get("quality") or {}
    stars = [("★" * n + "☆" * (5 - n), found.get(f"stars_{n}", 0), text) for n, text in _STARS.items()]
    kinds = [(kind.capitalize(), found.get(kind, 0), text) for kind, text in _ACTIVITY.items()]
    rows = tuple((name, count(number), text) for name, number, text in [*stars, *kinds])
    columns = (Column("Class"), Column("Workloads", "right"), Column("Meaning"))
    read = Table("Workloads by how complete and how busy their recording is", columns, rows)
    return Section("How good the recording is", (read, *_odd(facts.trace)))


def _odd(trace: Mapping[str, Any]) -> list[Note]:
    rejected = int(trace["rejected"])
    told = [Note(f"Rows that could not be read and were left out: {rejected:,}.", warning=True)] if rejected else []
    return told + [Note(str(text), warning=True) for text in trace.get("notes") or ()]
