"""Burstable instances: the credits that they earn, keep and spend, and what they spend beyond them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.models._types import Types
from planner.plan import Line, metered
from planner.quantities import HOURS_PER_WEEK

__all__ = ["Burst", "Earning", "burst", "credit_lines", "earning", "gained", "simulated"]

Floats = NDArray[np.float64]

CREDITS_PER_HOUR: Final = 60.0
"""Unit: credits. Source: Amazon EC2 user guide, a credit is one vCPU in full for a minute."""
HOURLY: Final = (24, HOURS_PER_WEEK)
"""Unit: periods. Source: profiles whose periods are the hours of a day or a week, one after the other."""


@dataclass(frozen=True)
class Earning:
    """What types earn; NaN where the books do not say."""

    per_hour: Floats
    """[type], credits."""
    most: Floats
    """[type], credits that are kept, and that may be owed before they are charged."""
    usd: Floats
    """[type], of a vCPU-hour beyond; inf where it cannot be had."""


@dataclass(frozen=True)
class Burst:
    """How machines would live on types, in a month after many like it."""

    short: Floats
    """[row, type], credits that are owed at the worst hour; 0 where what is earned is enough."""
    charged: Floats
    """[row, type], vCPU-hours a month beyond what is earned."""


def earning(market: Catalog, kinds: Types) -> Earning:
    """What the types earn by the facts of the topic burstable, and what more costs by the prices of cpu_credits."""
    facts = market.facts[market.facts["topic"] == "burstable"]
    told = facts.pivot_table(index="key", columns="metric", values="value", aggfunc="first").reindex(kinds.sku)
    prices = market.of("cpu_credits").drop_duplicates("family").set_index("family")["usd_per_unit"]
    per_hour, most = (
        told[metric].to_numpy(float) if metric in told else np.full(len(kinds.sku), np.nan)
        for metric in ("credits_per_hour", "credits_max")
    )
    return Earning(per_hour, most, prices.reindex(kinds.family).fillna(np.inf).to_numpy(float))


def gained(earned_per_hour: Floats | float, cores: Floats, hours: Floats) -> Floats:
    """Credits earned less credits spent where `cores` are busy for so many `hours`, element by element.

    >>> gained(6.0, np.array([0.0, 0.14]), np.array([24.0, 24.0])).round(6).tolist()
    [144.0, -57.6]
    """
    return np.asarray((earned_per_hour - cores * CREDITS_PER_HOUR) * hours)


def simulated(net: Floats, most: Floats, start: Floats) -> tuple[Floats, Floats]:
    """[row, step] balance after each step and credits charged in it, from a balance of `start` [row].

    What is earned pays first what is owed; above `most` it is lost. What is owed beyond `most` is charged at once.

    Args:
        net: [row, step], credits earned less credits spent.
        most: [row].
        start: [row].

    Source: Amazon EC2 user guide, "Unlimited mode examples for burstable instances".
    """
    balance, charged = np.zeros(net.shape), np.zeros(net.shape)
    now = np.asarray(start, float)
    for step in range(net.shape[1]):
        now = now + net[:, step]
        charged[:, step] = np.maximum(-most - now, 0.0)
        now = np.clip(now, -most, most)
        balance[:, step] = now
    return balance, charged


def burst(earns: Earning, cores: Floats, running: NDArray[np.bool_], hours: Floats) -> Burst:
    """How rows that use `cores` [row, period] on average, while `running`, would live on each type.

    Periods of a day or a week follow one another hour by hour, others as blocks of their hours. The month is one of
    many alike: it begins with all credits where more is earned than spent, and with none left where less is.
    """
    steps = np.ones(len(hours)) if len(hours) in HOURLY else np.asarray(hours, float)
    often = hours / np.where(steps > 0, steps, 1.0)
    short, charged = (np.zeros((len(cores), len(earns.per_hour))) for _ in range(2))
    for k in range(len(earns.per_hour)):
        net = gained(float(earns.per_hour[k]), cores, steps) * running
        most = np.full(len(cores), earns.most[k])
        # From the end that it drifts to, one round leads to where every later round begins.
        settled, _ = simulated(net, most, np.sign(net.sum(axis=1)) * most)
        balance, over = simulated(net, most, settled[:, -1] if len(hours) else most * 0.0)
        short[:, k] = np.maximum(-balance.min(axis=1, initial=0.0), 0.0)
        charged[:, k] = over @ often / CREDITS_PER_HOUR
    return Burst(short, charged)


def credit_lines(market: Catalog, kinds: Types, vcpu_hours: Floats) -> list[Line]:
    """The lines for `vcpu_hours` [type] beyond what is earned, by family."""
    by_family = pd.Series(vcpu_hours).groupby(kinds.family).sum()
    rows = market.of("cpu_credits")
    spent = [(str(family), float(hours)) for family, hours in by_family.items() if hours > 0]
    return [entry for family, hours in spent for entry in metered(rows[rows["family"] == family], hours, "compute")]
