"""By whose rules instances of serverless containers are sized and billed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["RULES", "Billing", "Ladder", "Mode", "Rules", "shapes"]

Floats = NDArray[np.float64]
Mode = Literal["instance", "request", "job"]
Ladder = tuple[float, float, float, float]
"""Cores, and the memory sold with them: least GiB, most GiB, step."""
_EXACT: Final = 1e-9
"""Unit: fraction. Source: a whole number of steps stays one in spite of binary fractions."""


@dataclass(frozen=True)
class Billing:
    """One way in which instances are billed."""

    mode: Mode
    """By the life of an instance, by the requests in it, or by the run of a job that has one to itself."""
    words: tuple[str, ...]
    """What price books call its meters."""
    rounding_s: float
    """Times are rounded up to it; 0: not at all."""
    minimum_s: float
    """Least billed time."""
    cooldown_s: float
    """How long the last instance is billed after it was last needed; inf: for ever."""
    per_request: bool
    """Whether requests cost beside the time."""

    def billed(self, seconds: Floats) -> Floats:
        """Times of requests or jobs as they are billed.

        >>> Billing("request", (), 0.1, 0.0, 0.0, True).billed(np.array([0.21])).round(9).tolist()
        [0.3]
        """
        step = self.rounding_s
        steps = np.ceil(seconds / step * (1 - _EXACT)) * step if step > 0 else seconds
        return np.asarray(np.maximum(steps, self.minimum_s))


@dataclass(frozen=True)
class Rules:
    """What a provider sells instances by."""

    plan: str
    """How price books begin the names of its meters."""
    ladders: tuple[Ladder, ...]
    billings: tuple[Billing, ...]
    arches: tuple[str, ...]
    """Processors that it runs."""
    concurrency: float
    """Requests that one instance takes at once unless told otherwise."""
    request_limit_s: float
    """Longest request; what takes longer is a job."""
    storage_free_gib: float
    """Scratch disk of an instance that costs nothing."""
    idle_cores: float
    """Use below which an instance counts as idle, where idle has a price of its own."""
    balancer: bool
    """Whether several instances need a load balancer that costs extra."""
    source: str

    def changed(self, **fields: float | None) -> Rules:
        """These rules with what is told in their place: of all ways of billing, or of the provider."""
        told = {name: value for name, value in fields.items() if value is not None}
        times = {name: told.pop(name) for name in ("rounding_s", "minimum_s", "cooldown_s") if name in told}
        billings = tuple(replace(b, **times) for b in self.billings)  # type: ignore[arg-type]  # numbers for numbers
        return replace(self, **told, billings=billings)  # type: ignore[arg-type]  # numbers for numbers


def shapes(ladders: Sequence[Ladder], most_cores: float = inf) -> Floats:
    """[shape, (cores, GiB)], all sizes sold with at most so many cores, the smallest first.

    >>> shapes([(0.25, 0.5, 1.0, 0.5), (0.25, 2.0, 2.0, 1.0), (1.0, 2.0, 4.0, 1.0)]).tolist()
    [[0.25, 0.5], [0.25, 1.0], [0.25, 2.0], [1.0, 2.0], [1.0, 3.0], [1.0, 4.0]]
    """
    rows = [
        np.column_stack([np.full(n, cores), least + step * np.arange(n)])
        for cores, least, most, step in ladders
        if cores <= most_cores
        for n in [int((most - least) / step + _EXACT) + 1]
    ]
    table = np.concatenate(rows) if rows else np.zeros((0, 2))
    return np.unique(table, axis=0)


_FARGATE: Final = (
    (0.25, 0.5, 1.0, 0.5), (0.25, 2.0, 2.0, 1.0), (0.5, 1.0, 4.0, 1.0), (1.0, 2.0, 8.0, 1.0), (2.0, 4.0, 16.0, 1.0),
    (4.0, 8.0, 30.0, 1.0), (8.0, 16.0, 60.0, 4.0), (16.0, 32.0, 120.0, 8.0), (32.0, 60.0, 120.0, 60.0),
    (32.0, 244.0, 244.0, 1.0),
)  # fmt: skip
_CLOUD_RUN: Final = (
    (1.0, 0.5, 4.0, 0.5), (2.0, 0.5, 8.0, 0.5), (4.0, 2.0, 16.0, 0.5), (6.0, 4.0, 24.0, 1.0), (8.0, 4.0, 32.0, 1.0),
)  # fmt: skip
_CONTAINER_APPS: Final = tuple((n / 4, n / 2, n / 2, 1.0) for n in range(1, 17))

RULES: Final = {
    "aws": Rules(
        "fargate", _FARGATE,
        (Billing("instance", (), 1.0, 60.0, inf, False), Billing("job", (), 1.0, 60.0, 0.0, False)),
        ("x86_64", "arm64"), 1000.0, inf, 20.0, 0.0, True,
        "AWS ECS and EKS documentation (sizes, 20 GB of disk); vantage.sh/blog/fargate-pricing (by the second, at "
        "least a minute)",
    ),
    "gcp": Rules(
        "cloud-run", _CLOUD_RUN,
        (
            Billing("instance", ("instance-based",), 0.1, 60.0, 900.0, False),
            Billing("request", ("request-based",), 0.1, 0.1, 0.0, True),
            Billing("job", ("instance-based",), 0.1, 60.0, 0.0, False),
        ),
        ("x86_64",), 80.0, 3600.0, 0.0, 0.0, False,
        "cloud.google.com/run/pricing (100 ms); infracost@95ba4f49 cloud_run_v2_job_test (jobs at the instance-based "
        "rate); sizes, 80 at once, 60 min, 15 min until an idle instance goes FROM MEMORY",
    ),
    "azure": Rules(
        "container-apps", _CONTAINER_APPS,
        (
            Billing("request", (), 0.0, 0.0, 300.0, True),
            Billing("job", (), 0.0, 0.0, 0.0, False),
            Billing("instance", (), 0.0, 0.0, 300.0, True),
        ),
        ("x86_64",), 10.0, 240.0, 0.0, 0.01, False,
        "Azure Container Apps documentation, FROM MEMORY (2 GiB a core up to 4, 10 requests at once, 240 s, 300 s of "
        "cooldown, idle below 0.01 cores)",
    ),
}  # fmt: skip
"""Rules by provider; each is a setting that a scenario may override."""
