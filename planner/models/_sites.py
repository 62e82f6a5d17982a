"""Sites: a model at a provider in a region; and traffic between what runs there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Union

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SerializationInfo,
    SerializeAsAny,
    field_serializer,
    field_validator,
)
from pydantic_core import CoreSchema

from planner.models._folder import found
from planner.models.base import DeploymentModel

__all__ = ["CLUSTERS", "PORTFOLIO", "Site", "Traffic"]

SITE_MODELS: Final = found("multi_cloud")
"""kind -> class of what a site can be: every model but a portfolio of sites."""

CLUSTERS: Final = ("kubernetes", "service_mesh")
"""Kinds of models that are clusters and want an agent and a fleet manager once there are several."""


class _OneOfModels:
    """Reads a table with a `kind` as the deployment model of that kind."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds = Union[tuple(SITE_MODELS.values())]  # type: ignore[valid-type]  # noqa: UP007
        return handler.generate_schema(Annotated[kinds, Field(discriminator="kind")])


class Site(BaseModel):
    """A place where workloads can run, and how they run there."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(default="site", min_length=1, pattern=r"^[^/]+$")
    """What it is called. Unit: text. Source: the user."""

    model: SerializeAsAny[Annotated[DeploymentModel, _OneOfModels()]] = Field(
        default_factory=lambda: SITE_MODELS["kubernetes"].model_validate({"kind": "kubernetes"})
    )
    """How things run there: a model with its settings, or its kind alone. Unit: table. Source: the user."""

    provider: str | None = None
    """Whose it is; none: as its model says. Unit: name. Source: the user."""

    region: str | None = None
    """Where it is, by the provider's own code; none: as its model says. Unit: name. Source: the user."""

    jurisdiction: str = ""
    """Whose law holds there, for workloads that may not leave it; empty: not told. Unit: name. Source: the user."""

    latency_ms: float = Field(default=0.0, ge=0)
    """Round trip between the site and those who use what runs there. Unit: ms. Source: the user; measure it."""

    max_cpu_cores: float | None = Field(default=None, ge=0)
    """Most cores, at their busiest, of what may be placed there; none: no limit. Unit: cores. Source: the user."""

    max_memory_gib: float | None = Field(default=None, ge=0)
    """Most memory of what may be placed there; none: no limit. Unit: GiB. Source: the user."""

    @field_validator("model", mode="before")
    @classmethod
    def _by_kind(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @field_serializer("model")
    def _with_kind(self, model: DeploymentModel, info: SerializationInfo) -> Mapping[str, Any]:
        mode = "json" if info.mode_is_json() else "python"
        return {"kind": model.kind, **model.model_dump(mode=mode, exclude_unset=bool(info.exclude_unset))}

    def __str__(self) -> str:
        return f"{self.name} ({self.model.kind} at {self.owner} {self.place})"

    @property
    def owner(self) -> str:
        """The provider that holds."""
        return str(self.provider or getattr(self.model, "provider", "onprem"))

    @property
    def place(self) -> str:
        """The region that holds."""
        return str(self.region or getattr(self.model, "region", "all"))

    def placed(self, effort: float) -> DeploymentModel:
        """Its model, where it is, looking `effort` times as long for better packings as it would by itself."""
        here = {"provider": self.owner, "region": self.place}
        known = {name: value for name, value in here.items() if name in type(self.model).model_fields}
        budget = getattr(self.model, "effort", None)
        looks = {} if budget is None else {"effort": budget * effort}
        return self.model.model_copy(update={**known, **looks})


class Traffic(BaseModel):
    """What one application or workload sends to another."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    caller: str = ""
    """Who sends: an application or a workload. Unit: name. Source: the user."""

    callee: str = ""
    """Who receives. Unit: name. Source: the user."""

    gib_per_month: float = Field(default=0.0, ge=0)
    """How much. Unit: GiB-month. Source: the user; measure it."""

    def __str__(self) -> str:
        return f"{self.caller} to {self.callee}: {self.gib_per_month:g}"


def _site(name: str, kind: str, provider: str, region: str) -> Site:
    table = {"name": name, "model": kind, "provider": provider, "region": region, "jurisdiction": "US"}
    return Site.model_validate(table)


PORTFOLIO: Final = (
    _site("aws-clusters", "kubernetes", "aws", "us-east-1"),
    _site("gcp-clusters", "kubernetes", "gcp", "us-central1"),
    _site("azure-machines", "iaas", "azure", "eastus"),
    _site("aws-functions", "functions", "aws", "us-east-1"),
    _site("aws-serverless-containers", "serverless_containers", "aws", "us-east-1"),
    _site("own-hosts", "hypervisor", "onprem", "all"),
)
"""Three clouds and a machine room, in one jurisdiction. Unit: tables. Source: the user."""
