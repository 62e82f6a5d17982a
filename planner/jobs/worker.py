"""Worker: a process that plans. Questions in, plans out, one by one; to end it is to cancel what it does.

Planning takes seconds to minutes of whole cores. In a process of its own it neither holds up the server's threads nor
needs to be asked to stop, and what it remembers of one study it knows for the next.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from planner.errors import PlannerError
from planner.plan import Plan
from planner.study import Question

__all__ = ["Worker"]

_log = logging.getLogger(__name__)
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""One thread a worker for linear algebra: as many workers as cores run side by side."""


class Worker:
    """One process that plans question after question."""

    def __init__(self) -> None:
        """Starts the process; it is ready a second or two later, and takes a question at once."""
        self._busy = False
        self._ending = threading.Lock()
        paths = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "planner.jobs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            start_new_session=True, env={**dict.fromkeys(_THREADS, "1"), **os.environ, "PYTHONPATH": paths},
        )  # fmt: skip

    @property
    def free(self) -> bool:
        """Whether it can take a question: it lives, and has answered all of the last one."""
        return not self._busy and self._process.poll() is None

    def plans(self, question: Question) -> Iterator[Plan]:
        """The plans of a question, as they are made.

        Raises:
            PlannerError: what the planning raised, in its words; or that the process ended, with the reason.
        """
        self._busy = True
        self._ask(question)
        while isinstance(told := self._hear(), Plan):
            yield told
        self._busy = False
        if told is not None:
            raise told

    def _ask(self, question: Question) -> None:
        try:
            pickle.dump(question, cast("BinaryIO", self._process.stdin), protocol=pickle.HIGHEST_PROTOCOL)
            cast("BinaryIO", self._process.stdin).flush()
        except OSError:
            raise PlannerError(_why(self._process)) from None

    def _hear(self) -> Plan | PlannerError | None:
        try:
            told: Plan | PlannerError | None = pickle.load(cast("BinaryIO", self._process.stdout))  # noqa: S301 - ours
        except (EOFError, OSError, pickle.UnpicklingError):
            raise PlannerError(_why(self._process)) from None
        return told

    def kill(self) -> None:
        """Ends what it does, now; any thread may call it."""
        with self._ending:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def end(self) -> None:
        """Kills it and gives its pipes back; for the thread that asked it."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            _close(cast("BinaryIO", pipe))


def _close(pipe: BinaryIO) -> None:
    try:
        pipe.close()
    except OSError:
        _log.debug("a pipe to an ended worker held unsent bytes")


def _why(process: subprocess.Popen[bytes]) -> str:
    """What became of a process that answers no more."""
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "the planning process answers no more"
    how = f"signal {-code}, {signal.strsignal(-code)}" if code < 0 else f"exit code {code}"
    return f"the planning process ended early ({how}); if memory was short, plan fewer models at once"
