"""How long a job waits for its next attempt."""

from datetime import timedelta

import pytest

from background_jobs.support import claim_one, new_job
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.worker.attempts.outcome import backoff

SECOND = timedelta(seconds=1)


def test_the_wait_doubles_up_to_the_longest() -> None:
    waits = [backoff(failures, SECOND, 60 * SECOND) for failures in (1, 2, 3, 100)]
    for wait, middle in zip(waits, (1, 2, 4, 60), strict=True):
        assert 0.75 * middle * SECOND <= wait <= 1.25 * middle * SECOND


@pytest.mark.anyio
async def test_after_a_retry_by_hand_the_failures_are_counted_anew(
    store: JobStore, queue: DatabaseJobQueue
) -> None:
    """The first wait after it was as long as that after all the attempts before."""
    job = new_job(max_attempts=1)
    await store.insert([job])
    for _ in range(3):
        claimed = await claim_one(store)
        assert claimed.failures == 1
        await store.end([Ended(claimed.lease, JobState.FAILED, "it broke")], claimed.claimed_at)
        await queue.retry(job.id)
    assert (await claim_one(store)).attempt == 4
