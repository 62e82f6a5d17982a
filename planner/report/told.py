"""What there is to say about a study, in the order a reader asks."""

from __future__ import annotations

from planner.report.advice import recommendation
from planner.report.answer import comparison, facets, reading
from planner.report.blocks import Report, Section
from planner.report.capacity import boxes, unplaced, utilisation
from planner.report.costs import bills, by_category, cash
from planner.report.derivation import assumptions, bounds, prices
from planner.report.facts import Document, Facts
from planner.report.question import asked, quality, title
from planner.report.today import today

__all__ = ["tell"]


def tell(document: Document) -> Report:
    """A study document as a report.

    Raises:
        InputError: the document is no study.
    """
    facts = Facts(document)
    sections = (
        recommendation(facts),
        Section("Comparison", (comparison(facts), reading())),
        *today(facts),
        *(part(facts) for part in (by_category, cash, utilisation, boxes, unplaced, quality)),
        *(part(facts) for part in (bounds, assumptions, prices, bills)),
    )
    return Report(title(facts), asked(facts), facets(facts), sections)
