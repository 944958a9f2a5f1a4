"""Errors that arrive in groups, as those of tasks do, mean what they mean by themselves."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import anyio
import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ProbedJob
from modhost_background_jobs.contracts import (
    JobCancelled,
    JobDetail,
    JobExecutionContext,
    JobState,
    PermanentJobError,
    Snooze,
)

pytestmark = pytest.mark.anyio


class GroupJob(ProbedJob):
    """Raises, in its first attempt, the errors of the test in tasks of their own."""

    errors: ClassVar[Sequence[Exception]] = ()
    no_retry: ClassVar[tuple[type[Exception], ...]] = (KeyError,)

    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["job"] += 1
        if self.probe.started["job"] == 1:
            async with anyio.create_task_group() as outer, anyio.create_task_group() as inner:
                outer.start_soon(anyio.sleep, 0)
                for each in self.errors:
                    inner.start_soon(self._raise, each)

    async def _raise(self, error: Exception) -> None:
        raise error


class ThreadGroupJob(GroupJob):
    def execute(self, context: JobExecutionContext) -> None:  # type: ignore[override]
        self.probe.started["job"] += 1
        while True:
            try:
                context.raise_if_cancelled()
            except JobCancelled as error:
                raise ExceptionGroup("stopped", [error]) from None


async def run(
    database_url: str, monkeypatch: pytest.MonkeyPatch, errors: Sequence[Exception]
) -> JobDetail:
    monkeypatch.setattr(GroupJob, "errors", errors)
    async with jobs_host(database_url, more_jobs=[GroupJob]) as jobs:
        return await jobs.ends(await jobs.scheduling.enqueue(GroupJob, max_attempts=2))


async def test_a_group_of_permanent_errors_fails_the_job_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [PermanentJobError("no use"), PermanentJobError("none at all")]
    job = await run(database_url, monkeypatch, errors)
    assert (job.state, len(job.attempts)) == (JobState.FAILED, 1)
    assert job.error == "PermanentJobError: no use\nPermanentJobError: none at all"


async def test_a_group_of_what_is_not_to_be_retried_fails_the_job_at_once(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [KeyError("a"), PermanentJobError("no use")]
    job = await run(sqlite_url, monkeypatch, errors)
    assert (job.state, len(job.attempts)) == (JobState.FAILED, 1)
    assert "KeyError: 'a'" in str(job.error)
    assert "PermanentJobError: no use" in str(job.error)


async def test_a_group_of_snoozes_waits_for_the_longest_and_spends_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [Snooze(timedelta(seconds=each), f"for {each}") for each in (0.01, 0.2)]
    job = await run(database_url, monkeypatch, errors)
    assert (job.state, job.retry_count) == (JobState.COMPLETED, 0)
    assert job.attempts[0].error == "for 0.01\nfor 0.2"
    # The first attempt is stored as ended some time after it has asked for the wait.
    assert job.attempts[1].started_at - job.attempts[0].started_at > timedelta(seconds=0.15)


@pytest.mark.parametrize("first", [PermanentJobError("no use"), Snooze(timedelta(0), "later")])
async def test_a_mixed_group_is_a_failure_that_shows_all(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, first: Exception
) -> None:
    job = await run(sqlite_url, monkeypatch, [first, ValueError("a fault")])
    assert (job.state, job.retry_count) == (JobState.COMPLETED, 1)
    error = str(job.attempts[0].error)
    assert error.startswith("ExceptionGroup: unhandled errors in a TaskGroup")
    assert str(first) in error
    assert "ValueError: a fault" in error


async def test_a_group_of_nothing_but_the_request_to_stop_is_its_answer(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, more_jobs=[ThreadGroupJob]) as jobs:
        job_id = await jobs.scheduling.enqueue(ThreadGroupJob)
        await jobs.probe.until(lambda: jobs.probe.started["job"] == 1)
        await jobs.scheduling.cancel(job_id)
        job = await jobs.ends(job_id)
    assert (job.state, job.error) == (JobState.CANCELLED, None)
