"""Writes machines in the layout of the PlanetLab CPU traces: a folder a day, a file a machine, whole percents."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from planner.samples.draws import Ints
from planner.samples.estate import Size, simulate
from planner.samples.files import write_text

__all__ = ["planetlab"]

STEP_S: Final = 300
"""Time between lines. Unit: seconds. Source: beloglazov/planetlab-workload-traces, five minutes."""
DAY_LINES: Final = 288
"""Lines of a file. Unit: lines. Source: as above."""
FIRST_DAY: Final = date(2011, 3, 3)
"""The first folder. Unit: date. Source: as above, the first of its ten days."""


def planetlab(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """``YYYYMMDD/<host>_<slice>``: 288 lines, an integer from 0 to 100 in each."""
    percent = np.round(100 * simulate(size, STEP_S, seed).cpu).astype(np.int64)
    days = percent.reshape(size.vms, size.days, DAY_LINES).transpose(1, 0, 2)
    names = [(FIRST_DAY + timedelta(days=day)).strftime("%Y%m%d") for day in range(size.days)]
    return tuple(
        _write(folder / name, number, lines)
        for name, machines in zip(names, days, strict=True)
        for number, lines in enumerate(machines)
    )


def _write(folder: Path, number: int, percent: Ints) -> Path:
    name = f"planetlab{number % 3 + 1}_host{number // 3 + 1}_example_org_slice{number % 5 + 1}"
    return write_text(folder / name, "".join(f"{value}\n" for value in percent.tolist()))
