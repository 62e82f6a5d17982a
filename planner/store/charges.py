"""Checks a table of charges against the rules of FOCUS 1.2 that SQL can tell (sql/focus.sql)."""

from __future__ import annotations

from typing import Final

import duckdb
import pyarrow as pa

from planner.store.database import sql

__all__ = ["MANDATORY", "broken_rules"]

MANDATORY: Final = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity",
    "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
)  # fmt: skip
"""Columns that every file must have. Source: FOCUS_Spec 1.2, specification/columns, feature level Mandatory."""


def broken_rules(charges: pa.Table) -> dict[str, int]:
    """Which rules the charges break and how many rows do so; empty where all is well.

    A column that must be there and is not is a rule too; the other rules are looked at once it is there.
    """
    lacking = {f"{name} is there": charges.num_rows for name in MANDATORY if name not in charges.column_names}
    if lacking:
        return lacking
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("charges", charges)
        found = connection.execute(sql("focus.sql"))
        rules = [column[0] for column in found.description or ()]
        counts = found.fetchone() or ()
    return {rule: int(count) for rule, count in zip(rules, counts, strict=True) if count}
