"""Answers that are kept for a while: models of one study often ask the same of the packer."""

from __future__ import annotations

import hashlib
import pickle
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Final, TypeVar

__all__ = ["forget", "remembered"]

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

KEPT: Final = 24
"""Unit: answers. Source: a study of all models asks some ten questions a year, and the portfolio asks them again."""

_KNOWN: Final[OrderedDict[bytes, object]] = OrderedDict()
_LOCK: Final = Lock()


def remembered(asks: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
    """The same pure function of one frozen value, which does not work twice for equal values that come soon again.

    Values are equal where all they hold is, to the last bit. The answer is shared: nobody may write into it.
    """

    @wraps(asks)
    def recalled(value: Asked) -> Answer:
        key = hashlib.blake2b(pickle.dumps((asks.__module__, asks.__qualname__, value)), digest_size=16).digest()
        with _LOCK:
            if key in _KNOWN:
                _KNOWN.move_to_end(key)
                return _KNOWN[key]  # type: ignore[return-value]
        answer = asks(value)
        with _LOCK:
            _KNOWN[key] = answer
            while len(_KNOWN) > KEPT:
                _KNOWN.popitem(last=False)
        return answer

    return recalled


def forget() -> None:
    """Every answer that is kept; the next question is worked out anew."""
    with _LOCK:
        _KNOWN.clear()
