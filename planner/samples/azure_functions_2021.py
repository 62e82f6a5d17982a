"""Writes calls in the layout of the Azure Functions invocation trace of 2021: one row a call."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from planner.samples.draws import Curve, quantiles
from planner.samples.estate import Size
from planner.samples.files import hex_names, write_text

__all__ = ["azure_functions_2021"]

DAILY_CALLS: Final[Curve] = ((0, 1), (0.4, 3), (0.8, 20), (1, 250))
"""Calls of a function, by quantile. Unit: calls a day. Source: our choice, to keep the file small."""
SECONDS: Final[Curve] = ((0, 0.005), (0.20, 0.1), (0.50, 1), (0.96, 60), (1, 405))
"""Average duration of a function, by quantile. Unit: seconds. Source: Shahrad et al., USENIX ATC 2020; the longest call
of 199 rows of 2021 took 404.987 s."""
VARIES: Final = 0.3
"""Difference from one call to the next. Unit: log. Source: our choice."""
APP_FUNCTIONS: Final = 3
"""Functions of an application. Unit: functions. Source: 31 functions in 13 applications in 199 rows of 2021."""
DAY_S: Final = 86400


def azure_functions_2021(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """``app,func,end_timestamp,duration`` in order of the ends; seconds from the start of the trace."""
    rng = np.random.default_rng([seed, size.functions, size.days])
    daily = rng.permutation(quantiles(DAILY_CALLS, size.functions))
    calls = np.maximum(1, rng.poisson(daily * size.days))
    function = np.repeat(np.arange(size.functions), calls)
    average = rng.permutation(quantiles(SECONDS, size.functions))[function]
    start = rng.random(len(function)) * DAY_S * size.days
    duration = np.round(average * np.exp(VARIES * rng.standard_normal(len(function))), 3)
    table = pd.DataFrame(
        {
            "app": hex_names("app", size.functions)[function // APP_FUNCTIONS],
            "func": hex_names("function", size.functions)[function],
            "end_timestamp": np.round(start + duration, 6),
            "duration": duration,
        }
    ).sort_values("end_timestamp", kind="stable")
    text = table.to_csv(index=False, lineterminator="\n")
    return (write_text(folder / "AzureFunctionsInvocationTraceForTwoWeeksJan2021.txt", text),)
