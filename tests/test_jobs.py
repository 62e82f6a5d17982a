"""Studies asked for at a desk: watched, cancelled, kept apart by owner."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from planner.errors import InputError
from planner.jobs import Desk, Patience, Status
from planner.scenario import Scenario, parse
from planner.store import Store
from planner.study import answer


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    opened = Desk(Patience(workers=1, open_per_owner=2))
    opened.expect()
    opened.expect()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def store() -> Store:
    """One for all: what is cancelled may still be reading from it when its test is over."""
    return Store(":memory:")


def asked(**settings: object) -> Scenario:
    table = {"trace": {"path": "sample:bitbrains"}, "horizon_years": 1, "models": [{"kind": "iaas"}]}
    return parse({**table, **settings})


def test_a_study_is_planned_beside_and_kept(desk: Desk, store: Store) -> None:
    scenario, expected = asked(horizon_years=2), [worker for _, worker in desk._idle]
    job = desk.start(scenario, store, "ann")
    assert (job.status, job.done, job.total) == (Status.QUEUED, 0, 2), "whoever asks is answered at once"
    job = desk.wait(job.job_id, "ann", 120)
    assert (job.status, job.done, job.error) == (Status.DONE, 2, None)
    assert job.study_id == answer(scenario, store)["study_id"]
    assert [worker for _, worker in desk._idle] == expected, "the one process that was expected planned it"
    assert len(expected) == 1


@pytest.mark.slow
def test_the_same_plans_as_in_this_process(desk: Desk, store: Store) -> None:
    scenario = asked(name="the same")
    desk.wait(desk.start(scenario, store).job_id, seconds=120)
    with Store(":memory:") as other:
        here = answer(scenario, other)
    there = answer(scenario, store)
    assert {k: v for k, v in there.items() if k != "created_at"} == {k: v for k, v in here.items() if k != "created_at"}


def planning(desk: Desk, store: Store, **settings: object) -> str:
    """The id of a job whose plans are being made."""
    job = desk.start(asked(models=[{"kind": "hypervisor"}], horizon_years=10, **settings), store)
    deadline = time.monotonic() + 60
    while desk._entries[job.job_id].worker is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert desk.job(job.job_id).status is Status.PLANNING
    return job.job_id


def test_a_cancelled_study_stops_and_leaves_nothing(desk: Desk, store: Store) -> None:
    before = len(store.studies())
    job_id = planning(desk, store)
    assert desk.cancel(job_id).status is Status.CANCELLED
    after = desk.start(asked(name="after"), store)
    assert desk.wait(after.job_id, seconds=120).status is Status.DONE, "the seat is free again"
    assert len(store.studies()) == before + 1
    assert desk.cancel(after.job_id).status is Status.DONE, "what has ended stays as it is"


def test_a_mistake_is_told_in_the_words_of_the_planner(desk: Desk, store: Store) -> None:
    job = desk.wait(desk.start(asked(where={"region": "us-esat-1"}), store).job_id, seconds=120)
    assert job.status is Status.FAILED
    assert "us-east-1" in (job.error or "")


@pytest.mark.slow
def test_a_process_that_dies_fails_its_job_only(desk: Desk, store: Store) -> None:
    job_id = planning(desk, store, name="dies")
    worker = desk._entries[job_id].worker
    assert worker is not None
    worker.kill()
    ended = desk.wait(job_id, seconds=60)
    assert ended.status is Status.FAILED
    assert "ended early (signal 9" in (ended.error or "")
    assert desk.wait(desk.start(asked(name="next"), store).job_id, seconds=120).status is Status.DONE


def test_owners_do_not_see_one_another(desk: Desk, store: Store) -> None:
    job = desk.start(asked(), store, "ann")
    assert job.job_id in {each.job_id for each in desk.jobs("ann")}
    assert job.job_id not in {each.job_id for each in desk.jobs("bob")}
    for peek in (desk.job, desk.cancel, desk.wait):
        with pytest.raises(InputError, match="none of that id"):
            peek(job.job_id, "bob")
    assert desk.wait(job.job_id, "ann", 120).status is Status.DONE


def test_too_many_open_jobs_are_refused(desk: Desk, store: Store) -> None:
    jobs = [desk.start(asked(name=str(n)), store, "greedy") for n in range(2)]
    with pytest.raises(InputError, match="2 jobs are open already"):
        desk.start(asked(), store, "greedy")
    for job in jobs:
        desk.cancel(job.job_id, "greedy")
