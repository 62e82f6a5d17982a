"""Folders of one process for a while, in the system's temporary folder; what killed processes left there goes too."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["ABANDONED_S", "scratch", "sweep"]

ABANDONED_S: Final = 86_400.0
"""A folder of a process that is gone, and untouched for so long, is nobody's. Unit: seconds. Source: our choice; a
process of another container is not to be seen and may still be at work."""

_OURS: Final = re.compile(r"planner-(?:[a-z]+-)?(\d+)(?:-\w+|\.tmp)?")
"""Folders of `scratch`, those that DuckDB spills to (see `database`), and uploads to a server without a folder."""


@contextmanager
def scratch(purpose: str) -> Iterator[Path]:
    """A new folder ``planner-PURPOSE-PROCESS-..`` that is gone afterwards."""
    _sweep_once()
    name = f"planner-{purpose}-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=name, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@cache
def _sweep_once() -> None:
    """A process sweeps before its first folder: a large temporary folder takes milliseconds to look through."""
    sweep()


def sweep() -> None:
    """Removes this user's folders of processes that were killed, a day after they were last touched."""
    if os.name != "posix":  # a signal of nothing would end the process there
        return
    for folder in Path(tempfile.gettempdir()).glob("planner-*"):
        found = _OURS.fullmatch(folder.name)
        if found and _abandoned(folder, int(found[1])):
            with suppress(OSError):  # another sweeps it too, or it is a link
                shutil.rmtree(folder)


def _abandoned(folder: Path, process: int) -> bool:
    try:
        about = folder.lstat()
        if about.st_uid != os.getuid() or time.time() - about.st_mtime < ABANDONED_S:
            return False
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another's process, or another was quicker
        return False
    return False
