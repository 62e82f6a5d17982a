"""The price books that ship, read with our types and nothing guessed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from planner.bundle import bundled
from planner.catalog import FACT_COLUMNS, OFFER_COLUMNS, OFFER_NUMBERS

BOOKS = sorted(bundled("datasets", "prices").glob("*.csv"))
OFFER_BOOKS = [p for p in BOOKS if not p.name.startswith("facts_")]
FACT_BOOKS = [p for p in BOOKS if p.name.startswith("facts_")]


def read_facts(paths: Sequence[Path] = FACT_BOOKS) -> pd.DataFrame:
    """All facts, with the book each stands in."""
    frames = [_read(p, FACT_COLUMNS, {"value", "low", "high"}).assign(book=p.name) for p in paths]
    return pd.concat(frames, ignore_index=True)


def read_offers(paths: Sequence[Path] = OFFER_BOOKS) -> pd.DataFrame:
    """All offers, with the book each stands in."""
    frames = [_read(p, OFFER_COLUMNS, OFFER_NUMBERS).assign(book=p.name) for p in paths]
    return pd.concat(frames, ignore_index=True)


def _read(path: Path, columns: Sequence[str], numbers: set[str] | frozenset[str]) -> pd.DataFrame:
    return pd.read_csv(
        path,
        dtype={c: "float64" if c in numbers else "str" for c in columns},
        keep_default_na=False,
        na_values={c: [""] for c in numbers},
    )
