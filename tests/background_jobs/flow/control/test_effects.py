"""What operators change holds at once in workers that would not poll for a minute."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from background_jobs.flow.control.served import MailJob
from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from modhost_background_jobs.client.limit_changes import LimitChanges
from modhost_background_jobs.contracts import JobState

pytestmark = pytest.mark.anyio

LIMIT = "tests.MailJob.concurrency.name"
QUIET: dict[str, Any] = {"poll_interval": "60s", "more_jobs": [MailJob]}


async def started(worker: Jobs, name: str, count: int, seconds: float = 20) -> None:
    await worker.probe.until(lambda: worker.probe.started[name] == count, seconds)


async def test_a_raised_limit_lets_the_next_ones_start(database_url: str) -> None:
    async with (
        jobs_host(database_url, mode="Producer", more_jobs=[MailJob]) as operator,
        jobs_host(database_url, **QUIET) as worker,
    ):
        await operator.scheduling.enqueue_many(MailJob, [Work(name="a")] * 4)
        await started(worker, "a", 1)
        changes = await operator.service(LimitChanges)
        await changes.set(LIMIT, 3)
        await started(worker, "a", 3)
        # A job of another key has the worker claim once more.
        await operator.scheduling.enqueue(MailJob, Work(name="b"))
        await started(worker, "b", 1)
        assert worker.probe.started["a"] == 3
        await changes.set(LIMIT, 4)
        await started(worker, "a", 4)
        worker.probe.gate.set()


async def test_a_lowered_limit_stops_nothing_and_holds_the_next_ones(database_url: str) -> None:
    async with (
        jobs_host(database_url, mode="Producer", more_jobs=[MailJob]) as operator,
        jobs_host(database_url, **QUIET) as worker,
    ):
        changes = await operator.service(LimitChanges)
        await changes.set(LIMIT, 2)
        await operator.scheduling.enqueue_many(MailJob, [Work(name="a")] * 2)
        await started(worker, "a", 2)
        await changes.set(LIMIT, None)
        third = await operator.scheduling.enqueue(MailJob, Work(name="a"))
        other = await operator.scheduling.enqueue(MailJob, Work(name="b"))
        await started(worker, "b", 1)
        assert (await operator.detail(third)).state is JobState.PENDING
        worker.probe.gate.set()
        await operator.ends(third)
        await operator.ends(other)


async def test_a_queue_and_a_type_that_are_resumed_start_at_once(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as operator:
        await operator.scheduling.pause_queue("bulk")
        await operator.scheduling.pause_job_type("tests.ReportingJob")
        async with jobs_host(database_url, **QUIET) as worker:
            held = [
                await operator.scheduling.enqueue(ReportingJob, Work(name=queue), queue=queue)
                for queue in ("bulk", "default", "daily")
            ]
            await operator.scheduling.resume_job_type("tests.ReportingJob")
            for job_id in held[1:]:
                await operator.ends(job_id, seconds=20)
            assert (await operator.detail(held[0])).state is JobState.PENDING
            await operator.scheduling.resume_queue("bulk")
            await operator.ends(held[0], seconds=20)
            assert worker.probe.started["bulk"] == 1


async def test_what_waits_starts_once_a_pause_has_ended_by_itself(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as operator:
        end = datetime.now(UTC) + timedelta(seconds=1.5)
        await operator.scheduling.pause_queue("bulk", until=end)
        await operator.scheduling.pause_queue("default", until=end)
        held = [
            await operator.scheduling.enqueue(ReportingJob, Work(), queue=queue)
            for queue in ("bulk", "default")
        ]
        # A worker that runs already may start jobs for another second.
        async with jobs_host(database_url, **QUIET):
            for job_id in held:
                done = await operator.ends(job_id, seconds=20)
                assert done.started_at is not None
                assert end <= done.started_at < end + timedelta(seconds=10)
