"""Desk: who asked for which study, how far it is, and how to stop it."""

from __future__ import annotations

import atexit
import logging
import threading
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from os import cpu_count
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from planner.errors import InputError, PlannerError
from planner.jobs.worker import Worker
from planner.scenario import Scenario
from planner.store import Store
from planner.study import Study, identity, keep, prepare

__all__ = ["Desk", "Job", "Patience", "Status", "desk"]

_log = logging.getLogger(__name__)
_LEAVE_SECONDS: Final = 20.0
"""A statement of the database that has begun is waited for so long at the end; unit: s."""


class Status(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    READING = "reading"
    PLANNING = "planning"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in {Status.DONE, Status.FAILED, Status.CANCELLED}


class Patience(BaseModel):
    """How much work is taken on at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    workers: int = Field(default_factory=lambda: cpu_count() or 1, ge=1, le=256)
    """Studies planned side by side, each in a process. Unit: processes. Source: one for each core of the machine."""

    open_per_owner: int = Field(default=16, ge=1)
    """Most jobs of one owner that wait or run. Unit: jobs. Source: twice the number of models that can be compared."""

    kept_per_owner: int = Field(default=200, ge=1)
    """Ended jobs of one owner that are still told of; older ones are forgotten. Unit: jobs. Source: the project."""


@dataclass(frozen=True)
class Job:
    """One study that was asked for, as it stands now."""

    job_id: str
    name: str
    """The scenario's."""
    status: Status
    done: int
    """Plans made so far."""
    total: int
    """Plans to make: one a model and year."""
    doing: str
    """What was done last, in words."""
    error: str | None
    """Why it failed, in words for whoever asked."""
    study_id: str | None
    """The study, once it is done; it is in the asker's store."""
    asked_at: datetime
    ended_at: datetime | None
    """UTC without time zone."""


@dataclass
class _Entry:
    """A job at the desk; `job` is replaced as it moves on."""

    owner: str
    job: Job
    worker: Worker | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class Desk:
    """Takes studies on, plans them in worker processes and tells how far they are; threads may share it.

    An owner sees and cancels only what that owner asked for.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        """Opens the desk; processes start when the first study is asked for or expected, and stay for the next."""
        self._patience = patience or Patience()
        self._entries: dict[str, _Entry] = {}
        self._idle: list[tuple[str, Worker]] = []
        self._lock = threading.Lock()
        self._seats = threading.Semaphore(self._patience.workers)

    def expect(self) -> None:
        """Starts a process ahead of the first study, which so need not wait until it has loaded."""
        with self._lock:
            if not self._idle:
                self._idle.append(("", Worker()))

    def start(self, scenario: Scenario, store: Store, owner: str = "") -> Job:
        """Takes a study on and returns at once; it is read, planned and kept in `store` meanwhile.

        Raises:
            InputError: the owner has too many jobs open already.
        """
        total = len(scenario.models) * scenario.horizon_years
        entry = _Entry(owner, _new(scenario.name, total))
        job = entry.job
        with self._lock:
            mine = [e for e in self._entries.values() if e.owner == owner]
            if sum(not e.job.status.ended for e in mine) >= self._patience.open_per_owner:
                raise InputError(f"{self._patience.open_per_owner} jobs are open already: wait for one, or cancel one")
            for old in [e for e in mine if e.job.status.ended][: -self._patience.kept_per_owner]:
                del self._entries[old.job.job_id]
            self._entries[job.job_id] = entry
        entry.thread = threading.Thread(target=self._run, args=(entry, scenario, store), daemon=True)
        entry.thread.start()
        return job

    def job(self, job_id: str, owner: str = "") -> Job:
        """How far a job is.

        Raises:
            InputError: the owner has no such job.
        """
        return self._entry(job_id, owner).job

    def jobs(self, owner: str = "") -> list[Job]:
        """All jobs of an owner, the last asked for first."""
        with self._lock:
            return [e.job for e in reversed(self._entries.values()) if e.owner == owner]

    def cancel(self, job_id: str, owner: str = "") -> Job:
        """Stops a job: its process is ended at once, and nothing of it is kept. One that has ended stays as it is.

        Raises:
            InputError: the owner has no such job.
        """
        entry = self._entry(job_id, owner)
        self._move(entry, status=Status.CANCELLED, doing="cancelled")
        worker = entry.worker
        if worker is not None and entry.job.status is Status.CANCELLED:
            worker.kill()
        return entry.job

    def forget(self, job_id: str, owner: str = "") -> None:
        """Cancels a job and tells of it no more.

        Raises:
            InputError: the owner has no such job.
        """
        self.cancel(job_id, owner)
        with self._lock:
            self._entries.pop(job_id, None)

    def wait(self, job_id: str, owner: str = "", seconds: float | None = None) -> Job:
        """The job when it has ended, or after so many seconds as it stands then.

        Raises:
            InputError: the owner has no such job.
        """
        entry = self._entry(job_id, owner)
        entry.ended.wait(seconds)
        return entry.job

    def close(self) -> None:
        """Cancels every job, waits until their stores are let go, and ends all worker processes."""
        with self._lock:
            entries = list(self._entries.values())
        for entry in entries:
            self.cancel(entry.job.job_id, entry.owner)
        for entry in entries:
            if entry.thread is not None:
                entry.thread.join(_LEAVE_SECONDS)
        with self._lock:
            idle, self._idle = self._idle, []
        for _, worker in idle:
            worker.end()

    def _entry(self, job_id: str, owner: str) -> _Entry:
        with self._lock:
            entry = self._entries.get(job_id)
        if entry is None or entry.owner != owner:
            raise InputError(f"job {job_id!r}: there is none of that id")
        return entry

    def _move(self, entry: _Entry, **changes: Any) -> bool:
        """Moves a job on, unless it has ended; whether it was moved."""
        with self._lock:
            if entry.job.status.ended:
                return False
            ended = changes.get("status", entry.job.status).ended
            entry.job = replace(entry.job, **changes, ended_at=_now() if ended else None)
            if ended:
                entry.ended.set()
            return True

    def _run(self, entry: _Entry, scenario: Scenario, store: Store) -> None:
        with self._seats:
            try:
                study_id = self._study(entry, scenario, store)
            except PlannerError as error:
                self._move(entry, status=Status.FAILED, error=str(error), doing="failed")
            except Exception as error:
                _log.exception("job %s failed", entry.job.job_id)
                told = f"a fault of planner's own, not of the question: {type(error).__name__}: {error}"
                self._move(entry, status=Status.FAILED, error=told, doing="failed")
            else:
                self._move(entry, status=Status.DONE, study_id=study_id, done=entry.job.total, doing="done")

    def _study(self, entry: _Entry, scenario: Scenario, store: Store) -> str | None:
        """The id of the study: as it was kept before, or planned now; None where the job was cancelled meanwhile."""
        if not self._move(entry, status=Status.READING, doing="reading the recording"):
            return None
        question = prepare(scenario, store)
        study_id = identity(question)
        if store.document(study_id) is not None:
            return study_id
        if not self._move(entry, status=Status.PLANNING, doing="starting to plan"):
            return None
        worker = self._hire(entry)
        try:
            plans = []
            for plan in worker.plans(question):
                plans.append(plan)
                self._move(entry, done=len(plans), doing=f"planned {plan.model}, year {plan.year}")
        finally:
            self._release(entry, worker)
        if not entry.job.status.ended:
            keep(Study(question, tuple(plans)), store)
        return study_id

    def _hire(self, entry: _Entry) -> Worker:
        """A worker that idles, the owner's last one first because of what it remembers; else a new one."""
        with self._lock:
            self._idle.sort(key=lambda pair: pair[0] == entry.owner)
            worker = self._idle.pop()[1] if self._idle else None
        if worker is not None and not worker.free:
            worker.end()
            worker = None
        worker = worker or Worker()
        entry.worker = worker
        if entry.job.status.ended:
            worker.kill()
        return worker

    def _release(self, entry: _Entry, worker: Worker) -> None:
        entry.worker = None
        if not worker.free or entry.job.status.ended:
            worker.end()
            return
        with self._lock:
            self._idle.append((entry.owner, worker))


def _new(name: str, total: int) -> Job:
    return Job(uuid.uuid4().hex, name, Status.QUEUED, 0, total, "waiting for its turn", None, None, _now(), None)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@cache
def desk() -> Desk:
    """The one desk of this process, shared by pages and API; closed when the process ends."""
    opened = Desk()
    atexit.register(opened.close)
    return opened
