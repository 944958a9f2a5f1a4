"""Jobs whose workers died: which of them are suspected, and of what they are cleared."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import anyio
import pytest

from background_jobs.hosts import jobs_host
from background_jobs.support import add_worker, attempt_of, claim, claim_one, new_job, seen
from modhost.runtime.shutdown import ShutdownSignal
from modhost.telemetry import ErrorReports
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, Released
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.outcome import Outcome, Outcomes
from modhost_background_jobs.worker.executor import AttemptExecutor
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

LATER = START + timedelta(seconds=30)


async def dies(
    store: JobStore,
    worker: str,
    begun: Collection[UUID] | None = None,
    max_rescues: int = 3,
    now: datetime = LATER,
) -> dict[UUID, JobState]:
    """Let a worker claim all that is due, begin these jobs of it, or all, and die."""
    await add_worker(store, worker)
    for claimed in await claim(store, worker, 100, now):
        if begun is None or claimed.lease.job_id in begun:
            assert await store.note_begin(claimed.lease)
    rescued = await store.rescue(await seen(store, worker), max_rescues, now)
    return {rescue.job_id: rescue.state for rescue in rescued}


async def test_a_job_that_takes_its_workers_down_is_quarantined(
    store: JobStore, listing: JobListing
) -> None:
    job = new_job()
    await store.insert([job])
    states = [(await dies(store, f"victim-{number}"))[job.id] for number in range(3)]
    assert states == [JobState.PENDING, JobState.PENDING, JobState.FAILED]
    row = await listing.find(job.id)
    assert row is not None
    assert row.state == "Failed"
    assert "quarantined: 3 workers died" in str(row.error)


async def test_a_retry_by_hand_ends_the_quarantine(
    store: JobStore, queue: DatabaseJobQueue
) -> None:
    job = new_job()
    await store.insert([job])
    assert await dies(store, "w1", max_rescues=1) == {job.id: JobState.FAILED}
    await queue.retry(job.id)
    await add_worker(store, "w2")
    await claim_one(store, "w2")
    (rescue,) = await store.rescue(await seen(store, "w2"), 2, LATER)
    assert rescue.state is JobState.PENDING


async def test_jobs_that_had_not_begun_are_not_quarantined_with_the_one_that_kills(
    store: JobStore,
) -> None:
    """Twenty jobs that were claimed with it and never ran failed permanently at its third death."""
    killer, *others = jobs = [new_job() for _ in range(20)]
    await store.insert(jobs)
    for number in range(3):
        states = await dies(store, f"victim-{number}", {killer.id})
    assert states.pop(killer.id) is JobState.FAILED
    assert states == {job.id: JobState.PENDING for job in others}


async def test_where_one_rescue_is_enough_it_fails_only_what_had_begun(store: JobStore) -> None:
    killer, other = jobs = [new_job(), new_job()]
    await store.insert(jobs)
    states = await dies(store, "w2", {killer.id}, max_rescues=1)
    assert states == {killer.id: JobState.FAILED, other.id: JobState.PENDING}


async def test_that_a_job_began_is_forgotten_with_its_attempt(store: JobStore) -> None:
    job = new_job()
    await store.insert([job])
    await dies(store, "victim-1")
    await dies(store, "victim-2")
    states = [(await dies(store, f"victim-{number}", begun=()))[job.id] for number in (3, 4)]
    assert states == [JobState.PENDING, JobState.PENDING]


async def test_an_attempt_that_ends_by_itself_clears_its_job_of_suspicion(
    store: JobStore,
) -> None:
    """Rescues were counted over all of a job's life."""
    job = new_job(max_attempts=9)
    await store.insert([job])
    for number in range(2):
        await dies(store, f"victim-{number}")
    suspect = await claim_one(store, now=LATER)
    assert suspect.rescues == 2
    await store.release([Released(suspect.lease, LATER, error=None, spent=False)], LATER)
    suspect = await claim_one(store, now=LATER)
    assert suspect.rescues == 2, "released without having begun"
    await store.release([Released(suspect.lease, LATER, "it broke", spent=True)], LATER)
    assert (await claim_one(store, now=LATER)).rescues == 0


async def test_an_old_lease_cannot_note_that_its_attempt_begins(store: JobStore) -> None:
    await store.insert([new_job()])
    old = await claim_one(store)
    await dies(store, "w1")
    assert not await store.note_begin(old.lease)


async def suspect(store: JobStore, deaths: int) -> list[Attempt]:
    """Attempts of two jobs whose workers died so often."""
    jobs = [new_job(), new_job()]
    await store.insert(jobs)
    for number in range(deaths):
        await dies(store, f"victim-{number}")
    await add_worker(store, "w2")
    return [attempt_of(claimed) for claimed in await claim(store, "w2", 2, LATER)]


class GatedRunner:
    """Completes attempts that nobody has stopped, when its gate opens."""

    def __init__(self) -> None:
        self.running = anyio.Event()
        self.gate = anyio.Event()

    async def run(self, attempt: Attempt) -> Outcome:
        if attempt.is_to_stop:
            return None
        self.running.set()
        await self.gate.wait()
        return Ended(attempt.lease, JobState.COMPLETED)


def executor(runner: GatedRunner, store: JobStore, clock: MovingClock) -> AttemptExecutor:
    options = BackgroundJobsOptions()
    outcomes, shutdown = Outcomes(options, clock), ShutdownSignal()
    none = cast(Any, None)
    return AttemptExecutor(
        cast(Any, runner), none, outcomes, store, options, shutdown, ErrorReports(), clock
    )


@pytest.mark.parametrize(("deaths", "beside_each_other"), [(1, True), (2, False)])
async def test_only_those_on_their_last_chance_run_one_at_a_time(
    store: JobStore, clock: MovingClock, deaths: int, beside_each_other: bool
) -> None:
    """One that kills its workers took those into quarantine that ran beside it each time."""
    first, second = await suspect(store, deaths)
    runner = GatedRunner()
    poison_jobs = executor(runner, store, clock)
    async with anyio.create_task_group() as group:
        group.start_soon(poison_jobs.run, first)
        with anyio.fail_after(10):
            await runner.running.wait()
        if beside_each_other:
            runner.gate.set()
        outcome = await poison_jobs.run(second)
        runner.gate.set()
    if beside_each_other:
        assert isinstance(outcome, Ended)
        return
    assert isinstance(outcome, Released)
    assert (outcome.error, outcome.spent) == (None, False)
    assert outcome.execute_at is not None
    assert outcome.execute_at > clock.now()
    assert isinstance(await poison_jobs.run(second), Ended)


async def test_a_suspect_that_was_lost_before_it_began_does_not_run(
    store: JobStore, clock: MovingClock
) -> None:
    attempt, _ = await suspect(store, 1)
    await store.rescue(await seen(store, "w2"), 3, LATER)
    runner = GatedRunner()
    assert await executor(runner, store, clock).run(attempt) is None
    assert attempt.reason is StopReason.LOST_LEASE
    assert not runner.running.is_set()


async def test_a_job_that_was_rescued_twice_runs_to_its_end(
    store: JobStore, database_url: str
) -> None:
    job = new_job(job_type="tests.ReportingJob", data="{}")
    await store.insert([job])
    for number in range(2):
        await add_worker(store, f"victim-{number}")
        await store.claim(f"victim-{number}", [job.job_type], 1, LATER)
        await store.rescue(await seen(store, f"victim-{number}"), 3, START)
    async with jobs_host(database_url) as jobs:
        ended = await jobs.ends(job.id)
    assert (ended.state, ended.retry_count) == (JobState.COMPLETED, 0)
