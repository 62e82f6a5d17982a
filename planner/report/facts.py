"""The study document, read for telling: which models, in which order, and what each of them needs looked up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from planner.errors import InputError
from planner.finance import merit
from planner.plan import CATEGORIES

__all__ = ["Document", "Facts", "category_hue", "hue", "in_order", "memory"]

Document = Mapping[str, Any]

_KEYS: Final = {
    "study": ("scenario", "trace", "models", "plans"),
    "models": ("model", "tco_usd", "npv_usd", "payback_months", "irr", "rank"),
    "plans": ("model", "year", "usd_per_month", "utilisation", "boxes", "unplaced", "certificate", "lines"),
}
_HUES: Final = (
    "physical",
    "hypervisor",
    "iaas",
    "kubernetes",
    "service_mesh",
    "functions",
    "serverless_containers",
    "multi_cloud",
)
"""One colour per deployment model, the same in every study and page; newcomers share the four that are left."""
_SPARE_HUES: Final = 4


def hue(model: str, position: int) -> int:
    """The number of the model's colour, 0 to 11; `position` tells newcomers apart.

    >>> hue("iaas", 0), hue("barges", 1)
    (2, 9)
    """
    return _HUES.index(model) if model in _HUES else len(_HUES) + position % _SPARE_HUES


def category_hue(category: str) -> int:
    """The number of a cost category's colour, 12 upwards.

    >>> category_hue("compute"), category_hue("zeppelins")
    (12, 21)
    """
    first = len(_HUES) + _SPARE_HUES
    return first + (CATEGORIES.index(category) if category in CATEGORIES else len(CATEGORIES))


def memory(row: Mapping[str, Any]) -> bool:
    """Whether a price row rests on memory, not on a document that was read."""
    return "FROM MEMORY" in str(row.get("status", "")).upper()


def in_order(categories: set[str]) -> list[str]:
    """Categories in the order of `CATEGORIES`, newcomers after.

    >>> in_order({"zeppelins", "storage", "compute"})
    ['compute', 'storage', 'zeppelins']
    """
    return [*(c for c in CATEGORIES if c in categories), *sorted(categories - set(CATEGORIES))]


@dataclass(frozen=True)
class Facts:
    """A study document with its models in order of rank.

    Raises:
        InputError: the document is no study; names what it lacks.
    """

    document: Document

    def __post_init__(self) -> None:
        """Checks that everything a report tells is there."""
        _check("study", self.document)
        for part in ("models", "plans"):
            for entry in self.document[part]:
                _check(part, entry)
        planned = {str(p["model"]) for p in self.document["plans"]}
        lacking = [m for m in (str(m["model"]) for m in self.document["models"]) if m not in planned]
        if lacking:
            raise InputError(f"study document: models {lacking} have no plan")

    @property
    def scenario(self) -> Mapping[str, Any]:
        """The question as it was asked."""
        asked: Mapping[str, Any] = self.document["scenario"]
        return asked

    @property
    def trace(self) -> Mapping[str, Any]:
        """What was recorded."""
        recorded: Mapping[str, Any] = self.document["trace"]
        return recorded

    @property
    def today(self) -> Mapping[str, Any] | None:
        """What is paid now, where the scenario names a bill."""
        paid: Mapping[str, Any] | None = self.document.get("today")
        return paid

    @property
    def models(self) -> list[Mapping[str, Any]]:
        """One entry a model, best first; ranked here too, so that no document's ranks contradict the advice."""
        entries = self.document["models"]
        return sorted(entries, key=lambda m: merit(self.left_out(str(m["model"])), m["tco_usd"], str(m["model"])))

    @property
    def names(self) -> list[str]:
        """The models in order of rank."""
        return [str(m["model"]) for m in self.models]

    @property
    def hues(self) -> dict[str, int]:
        """The colour of each model."""
        listed = sorted(self.names)
        return {name: hue(name, listed.index(name)) for name in listed}

    def plans(self, model: str) -> list[Mapping[str, Any]]:
        """The plans of one model, year by year."""
        return sorted((p for p in self.document["plans"] if p["model"] == model), key=lambda p: p["year"])

    def first(self, model: str) -> Mapping[str, Any]:
        """The plan of the first year: what comparisons by the month are made of."""
        return self.plans(model)[0]

    def left_out(self, model: str) -> int:
        """The most workloads that any year leaves out."""
        return max(len(p["unplaced"]) for p in self.plans(model))

    def categories(self, model: str) -> dict[str, float]:
        """First year's monthly cost by category, in the order of `CATEGORIES`."""
        sums: Counter[str] = Counter()
        for row in self.first(model)["lines"]:
            sums[str(row["category"])] += row["usd_per_month"]
        return {c: sums[c] for c in in_order(set(sums)) if sums[c]}

    def once(self, model: str) -> dict[str, float]:
        """What is paid once over all years, such as migration, by category."""
        sums: Counter[str] = Counter()
        for row in (row for plan in self.plans(model) for row in plan["lines"] if row["kind"] == "one-off"):
            sums[str(row["category"])] += row["quantity"] * row["usd_per_unit"]
        return {c: sums[c] for c in in_order(set(sums)) if sums[c]}

    @property
    def horizon(self) -> int:
        """How many years the study looks ahead."""
        return int(self.scenario.get("horizon_years") or 1 + max(p["year"] for p in self.document["plans"]))


def _check(part: str, entry: object) -> None:
    if not isinstance(entry, Mapping):
        raise InputError(f"study document: {part} holds {type(entry).__name__}, expected an object")
    lacking = [key for key in _KEYS[part] if key not in entry]
    if lacking:
        raise InputError(f"study document: {part} lacks {', '.join(lacking)}")
