"""What pages show of a study document, as tidy frames: pure, nothing is worked out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

__all__ = [
    "RESOURCES",
    "assumptions",
    "binding",
    "boxes",
    "cash",
    "categories",
    "comparison",
    "crossings",
    "difference",
    "figures",
    "lines",
    "models",
    "places",
    "prices_paid",
    "savings",
    "sites",
    "unplaced",
    "utilisation",
    "week",
    "workloads",
]

Document = Mapping[str, Any]
RESOURCES: Final = {
    "cpu_cores": "CPU (cores)",
    "memory_gib": "memory (GiB)",
    "gpus": "GPUs",
    "storage_gib": "storage (GiB)",
}
"""Resources in words, with their units."""
_NETWORK: Final = ("network",)


def models(document: Document) -> list[str]:
    """The models of a study, best first."""
    return [str(m["model"]) for m in sorted(document["models"], key=lambda m: m["rank"])]


def _plan(document: Document, model: str, year: int = 0) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(p for p in document["plans"] if p["model"] == model and p["year"] == year)
    return found


def _first(document: Document) -> list[Mapping[str, Any]]:
    return [_plan(document, name) for name in models(document)]


def comparison(document: Document) -> pd.DataFrame:
    """One row a model, best first, columns named for people with their units."""
    rows = [
        {
            "rank": m["rank"],
            "model": m["model"],
            "total cost (USD)": m["tco_usd"],
            "present value (USD)": m["npv_usd"],
            "first year (USD a month)": plan["usd_per_month"],
            "payback (months)": m["payback_months"],
            "CPU in use": plan["utilisation"]["cpu"],
            "memory in use": plan["utilisation"]["memory"],
            "left out": m["unplaced"],
            "gap to bound": plan["certificate"]["gap"],
        }
        for m, plan in zip(sorted(document["models"], key=lambda m: m["rank"]), _first(document), strict=True)
    ]
    return pd.DataFrame(rows)


def categories(document: Document) -> pd.DataFrame:
    """First year's monthly cost: model, category, usd_per_month; models best first."""
    rows = [
        {"model": p["model"], "category": e["category"], "usd_per_month": e["usd_per_month"]}
        for p in _first(document)
        for e in p["lines"]
        if e["usd_per_month"]
    ]
    frame = pd.DataFrame(rows, columns=["model", "category", "usd_per_month"])
    return frame.groupby(["model", "category"], sort=False)["usd_per_month"].sum().reset_index()


def lines(document: Document, model: str) -> pd.DataFrame:
    """What a model pays for in the first year, dearest first."""
    kept = ["category", "sku", "provider", "region", "term", "kind", "quantity", "unit", "usd_per_unit"]
    frame = pd.DataFrame(_plan(document, model)["lines"])
    frame = frame.reindex(columns=[*kept, "usd_per_month", "usd_once", "status", "source", "as_of"])
    return frame.sort_values("usd_per_month", ascending=False, ignore_index=True)


def workloads(document: Document, model: str) -> pd.DataFrame:
    """What each workload costs a month, dearest first: workload, usd_per_month, share."""
    frame = pd.DataFrame(_plan(document, model)["cost_by_workload"], columns=["workload", "usd_per_month"])
    total = float(frame["usd_per_month"].sum())
    frame["share"] = frame["usd_per_month"] / total if total else 0.0
    return frame.sort_values("usd_per_month", ascending=False, ignore_index=True)


def utilisation(document: Document) -> pd.DataFrame:
    """First year's mean use of what is provisioned: model, resource, share."""
    rows = [
        {"model": p["model"], "resource": resource, "share": share}
        for p in _first(document)
        for resource, share in p["utilisation"].items()
    ]
    return pd.DataFrame(rows, columns=["model", "resource", "share"])


def cash(document: Document) -> pd.DataFrame:
    """What is paid in each month and up to it: model, month, usd, cumulative_usd; models best first."""
    order = sorted(document["models"], key=lambda m: m["rank"])
    frame = pd.DataFrame([{"model": m["model"], "usd": m["cash_usd"]} for m in order]).explode("usd")
    frame["usd"] = frame["usd"].astype(float)
    frame["month"] = frame.groupby("model", sort=False).cumcount()
    frame["cumulative_usd"] = frame["usd"].groupby(frame["model"], sort=False).cumsum()
    return frame[["model", "month", "usd", "cumulative_usd"]].reset_index(drop=True)


def crossings(document: Document) -> pd.DataFrame:
    """Where what is paid so far passes from above the baseline's to below: model, month, cumulative_usd."""
    flow = cash(document)
    baseline = flow[flow["model"] == document["scenario"]["baseline"]].set_index("month")["cumulative_usd"]
    below = flow["cumulative_usd"] < flow["month"].map(baseline)
    before = below.groupby(flow["model"], sort=False).shift(1, fill_value=True)
    return flow.loc[below & ~before, ["model", "month", "cumulative_usd"]].reset_index(drop=True)


def week(document: Document, model: str) -> pd.DataFrame:
    """Provisioned against used over the periods of the first year: hour, resource, what, amount.

    Hour is the hour of the week; demand told apart by hour of day or not at all repeats to fill it.
    """
    plan = _plan(document, model)
    told = [(r, w) for r in RESOURCES for w in ("provisioned", "used") if any(plan["provisioned"][r])]
    times = 168 // max(1, len(plan["hours"]))
    parts = [
        pd.DataFrame({"hour": range(168), "resource": RESOURCES[r], "what": w, "amount": plan[w][r] * times})
        for r, w in told
    ]
    columns = ["hour", "resource", "what", "amount"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def boxes(document: Document, model: str) -> pd.DataFrame:
    """Machines by type in the first year: type, provider, region, term, count; most first."""
    frame = pd.DataFrame(_plan(document, model)["boxes"], columns=["sku", "provider", "region", "term", "count"])
    return frame.rename(columns={"sku": "type"}).sort_values("count", ascending=False, ignore_index=True)


def binding(document: Document) -> pd.DataFrame:
    """What a box is paid for: model, resource, share of its worth, usd_per_month of one more unit."""
    rows = [
        {"model": p["model"], "resource": key.removeprefix(_WORTH), "share": value, "usd_per_month": _price(p, key)}
        for p in _first(document)
        for key, value in p["details"].items()
        if key.startswith(_WORTH)
    ]
    frame = pd.DataFrame(rows, columns=["model", "resource", "share", "usd_per_month"])
    return frame.assign(resource=frame["resource"].map(lambda r: RESOURCES.get(r, f"{r} (each)")))


_WORTH: Final = "share_of_worth_"
_SAVING: Final = "saving_vs_"


def _price(plan: Mapping[str, Any], key: str) -> float | None:
    price: float | None = plan["details"].get(f"shadow_price_{key.removeprefix(_WORTH)}_usd_per_month")
    return price


def savings(document: Document) -> pd.DataFrame:
    """How much less a packing costs than rules of thumb: model, rule, share."""
    rows = [
        {"model": p["model"], "rule": key.removeprefix(_SAVING).replace("_", " "), "share": value}
        for p in _first(document)
        for key, value in p["details"].items()
        if key.startswith(_SAVING)
    ]
    return pd.DataFrame(rows, columns=["model", "rule", "share"])


def figures(document: Document, model: str) -> pd.DataFrame:
    """Figures that one model tells besides: figure, value."""
    rows = [{"figure": k.replace("_", " "), "value": v} for k, v in _plan(document, model)["details"].items()]
    return pd.DataFrame(rows, columns=["figure", "value"])


def places(document: Document) -> pd.DataFrame:
    """Where each model runs in the first year: model, provider, region, usd_per_month."""
    rows = [
        {"model": p["model"], "provider": e["provider"], "region": e["region"], "usd_per_month": e["usd_per_month"]}
        for p in _first(document)
        for e in p["lines"]
        if e["usd_per_month"]
    ]
    frame = pd.DataFrame(rows, columns=["model", "provider", "region", "usd_per_month"])
    return frame.groupby(["model", "provider", "region"], sort=False)["usd_per_month"].sum().reset_index()


def sites(document: Document) -> pd.DataFrame:
    """The sites of a portfolio: site, workloads, usd_per_month; no rows where there is none."""
    details: Mapping[str, float] = next((p["details"] for p in _first(document) if p["model"] == "multi_cloud"), {})
    at = {k.removeprefix("workloads at "): v for k, v in details.items() if k.startswith("workloads at ")}
    rows = [{"site": s, "workloads": n, "usd_per_month": details.get(f"usd at {s}", 0.0)} for s, n in at.items()]
    frame = pd.DataFrame(rows, columns=["site", "workloads", "usd_per_month"])
    return frame.sort_values("workloads", ascending=False, ignore_index=True)


def prices_paid(document: Document, words: Sequence[str] = _NETWORK) -> pd.DataFrame:
    """Lines of some categories, such as what traffic costs: model, what, quantity, unit, usd_per_month."""
    rows = [
        {
            "model": p["model"],
            "what": str(e["offer_kind"]).replace("_", " "),
            **{k: e[k] for k in ("provider", "region", "quantity", "unit", "usd_per_month")},
        }
        for p in _first(document)
        for e in p["lines"]
        if e["category"] in words
    ]
    columns = ["model", "what", "provider", "region", "quantity", "unit", "usd_per_month"]
    return pd.DataFrame(rows, columns=columns)


def unplaced(document: Document) -> pd.DataFrame:
    """What does not fit in the first year, and why: model, workload, reason."""
    rows = [{"model": p["model"]} | u for p in _first(document) for u in p["unplaced"]]
    return pd.DataFrame(rows, columns=["model", "workload", "reason"])


def assumptions(document: Document) -> pd.DataFrame:
    """Every number the plans rest on, once: name, value, unit, source, measured."""
    rows = [a for p in document["plans"] for a in p["assumptions"]]
    frame = pd.DataFrame(rows, columns=["name", "value", "unit", "source", "measured"])
    return frame.assign(value=frame["value"].astype(str)).drop_duplicates(ignore_index=True)


def difference(before: Document, after: Document) -> pd.DataFrame:
    """Two studies model by model: total cost before and after, the difference, present value; best after first."""
    old, new = ({m["model"]: m for m in d["models"]} for d in (before, after))
    rows = [
        {
            "model": name,
            "before (USD)": old.get(name, {}).get("tco_usd"),
            "after (USD)": new[name]["tco_usd"],
            "difference (USD)": new[name]["tco_usd"] - old[name]["tco_usd"] if name in old else None,
            "present value before (USD)": old.get(name, {}).get("npv_usd"),
            "present value after (USD)": new[name]["npv_usd"],
            "rank before": old.get(name, {}).get("rank"),
            "rank after": new[name]["rank"],
            "left out before": old.get(name, {}).get("unplaced"),
            "left out after": new[name]["unplaced"],
        }
        for name in models(after)
    ]
    return pd.DataFrame(rows)
