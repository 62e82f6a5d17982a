"""Text that takes long to make and is the same each time, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import platformdirs

__all__ = ["kept"]


def kept(name: str, make: Callable[[], str]) -> str:
    """What `make` returned when text `name` was first asked for; made again where it cannot be kept or is damaged.

    Whatever the text depends on belongs into `name`.
    """
    path = Path(platformdirs.user_cache_dir("planner", appauthor=False)) / name
    with suppress(OSError, UnicodeDecodeError):
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
        if digest == _digest(text):
            return text
    text = make()
    with suppress(OSError):
        _put(path, f"{_digest(text)}\n{text}")
    return text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _put(path: Path, text: str) -> None:
    """Writes a file that nobody ever sees half of."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", newline="", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)
