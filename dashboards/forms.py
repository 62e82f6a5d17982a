"""Inputs generated from the fields of a settings class: one widget a field, its docstring as help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["Choice", "field_input", "fields", "form"]

Kind = Literal["bool", "int", "float", "text", "words", "numbers", "one of", "some of", "tables"]


@dataclass(frozen=True)
class Choice:
    """What a field may hold, read off its annotation."""

    kind: Kind
    options: tuple[Any, ...] = ()
    optional: bool = False


def choice(annotation: Any) -> Choice:
    """The input that fits an annotation.

    >>> choice(float | None)
    Choice(kind='float', options=(), optional=True)
    >>> choice(Literal["a", "b"]).options
    ('a', 'b')
    >>> choice(tuple[str, ...]).kind
    'words'
    """
    parts = get_args(annotation)
    if NoneType in parts:
        inner = next(p for p in parts if p is not NoneType)
        found = choice(inner)
        return Choice(found.kind, found.options, optional=True)
    if get_origin(annotation) is Literal:
        return Choice("one of", parts)
    if get_origin(annotation) is tuple and parts:
        listed: dict[Any, Kind] = {str: "words", float: "numbers"}
        literal = get_origin(parts[0]) is Literal
        return Choice("some of", get_args(parts[0])) if literal else Choice(listed.get(parts[0], "tables"))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Choice("tables")
    simple: dict[Any, Kind] = {bool: "bool", int: "int", float: "float"}
    return Choice(simple.get(annotation, "text"))


def fields(settings: type[BaseModel], skip: Iterable[str] = ("kind",)) -> list[str]:
    """Fields that have an input; those that hold tables, such as sites of a portfolio, are written in a scenario file.

    >>> class Some(BaseModel):
    ...     kind: str = "some"
    ...     rate: float = 0.1
    ...     pairs: tuple[tuple[str, str], ...] = ()
    >>> fields(Some)
    ['rate']
    """
    told = settings.model_fields.items()
    return [name for name, field in told if name not in set(skip) and choice(field.annotation).kind != "tables"]


def form(
    settings: type[BaseModel], key: str, start: Mapping[str, Any] | None = None, skip: Iterable[str] = ("kind",)
) -> dict[str, Any]:
    """Draws one input a field, as `start` has it or else the default, in two columns; returns all values."""
    columns = st.columns(2)
    values = {}
    for place, name in enumerate(fields(settings, skip)):
        with columns[place % 2]:
            values[name] = field_input(settings, name, f"{key}.{name}", start or {})
    return values


def field_input(settings: type[BaseModel], name: str, key: str, start: Mapping[str, Any]) -> Any:
    """The input of one field; returns its value."""
    field = settings.model_fields[name]
    found, begin = choice(field.annotation), start.get(name, field.get_default(call_default_factory=True))
    label, told = name.replace("_", " "), field.description
    match found.kind:
        case "bool":
            return st.checkbox(label, bool(begin), key=key, help=told)
        case "one of":
            options = ([None] if found.optional else []) + list(found.options)
            return st.selectbox(label, options, options.index(begin), key=key, help=told)
        case "some of":
            return st.multiselect(label, found.options, list(begin), key=key, help=told)
        case "int" | "float":
            return _number(label, field, (begin, found.kind), key)
        case "words" | "numbers":
            return _list(label, (begin, found.kind), key, told)
    text = st.text_input(label, "" if begin is None else str(begin), key=key, help=told)
    return begin if text == ("" if begin is None else str(begin)) else (text or None)


def _number(label: str, field: FieldInfo, begin: tuple[Any, Kind], key: str) -> Any:
    value, named = begin
    kind = int if named == "int" else float
    low, high = _limits(field, kind)
    start = None if value is None else kind(value)
    step = 1 if kind is int else None
    # Streamlit shows two decimals unless told; a fraction of a thousandth must not look like nothing.
    shown = "%g" if isinstance(start, float) and round(start, 2) != start else None
    return st.number_input(label, low, high, start, key=key, help=field.description, step=step, format=shown)


def _list(label: str, begin: tuple[Any, Kind], key: str, told: str | None) -> Any:
    """Several words or numbers, separated by commas; numbers that are none stay text, which planning will refuse."""
    value, kind = begin
    text = st.text_input(f"{label} (separated by commas)", ", ".join(map(str, value)), key=key, help=told)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return parts if kind == "words" else [_amount(part) for part in parts]


def _amount(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _limits(field: FieldInfo, kind: type[int] | type[float]) -> tuple[Any, Any]:
    bounds = {
        type(m).__name__: getattr(m, type(m).__name__.lower())
        for m in field.metadata
        if hasattr(m, type(m).__name__.lower())
    }
    low, high = bounds.get("Ge", bounds.get("Gt")), bounds.get("Le", bounds.get("Lt"))
    return (None if low is None else kind(low)), (None if high is None else kind(high))
