"""A study document as it is: JSON, indented."""

from __future__ import annotations

import json

from planner.report.facts import Facts
from planner.report.formats import Source

__all__ = ["written"]


def written(source: Source) -> bytes:
    """The document as JSON text.

    Raises:
        InputError: it is no study.
    """
    document = Facts(source.document).document
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace")  # half a character stands as an escape, which JSON knows
