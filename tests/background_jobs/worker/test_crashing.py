"""A job processor that crashes is started again, and works as one that never did."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.worker.attempts.outcome import Finished
from modhost_background_jobs.worker.finishing.finisher import OutcomeWriter
from modhost_background_jobs.worker.finishing.statistics import StatisticsService

pytestmark = pytest.mark.anyio


async def all_work(jobs: Jobs, count: int) -> None:
    work = [Work(name=f"job {number}") for number in range(count)]
    for job_id in await jobs.scheduling.enqueue_many(ReportingJob, work):
        assert (await jobs.ends(job_id, seconds=10)).state is JobState.COMPLETED


async def test_a_processor_that_crashed_hands_its_jobs_back_at_once_and_works_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It once waited out its grace for ends that nobody stored, and came back without slots."""
    async with jobs_host(database_url, max_concurrency=2, shutdown_grace="15s") as jobs:
        waiting = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.probe.until(lambda: jobs.probe.started["waiting"] == 1)
        write = OutcomeWriter.write

        async def crash(_self: OutcomeWriter, _finished: Sequence[Finished]) -> set[UUID]:
            monkeypatch.setattr(OutcomeWriter, "write", write)
            raise ZeroDivisionError

        monkeypatch.setattr(OutcomeWriter, "write", crash)
        await jobs.scheduling.enqueue(ReportingJob, Work())
        # Less than the grace of its shutdown, and than the time after which others rescue it.
        await jobs.probe.until(lambda: jobs.probe.started["waiting"] == 2, seconds=12)
        jobs.probe.gate.set()
        ended = await jobs.ends(waiting)
        assert [attempt.error for attempt in ended.attempts] == [
            "released: the job processor of its worker crashed.",
            None,
        ]
        await all_work(jobs, 20)


async def test_a_statistic_that_cannot_be_counted_holds_up_no_job(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_self: StatisticsService, _ended: Any) -> None:
        raise TypeError

    monkeypatch.setattr(StatisticsService, "count", fail)
    async with jobs_host(database_url, max_concurrency=2) as jobs:
        await all_work(jobs, 20)
    assert "could not be counted" in caplog.text
    assert "crashed" not in caplog.text
