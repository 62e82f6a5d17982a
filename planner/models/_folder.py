"""Deployment models found by looking into this folder: one public file each."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Final

from planner.models.base import DeploymentModel

__all__ = ["found", "kinds"]

_ORDER: Final = (
    *("physical", "hypervisor", "iaas", "kubernetes", "service_mesh"),
    *("functions", "serverless_containers", "multi_cloud"),
)
"""The order of listings: the way estates move. Newcomers follow."""
_SHARED: Final = frozenset({"base"})


def kinds() -> tuple[str, ...]:
    """The kind of every model, which is the name of its file, in the order of listings; none is loaded for it."""
    names = {m.name for m in iter_modules([str(Path(__file__).parent)]) if m.name[0] != "_"} - _SHARED
    known = [name for name in _ORDER if name in names]
    return (*known, *sorted(names.difference(known)))


def found(*without: str) -> dict[str, type[DeploymentModel]]:
    """kind -> class, in the order of listings, of all files but those named `without`."""
    modules = [import_module(f"{__package__}.{name}") for name in kinds() if name not in without]
    return {str(c.model_fields["kind"].default): c for module in modules for c in _classes(module)}


def _classes(module: ModuleType) -> list[type[DeploymentModel]]:
    """The models that a file declares."""
    return [
        c
        for c in vars(module).values()
        if isinstance(c, type)
        and issubclass(c, DeploymentModel)
        and c.__module__ == module.__name__
        and not isabstract(c)
    ]
