"""How a HorizontalPodAutoscaler sets the number of replicas, and what it follows through a week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Autoscaler", "desired_replicas", "followed", "for_requests"]

Floats = NDArray[np.float64]

_SLACK = 1e-9


@dataclass(frozen=True)
class Autoscaler:
    """By what replicas are added and taken away."""

    target: float
    """Share of its CPU request that a replica is to use on average."""
    tolerance: float
    """No change as long as use is that near to the target."""
    governed: str
    """Which workloads keep the CPU request they have: "none", "containers" or "scales_out"."""
    concurrency: float | None
    """Requests that one replica takes at once; none: requests do not count."""
    concurrency_target: float
    """Share of them at which another replica is wanted."""


def desired_replicas(current: Floats, metric: Floats | float, target: Floats | float, tolerance: float) -> Floats:
    """Replicas that are wanted where `current` ones show a `metric` each: rounded up, unchanged within the tolerance.

    Source: kubernetes.io, Horizontal Pod Autoscaling (algorithm details).

    >>> desired_replicas(np.array([3.0, 4.0, 4.0]), np.array([100.0, 63.0, 30.0]), 60.0, 0.1).tolist()
    [5.0, 4.0, 2.0]
    """
    ratio = np.ones(np.broadcast_shapes(np.shape(current), np.shape(metric), np.shape(target)))
    np.divide(metric, target, out=ratio, where=np.broadcast_to(np.asarray(target) > 0, ratio.shape))
    wanted = np.ceil(current * ratio * (1 - _SLACK))
    return np.where(np.abs(ratio - 1) <= tolerance + _SLACK, current, wanted)


def followed(least: Floats, used: Floats, target: Floats, tolerance: float) -> Floats:
    """[class, period], replicas through a week that begins again: as wanted, and never fewer than `least`.

    Args:
        least: [class, period], at least 1.
        used: [class, period], what all replicas use together.
        target: [class], what one is to use.
        tolerance: see `desired_replicas`.
    """
    running, before = least.copy(), least[:, -1] if least.shape[1] else least[:, :0].sum(axis=1)
    for t in [*range(least.shape[1])] * 2:  # the second round begins with what the week ended with
        before = np.maximum(least[:, t], desired_replicas(before, used[:, t] / before, target, tolerance))
        running[:, t] = before
    return running


def for_requests(in_flight: Floats, at_once: float, target: float) -> Floats:
    """Replicas for requests in flight, of which each takes `at_once` and is to be filled to a share of `target`.

    Source: knative.dev, Autoscaling, Configuring concurrency (container concurrency x target utilisation).

    >>> for_requests(np.array([7.0, 7.1]), 10.0, 0.7).tolist()
    [1.0, 2.0]
    """
    return np.ceil(np.asarray(in_flight) / (at_once * target) * (1 - _SLACK))
