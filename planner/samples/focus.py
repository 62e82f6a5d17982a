"""Writes the bill of an estate in FOCUS 1.0, with the ways of the published sample: texts quoted, NULL bare, an Id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import write_gzip_text

__all__ = ["HEADER", "focus"]

HEADER: Final = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity", "ConsumedUnit", "ContractedCost",
    "ContractedUnitPrice", "EffectiveCost", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId",
    "ResourceName", "ResourceType", "ServiceCategory", "Id", "ServiceName", "SkuId", "SkuPriceId", "SubAccountId",
    "SubAccountName", "Tags",
)  # fmt: skip
"""Source: FOCUS-Sample-Data, FOCUS-1.0/focus_sample.csv: the 43 columns of 1.0 and an Id."""
BARE: Final = (
    "BilledCost", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "ListCost",
    "PricingQuantity", "Id",
)  # fmt: skip
"""Columns without quotes. Source: as above."""
MONTH: Final = ("2026-03-01 00:00:00", "2026-04-01 00:00:00")
"""The month that is billed. Unit: time, UTC. Source: our choice."""
HOURS: Final = 744
"""Its length. Unit: h. Source: the calendar."""
COMMITTED: Final = 0.3
"""Machines that run on a commitment paid for ahead. Unit: share. Source: our choice."""
CORE_HOUR: Final = (0.03, 0.06)
"""What an hour of a core is billed at, drawn for each machine: made up, no price. Unit: USD. Source: our choice."""
GB_MONTH: Final = (0.06, 0.12)
"""What a month of a GB of disk is billed at, likewise. Unit: USD. Source: our choice."""
PLACE: Final = ("us-east-1", "US East (N. Virginia)")
"""Region and its name. Unit: names. Source: our choice."""


def focus(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """A month's bill of the estate: machines, disks, and a commitment that pays for some of them."""
    machines = simulate(size, 3600, seed)
    rng = np.random.default_rng([seed, 5])
    rows = pd.concat([_machines(machines, rng), _disks(machines, rng)], ignore_index=True)
    rows = pd.concat([rows, _commitment(rows)], ignore_index=True)
    return (write_gzip_text(folder / "focus_sample.csv.gz", _text(_whole(rows))),)


def _machines(machines: Machines, rng: np.random.Generator) -> pd.DataFrame:
    """One row a machine: its hours; a committed one was paid for ahead."""
    committed = pd.Series(rng.random(len(machines.vcpu)) < COMMITTED)
    each = pd.Series(rng.uniform(*CORE_HOUR, len(machines.vcpu)) * machines.vcpu).round(4)
    sku = pd.Series([f"m{c}.{g:g}" for c, g in zip(machines.vcpu.tolist(), machines.memory_gib.tolist(), strict=True)])
    rows = _rows(machines, ("Compute", "Amazon Elastic Compute Cloud", "Instance"), sku, each)
    return rows.assign(
        ConsumedQuantity=HOURS,
        ConsumedUnit="Hrs",
        ListCost=HOURS * each,
        EffectiveCost=HOURS * each,
        BilledCost=(HOURS * each).where(~committed, 0.0),
        PricingCategory=committed.map({True: "Committed", False: "Standard"}),
        CommitmentDiscountId=committed.map({True: "savings-plan-1", False: None}),
        CommitmentDiscountStatus=committed.map({True: "Used", False: None}),
    )


def _disks(machines: Machines, rng: np.random.Generator) -> pd.DataFrame:
    gib = pd.Series(machines.storage_gib)
    each = pd.Series(rng.uniform(*GB_MONTH, len(gib))).round(4)
    rows = _rows(machines, ("Storage", "Amazon Elastic Block Store", "Volume"), pd.Series("gp3", gib.index), each)
    return rows.assign(
        ConsumedQuantity=gib,
        ConsumedUnit="GB-Mo",
        ListCost=gib * each,
        EffectiveCost=gib * each,
        BilledCost=gib * each,
        PricingCategory="Standard",
    )


def _rows(machines: Machines, words: tuple[str, str, str], sku: pd.Series[str], each: pd.Series[float]) -> pd.DataFrame:
    """What a usage row says of its resource; `words` are category, service and type."""
    names = [f"{words[2].lower()}-{n + 1:04d}" for n in range(len(machines.vcpu))]
    tags = [json.dumps({"application": name, "stage": "prod"}) for name in machines.application.tolist()]
    return pd.DataFrame(
        {
            "ChargeCategory": "Usage",
            "ChargeDescription": sku + " in " + PLACE[1],
            "ChargeFrequency": "Usage-Based",
            "ServiceCategory": words[0],
            "ServiceName": words[1],
            "ResourceType": words[2],
            "ResourceId": [f"arn:aws:{words[2].lower()}:{PLACE[0]}:{name}" for name in names],
            "ResourceName": names,
            "SkuId": sku,
            "ListUnitPrice": each.round(10).astype(str),
            "Tags": tags,
        }
    )


def _commitment(rows: pd.DataFrame) -> pd.DataFrame:
    """What was paid ahead in this month for what is used in it: billed here, effective there."""
    paid = float(rows["EffectiveCost"].sum() - rows["BilledCost"].sum())
    return pd.DataFrame(
        {
            "ChargeCategory": ["Purchase"],
            "ChargeDescription": ["Savings plan, the month's part"],
            "ChargeFrequency": ["Recurring"],
            "ServiceCategory": ["Compute"],
            "ServiceName": ["Savings Plans for AWS Compute usage"],
            "CommitmentDiscountId": ["savings-plan-1"],
            "BilledCost": [paid],
            "EffectiveCost": [0.0],
            "ListCost": [paid],
        }
    )


def _whole(rows: pd.DataFrame) -> pd.DataFrame:
    everywhere: dict[str, Any] = {
        "BillingAccountId": "100000000001", "BillingAccountName": "Estate", "BillingCurrency": "USD",
        "BillingPeriodStart": MONTH[0], "BillingPeriodEnd": MONTH[1], "ChargePeriodStart": MONTH[0],
        "ChargePeriodEnd": MONTH[1], "PricingUnit": rows["ConsumedUnit"], "PricingQuantity": rows["ConsumedQuantity"],
        "ContractedCost": rows["ListCost"], "ProviderName": "AWS", "PublisherName": "Amazon Web Services, Inc.",
        "InvoiceIssuerName": "Amazon Web Services, Inc.", "RegionId": PLACE[0], "RegionName": PLACE[1],
        "SubAccountId": "200000000002", "SubAccountName": "Production", "Id": np.arange(len(rows)) + 1,
    }  # fmt: skip
    return rows.assign(**everywhere).reindex(columns=list(HEADER))


def _text(table: pd.DataFrame) -> str:
    """CSV in which every text is quoted and what is not there is the bare word NULL."""
    cells = {}
    for name in table.columns:
        column, numbers = table[name], name in BARE and name != "Id"
        words = column.astype(float).map("{:.11f}".format) if numbers else column.astype(str)
        shown = words if name in BARE else '"' + words.str.replace('"', '""') + '"'
        cells[name] = shown.where(column.notna(), "NULL")
    head = ",".join(f'"{name}"' for name in table.columns)
    return "\n".join([head, *pd.DataFrame(cells).agg(",".join, axis=1), ""])
