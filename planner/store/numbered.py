"""Files whose rows are told apart by their place: line after line, thousands of small files at a time.

The quick reader does not tell where a row stood, and takes longer to open a file than to read it. Here the lines of
many files make one table, each with its file and number.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from planner.store.exact import nothing
from planner.store.formats import Input
from planner.store.judge import parsed, unless_broken
from planner.store.lines import Batch, batches
from planner.store.reading import Group, Reject
from planner.store.sources import Source

__all__ = ["numbered_table"]


def numbered_table(
    connection: duckdb.DuckDBPyConnection, kind: Input, groups: Sequence[Group]
) -> tuple[list[Reject], int, list[str]]:
    """Makes temporary table NAME of the good rows with ``line`` and ``folder``; the bad ones, the lines, and notes."""
    connection.execute(f"create temp table {kind.name} as {nothing(groups)}")
    rejects: list[Reject] = []
    notes: list[str] = []
    lines = 0
    for group in groups:
        _name(connection, group.sources)
        for batch in batches(group.sources, int(group.kind.header), notes):
            bad, seen = _judge(connection, group, batch)
            rejects += bad
            lines += seen
    return rejects, lines, notes


def _name(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> None:
    """Temporary table numbered_files: what each file is called."""
    table = pa.table({
        "source": range(len(sources)), "name": [s.name for s in sources], "file": [s.label for s in sources],
        "folder": [s.folder for s in sources],
    })  # fmt: skip
    connection.register("given_files", table)
    connection.execute("create or replace temp table numbered_files as from given_files")
    connection.unregister("given_files")


def _judge(connection: duckdb.DuckDBPyConnection, group: Group, batch: Batch) -> tuple[list[Reject], int]:
    """Rows of a batch into the table; the bad ones, and how many lines there were."""
    kind = group.kind
    connection.register("batch", batch.table())
    connection.execute("create or replace temp view records as select * from batch where text <> ''")
    rows = parsed(kind, group.layout, "records")
    connection.execute(f"""
        create or replace temp table judged_rows as
        select * replace ({unless_broken(kind.delimiter)} as reason) from ({rows})
    """)
    connection.execute(f"""
        insert into {kind.name} by name
        select * exclude (source, text, reason, name) from judged_rows join numbered_files using (source)
        where reason is null
    """)
    bad = connection.execute("""
        select name, line, reason, text from judged_rows join numbered_files using (source)
        where reason is not null order by source, line
    """).fetchall()
    count = connection.execute("select count(*) from judged_rows").fetchall()[0][0]
    connection.unregister("batch")
    return [Reject(*row) for row in bad], int(count)
