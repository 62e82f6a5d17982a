"""Deployment models found by looking into this folder: one public file each."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

from planner.models.base import DeploymentModel

__all__ = ["found"]

_ORDER: Final = {
    name: rank
    for rank, name in enumerate(
        (
            "Physical",
            "Hypervisor",
            "Iaas",
            "Kubernetes",
            "ServiceMesh",
            "Functions",
            "ServerlessContainers",
            "MultiCloud",
        )
    )
}
"""The order of listings: the way estates move. Newcomers follow."""


def found(*without: str) -> dict[str, type[DeploymentModel]]:
    """kind -> class, in the order of listings, of all files but those named `without`."""
    names = [m.name for m in iter_modules([str(Path(__file__).parent)]) if m.name[0] != "_" and m.name not in without]
    modules = [import_module(f"{__package__}.{name}") for name in names]
    classes = {
        c
        for module in modules
        for c in vars(module).values()
        if isinstance(c, type)
        and issubclass(c, DeploymentModel)
        and c.__module__ == module.__name__
        and not isabstract(c)
    }
    return {str(c.model_fields["kind"].default): c for c in sorted(classes, key=lambda c: _ORDER.get(c.__name__, 99))}
