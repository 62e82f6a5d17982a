"""Finds the data that ships with planner, in a checkout and in an installed wheel alike."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from planner.errors import InputError

__all__ = ["bundled", "edition"]

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


@cache
def edition() -> str:
    """What this planner's code is known by: its version, where it is installed, and a hash of its modules and queries.

    A checkout changes without its version changing, so the version alone would not tell that answers may differ.
    """
    digest = hashlib.sha256()
    for file in sorted(path for end in ("*.py", "*.sql") for path in _PACKAGE.rglob(end)):
        digest.update(f"{file.relative_to(_PACKAGE).as_posix()}\n".encode() + file.read_bytes())
    try:
        told = version("planner")
    except PackageNotFoundError:
        told = "not installed"
    return f"{told} {digest.hexdigest()}"
