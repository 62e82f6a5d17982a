"""Question: what an example asks, as a table of typed fields with one verb `figures`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from planner.errors import near_miss

__all__ = ["Figure", "Figures", "Question", "Table", "listed"]

Figure = float | str | list[float] | list[str]
Figures = dict[str, Figure]
"""name -> what this planner says."""


class Table(BaseModel):
    """A table of an example file; what it does not know is refused, with what is near."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        unknown = [key for key in given if key not in cls.model_fields] if isinstance(given, Mapping) else []
        if unknown:
            raise ValueError(f"{unknown[0]!r}: no such field; {near_miss(str(unknown[0]), cls.model_fields)}")
        return given


class Question(Table, ABC):
    """One kind of question. To define another, write its fields and one function that asks the planner."""

    kind: str

    @abstractmethod
    def figures(self) -> Figures:
        """All that the planner says to it, by name.

        Raises:
            PlannerError: it cannot be asked, for want of a price for instance.
        """


def listed(values: Iterable[Any]) -> list[float]:
    """Numbers of an array of any shape as a plain list, row by row."""
    return [float(value) for value in np.ravel(np.asarray(values, float))]
