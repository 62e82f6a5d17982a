"""Draws that meet a published distribution at even quantiles, so that a small sample has its shape by construction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "Floats", "Ints", "blocks", "quantiles", "shared_out", "wander"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Curve = tuple[tuple[float, float], ...]
"""(quantile, value) points from 0 to 1, log-linear between them."""


def quantiles(curve: Curve, n: int) -> Floats:
    """[n] rising values of `curve` at the even quantiles (i + 1/2) / n."""
    at, value = zip(*curve, strict=True)
    return np.asarray(np.exp(np.interp(_even(n), at, np.log(value))))


def shared_out(rng: np.random.Generator, shares: Mapping[Any, float], n: int) -> NDArray[Any]:
    """[n] values in just these shares, in random order."""
    edges = np.cumsum(list(shares.values())) / sum(shares.values())
    position = np.searchsorted(edges, _even(n), side="right")
    return rng.permutation(np.array(list(shares))[np.minimum(position, len(shares) - 1)])


def wander(rng: np.random.Generator, shape: tuple[int, int], every: int) -> Floats:
    """[rows, samples] standard normal noise that is alike within about `every` samples and forgets itself beyond."""
    rows, samples = shape
    knots = rng.standard_normal((rows, samples // every + 2))
    at = np.arange(samples)[None, :] + rng.integers(0, every, rows)[:, None]
    left, part = at // every, at % every / every
    row = np.arange(rows)[:, None]
    between = (1 - part) * knots[row, left] + part * knots[row, left + 1]
    return np.asarray(between / np.hypot(part, 1 - part))


def blocks(rng: np.random.Generator, shape: tuple[int, int], every: int) -> Floats:
    """[rows, samples] uniform draws that stay the same for `every` samples, each row out of step with the others."""
    rows, samples = shape
    drawn = rng.random((rows, samples // every + 2))
    at = np.arange(samples)[None, :] + rng.integers(0, every, rows)[:, None]
    return np.asarray(drawn[np.arange(rows)[:, None], at // every])


def _even(n: int) -> Floats:
    return (np.arange(n) + 0.5) / max(n, 1)
