"""Examples: a file of published numbers as typed rows; a mistake in it is told with file, line and field."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, Union

from pydantic import Field, GetCoreSchemaHandler, ValidationError, field_validator, model_validator
from pydantic_core import CoreSchema, ErrorDetails

from planner.bundle import bundled
from planner.conformance.bills import CashQuestion, ChargeQuestion, CreditsQuestion, SavingsQuestion, TermsQuestion
from planner.conformance.machines import FactsQuestion, PackingQuestion, RecordingQuestion, ReplicasQuestion
from planner.conformance.plans import NodesQuestion, PlanQuestion, PodsQuestion
from planner.conformance.question import Question, Table
from planner.conformance.tables import PriceRow
from planner.errors import InputError, near_miss
from planner.scenario import line_of

__all__ = ["Collection", "Example", "Expected", "Skipped", "Slip", "load", "shipped"]

QUESTIONS: Final[dict[str, type[Question]]] = {
    "plan": PlanQuestion,
    "nodes": NodesQuestion,
    "pods": PodsQuestion,
    "replicas": ReplicasQuestion,
    "recording": RecordingQuestion,
    "charge": ChargeQuestion,
    "savings": SavingsQuestion,
    "terms": TermsQuestion,
    "credits": CreditsQuestion,
    "cash": CashQuestion,
    "packing": PackingQuestion,
    "facts": FactsQuestion,
}
"""Every kind of question that an example may ask."""


class _OneOfQuestions:
    """Reads a table with a `kind` as the question of that kind."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds = Union[tuple(QUESTIONS.values())]  # type: ignore[valid-type]  # noqa: UP007
        return handler.generate_schema(Annotated[kinds, Field(discriminator="kind")])


Value = float | str | tuple[float, ...] | tuple[str, ...]


class Expected(Table):
    """What the source says, and how exactly: to so many decimals, unless a tolerance is told."""

    value: Value
    decimals: int | None = Field(default=None, ge=0, le=15)
    """Digits after the point that are compared, more where the source prints more; none: those of the example."""
    within: float | None = Field(default=None, ge=0)
    """Largest difference."""
    relative: float | None = Field(default=None, ge=0)
    """Largest difference, as a share of what the source says."""


class Example(Table):
    """One published number, or a few that belong together."""

    id: str
    what: str
    type: Literal["W", "T", "F", "M", "3"] = "W"
    """Worked example printed in the source, assertion of its own tests, table or formula, partly from memory, or a page
    of a third party."""
    source: str
    """Key of the source."""
    place: str = ""
    """Where in it."""
    note: str = ""
    """What else to know."""
    decimals: int = Field(default=2, ge=0, le=15)
    ask: Annotated[Question, _OneOfQuestions()]
    expect: dict[str, Expected] = Field(min_length=1)

    @field_validator("expect", mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        """A plain value stands for a table that holds nothing else."""
        if not isinstance(given, Mapping):
            return given
        return {n: v if isinstance(v, Mapping) else {"value": v} for n, v in given.items()}


class Slip(Table):
    """A number that its source got wrong."""

    id: str
    what: str
    source: str
    printed: str
    corrected: str
    example: str = ""
    """Id of the example that recomputes it."""
    figure: str = ""
    """Which of its figures."""


class Skipped(Table):
    """A published number that nothing here can answer."""

    id: str
    source: str = ""
    reason: str


class Collection(Table):
    """A file of examples."""

    sources: dict[str, str] = Field(default_factory=dict)
    """Key -> where it is."""
    books: dict[str, tuple[PriceRow, ...]] = Field(default_factory=dict)
    """Price rows that a model must have and that the examples do not tell: a plan names them as its `book`."""
    example: tuple[Example, ...] = ()
    slip: tuple[Slip, ...] = ()
    not_applicable: tuple[Skipped, ...] = ()

    @model_validator(mode="after")
    def _books_are_there(self) -> Self:
        for example in self.example:
            named = getattr(example.ask, "book", "")
            if named and named not in self.books:
                raise ValueError(f"example {example.id}: book {named!r}: {near_miss(named, self.books)}")
        return self

    def questions(self) -> list[tuple[Example, Question]]:
        """What to ask for each example, prices of its book included."""
        return [(e, e.ask.priced(self.books) if isinstance(e.ask, PlanQuestion) else e.ask) for e in self.example]


def shipped() -> list[Path]:
    """The example files that ship with planner, by name."""
    return sorted(bundled("datasets", "conformance").glob("*.toml"))


def load(path: Path) -> Collection:
    """The examples in a TOML file.

    Raises:
        InputError: all mistakes at once, one a line: file, line, example, field, what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: no valid TOML: {error}") from None
    try:
        return Collection.model_validate(table)
    except ValidationError as error:
        told = [_told(detail, (path, text, table)) for detail in error.errors(include_url=False)]
        raise InputError("\n".join(dict.fromkeys(told))) from None


def _told(detail: ErrorDetails, file: tuple[Path, str, Mapping[str, Any]]) -> str:
    """One mistake in one line."""
    path, text, table = file
    # Pydantic names the kind of a question behind it; the file does not.
    loc = tuple(part for n, part in enumerate(detail["loc"]) if n != 3 or detail["loc"][2] != "ask")
    number = line_of(text, loc)
    who, rest = "", [str(part) for part in loc]
    if len(loc) > 1 and isinstance(loc[1], int):
        row = table[str(loc[0])][loc[1]]
        name = row.get("id", loc[1] + 1) if isinstance(row, Mapping) else loc[1] + 1
        who, rest = f"{loc[0]} {name}: ", rest[2:]
    field = f"{'.'.join(rest)}: " if rest else ""
    return f"{path}{f', line {number}' if number else ''}: {who}{field}{_words(detail)}"


def _words(detail: ErrorDetails) -> str:
    if detail["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        kind = str(detail["input"].get("kind", "")) if isinstance(detail["input"], Mapping) else ""
        return f"{kind!r} is no kind of question; {near_miss(kind, QUESTIONS)}"
    return " ".join(detail["msg"].removeprefix("Value error, ").split())
