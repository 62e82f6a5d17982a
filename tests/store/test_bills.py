"""FOCUS bills: what they add up to, in every packing and with every trap of the published sample."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from planner.bundle import bundled
from planner.demand import Policy
from planner.errors import TraceError
from planner.samples.focus import HEADER
from planner.store import Store, TraceInfo
from planner.store.bills import BILL_COLUMNS, today
from shared import shared

PLAIN = (
    "BilledCost", "EffectiveCost", "ListCost", "BillingCurrency", "BillingPeriodStart", "ChargePeriodStart",
    "ChargePeriodEnd", "ChargeCategory", "ChargeClass", "ProviderName", "ServiceCategory", "ServiceName",
    "ConsumedQuantity", "Tags",
)  # fmt: skip


def row(**other: object) -> dict[str, object]:
    """A charge of a whole month."""
    told: dict[str, object] = {
        "BilledCost": "1.5", "EffectiveCost": "1.25", "ListCost": "2", "BillingCurrency": '"USD"',
        "BillingPeriodStart": '"2026-01-01 00:00:00"', "ChargePeriodStart": '"2026-01-01 00:00:00"',
        "ChargePeriodEnd": '"2026-02-01 00:00:00"', "ChargeCategory": '"Usage"', "ChargeClass": "NULL",
        "ProviderName": '"AWS"', "ServiceCategory": '"Compute"', "ServiceName": '"EC2"', "ConsumedQuantity": "NULL",
        "Tags": '"{""a"": ""b, c""}"',
    }  # fmt: skip
    return told | other


def write(folder: Path, *rows: dict[str, object], name: str = "focus.csv") -> Path:
    path = folder / name
    lines = [",".join(str(entry[column]) for column in PLAIN) for entry in rows]
    path.write_text("\n".join([",".join(f'"{column}"' for column in PLAIN), *lines, ""]))
    return path


def read(path: Path) -> tuple[TraceInfo, pd.DataFrame]:
    with Store(":memory:") as store:
        info = store.ingest(path)
        return info, store.bill(info.trace_id)


def test_the_published_sample() -> None:
    info, bill = read(shared("traces", "focus-1.0-sample", "focus_sample.csv"))
    assert (info.format, info.workloads, info.charges, info.rejected, info.lines) == ("focus", 0, 1000, 0, 1000)
    assert tuple(bill.columns) == BILL_COLUMNS
    sums = bill.groupby("provider")[["charges", "billed_amount", "effective_amount"]].sum().round(6)
    assert sums.to_dict("index") == {
        "AWS": {"charges": 942, "billed_amount": 18.006639, "effective_amount": 13.0},
        "Microsoft": {"charges": 51, "billed_amount": 1.976514, "effective_amount": 1.976514},
        "Oracle": {"charges": 7, "billed_amount": 0.537074, "effective_amount": 0.0},
    }
    paid = today(bill, {})
    assert (paid["months"], paid["first_month"], paid["last_month"]) == (1, "2024-09", "2024-09")
    assert paid["billed_usd_per_month"] == pytest.approx(18.006639 + 1.976514 + 0.537074, abs=2e-6)
    for split in ("by_service_category", "by_provider"):
        assert sum(entry["billed_usd_per_month"] for entry in paid[split]) == pytest.approx(  # type: ignore[index]
            paid["billed_usd_per_month"]
        )


def test_a_bill_has_nothing_to_plan_and_says_what_is_missing(tmp_path: Path) -> None:
    with Store(":memory:") as store:
        info = store.ingest(write(tmp_path, row()))
        with pytest.raises(TraceError, match=r"is a bill of 1 charges and tells no workloads.*\[today\]"):
            store.demand(info.trace_id, Policy())


def test_bare_null_is_nothing_in_the_quick_way_and_in_the_exact_one(tmp_path: Path) -> None:
    good = [row(), row(ListCost="NULL", ServiceName='"NULL"'), row(ConsumedQuantity="3", ServiceCategory='"Sto""rage"')]
    bad = row(Tags='"{')
    for extra in ([], [bad]):
        info, bill = read(write(tmp_path, *good, *extra))
        assert (info.charges, info.rejected, info.lines) == (3, len(extra), 3 + len(extra))
        assert bill["service"].tolist() == ["EC2", "not told", "EC2"]
        assert bill["service_category"].tolist() == ["Compute", "Compute", 'Sto"rage']
        assert bill["list_amount"].isna().tolist() == [False, True, False]


BAD = {
    "a cost in words": (row(BilledCost='"much"'), "BilledCost: expected a number"),
    "no effective cost": (row(EffectiveCost="NULL"), "EffectiveCost: missing"),
    "not a number": (row(EffectiveCost="nan"), "EffectiveCost"),
    "no currency": (row(BillingCurrency="NULL"), "BillingCurrency: missing"),
    "a strange currency": (row(BillingCurrency="dollars"), "BillingCurrency"),
    "no provider": (row(ProviderName="NULL"), "expected at least one of"),
    "an end before the beginning": (row(ChargePeriodEnd="2020-01-01"), "ChargePeriodEnd"),
    "a field too many": (row(Tags="1,2"), "too many fields"),
}


def test_bad_charges_cost_no_good_one(tmp_path: Path) -> None:
    path = write(tmp_path, *[charge for wrong, _ in BAD.values() for charge in (row(), wrong)])
    with Store(":memory:") as store:
        info = store.ingest(path)
        rejects = store.rejects(info.trace_id)
        billed = store.bill(info.trace_id)["billed_amount"].sum()
    assert (info.charges, info.rejected, info.lines, billed) == (len(BAD), len(BAD), 2 * len(BAD), 1.5 * len(BAD))
    assert rejects["line"].tolist() == list(range(3, 3 + 2 * len(BAD), 2))
    for found, (_, reason) in zip(rejects["reason"], BAD.values(), strict=True):
        assert reason in found


def test_all_lines_are_charges_or_rejects_in_a_large_bill(tmp_path: Path) -> None:
    path = tmp_path / "focus.csv.gz"
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"""
            copy (select case when i % 100 = 7 then 'x' else cast(i % 13 as varchar) end as BilledCost,
                1 as EffectiveCost, 'USD' as BillingCurrency, '2026-01-01' as BillingPeriodStart,
                '2026-01-01' as ChargePeriodStart,
                '2026-02-01' as ChargePeriodEnd, 'Usage' as ChargeCategory, 'p' || i % 3 as ProviderName
                from range(100000) r(i)) to '{path}'
        """)
    info, bill = read(path)
    assert (info.charges, info.rejected, info.lines) == (99_000, 1000, 100_000)
    assert bill["billed_amount"].sum() == sum(i % 13 for i in range(100_000) if i % 100 != 7)


def test_parquet_of_version_1_2_with_decimals_zones_and_tags_as_maps(tmp_path: Path) -> None:
    path = tmp_path / "focus-1.2.parquet"
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"""
            copy (select cast(0.1 as decimal(30, 15)) as BilledCost, cast(0.05 as decimal(30, 15)) as EffectiveCost,
                'Microsoft' as ProviderName, 'EUR' as BillingCurrency, 'USD' as PricingCurrency,
                'Usage' as ChargeCategory,
                timestamptz '2026-01-01 00:00:00+00' as BillingPeriodStart, cast(null as varchar) as ChargeClass,
                timestamptz '2026-01-31 23:00:00-01' as ChargePeriodStart, timestamptz '2026-03-01 00:00:00+00' as
                ChargePeriodEnd, map {{'a': 'b'}} as Tags, 'inv-1' as InvoiceId, 'VM' as ServiceSubcategory
                from range(1000)) to '{path}'
        """)
    info, bill = read(path)
    assert (info.format, info.charges, info.rejected) == ("focus", 1000, 0)
    assert bill[["billed_amount", "effective_amount"]].to_numpy().tolist() == [[100.0, 50.0]]
    assert f"{bill['month'][0]:%Y-%m}" == "2026-02"
    assert any("charges are in EUR" in note for note in info.notes)
    assert today(bill, {})["charges_left_out"] == 1000
    assert today(bill, {"eur": 1.5})["effective_usd_per_month"] == pytest.approx(75.0)


def test_version_1_3_has_old_and_new_names_of_who_provides_side_by_side(tmp_path: Path) -> None:
    old = {"ProviderName": "Market", "PublisherName": "Maker", "InvoiceIssuerName": "Issuer"}
    new = {"ServiceProviderName": "Seller", "HostProviderName": "Host"}
    both = old | new
    told = [both, both | {"ServiceProviderName": "NULL"}, new | {"ServiceProviderName": "NULL"}, new]
    charges = [row(**dict.fromkeys(both, "NULL") | entry) for entry in told]
    names = list(charges[0])
    lines = [",".join(str(charge[name]) for name in names) for charge in charges]
    (tmp_path / "focus.csv").write_text("\n".join([",".join(names), *lines, ""]))
    info, bill = read(tmp_path / "focus.csv")
    assert (info.charges, info.rejected) == (4, 0)
    assert bill.groupby("provider")["charges"].sum().to_dict() == {"Host": 1, "Market": 1, "Seller": 2}


def test_sums_are_exact_where_doubles_are_not(tmp_path: Path) -> None:
    costs = ["1e9", *["0.000000000001"] * 9, "0.1", "0.2", "-1e9"]
    _, bill = read(write(tmp_path, *[row(BilledCost=cost) for cost in costs]))
    assert bill["billed_amount"][0] == float(sum(map(Decimal, costs)))


def test_a_month_is_that_of_the_charge_and_corrections_make_none(tmp_path: Path) -> None:
    late = {"ChargePeriodStart": '"2025-12-01"', "ChargePeriodEnd": '"2026-01-01"', "ChargeClass": '"Correction"'}
    february = {"ChargePeriodStart": '"2026-02-01"', "ChargePeriodEnd": '"2026-02-11"'}
    info, bill = read(write(tmp_path, row(), row(**late), row(**february)))
    paid = today(bill, {})
    assert (paid["months"], paid["first_month"], paid["last_month"]) == (2, "2026-01", "2026-02")
    assert paid["billed_usd_per_month"] == pytest.approx(3 * 1.5 / 2)
    (note,) = [note for note in info.notes if "so far" in note]
    assert note.startswith("the charges of 2026-02 reach from 2026-02-01 to 2026-02-11, not over the whole month")


def test_the_shipped_bill() -> None:
    info, bill = read(bundled("datasets", "samples", "focus"))
    assert (info.charges, info.rejected, len(HEADER)) == (241, 0, 44)
    assert bill["billed_amount"].sum() == pytest.approx(bill["effective_amount"].sum())
    assert set(bill["service_category"]) == {"Compute", "Storage"}


def test_a_month_exported_again_every_day_is_told(tmp_path: Path) -> None:
    """Each export of a month holds the charges of those before; alike charges of one bill are legal, so all count."""
    days = [row(ChargePeriodStart=f"2024-09-{d:02d}", ChargePeriodEnd=f"2024-09-{d + 1:02d}") for d in range(1, 25)]
    with Store(":memory:") as store:
        for number, files in enumerate(([days], [days, days[:20]])):
            folder = tmp_path / str(number)
            for export, charges in enumerate(files):
                (folder / str(export)).mkdir(parents=True)
                write(folder / str(export), *charges)
            info = store.ingest(folder)
            assert info.charges == sum(map(len, files))
            told = [note for note in info.notes if "keep the latest" in note]
            assert len(told) == number
            assert all(note.startswith("about ") and note.split()[3] == "44" for note in told)
