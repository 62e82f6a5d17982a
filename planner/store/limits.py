"""What a recording may be at most, so that no file takes the machine down; and the checks before anything is parsed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import InputError, TraceError, near_miss
from planner.store.sources import Source

__all__ = ["MIB", "Limits", "limits_from", "refuse_bomb", "refuse_large", "refuse_long", "refuse_rows", "refuse_wide"]

Kind = TypeVar("Kind", bound=BaseModel)

MIB: Final = 1 << 20
_DELIMITERS: Final = (",", ";", "\t", "|", " ")
_EXPANSION_FLOOR: Final = 64 * MIB
"""Up to this size, unpacked, nothing is called a bomb."""


class Limits(BaseModel):
    """How large a recording may be. Files of one's own have no limits but those of a row; uploads have all."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    columns: int = Field(default=10_000, gt=0)
    """Most columns of a file. Unit: columns. Source: the widest known layout, Azure Functions 2019, has 1,444."""

    row_bytes: int = Field(default=2_000_000, gt=0)
    """Longest line of a file. Unit: bytes. Source: max_line_size of DuckDB's CSV reader, 2.0."""

    rows: int | None = Field(default=None, gt=0)
    """Most rows of all files; none: any number. Unit: rows. Source: the user."""

    file_mib: float | None = Field(default=None, gt=0)
    """Size of all files as they came; none: any. Unit: MiB. Source: the user."""

    expansion: float | None = Field(default=None, gt=1)
    """How many times its size a packed file may become; none: any. Unit: times. Source: the user; recordings in CSV
    pack to between a fifth and a fiftieth, deflate reaches 1,032."""

    @property
    def bounded(self) -> bool:
        """Whether a file must be looked through before it is loaded, not beside it."""
        return self.rows is not None or self.expansion is not None


def limits_from(kind: type[Kind], words: Sequence[str]) -> Kind:
    """Limits changed by ``name=value`` words.

    Raises:
        InputError: a name is unknown or a value is out of range.

    >>> limits_from(Limits, ["rows=1e6", "columns=50"]).rows
    1000000
    """
    given: dict[str, object] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in kind.model_fields:
            raise InputError(f"limit {name!r}: {near_miss(name, kind.model_fields)}")
        try:
            given[name] = None if value == "none" else float(value)
        except ValueError:
            raise InputError(f"limit {name}: expected a number or none, found {value!r}") from None
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(f"limit {first['loc'][0]}: {first['msg']}, found {first['input']}") from None


def refuse_large(sources: Sequence[Source], limits: Limits) -> None:
    """Stops before files that are too large or too wide are parsed.

    Raises:
        TraceError: names the limit and how to raise it.
    """
    size = sum(source.path.stat().st_size for source in sources) / MIB
    if limits.file_mib is not None and size > limits.file_mib:
        raise TraceError(
            f"{sources[0].shown}: {size:,.0f} MiB are more than {limits.file_mib:,.0f}; {_raise('file_mib')}"
        )
    for source in sources:
        for line in source.head[:1] if source.kind != "json" else ():
            refuse_wide(source, 1 + max(line.count(each) for each in _DELIMITERS), limits)


def refuse_wide(source: Source, columns: int, limits: Limits) -> None:
    """Stops at a file of too many columns.

    Raises:
        TraceError: names the limit and how to raise it.
    """
    if columns > limits.columns:
        what = f"{columns:,} columns are more than {limits.columns:,}"
        raise TraceError(f"{source.shown}: {what}; {_raise('columns')}")


def refuse_long(source: Source, line: int, limits: Limits) -> TraceError:
    """The error about a line that is too long."""
    return TraceError(f"{source.shown}, line {line}: is longer than {limits.row_bytes:,} bytes; {_raise('row_bytes')}")


def refuse_rows(source: Source, rows: int, limits: Limits) -> None:
    """Stops where there are more rows than may be.

    Raises:
        TraceError: names the limit and how to raise it.
    """
    if limits.rows is not None and rows > limits.rows:
        raise TraceError(f"{source.shown}: more than {limits.rows:,} rows; {_raise('rows')}")


def refuse_bomb(source: Source, unpacked: int, limits: Limits) -> None:
    """Stops where a packed file becomes too large.

    Raises:
        TraceError: names the limit and how to raise it.
    """
    if limits.expansion is None or source.kind == "csv" or unpacked < _EXPANSION_FLOOR:
        return
    if unpacked > limits.expansion * source.path.stat().st_size:
        what = f"unpacks to more than {limits.expansion:,.0f} times its size"
        raise TraceError(f"{source.shown}: {what}; {_raise('expansion')}")


def _raise(name: str) -> str:
    return f"limit {name}: --limit {name}=N raises it"
