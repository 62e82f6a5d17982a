"""Trace formats: the SQL files of sql/traces."""

from __future__ import annotations

from planner.bundle import bundled

__all__ = ["formats"]


def formats() -> dict[str, str]:
    """Every trace format by name, with the sentence that says what it is."""
    files = sorted(bundled("sql", "traces").glob("*.sql"))
    return {file.stem: file.read_text(encoding="utf-8").splitlines()[0].removeprefix("--").strip() for file in files}
