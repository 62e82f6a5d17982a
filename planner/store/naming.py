"""What the files of a recording are called: no two alike, and what a name says without what was added to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

__all__ = ["apart", "labelled"]

_ENDINGS: Final = (".gz", ".xz", ".bz2", ".zst", ".csv", ".txt", ".parquet", ".json", ".jsonl", ".ndjson")
_NUMBER: Final = re.compile(r" \(file \d+\)$")


def apart(names: Sequence[str]) -> list[str]:
    """The names, each further one that is alike with a number: an archive may hold several files of one name.

    >>> apart(["a.csv", "b.csv", "a.csv", "a.csv"])
    ['a.csv', 'b.csv', 'a.csv (file 2)', 'a.csv (file 3)']
    """
    taken, seen, found = set(names), Counter[str](), []
    for name in names:
        seen[name] += 1
        called = name
        while seen[name] > 1 and (called := f"{name} (file {seen[name]})") in taken:
            seen[name] += 1
        taken.add(called)
        found.append(called)
    return found


def labelled(name: str) -> str:
    """A file's name without endings such as .csv.gz, and without the number that tells it from another.

    >>> labelled("2013-7/1.csv"), labelled("d01.csv.gz (file 2)")
    ('2013-7/1', 'd01')
    """
    label = _NUMBER.sub("", name)
    for ending in _ENDINGS:
        label = label[: -len(ending)] if label.lower().endswith(ending) else label
    return label
