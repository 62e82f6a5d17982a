"""Workspaces: each person's recordings and studies in a store of their own, opened once and shared by all doors.

nobody signed in ──> the default store        person ──> people/HASH/planner.duckdb beside it
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from planner.store import Store
from planner.store.database import default_path

__all__ = ["Workspaces", "inert_name", "workspaces"]

_UNSAFE: Final = re.compile(r"[^\w.@+-]+")
_NAME_CHARACTERS: Final = 60
_UPLOADS: Final = "uploads"


def inert_name(name: str) -> str:
    """A file name that leads nowhere and means nothing to a shell; its end, which tells the kind, is kept.

    >>> inert_name("../../etc/passwd"), inert_name("a b.csv.gz"), inert_name("=cmd()|'/C calc'.csv"), inert_name("..")
    ('passwd', 'a_b.csv.gz', 'C_calc_.csv', 'upload')
    """
    return _UNSAFE.sub("_", Path(name).name)[-_NAME_CHARACTERS:].lstrip(".+-@") or "upload"


class Workspaces:
    """The stores of one process, by person; threads may share it.

    A person is whatever the doors know one by: a name in the file of tokens, or an address that the login vouches for.
    Nobody's name is a path: folders are named by its hash.
    """

    def __init__(self, path: Path | str | None = None, memory_limit: str = "4GB") -> None:
        """Stores at `path` and beside it; None: in the user's data directory; ":memory:": kept nowhere.

        `memory_limit` holds for each store.
        """
        self._path = default_path() if path is None else path
        self._memory_limit = memory_limit
        self._stores: dict[str, Store] = {}
        self._opening = threading.Lock()

    def store(self, person: str = "") -> Store:
        """The store of a person; without a name, of whoever sits at this machine.

        Raises:
            InputError: it is no workspace, is open in another process, or was written by a newer planner.
        """
        with self._opening:
            if person not in self._stores:
                store = Store(self._place(person), self._memory_limit)
                if str(self._path) != ":memory:" and _uploads(store).exists():
                    shutil.rmtree(_uploads(store))  # what a killed process left: the store is ours alone
                self._stores[person] = store
            return self._stores[person]

    def _place(self, person: str) -> Path | str:
        if not person or str(self._path) == ":memory:":
            return self._path
        digest = hashlib.sha256(person.encode("utf-8", "surrogatepass")).hexdigest()
        return Path(self._path).parent / "people" / digest[:40] / "planner.duckdb"

    @contextmanager
    def landing(self, person: str = "") -> Iterator[Path]:
        """A fresh folder beside a person's store for what arrives; gone afterwards."""
        store = self.store(person)
        beside = _uploads(store)
        beside.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="upload-", dir=beside) as folder:
            yield Path(folder).resolve()

    def close(self) -> None:
        """Closes every store."""
        with self._opening:
            stores, self._stores = self._stores, {}
        for store in stores.values():
            store.close()


def _uploads(store: Store) -> Path:
    if str(store.path) == ":memory:":
        return Path(tempfile.gettempdir()) / f"planner-{_UPLOADS}-{os.getpid()}"
    path = Path(store.path)
    return path.with_name(f"{path.stem}-{_UPLOADS}")


@cache
def workspaces() -> Workspaces:
    """The stores of this process, at ``PLANNER_STORE``, each with ``PLANNER_MEMORY`` to work in."""
    return Workspaces(os.environ.get("PLANNER_STORE") or None, os.environ.get("PLANNER_MEMORY") or "4GB")
