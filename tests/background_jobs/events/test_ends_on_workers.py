"""Ends of jobs that a worker runs: durable subscribers run as jobs, others in its process."""

import logging
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import anyio
import pytest

from background_jobs.events.ending import Ends, Hearing, OnCompleted, ends_of, hear
from background_jobs.hung_client import rows_locked
from background_jobs.queries.plans import statements
from modhost.events import Event
from modhost_background_jobs.contracts import JobFilter, JobId, JobState
from modhost_background_jobs.contracts.events import JobCancelled, JobCompleted, JobEnded, JobFailed
from modhost_background_jobs.model import Ended
from modhost_background_jobs.storage import JobsLocked
from runtime.events.shop import Seen

pytestmark = pytest.mark.anyio


async def fail(event: JobEnded) -> None:
    raise OSError(f"no room for {event.job_id}")


async def hang(event: JobEnded, seen: Seen) -> None:
    await seen.gate.wait()


async def of_each_kind(ends: Ends) -> dict[str, UUID]:
    """Run a job that ends in each of these ways."""
    kinds = ("completed", "failed", "after_retry", "in_transaction")
    found = {each: await ends.enqueue(each) for each in kinds}
    for each in found.values():
        await ends.jobs.ends(each)
    return found


async def test_durable_subscribers_run_and_their_own_ends_are_published_to_nobody(
    database_url: str,
) -> None:
    everything = (JobEnded, hear), (JobEnded, fail), (JobEnded, hang)
    hearing = Hearing(subscribed=everything)
    async with ends_of(database_url, hearing, mode="Consumer") as ends:
        ids = await of_each_kind(ends)
        waiting = await ends.enqueue(after=[ids["failed"]])
        with anyio.fail_after(20):
            while True:
                found = [each async for each in subscribers(ends)]
                if len(found) == 5 and all(state.is_final for _, state, _ in found):
                    break
                await anyio.sleep(0.02)
        assert sorted(text for _, _, text in found) == sorted(
            [
                f"PermanentJobError: failed {ids['failed']}",
                f"cancelled {waiting}",
                *(f"completed {id_}" for kind, id_ in ids.items() if kind != "failed"),
            ]
        )
        # What nobody has run is not heard of in process.
        await hearing.seen.until(
            f"JobFailed {ids['failed']} PermanentJobError: no paper",
            *(f"JobCompleted {id_} None" for kind, id_ in ids.items() if kind != "failed"),
        )
        hearing.seen.gate.set()


async def subscribers(ends: Ends) -> AsyncIterator[tuple[str, JobState, str]]:
    """Yield the jobs of durable subscribers: their type, state, and log or error."""
    found = await ends.jobs.querying.get_jobs(JobFilter(page_size=100))
    for each in found.items:
        if each.job_type.startswith("hearing.On"):
            job = await ends.jobs.detail(each.id)
            logs = "".join(line.message for line in job.logs)
            yield each.job_type, job.state, logs or (job.error or "").partition("\n")[0]


async def test_what_subscribers_raise_is_logged_and_reaches_no_job(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    hearing = Hearing((), [(JobCompleted, fail), (JobCompleted, hang), (Event, hear)])
    with caplog.at_level(logging.ERROR):
        async with ends_of(sqlite_url, hearing, mode="Consumer") as ends:
            job_id = await ends.enqueue()
            assert (await ends.jobs.ends(job_id)).state is JobState.COMPLETED
            await hearing.seen.until(f"JobCompleted {job_id} None")
            hearing.seen.gate.set()
    assert f"fail of hearing (JobCompleted(job_id=UUID('{job_id}')" in caplog.text
    assert "no room" in caplog.text


async def test_a_running_job_that_is_cancelled_is_heard_of_on_its_worker(sqlite_url: str) -> None:
    hearing = Hearing((), [(JobCancelled, hear)])
    async with ends_of(sqlite_url, hearing, mode="Consumer") as ends:
        job_id = await ends.enqueue("waits")
        await ends.jobs.reaches(job_id, JobState.RUNNING)
        await ends.jobs.scheduling.cancel(JobId(job_id))
        await hearing.seen.until(f"JobCancelled {job_id} None")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_job_that_somebody_has_locked_holds_up_no_other(database_url: str) -> None:
    async with ends_of(database_url, Hearing()) as ends:
        locked, free = await ends.enqueue(), await ends.enqueue()
        both = [Ended(each.lease, JobState.COMPLETED) for each in await ends.claim()]
        async with rows_locked(database_url, "jobs", f"id = '{locked}'"):
            with pytest.raises(JobsLocked) as found:
                await ends.store.end_awaited(both, ends.now())
        assert (found.value.written, found.value.locked) == ({free}, {locked})
        assert [each.job_id for each in await ends.heard()] == [free]


@pytest.mark.parametrize("durable", [[], [(JobCompleted, OnCompleted)]])
async def test_ends_without_subscribers_are_one_write_as_ever(
    database_url: str, durable: list[Any]
) -> None:
    """Only ends that somebody has subscribed to take a session, and so more statements."""
    async with ends_of(database_url, Hearing(durable, [(JobFailed, hear)])) as ends:
        ids = {await ends.enqueue() for _ in range(2)}
        failed = [Ended(each.lease, JobState.FAILED) for each in await ends.claim()]
        with statements() as sent:
            assert await ends.store.end(failed, ends.now()) == ids
        assert sent == []
