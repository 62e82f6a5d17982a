"""Queries of sql/demand.sql without what a recording or a policy does not ask of them: the same rows in less time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from planner.demand import Policy
from planner.store.database import statements

__all__ = ["numbered_last", "pruned"]

_QUANTILE: Final = re.compile(r"quantile_cont\((?P<value>[^\n]+), \[\$(?P<level>\w+)\]\)\[1\]")
_AMOUNT: Final = re.compile(r"coalesce\((?P<amount>u\.\w+), u\.(?P<share>\w+) / 100 \* coalesce\([^()]*\)\)")
_COUNT: Final = re.compile(r"count\(u\.(?P<name>\w+)\)(?: filter \([^()]*\))?")
_MEAN: Final = re.compile(r"exact_avg\(u\.(?P<name>\w+)\)")


def pruned(section: str, policy: Policy, told: Mapping[str, bool]) -> str:
    """A query of sql/demand.sql that gives the same numbers in less time.

    A percentile that is the 100th is a maximum, and what no sample of the recording tells (`told`) is not looked at.
    """
    (statement,) = statements("demand.sql", section)
    levels = {"cpu_level": policy.cpu_percentile, "memory_level": policy.memory_percentile}
    statement = _QUANTILE.sub(lambda q: f"max({q['value']})" if levels[q["level"]] == 100 else q[0], statement)
    statement = _AMOUNT.sub(lambda a: a[0] if told[a["share"]] else a["amount"], statement)
    statement = _COUNT.sub(lambda c: c[0] if told[c["name"]] else "0", statement)
    return _MEAN.sub(lambda m: m[0] if told[m["name"]] else "cast(null as double)", statement)


_NUMBER: Final = (
    ("n.number,", "u.workload,"),
    (" join numbered n using (workload)", ""),
    (" and n.number % $parts = $part", ""),
)
"""What a statement says of numbers, and what it says without them."""


def numbered_last(statement: str) -> str:
    """The same rows of all workloads in one pass, numbered once a group, not once a sample; where no size is asked."""
    plain = statement.strip().removesuffix(";")
    for words, fewer in _NUMBER:
        plain = plain.replace(words, fewer)
    if re.search(r"\bn\.", plain):
        return statement
    return f"select n.number, g.* exclude (workload) from ({plain}) g join numbered n using (workload)"
