"""DeploymentModel: typed fields are its settings, one verb `plan`."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict

from planner.catalog import Catalog
from planner.demand import Demand
from planner.plan import Plan
from planner.quantities import Assumption

__all__ = ["DeploymentModel", "described", "told"]

_SOURCE = re.compile(r"^(?P<what>.*?)\s*Unit:\s*(?P<unit>.+?)\.\s+Source:\s*(?P<source>.+?)\.?$", re.DOTALL)


def described(owner: type[BaseModel], name: str) -> tuple[str, str, str]:
    """What field `name` of a class of settings means, its unit and its source, out of the string beneath it.

    Raises:
        ValueError: the string lacks its unit or source.
    """
    text = " ".join((owner.model_fields[name].description or "").split())
    match = _SOURCE.match(text)
    if match is None:
        raise ValueError(f"{owner.__name__}.{name}: its docstring must end in 'Unit: ... . Source: ...'")
    return match["what"], match["unit"], match["source"]


def told(owner: BaseModel, blank: bool = False) -> Iterator[tuple[str, Any, tuple[str, str, str]]]:
    """Every setting but `kind` with its value, meaning, unit and source; those of tables in it under ``table.row.``.

    Rows are told by their name, else by their number; with `blank`, a list without any as if it had one.
    """
    for name, field in type(owner).model_fields.items():
        if name == "kind":
            continue
        value = getattr(owner, name)
        yield name, value, described(type(owner), name)
        rows = value if isinstance(value, tuple) else ()
        for number, row in enumerate(rows or (_rows(field.annotation) if blank else ())):
            if isinstance(row, BaseModel):
                label = getattr(row, "name", number)
                yield from ((f"{name}.{label}.{inner}", *rest) for inner, *rest in told(row))


def _rows(annotation: Any) -> tuple[BaseModel, ...]:
    """One row of a list of tables, with its defaults; none where the annotation is of something else."""
    kinds = [part for part in get_args(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
    return tuple(kind() for kind in kinds[:1])


class DeploymentModel(BaseModel, ABC):
    """A way to run a demand. To define one, write its fields and one pure function.

    Every field has a default (a model plans with its defaults alone) and a string beneath it that ends in
    ``Unit: ... . Source: ...``; scenario files, listings and forms are made from them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: str
    title: ClassVar[str]
    """A few words for tables and charts."""
    rented: ClassVar[bool] = True
    """Rented by the hour or call, or bought and kept (then last year's boxes come back as `owned`)."""

    native: ClassVar[tuple[str, ...]] = ()
    """Kinds of workloads that live this way already, so that nothing is paid once to move them in."""

    @property
    def keeps(self) -> bool:
        """Whether its boxes are bought and kept, with these settings."""
        return not self.rented

    @abstractmethod
    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """What to buy or rent for `demand` out of `catalog`: pure, deterministic, with the defaults alone.

        `owned` counts boxes by sku that were bought before and are kept: they cost on, whether used or not.
        What does not fit is named in `Plan.unplaced`.

        Raises:
            PriceBookError: the catalog lacks a price that the model must have.
        """

    @classmethod
    def describe(cls, name: str) -> tuple[str, str, str]:
        """What field `name` means, its unit and its source, out of the string beneath it.

        Raises:
            ValueError: the string lacks its unit or source.
        """
        return described(cls, name)

    def settings(self) -> tuple[Assumption, ...]:
        """Every field but `kind`, with value, unit and source; of tables in it too."""
        return tuple(Assumption(f"{self.kind}.{name}", _plain(value), *words[1:]) for name, value, words in told(self))


def _plain(value: object) -> float | int | str | bool | None:
    if isinstance(value, DeploymentModel):
        return value.kind
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    return value if isinstance(value, float | int | str | bool | None) else str(value)
