"""Opens a workspace, sets its limits and brings its tables to the newest schema."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import platformdirs

from planner.bundle import bundled
from planner.errors import InputError, printable

__all__ = [
    "Confined",
    "connect",
    "default_path",
    "memory_of",
    "migrate",
    "out_of_memory",
    "run",
    "sections",
    "sql",
    "statements",
    "transaction",
]

MAX_TEMP_SIZE: Final = "20GB"
"""Most that may spill to disk; DuckDB's default of 90 % of the free disk has filled one."""

MEMORY_PER_THREAD: Final = 128 << 20
"""Each thread that reads and writes needs so much. Unit: bytes. Source: loads under small limits, DuckDB 2.0."""

_VERSION = re.compile(r"^-- version (\d+)\s*$", re.MULTILINE)


def sql(*parts: str) -> str:
    """The text of a shipped SQL file, such as ``sql("schema.sql")``."""
    return bundled("sql", *parts).read_text(encoding="utf-8")


def default_path() -> Path:
    """Where the workspace lies unless one is named: the user's data directory."""
    return Path(platformdirs.user_data_dir("planner", appauthor=False)) / "planner.duckdb"


@dataclass(frozen=True)
class Confined:
    """What a connection may touch, for files that nobody vouches for; all else is shut and stays so."""

    scratch: Path
    """Folder to write in, beside the workspace."""
    files: tuple[Path, ...]
    """Files, and folders, to read."""


def connect(
    path: Path | str, memory_limit: str, spill_limit: str = MAX_TEMP_SIZE, confined: Confined | None = None
) -> duckdb.DuckDBPyConnection:
    """An open workspace of the newest schema.

    Raises:
        InputError: the file is no workspace, is in use by another process, or is newer than this planner.
    """
    if str(path) != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(str(path), config=_settings(memory_limit, spill_limit, confined))
    except (duckdb.InvalidInputException, duckdb.ParserException) as error:
        raise InputError(f"store {path}: a limit cannot be set: {_first_line(error)}") from error
    except duckdb.IOException as error:
        raise InputError(_why_shut(path, str(error))) from error
    except duckdb.Error as error:
        raise InputError(f"store {path}: cannot be opened: {_first_line(error)}") from error
    try:
        migrate(connection, sections(sql("schema.sql")), str(path))
        connection.execute(sql("functions.sql"))
        threads = max(1, min(os.cpu_count() or 1, memory_of(connection) // MEMORY_PER_THREAD))
        connection.execute(f"set threads = {threads}")
        connection.execute("set parquet_metadata_cache = true")
        if confined is not None:
            _shut(connection, confined)
    except BaseException:
        connection.close()
        raise
    return connection


def _settings(
    memory_limit: str, spill_limit: str, confined: Confined | None
) -> dict[str, str | bool | int | float | list[str]]:
    spill = Path(tempfile.gettempdir()) if confined is None else confined.scratch
    return {
        "memory_limit": memory_limit,
        "temp_directory": str(spill / f"planner-{os.getpid()}.tmp"),
        "max_temp_directory_size": spill_limit,
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }


def _shut(connection: duckdb.DuckDBPyConnection, confined: Confined) -> None:
    """Leaves the connection its files and folders, and takes away the keys; in this order, or DuckDB refuses."""
    folders = [str(confined.scratch), *(str(path) for path in confined.files if path.is_dir())]
    files = [str(path) for path in confined.files if not path.is_dir()]
    connection.execute("set global TimeZone = 'UTC'")
    for name, values in (("allowed_directories", folders), ("allowed_paths", files)):
        told = [
            value for value in values if printable(value) == value
        ]  # of others there are links or copies in scratch
        words = ", ".join("'" + value.replace("'", "''") + "'" for value in told)
        connection.execute(f"set {name} = [{words}]")
    connection.execute("set allow_persistent_secrets = false")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


@cache
def statements(name: str, section: str) -> tuple[str, ...]:
    """The statements of a section of an SQL file, which begins with a line ``-- SECTION`` and ends where one does."""
    _, *parts = re.split(r"^-- (\w+)$", sql(name), flags=re.MULTILINE)
    text = dict(zip(parts[::2], parts[1::2], strict=True))[section]
    return tuple(statement.query for statement in duckdb.extract_statements(text))


def memory_of(connection: duckdb.DuckDBPyConnection) -> int:
    """Bytes that the database may take."""
    query = "select cast(parse_formatted_bytes(current_setting('memory_limit')) as bigint)"
    return int(connection.execute(query).fetchall()[0][0])


def out_of_memory(error: Exception) -> str:
    """What to do about a limit of memory or of its spilling that was met, in one line."""
    if "max_temp_directory_size" in str(error) or "temp_directory" in str(error):
        return "needs more room on disk than it may take; a higher spill limit gives more (--spill)"
    return "needs more memory than it may take; a higher limit gives more (--memory, or --limit memory_mib=N)"


def _why_shut(path: Path | str, message: str) -> str:
    if "lock" in message.lower():
        return f"store {path}: another process has it open; close that, or name another store"
    return f"store {path}: is not a planner workspace: {message.splitlines()[0]}"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def sections(text: str) -> list[str]:
    """The migrations of a schema file, in order of their version.

    >>> sections("-- about\\n-- version 1\\ncreate table a (x int);\\n-- version 2\\ndrop table a;\\n")
    ['create table a (x int);', 'drop table a;']
    """
    _, *pieces = _VERSION.split(text)
    return [body.strip() for body in pieces[1::2]]


def migrate(connection: duckdb.DuckDBPyConnection, scripts: Sequence[str], name: str) -> None:
    """Runs the scripts that the workspace has not seen; each with its version number in one transaction.

    Raises:
        InputError: the workspace was written by a newer planner, or is someone else's database.
    """
    if name != ":memory:":  # a new one in memory is empty, and asking takes a sixth of its opening
        _no_one_elses(connection, name)
    connection.execute("create table if not exists schema_version (version integer not null)")
    seen = _version(connection)
    if seen > len(scripts):
        raise InputError(f"store {name}: has schema {seen}, this planner knows {len(scripts)}; use a newer planner")
    for version, script in enumerate(scripts[seen:], start=seen + 1):
        with transaction(connection):
            connection.execute(script)
            connection.execute("insert into schema_version values ($version)", {"version": version})


def _no_one_elses(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    tables = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
    if tables and "schema_version" not in tables:
        raise InputError(f"store {name}: is a DuckDB file, but no planner workspace")


def _version(connection: duckdb.DuckDBPyConnection) -> int:
    return int(connection.execute("select coalesce(max(version), 0) from schema_version").fetchall()[0][0])


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it, or nothing of it."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def run(connection: duckdb.DuckDBPyConnection, statement: str, trace_id: str) -> list[tuple[Any, ...]]:
    """The rows of one statement about one recording, which it calls ``$trace_id``."""
    values = {"trace_id": trace_id} if "$trace_id" in statement else {}
    return connection.execute(statement, values).fetchall()
