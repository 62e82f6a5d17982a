"""Finds the data that ships with planner, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

from planner.errors import InputError

__all__ = ["bundled"]

_PACKAGE = Path(__file__).resolve().parent


def bundled(*parts: str) -> Path:
    """The path of a shipped file or folder, such as ``bundled("datasets", "prices")``.

    Raises:
        InputError: nothing of that name was shipped.
    """
    for root in (_PACKAGE, _PACKAGE.parent):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise InputError(f"{'/'.join(parts)} is not among the files that ship with planner")
