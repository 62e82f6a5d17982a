"""Inputs generated from the fields of a settings class: one widget a field, its docstring as help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["Choice", "form"]


@dataclass(frozen=True)
class Choice:
    """What a field may hold, read off its annotation."""

    kind: Literal["bool", "int", "float", "text", "one of", "some of"]
    options: tuple[Any, ...] = ()
    optional: bool = False


def choice(annotation: Any) -> Choice:
    """The input that fits an annotation.

    >>> choice(float | None)
    Choice(kind='float', options=(), optional=True)
    >>> choice(Literal["a", "b"]).options
    ('a', 'b')
    """
    parts = get_args(annotation)
    if NoneType in parts:
        inner = next(p for p in parts if p is not NoneType)
        found = choice(inner)
        return Choice(found.kind, found.options, optional=True)
    if get_origin(annotation) is Literal:
        return Choice("one of", parts)
    if get_origin(annotation) is tuple and parts and get_origin(parts[0]) is Literal:
        return Choice("some of", get_args(parts[0]))
    simple: dict[Any, Literal["bool", "int", "float"]] = {bool: "bool", int: "int", float: "float"}
    return Choice(simple.get(annotation, "text"))


def form(settings: type[BaseModel], key: str, skip: Iterable[str] = ("kind",)) -> dict[str, Any]:
    """Draws one input a field and returns only what the user changed from the defaults."""
    changed = {}
    for name, field in settings.model_fields.items():
        if name in set(skip) or _is_table(field):
            continue
        value = _widget(name, field, f"{key}.{name}")
        if value != field.get_default(call_default_factory=True):
            changed[name] = value
    return changed


def _is_table(field: FieldInfo) -> bool:
    """Whether a field holds tables, such as the sites of a portfolio: those are written in a scenario file."""
    found = field.get_default(call_default_factory=True)
    return isinstance(found, tuple) and any(isinstance(part, BaseModel) for part in found)


def _widget(name: str, field: FieldInfo, key: str) -> Any:
    found, default = choice(field.annotation), field.get_default(call_default_factory=True)
    label, told = name.replace("_", " "), field.description
    match found.kind:
        case "bool":
            return st.checkbox(label, bool(default), key=key, help=told)
        case "one of":
            options = ([None] if found.optional else []) + list(found.options)
            return st.selectbox(label, options, options.index(default), key=key, help=told)
        case "some of":
            return tuple(st.multiselect(label, found.options, list(default), key=key, help=told))
        case "int" | "float":
            kind = int if found.kind == "int" else float
            start = None if default is None else kind(default)
            low, high = _limits(field, kind)
            return st.number_input(label, low, high, start, key=key, help=told, step=1 if kind is int else None)
    text = st.text_input(label, "" if default is None else str(default), key=key, help=told)
    return default if text == ("" if default is None else str(default)) else (text or None)


def _limits(field: FieldInfo, kind: type[int] | type[float]) -> tuple[Any, Any]:
    bounds = {
        type(m).__name__: getattr(m, type(m).__name__.lower())
        for m in field.metadata
        if hasattr(m, type(m).__name__.lower())
    }
    low, high = bounds.get("Ge", bounds.get("Gt")), bounds.get("Le", bounds.get("Lt"))
    return (None if low is None else kind(low)), (None if high is None else kind(high))
