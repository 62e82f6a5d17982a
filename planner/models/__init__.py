"""MODELS: every deployment model, found by looking into this folder."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from typing import Final

from planner.models.base import DeploymentModel

__all__ = ["MODELS", "DeploymentModel"]


def _found() -> dict[str, type[DeploymentModel]]:
    modules = [import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__) if m.name[0] != "_"]
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

MODELS: Final = _found()
"""kind -> class, in the order of listings."""
