"""What a bill charges: every hour's usage to commitments, in the order in which the provider applies them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bill", "Commitment", "Order", "Usage", "charged", "reserved", "saved_usd", "savings_rate"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Order(IntEnum):
    """What is applied before what. Source: Savings Plans user guide, "How Savings Plans apply to your usage"."""

    ZONAL_RESERVATION = 0
    REGIONAL_RESERVATION = 1
    FAMILY_PLAN = 2
    COMPUTE_PLAN = 3


@dataclass(frozen=True)
class Usage:
    """What ran: hours of an instance type, of a serverless meter, of anything that has a price on demand."""

    amount: Floats
    """[hour, item], units that run in each hour."""
    usd: Floats
    """[item], price of one unit on demand."""
    hours: Floats | None = None
    """[hour], how many hours each row stands for; none: one."""

    @property
    def weight(self) -> Floats:
        """[hour], hours that each row stands for."""
        return np.ones(len(self.amount)) if self.hours is None else np.asarray(self.hours, float)

    @property
    def on_demand_usd(self) -> float:
        """What all of it costs without any commitment."""
        return float(self.weight @ (self.amount @ self.usd))


@dataclass(frozen=True)
class Commitment:
    """A promise to pay in every hour, used or not: of instances, of normalised units, or of dollars."""

    name: str
    order: Order
    amount: float
    """Promised for every hour, in its own measure."""
    usd: float
    """What one unit of its measure costs in an hour; 1 where the measure is dollars."""
    need: Floats
    """[item], how much of the measure one unit of usage takes; NaN where it does not apply."""
    own: Bools | None = None
    """[item], usage of the account that holds it, served before that of others; none: all alike."""


def reserved(
    name: str, factors: tuple[Floats, Bools], pieces: float, factor: float, usd_per_piece: float
) -> Commitment:
    """A size-flexible reservation: `pieces` of a size `factor`, for all usage that it applies to.

    Args:
        name: of the reservation.
        factors: [item] normalisation factors, and [item] whether it applies (same family, system and tenancy).
        pieces: how many are reserved.
        factor: of the size that is reserved.
        usd_per_piece: an hour.

    Source: Amazon EC2 user guide, "How Reserved Instances are applied" (normalised units, smallest size first).

    >>> medium = reserved("t2.medium", (np.array([1.0, 4.0]), np.array([True, True])), 1, 2.0, 0.03)
    >>> medium.amount, medium.usd, medium.need.tolist()
    (2.0, 0.015, [1.0, 4.0])
    """
    sizes, applies = factors
    need = np.where(applies, sizes, np.nan)
    return Commitment(name, Order.REGIONAL_RESERVATION, pieces * factor, usd_per_piece / factor, need)


def saved_usd(on_demand_usd: Floats, paid_usd: Floats) -> Floats:
    """On demand less paid, element by element; 0 where either is not known (NaN), negative where more was paid.

    Source: FinOps toolkit, "Savings calculations".

    >>> saved_usd(np.array([100.0, 100.0, np.nan]), np.array([80.0, 120.0, 80.0])).tolist()
    [20.0, -20.0, 0.0]
    """
    return np.asarray(np.nan_to_num(np.asarray(on_demand_usd, float) - np.asarray(paid_usd, float), nan=0.0))


def savings_rate(on_demand_usd: float, paid_usd: float) -> float:
    """Effective savings rate: what was saved as a share of what it would have cost on demand; 0 where nothing ran.

    Source: FinOps Foundation, effective savings rate.

    >>> round(savings_rate(100_000.0, 78_000.0), 9)
    0.22
    """
    return 1.0 - paid_usd / on_demand_usd if on_demand_usd > 0 else 0.0


@dataclass(frozen=True)
class Bill:
    """Usage as it was charged."""

    usage: Usage
    commitments: tuple[Commitment, ...]
    covered: Floats
    """[commitment, item], units of usage over all hours."""
    used: Floats
    """[hour, commitment], how much of each was used."""
    left: Floats
    """[hour, item], units charged on demand."""

    @property
    def committed_usd(self) -> Floats:
        """[commitment], paid for all its hours, used or not."""
        return np.array([c.amount * c.usd for c in self.commitments]) * float(self.usage.weight.sum())

    @property
    def used_usd(self) -> Floats:
        """[commitment], the part of `committed_usd` that covered something."""
        return np.asarray((self.usage.weight @ self.used) * np.array([c.usd for c in self.commitments]))

    @property
    def unused_usd(self) -> Floats:
        """[commitment], paid for nothing."""
        return self.committed_usd - self.used_usd

    @property
    def on_demand_usd(self) -> Floats:
        """[item], paid for what no commitment covered."""
        return np.asarray(self.usage.weight @ self.left) * self.usage.usd

    @property
    def usd(self) -> float:
        """All that is paid."""
        return float(self.committed_usd.sum() + self.on_demand_usd.sum())

    @property
    def effective_usd(self) -> Floats:
        """[item], what its usage costs: at the commitments' rates where covered, else on demand; `unused_usd` apart."""
        rates = np.array([np.nan_to_num(c.need) * c.usd for c in self.commitments]).reshape(self.covered.shape)
        return np.asarray((self.covered * rates).sum(axis=0) + self.on_demand_usd)

    @property
    def saved_usd(self) -> Floats:
        """[item], against its price on demand; what is promised and not used is not in it."""
        return saved_usd(self.usage.weight @ self.usage.amount * self.usage.usd, self.effective_usd)

    @property
    def utilisation(self) -> Floats:
        """[commitment], share of what is promised that was used; 1 where nothing is promised."""
        promised = np.array([c.amount for c in self.commitments]) * float(self.usage.weight.sum())
        share = np.asarray(self.usage.weight @ self.used) / np.where(promised > 0, promised, 1.0)
        return np.where(promised > 0, share, 1.0)

    @property
    def coverage(self) -> float:
        """Share of the usage, at its price on demand, that some commitment covered."""
        total = self.usage.on_demand_usd
        return float(self.covered.sum(axis=0) @ self.usage.usd) / total if total > 0 else 0.0

    @property
    def savings_rate(self) -> float:
        """Effective savings rate of the whole bill, unused promises included."""
        return savings_rate(self.usage.on_demand_usd, self.usd)


def charged(usage: Usage, commitments: Sequence[Commitment]) -> Bill:
    """Every hour's usage to commitments: zonal reservations, regional ones (smallest size first), then savings plans.

    Plans of one family come before plans of any compute. Each goes to the usage with the highest percentage saved
    first, of equal ones to the lowest rate; to the usage of its own account before that of others. What is left is
    charged on demand; what is promised and not used is charged all the same.

    Source: Amazon EC2 user guide "How Reserved Instances are applied", Savings Plans user guide "How Savings Plans
    apply to your usage".

    >>> plan = Commitment("plan", Order.COMPUTE_PLAN, 2.0, 1.0, np.array([0.7]))
    >>> bill = charged(Usage(np.array([[4.0]]), np.array([1.0])), [plan])
    >>> round(bill.usd, 3), round(bill.coverage, 3), bill.utilisation.tolist()
    (3.143, 0.714, [1.0])
    """
    left = np.array(usage.amount, float)
    rest = np.tile(np.array([c.amount for c in commitments], float), (len(left), 1))
    covered = np.zeros((len(commitments), len(usage.usd)))
    for c, i in _turns(usage, commitments):
        need = float(commitments[c].need[i])
        taken = np.minimum(left[:, i], rest[:, c] / need) if need > 0 else left[:, i].copy()
        left[:, i] = np.maximum(left[:, i] - taken, 0.0)
        rest[:, c] = np.maximum(rest[:, c] - taken * need, 0.0)
        covered[c, i] += float(usage.weight @ taken)
    used = np.array([c.amount for c in commitments], float) - rest
    return Bill(usage, tuple(commitments), covered, used, left)


def _turns(usage: Usage, commitments: Sequence[Commitment]) -> list[tuple[int, int]]:
    """Which commitment meets which item, in turn."""
    turns = []
    for c, held in enumerate(commitments):
        for i in np.flatnonzero(np.isfinite(held.need)).tolist():
            rate, price = float(held.need[i]) * held.usd, float(usage.usd[i])
            percent = 1.0 - rate / price if price > 0 else 0.0
            small = float(held.need[i]) if held.order is Order.REGIONAL_RESERVATION else 0.0
            foreign = held.own is not None and not held.own[i]
            turns.append((held.order, foreign, small, -round(percent, 12), rate, c, i))
    return [(c, i) for *_, c, i in sorted(turns)]
