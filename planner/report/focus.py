"""A study as planned charges in the FOCUS 1.2 layout of the FinOps Foundation: what bills of these plans would say.

    opex line            Usage      every month              billed and effective
    bought thing         Purchase   the month it is paid     billed
                         Usage      every month of its use   effective, straight line over its life
                         Credit     the last month           billed: what it is still worth comes back
    one-off line         Usage      first month of its year  billed and effective

Every model is a sub account: they are answers to one question, so add up one at a time. BilledCost of a model then
sums to its TCO, EffectiveCost of a year to twelve months of its plan and what is paid once.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from planner.report import ledger
from planner.report.facts import Facts
from planner.report.formats import Source
from planner.report.question import title

__all__ = ["SCHEMA", "as_csv", "as_parquet", "charges"]

_TEXT: Final = (
    "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency", "ChargeCategory", "ChargeClass",
    "ChargeDescription", "ChargeFrequency", "ConsumedUnit", "InvoiceId", "InvoiceIssuerName", "PricingCategory",
    "PricingCurrency", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ServiceCategory",
    "ServiceName", "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceId", "SubAccountId", "SubAccountName",
    "SubAccountType", "Tags", "x_AsOf", "x_Category", "x_PlanYear", "x_Source", "x_Status",
)  # fmt: skip
_NUMBERS: Final = (
    "BilledCost", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "ListCost",
    "ListUnitPrice", "PricingQuantity",
)  # fmt: skip
_TIMES: Final = ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart")
_TYPES: Final[Mapping[str, pa.DataType]] = {
    **dict.fromkeys(_TEXT, pa.string()),
    **dict.fromkeys(_NUMBERS, pa.float64()),
    **dict.fromkeys(_TIMES, pa.timestamp("us", tz="UTC")),
}
SCHEMA: Final = pa.schema([pa.field(name, _TYPES[name]) for name in sorted(_TYPES)])
"""Columns and types; those that begin with x_ are ours, as the specification allows. Source: FOCUS 1.2."""

_SERVICES: Final = {
    "compute": "Compute",
    "storage": "Storage",
    "network": "Networking",
    "platform": "Management and Governance",
    "migration": "Migration",
}
"""Cost category -> ServiceCategory; what it does not list is Other. Source: FOCUS 1.2, ServiceCategory."""
_KINDS: Final = {
    "vm": "Virtual Machines",
    "function_duration": "Serverless Compute",
    "function_requests": "Serverless Compute",
    "function_allowance": "Serverless Compute",
    "block_storage": "Block Storage",
    "object_storage": "Object Storage",
}
"""Kind of offer -> ServiceSubcategory, else Other. Source: FOCUS 1.2, ServiceSubcategory."""

_COMMITTED: Final = r"^\d+y_|reserved|saving|commit"
_PERIODS: Final = r"(?<![a-z ])(hours|months|years|seconds)$"
_UNITS: Final = (
    (r"^million ", "1000000 "), (r"^thousand ", "1000 "), (r"^2-", "two "), (r"^16-", "sixteen "),
    (r"/s\b", " per second"), (r"(^|-)(hour|month|year|second)$", r"\1\2s"),
)  # fmt: skip
"""How our units are spelled in FOCUS: counts first, periods in the plural with a capital. Source: FOCUS 1.2, Unit
Format."""


def charges(facts: Facts) -> pd.DataFrame:
    """One row a line and month, and one a payment; columns and types as `SCHEMA`.

    The first month is the one after the study was made.

    Raises:
        InputError: a line of the document lacks something.
    """
    told = ledger.lines(facts)
    rows = pd.concat([_monthly(told), _once(told), *_purchases(facts, told)], ignore_index=True)
    rows = rows.sort_values(["plan", "month", "line"], kind="stable", ignore_index=True)
    start = pd.Timestamp(str(facts.document.get("created_at") or "2000-01-01")).to_period("M") + 1
    study = {"id": str(facts.document.get("study_id") or "study"), "name": title(facts)}
    named = rows.assign(**_periods(rows["month"], start), **_who(rows, study), **_what(rows), **_how_much(rows))
    return named[list(SCHEMA.names)]


def _monthly(told: pd.DataFrame) -> pd.DataFrame:
    """What runs, month by month: bought things at a share of their price that no bill shows."""
    lasting = told.reset_index(names="line").loc[(told["kind"] != "one-off").to_numpy()]
    rows = lasting.merge(pd.DataFrame({"of_year": range(12)}), how="cross")
    owned = rows["kind"] == "capex"
    life = rows["lifetime_months"].where(rows["lifetime_months"] > 0, 1.0).fillna(1.0)
    return rows.assign(
        month=12 * rows["year"] + rows["of_year"],
        amount=rows["quantity"] / life,
        billed=rows["usd_per_month"].mask(owned, 0.0),
        effective=rows["usd_per_month"],
        charge="Usage",
        frequency=owned.map({True: "Recurring", False: "Usage-Based"}),
    )


def _once(told: pd.DataFrame) -> pd.DataFrame:
    rows = told.reset_index(names="line").loc[(told["kind"] == "one-off").to_numpy()]
    usd = rows["usd_once"]
    paid = {"month": 12 * rows["year"], "amount": rows["quantity"], "billed": usd, "effective": usd}
    return rows.assign(**paid, charge="Usage", frequency="One-Time")


def _purchases(facts: Facts, told: pd.DataFrame) -> list[pd.DataFrame]:
    """What is paid for bought things, and what comes back for them in the last month."""
    found = ledger.bought(facts, told)
    rows = found[["month", "quantity", "usd", "left", "line"]].merge(
        told.drop(columns="quantity"), left_on="line", right_index=True
    )
    paid = rows.assign(amount=rows["quantity"], billed=rows["usd"], effective=0.0, charge="Purchase")
    ends = rows["model"].map({name: 12 * len(facts.plans(name)) - 1 for name in facts.names})
    back = rows.assign(month=ends, billed=-rows["usd"] * rows["left"], effective=0.0, charge="Credit", amount=None)
    return [paid.assign(frequency="One-Time"), back[back["billed"] != 0].assign(frequency="One-Time")]


def _periods(month: pd.Series, start: pd.Period) -> dict[str, pd.Series]:
    calendar = pd.period_range(start, periods=int(month.max()) + 2 if len(month) else 1, freq="M").to_timestamp()
    moments = pd.Series(calendar.tz_localize("UTC").as_unit("us"))
    first, last = (moments.iloc[(month + more).astype("int64")].reset_index(drop=True) for more in (0, 1))
    kinds = ("BillingPeriod", "ChargePeriod")
    return {f"{kind}Start": first for kind in kinds} | {f"{kind}End": last for kind in kinds}


def _who(rows: pd.DataFrame, study: Mapping[str, str]) -> dict[str, Any]:
    places = rows["region"].astype(str)
    return {
        "BillingAccountId": study["id"],
        "BillingAccountName": study["name"],
        "BillingAccountType": "Study",
        "BillingCurrency": "USD",
        "PricingCurrency": "USD",
        "SubAccountId": rows["model"],
        "SubAccountName": rows["model"],
        "SubAccountType": "Deployment model",
        "InvoiceIssuerName": rows["provider"],
        "ProviderName": rows["provider"],
        "PublisherName": rows["provider"],
        "RegionId": places,
        "RegionName": places,
        "Tags": _tags(rows),
    }


def _tags(rows: pd.DataFrame) -> pd.Series:
    """JSON, written once a plan and not once a row."""
    keys = rows[["plan", "model", "year"]].drop_duplicates()
    named = zip(keys["model"], keys["year"], strict=True)
    told = [{"deployment_model": str(model), "plan_year": str(year), "planned": "true"} for model, year in named]
    return rows["plan"].map(dict(zip(keys["plan"], [json.dumps(tag) for tag in told], strict=True)))


def _what(rows: pd.DataFrame) -> dict[str, Any]:
    service = rows["category"].map(_SERVICES).fillna("Other")
    sku = rows["provider"] + "/" + rows["region"] + "/" + rows["sku"] + "/" + rows["term"] + "/" + rows["unit"]
    return {
        "ChargeCategory": rows["charge"],
        "ChargeClass": None,
        "InvoiceId": None,
        "ChargeDescription": rows["category"] + ": " + rows["sku"] + " by the " + rows["unit"] + ", " + rows["term"],
        "ChargeFrequency": rows["frequency"],
        "ServiceCategory": service,
        "ServiceName": rows["offer_kind"].astype(str).str.replace("_", " "),
        "ServiceSubcategory": rows["offer_kind"].map(_KINDS).fillna("Other (" + service + ")"),
        "SkuId": rows["sku"],
        "SkuMeter": rows["offer_kind"],
        "SkuPriceId": sku + "/" + rows["tier_from"].fillna(0.0).astype(str),
        "x_AsOf": rows["as_of"],
        "x_Category": rows["category"],
        "x_PlanYear": rows["year"].astype(str),
        "x_Source": rows["source"],
        "x_Status": rows["status"],
    }


def _how_much(rows: pd.DataFrame) -> dict[str, Any]:
    """Costs, and for all but credits the quantity and price they are made of."""
    priced, used = rows["charge"] != "Credit", rows["charge"] == "Usage"
    amount = rows["amount"].astype(float).where(priced)
    price = rows["usd_per_unit"].astype(float).where(priced)
    made = (amount * price).where(priced, rows["billed"])
    term, unit = rows["term"].astype(str).str.lower(), _units(rows["unit"])
    category = pd.Series("Standard", index=rows.index).mask(term.str.contains(_COMMITTED), "Committed")
    return {
        "BilledCost": rows["billed"],
        "EffectiveCost": rows["effective"],
        "ListCost": made,
        "ContractedCost": made,
        "ListUnitPrice": price,
        "ContractedUnitPrice": price,
        "PricingQuantity": amount,
        "PricingUnit": unit.where(priced),
        "PricingCategory": category.mask(term.eq("spot"), "Dynamic").where(priced),
        "ConsumedQuantity": amount.where(used),
        "ConsumedUnit": unit.where(used),
    }


def _units(unit: pd.Series) -> pd.Series:
    """Units as FOCUS spells them.

    >>> _units(pd.Series(["hour", "GB-month", "million requests", "2-socket-year", "MB/s-month", "each"])).tolist()
    ['Hours', 'GB-Months', '1000000 requests', 'two socket-Years', 'MB per second-Months', 'each']
    """
    for pattern, spelling in _UNITS:
        unit = unit.astype(str).str.replace(pattern, spelling, regex=True)
    return unit.str.replace(_PERIODS, lambda found: str(found.group()).capitalize(), regex=True)


def as_parquet(source: Source) -> bytes:
    """The charges as Parquet with explicit types."""
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(_whole(charges(Facts(source.document))), SCHEMA, preserve_index=False), out)
    return out.getvalue()


def as_csv(source: Source) -> bytes:
    """The charges as CSV: moments in ISO 8601, nothing where there is nothing, no text that is a formula."""
    rows = _whole(charges(Facts(source.document)))
    texts = {name: ledger.spelled(rows[name]) for name in _TEXT}
    moments = {name: rows[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name in _TIMES}
    return bytes(rows.assign(**texts, **moments).to_csv(index=False, lineterminator="\n").encode("utf-8", "replace"))


def _whole(rows: pd.DataFrame) -> pd.DataFrame:
    """Text without halves of characters, which no file of this kind can hold; plain objects otherwise."""
    told = {n: rows[n].astype(object).where(rows[n].notna(), None) for n in _TEXT}
    return rows.assign(**told)
