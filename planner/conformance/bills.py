"""Questions about terms and money: what a bill charges, what promises save, credits, and cash over time."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from planner import finance
from planner.conformance.question import Figures, Question, Table, listed
from planner.models._credits import gained, simulated
from planner.optimise.buying import (
    Commitment,
    Order,
    Usage,
    charged,
    reserved,
    saved_usd,
    savings_rate,
    split,
    sustained_share,
)
from planner.quantities import HOURS_PER_MONTH

__all__ = ["CashQuestion", "ChargeQuestion", "CreditsQuestion", "SavingsQuestion", "TermsQuestion"]


class Promise(Table):
    """A commitment: of dollars, of instances, or of normalised units of a family."""

    name: str = "commitment"
    order: Literal["zonal_reservation", "regional_reservation", "family_plan", "compute_plan"] = "compute_plan"
    amount: float = 0.0
    """Promised for every hour, in its own measure."""
    usd: float = 1.0
    """What one unit of the measure costs in an hour."""
    need: tuple[float, ...] = ()
    """Of the measure, for one unit of each item; nan where it does not apply."""
    pieces: float | None = None
    """A size-flexible reservation: so many pieces, each of `factor` normalised units, of items with `factors`."""
    factor: float = 1.0
    factors: tuple[float, ...] = ()

    def made(self) -> Commitment:
        """The commitment."""
        if self.pieces is None:
            return Commitment(self.name, Order[self.order.upper()], self.amount, self.usd, np.array(self.need))
        sizes = np.array(self.factors, float)
        return reserved(self.name, (np.nan_to_num(sizes), np.isfinite(sizes)), self.pieces, self.factor, self.usd)


class ChargeQuestion(Question):
    """What a bill charges for usage, with commitments."""

    kind: Literal["charge"]
    amount: tuple[tuple[float, ...], ...]
    """[hour][item], units that run."""
    usd: tuple[float, ...]
    """[item], price of a unit on demand."""
    hours: tuple[float, ...] | None = None
    """[hour], how many hours each row stands for."""
    commitments: tuple[Promise, ...] = ()

    @model_validator(mode="after")
    def _items_agree(self) -> Self:
        lengths = {len(self.usd), *map(len, self.amount), *(len(c.need or c.factors) for c in self.commitments)}
        if len(lengths) != 1:
            raise ValueError(f"amount, usd, need and factors must tell the same items, but are {sorted(lengths)} long")
        return self

    def figures(self) -> Figures:
        """Dollars in all and by commitment, and how well each is used."""
        usage = Usage(np.array(self.amount), np.array(self.usd), None if self.hours is None else np.array(self.hours))
        bill = charged(usage, [c.made() for c in self.commitments])
        return {
            "usd": bill.usd,
            "usd without commitments": usage.on_demand_usd,
            "usd on demand": float(bill.on_demand_usd.sum()),
            "usd committed": listed(bill.committed_usd),
            "usd used": listed(bill.used_usd),
            "usd unused": listed(bill.unused_usd),
            "effective usd": listed(bill.effective_usd),
            "covered": listed(bill.covered.sum(axis=1)),
            "covered items": listed(bill.covered.sum(axis=0)),
            "utilisation": listed(bill.utilisation),
            "coverage": bill.coverage,
            "savings rate": bill.savings_rate,
        }


class SavingsQuestion(Question):
    """What was saved against prices on demand, item by item and in all."""

    kind: Literal["savings"]
    on_demand_usd: tuple[float, ...]
    paid_usd: tuple[float, ...]
    """nan where not known."""

    @model_validator(mode="after")
    def _items_agree(self) -> Self:
        if len(self.on_demand_usd) != len(self.paid_usd):
            raise ValueError("on_demand_usd and paid_usd must tell the same items")
        return self

    def figures(self) -> Figures:
        """Dollars of each, and the share of all that is known."""
        listed_usd, paid = np.array(self.on_demand_usd), np.array(self.paid_usd)
        share = savings_rate(float(np.nansum(listed_usd)), float(np.nansum(paid)))
        return {"saved usd": listed(saved_usd(listed_usd, paid)), "savings rate": share}


class TermsQuestion(Question):
    """On what terms instances that run so and so are had, and what that costs."""

    kind: Literal["terms"]
    counts: tuple[int, ...]
    """[period], instances."""
    hours: tuple[float, ...] = (HOURS_PER_MONTH,)
    usd_per_hour: dict[str, float]
    """Of each term; of sustained use the mean price of a whole month."""
    factors: tuple[float, ...] = ()
    """Prices of equal parts of a month with sustained use, as shares of the first."""

    def figures(self) -> Figures:
        """Dollars a month and an hour run, and what sustained use takes off."""
        counts, hours = np.array(self.counts), np.array(self.hours)
        terms = split(counts, hours, self.usd_per_hour, self.factors)
        ran, month = float(hours @ counts), float(hours.sum())
        used = float(hours[counts > 0].sum()) / month
        told: Figures = {"usd": terms.usd, "usd per hour run": terms.usd / ran if ran else 0.0}
        if self.factors:
            told["discount"] = 1 - sustained_share(used, self.factors)
        return told | {f"hours {term}": paid for term, paid in terms.hours.items()}


class CreditsQuestion(Question):
    """How an instance lives on the credits that it earns."""

    kind: Literal["credits"]
    earned_per_hour: float
    most: float
    """Credits that are kept, and that may be owed before they are charged."""
    start: float = 0.0
    vcpus: float
    hours: tuple[float, ...]
    share: tuple[float, ...]
    """[step], share of its processors that is used."""

    def figures(self) -> Figures:
        """The balance after each step, and what is charged in all."""
        net = gained(self.earned_per_hour, np.array(self.share) * self.vcpus, np.array(self.hours))
        balance, beyond = simulated(net[None, :], np.array([self.most]), np.array([self.start]))
        return {"balance": listed(balance), "credits charged": float(beyond.sum())}


class CashQuestion(Question):
    """What a flow of money is worth."""

    kind: Literal["cash"]
    flow: tuple[float, ...] = Field(min_length=1)
    """At the end of periods 0, 1, ...; period 0 is today."""
    rate_per_period: float = 0.0
    baseline: tuple[float, ...] = ()
    """What else would be paid; for the payback."""

    def figures(self) -> Figures:
        """Present value, internal rate, total, and payback where there is a baseline."""
        flow = np.array(self.flow)
        told: Figures = {
            "present value": finance.present_value(flow, self.rate_per_period),
            "total": finance.total(flow),
        }
        rate = finance.internal_rate(flow)
        if rate is not None:
            told["internal rate"] = rate
        months = finance.payback_months(flow, np.array(self.baseline)) if self.baseline else None
        return told if months is None else told | {"payback": float(months)}
