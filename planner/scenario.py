"""Scenario: the question, as a TOML file; every mistake in it is told at once, with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Self, Union, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails

from planner.bundle import bundled
from planner.demand import Policy
from planner.errors import ScenarioError, near_miss
from planner.models import MODELS
from planner.models.base import DeploymentModel

__all__ = ["SAMPLE", "STORED", "Scenario", "Today", "Trace", "Where", "load", "parse", "with_settings"]

SAMPLE: Final = "sample:"
"""A trace path that begins so names a recording that ships with planner."""
STORED: Final = "trace:"
"""A trace path that begins so names, by its id, a recording that the workspace already holds."""
SERVED: Final = ("http://", "https://", "spark:", "sc://")
"""A trace path that begins so names a Prometheus server."""


class _OneOfModels:
    """Reads a table with a `kind` as the deployment model of that kind."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds = Union[tuple(MODELS.values())]  # type: ignore[valid-type]  # noqa: UP007
        return handler.generate_schema(Annotated[kinds, Field(discriminator="kind")])


class Trace(BaseModel):
    """Which recording is planned."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: str = "sample:planner"
    """A file or folder, relative to the scenario file, a shipped recording (sample:planner), one in the workspace
    (trace:ID), the URL of a Prometheus server or a table of Spark (spark:TABLE). Unit: path. Source: the user."""
    format: str = "auto"
    """The format of the recording; auto: found out. Unit: name. Source: the user."""
    name: str | None = None
    """What to call it. Unit: text. Source: the user."""


class Today(BaseModel):
    """What is paid now: a bill that stands beside the answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    bill: str | None = None
    """A FOCUS billing file or folder, relative to the scenario file, or a bill in the workspace (trace:ID); none: what
    is paid now is not told. Unit: path. Source: the user."""
    format: str = "auto"
    """The format of the bill; auto: found out. Unit: name. Source: the user."""
    usd_per: dict[str, Annotated[float, Field(gt=0, lt=1e6)]] = Field(default_factory=dict)
    """What one unit of another currency is worth, such as EUR = 1.1; charges in currencies without a rate are left out
    and counted. Unit: USD. Source: the user."""


class Where(BaseModel):
    """Where rented models rent, unless they say otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    provider: str = "aws"
    """Who rents out: aws, azure or gcp. Unit: name. Source: the user."""
    region: str = "us-east-1"
    """The provider's own region code. Unit: name. Source: the user."""


class Scenario(BaseModel):
    """The question: a recording, a service level, a horizon, and the models to answer it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = "study"
    """What to call the study. Unit: text. Source: the user."""
    trace: Trace = Trace()
    """The recording. Unit: table. Source: the user."""
    demand: Policy = Policy()
    """How samples become sizes. Unit: table. Source: the user."""
    today: Today = Today()
    """What is paid now. Unit: table. Source: the user."""
    where: Where = Where()
    """Where rented models rent. Unit: table. Source: the user."""
    horizon_years: int = Field(default=3, ge=1, le=10)
    """How far ahead to plan; year y is planned for the demand at its end. Unit: years. Source: the user."""
    growth_per_year: float = Field(default=0.05, gt=-1, le=10)
    """By which fraction demand grows each year. Unit: fraction.
    Source: Azure Migrate business case default, MicrosoftDocs/azure-docs@050c9345."""
    discount_rate_per_year: float = Field(default=0.07, gt=-1, le=10)
    """What money costs. Unit: fraction. Source: Azure Migrate business case WACC, MicrosoftDocs/azure-docs@050c9345."""
    baseline: str | None = None
    """The model that savings are measured against; none: physical, or the first. Unit: name. Source: the user."""
    price_books: tuple[str, ...] = ()
    """Price books to use instead of the shipped ones. Unit: paths. Source: the user."""
    models: tuple[SerializeAsAny[Annotated[DeploymentModel, _OneOfModels()]], ...] = Field(
        default_factory=lambda: tuple(model() for model in MODELS.values())  # type: ignore[call-arg]
    )
    """The deployment models to compare; none named: all. Unit: tables. Source: the user."""

    @field_validator("models")
    @classmethod
    def _each_kind_once(cls, models: tuple[DeploymentModel, ...]) -> tuple[DeploymentModel, ...]:
        kinds = [model.kind for model in models]
        twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
        if twice:
            raise ValueError(f"each model once, but {', '.join(twice)} stands twice")
        if not models:
            raise ValueError("at least one model")
        return models

    @model_validator(mode="after")
    def _baseline_is_planned(self) -> Self:
        kinds = [model.kind for model in self.models]
        if self.baseline is not None and self.baseline not in kinds:
            raise ValueError(f"baseline {self.baseline!r} is not among the models; {near_miss(self.baseline, kinds)}")
        return self

    @property
    def measured_against(self) -> str:
        """The baseline that holds: the one named, else physical, else the first model."""
        kinds = [model.kind for model in self.models]
        return self.baseline or ("physical" if "physical" in kinds else kinds[0])

    def trace_path(self) -> Path | str:
        """Where the recording is: a path, or the URL of a server.

        Raises:
            ScenarioError: it names a shipped recording that does not exist.
        """
        return shipped(self.trace.path, "trace.path")

    def bill_path(self) -> Path | None:
        """Where the bill is; None where none is named.

        Raises:
            ScenarioError: it names a shipped recording that does not exist.
        """
        return None if self.today.bill is None else Path(shipped(self.today.bill, "today.bill"))


def shipped(path: str, field: str) -> Path | str:
    """The path of a recording, found where it ships if it is named so; the URL of a server as it is.

    Raises:
        ScenarioError: `field` names a shipped recording that does not exist.
    """
    if not path.startswith(SAMPLE):
        return path if path.startswith(SERVED) else Path(path)
    name = path.removeprefix(SAMPLE)
    known = [p.name for p in bundled("datasets", "samples").iterdir()]
    if name not in known:
        raise ScenarioError(f"{field} {path!r}: no such recording ships; {near_miss(name, known)}")
    return bundled("datasets", "samples", name)


def load(path: Path) -> Scenario:
    """The scenario in a TOML file; paths in it are relative to the file.

    Raises:
        ScenarioError: all mistakes at once, one a line: file, line, field, what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: no valid TOML: {error}") from None
    return _placed(parse(table, text, str(path)), path.parent)


def parse(table: Mapping[str, Any], text: str = "", origin: str = "scenario") -> Scenario:
    """The scenario in a table; `text` is its TOML, for line numbers.

    Raises:
        ScenarioError: all mistakes at once, one a line.
    """
    try:
        return Scenario.model_validate(table)
    except ValidationError as error:
        told = [_told(detail, text, origin) for detail in error.errors(include_url=False)]
        raise ScenarioError("\n".join(dict.fromkeys(told))) from None


def with_settings(scenario: Scenario, settings: Mapping[str, Any]) -> Scenario:
    """The scenario with dotted settings changed, such as ``{"demand.headroom": 0.3, "physical.spares": 2}``.

    Raises:
        ScenarioError: a setting is unknown or its value is wrong.
    """
    table = scenario.model_dump(exclude_unset=True)
    table.setdefault(
        "models", [model.model_dump(exclude_unset=True) | {"kind": model.kind} for model in scenario.models]
    )
    table["models"] = [m | {"kind": s.kind} for m, s in zip(table["models"], scenario.models, strict=True)]
    by_kind = {str(model["kind"]): model for model in table["models"]}
    whole = {model.kind: model.model_dump() for model in scenario.models}
    for key, value in settings.items():
        first, *rest = key.split(".")
        if rest and first in by_kind:
            _put(by_kind[first], (key, rest), value, whole[first])
        elif rest and first == "models":
            near = near_miss(rest[0], by_kind)
            raise ScenarioError(f"setting {key!r}: a model's settings begin with its kind; {near}")
        elif rest and first not in Scenario.model_fields:
            near = near_miss(first, [*by_kind, *Scenario.model_fields])
            raise ScenarioError(f"setting {key!r}: no model of the scenario and no table of it; {near}")
        else:
            _put(table, (key, [first, *rest]), value, {})
    return parse(table, origin="setting")


def _put(table: dict[str, Any], path: tuple[str, list[str]], value: Any, whole: Mapping[str, Any]) -> None:
    """Changes one setting in nested tables: the `path` is the setting as it was written, and its parts from here on.

    A list of tables is entered by the name of a row or by its number; the number after the last begins a new row. What
    was not written yet begins as it is in `whole`.
    """
    written, (key, *rest) = path
    if not rest:
        table[key] = value
        return
    inner = table.get(key, whole.get(key, {}))
    if isinstance(inner, list | tuple):
        rows = [dict(row) if isinstance(row, Mapping) else row for row in inner]
        at = _row(rows, rest[0], written)
        rows[at:] = rows[at:] or [{}]
        table[key], inner, rest = rows, rows[at], rest[1:]
    else:
        inner = table[key] = dict(inner) if isinstance(inner, Mapping) else {}
    if not rest or not isinstance(inner, dict):
        raise ScenarioError(f"setting {written!r}: expected the name of a field at the end, as in {written}.name")
    _put(inner, (written, rest), value, whole.get(key, {}) if isinstance(whole.get(key), Mapping) else {})


def _row(rows: Sequence[Any], label: str, written: str) -> int:
    """The row of a list that is called `label`, or has that number."""
    called = [str(row.get("name", "")) if isinstance(row, Mapping) else "" for row in rows]
    if label in called:
        return called.index(label)
    if label.isdecimal() and int(label) <= len(rows):
        return int(label)
    raise ScenarioError(f"setting {written!r}: no row {label!r}; {near_miss(label, [n for n in called if n])}")


def _placed(scenario: Scenario, folder: Path) -> Scenario:
    trace = scenario.trace
    if not trace.path.startswith((SAMPLE, STORED, *SERVED)):
        trace = trace.model_copy(update={"path": str(folder / trace.path)})
    today = scenario.today
    if today.bill is not None and not today.bill.startswith((SAMPLE, STORED)):
        today = today.model_copy(update={"bill": str(folder / today.bill)})
    books = tuple(str(folder / book) for book in scenario.price_books)
    return scenario.model_copy(update={"trace": trace, "today": today, "price_books": books})


def _told(detail: ErrorDetails, text: str, origin: str) -> str:
    """One mistake in one line: file, line, field, what was expected, what is near."""
    loc = _without_kind(detail["loc"])
    field = ".".join(str(part) for part in loc) or "scenario"
    number = line_of(text, loc)
    place = f"{origin}, line {number}" if number else origin
    match detail["type"]:
        case "extra_forbidden":
            return f"{place}: {field}: no such setting; {near_miss(str(loc[-1]), _known(detail['loc']))}"
        case "union_tag_invalid" | "union_tag_not_found":
            kind = detail["input"].get("kind", "") if isinstance(detail["input"], Mapping) else ""
            return f"{place}: {field}.kind: {str(kind)!r} is no deployment model; {near_miss(str(kind), MODELS)}"
        case "value_error":
            return f"{place}: {field}: {detail['msg'].removeprefix('Value error, ')}"
    return f"{place}: {field}: {detail['msg']}, got {detail['input']!r}"


def _without_kind(loc: Sequence[int | str]) -> tuple[int | str, ...]:
    """Pydantic names a model's kind after its place; the file does not."""
    return tuple(part for i, part in enumerate(loc) if not _is_kind(loc, i))


def _is_kind(loc: Sequence[int | str], i: int) -> bool:
    """Whether a part of a place is the kind of the model that stands there: of a scenario, or of a site of one."""
    return str(loc[i]) in MODELS and ((i == 2 and loc[0] == "models") or (i > 2 and loc[i - 1] == "model"))


def _known(loc: Sequence[int | str]) -> list[str]:
    """The settings that exist where an unknown one stands."""
    owner: type[BaseModel] = Scenario
    for i, part in enumerate(loc[:-1]):
        if _is_kind(loc, i):
            owner = MODELS[str(part)]
        elif part in owner.model_fields:
            owner = _settings(owner.model_fields[str(part)].annotation) or owner
    return list(owner.model_fields)


def _settings(annotation: Any) -> type[BaseModel] | None:
    """The class of settings that an annotation holds, if any."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _settings(part))), None)


def line_of(text: str, loc: Sequence[int | str]) -> int | None:
    """The line of a TOML text on which the key at `loc` stands; that of its table where the key is missing.

    >>> line_of('a = 1\\n[[models]]\\nkind = "x"\\n[[models]]\\nspare = 2', ("models", 1, "spare"))
    5
    >>> line_of('[[models]]\\n[[models]]\\n[models.table]\\na = 1', ("models", 1, "table", "b"))
    3
    """
    table: tuple[int | str, ...] = ()
    counts: dict[str, int] = {}
    found: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\[?\s*([\w.\-\"]+)\s*\]\]?", line):
            name = header[1].replace('"', "")
            if line.lstrip().startswith("[["):
                counts[name] = counts.get(name, -1) + 1
            table = _numbered(name, counts)
            found = number if table == tuple(loc[: len(table)]) else found
        elif key := re.match(r"\s*([\w.\-\"]+)\s*=", line):
            here = (*table, *key[1].replace('"', "").split("."))
            if here == tuple(loc[: len(here)]):
                return number
    return found


def _numbered(name: str, counts: Mapping[str, int]) -> tuple[int | str, ...]:
    """The dotted name of a table, with the number of each array of tables that it is in."""
    parts = name.split(".")
    path: list[int | str] = []
    for n, part in enumerate(parts, 1):
        inside = counts.get(".".join(parts[:n]))
        path += [part] if inside is None else [part, inside]
    return tuple(path)
