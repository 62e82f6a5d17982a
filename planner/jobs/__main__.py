"""``python -m planner.jobs``: the process behind a `Worker`; pickled questions on stdin, pickled plans on stdout."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import threading
import time
from typing import BinaryIO, Final

from planner.errors import PlannerError
from planner.plan import Plan
from planner.study import Question, answer_plans

_log = logging.getLogger(__name__)
_WATCH_SECONDS: Final = 1.0


def _answer(question: Question, out: BinaryIO) -> None:
    """Writes each plan, then None; or the error, told in words, in their place."""
    try:
        for plan in answer_plans(question):
            _tell(plan, out)
    except PlannerError as error:
        _tell(type(error)(str(error)), out)
    except Exception as error:
        _log.exception("planning failed")
        _tell(PlannerError(f"planning failed: {type(error).__name__}: {error}"), out)
    else:
        _tell(None, out)


def _tell(value: Plan | PlannerError | None, out: BinaryIO) -> None:
    pickle.dump(value, out, protocol=pickle.HIGHEST_PROTOCOL)
    out.flush()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def _serve() -> None:
    """Answers questions until there are no more; what libraries print goes to stderr, not between the plans."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
            _answer(question, out)
        except (EOFError, BrokenPipeError):
            return


if __name__ == "__main__":
    _serve()
