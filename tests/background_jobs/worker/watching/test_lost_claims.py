"""Jobs that a claim handed out whose answer was lost."""

from typing import Any

import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from background_jobs.support import JOB_TYPES, attempt_of, claim, lanes_of, new_job
from modhost.database import Database
from modhost.runtime.shutdown import ShutdownSignal
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import ClaimedJob, CurrentWorker
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, open_wakeups
from modhost_background_jobs.worker.attempts.attempt import AttemptRegistry
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.watching.lease_watch import LostClaims
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


async def test_a_job_whose_claim_was_cut_off_is_released_and_runs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[ClaimedJob] = []
    async with jobs_host(database_url, poll_interval="50ms") as jobs:
        async with jobs.host.scope() as scope:
            store = await scope.get(JobStore)
        answering = store.claim

        async def losing(*arguments: Any) -> list[ClaimedJob]:
            claimed = await answering(*arguments)
            if claimed and not lost:
                lost.extend(claimed)
                msg = "the connection was lost"
                raise ConnectionResetError(msg)
            return claimed

        monkeypatch.setattr(store, "claim", losing)
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work(name="cut off"))
        job = await jobs.ends(job_id, seconds=10)
    assert [each.lease.job_id for each in lost] == [job_id]
    assert (job.state, job.retry_count) == (JobState.COMPLETED, 0)
    assert [attempt.number for attempt in job.attempts] == [1]
    assert jobs.probe.started["cut off"] == 1


class Polling:
    """What a worker knows, and the claims that it has under way."""

    def __init__(self, database: Database, store: JobStore, clock: MovingClock) -> None:
        self.store = store
        self.claims = ClaimLoop(
            JOB_TYPES,
            store,
            open_wakeups(database),
            BackgroundJobsOptions(),
            ShutdownSignal(),
            clock,
            lanes_of(database, clock),
            CurrentWorker(),
        )
        self.attempts = AttemptRegistry()
        self.lost = LostClaims(self.claims)

    async def poll(self) -> int:
        return len(self.lost.among(await self.store.leases("w1"), self.attempts))


@pytest.fixture
def polling(database: Database, store: JobStore, clock: MovingClock) -> Polling:
    return Polling(database, store, clock)


async def test_a_claim_that_commits_long_after_it_failed_is_found(
    polling: Polling, store: JobStore
) -> None:
    """One poll soon after the failure was all there was."""
    polling.claims.failures += 1
    assert await polling.poll() == 0
    await store.insert([new_job()])
    await claim(store)
    assert [await polling.poll() for _ in range(2)] == [0, 1]


async def test_what_a_claim_under_way_has_taken_is_not_lost(
    polling: Polling, store: JobStore
) -> None:
    polling.claims.in_flight, polling.claims.begun = True, 1
    await store.insert([new_job()])
    (claimed,) = await claim(store)
    assert [await polling.poll() for _ in range(3)] == [0, 0, 0]
    polling.attempts.add(attempt_of(claimed))
    polling.claims.in_flight = False
    assert [await polling.poll() for _ in range(3)] == [0, 0, 0]


async def test_claims_without_a_pause_hide_no_lost_one(polling: Polling, store: JobStore) -> None:
    await store.insert([new_job()])
    await claim(store)
    polling.claims.in_flight, polling.claims.begun = True, 1
    assert await polling.poll() == 0
    polling.claims.begun = 2
    assert await polling.poll() == 1
