"""What a bill says: charges added up by provider, service, region and month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb
import pandas as pd

__all__ = ["BILL_COLUMNS", "bill", "today"]

BILL_COLUMNS: Final = (
    "month", "provider", "service_category", "service", "region", "currency",
    "billed_amount", "effective_amount", "list_amount", "charges", "corrections",
)  # fmt: skip
"""Columns of a bill, one row a group. Amounts are in `currency`; a list amount is that of charges which tell one."""

_BILL: Final = """
select
    cast(month as timestamp) as month, provider, service_category, service, coalesce(region, '') as region, currency,
    cast(sum(cast(billed_amount as decimal(38, 12))) as double) as billed_amount,
    cast(sum(cast(effective_amount as decimal(38, 12))) as double) as effective_amount,
    cast(sum(cast(list_amount as decimal(38, 12))) as double) as list_amount,
    count(*) as charges, count(*) filter (correction) as corrections
from charges where trace_id = $id
group by all order by all
"""


def bill(connection: duckdb.DuckDBPyConnection, trace_id: str) -> pd.DataFrame:
    """The charges of a recording in columns `BILL_COLUMNS`, sums exact to a millionth of a millionth."""
    return connection.execute(_BILL, {"id": trace_id}).df()


def today(rows: pd.DataFrame, usd_per: Mapping[str, float]) -> dict[str, object]:
    """What a month of a bill costs, averaged over its months: in all, by provider and by service category.

    Months that only corrections of an earlier bill are dated in do not count as months, their amounts do.

    `usd_per` tells what a unit of other currencies is worth in USD; charges in currencies of no rate are left out and
    counted.
    """
    rates = {"USD": 1.0, **{code.upper(): rate for code, rate in usd_per.items()}}
    rate = rows["currency"].map(rates).astype(float)
    plain = rows[rows["charges"] > rows["corrections"]]
    months = max(int(plain["month"].nunique()), 1)
    known = rows[rate.notna()]
    names = {f"{what}_usd_per_month": known[f"{what}_amount"] * rate[rate.notna()] / months for what in _WHAT}
    table = known.assign(**names)
    return {
        "months": months,
        "first_month": "" if plain.empty else f"{plain['month'].min():%Y-%m}",
        "last_month": "" if plain.empty else f"{plain['month'].max():%Y-%m}",
        "charges": int(rows["charges"].sum()),
        "charges_left_out": int(rows["charges"][rate.isna()].sum()),
        "currencies_left_out": sorted(rows["currency"][rate.isna()].unique().tolist()),
        **{name: float(table[name].sum()) for name in names},
        "by_service_category": _grouped(table, "service_category", list(names)),
        "by_provider": _grouped(table, "provider", list(names)),
    }


_WHAT: Final = ("billed", "effective")


def _grouped(table: pd.DataFrame, column: str, names: list[str]) -> list[dict[str, object]]:
    """One entry a group, dearest first."""
    sums = table.groupby(column, sort=True)[names].sum().reset_index()
    order = sums.sort_values(["effective_usd_per_month", column], ascending=[False, True], kind="stable")
    return [{str(key): value for key, value in row.items()} for row in order.to_dict("records")]
