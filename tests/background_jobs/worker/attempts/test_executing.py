from datetime import UTC, datetime, timedelta

import anyio
import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import (
    OverflowingJob,
    PermanentlyFailingJob,
    PickyJob,
    QuickTimeoutJob,
    RenamedJob,
    ReportingJob,
    SnoozingJob,
    ThreadJob,
    UnregisteredJobClass,
    WaitingJob,
    Work,
)
from background_jobs.support import new_job
from modhost_background_jobs.contracts import InvalidJobData, JobFilter, JobState, UnregisteredJob
from modhost_background_jobs.storage import JobStore
from sweeps import EXHAUSTIVE

pytestmark = pytest.mark.anyio


async def test_a_job_runs_with_its_data_and_its_progress_and_logs_are_complete(
    database_url: str,
) -> None:
    async with jobs_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work(name="a", lines=3))
        job = await jobs.ends(job_id)
    assert (job.state, job.progress_percentage) == (JobState.COMPLETED, 100)
    assert job.progress_message == "Done"
    assert [line.message for line in job.logs] == ["line 0", "line 1", "line 2"]
    assert job.job_type == "tests.ReportingJob"
    assert job.module_name == "tests"
    assert job.data == {"name": "a", "failures": 0, "lines": 3}
    assert [(each.number, each.error) for each in job.attempts] == [(1, None)]
    assert job.worker == job.attempts[0].worker


async def test_a_plain_function_runs_in_a_thread(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        jobs.probe.thread_gate.set()
        job = await jobs.ends(await jobs.scheduling.enqueue(ThreadJob))
    assert job.state is JobState.COMPLETED
    assert "worker thread" in job.logs[0].message


async def test_a_failed_attempt_is_retried_under_the_same_id(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work(name="a", failures=2))
        job = await jobs.ends(job_id)
    assert job.state is JobState.COMPLETED
    assert job.retry_count == 2
    errors = [each.error.splitlines()[0] if each.error else None for each in job.attempts]
    assert errors == ["ValueError: failure 1", "ValueError: failure 2", None]


async def test_a_job_fails_when_its_attempts_are_spent_and_can_be_retried(
    database_url: str,
) -> None:
    async with jobs_host(database_url, max_attempts=2) as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work(name="a", failures=2))
        failed = await jobs.ends(job_id)
        assert failed.state is JobState.FAILED
        assert failed.error is not None
        assert "Traceback" in failed.error
        status = await jobs.querying.retry(job_id)
        assert (status.id, status.completed_at) == (job_id, None)
        job = await jobs.ends(job_id)
    assert job.state is JobState.COMPLETED
    assert [each.number for each in job.attempts] == [1, 2, 3]


async def test_a_job_runs_at_its_time_and_not_before(database_url: str) -> None:
    async with jobs_host(database_url, poll_interval="60s") as jobs:
        due = datetime.now(UTC) + timedelta(seconds=0.4)
        job_id = await jobs.scheduling.schedule(ReportingJob, due, Work())
        job = await jobs.ends(job_id)
    assert job.started_at is not None
    assert timedelta(0) <= job.started_at - due < timedelta(seconds=15)


async def test_a_job_that_cannot_succeed_fails_without_retries(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        permanent = await jobs.scheduling.enqueue(PermanentlyFailingJob)
        picky = await jobs.scheduling.enqueue(PickyJob)
        no_data = await jobs.scheduling.enqueue(ReportingJob, {"name": ["not", "text"]})
        ended = [await jobs.ends(each) for each in (permanent, picky, no_data)]
    assert [job.state for job in ended] == [JobState.FAILED] * 3
    assert [len(job.attempts) for job in ended] == [1, 1, 1]
    assert "does not fit Work: name: Input should be a valid string" in str(ended[2].error)
    assert ended[0].error == "PermanentJobError: no use"
    # What a job says is enough; what escapes from it is shown with its traceback.
    traced = ["Traceback" in str(job.error) for job in ended]
    assert traced == [False, True, False]


async def test_a_snoozed_job_runs_again_without_an_attempt_spent(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(SnoozingJob))
    assert job.state is JobState.COMPLETED
    assert (job.retry_count, job.attempts[0].error) == (0, "busy elsewhere")


async def test_a_job_over_its_timeout_fails_with_an_error_of_its_own(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(QuickTimeoutJob))
        assert jobs.probe.stopped["waiting"] == 1
    assert job.state is JobState.FAILED
    assert job.error == "timed out: the attempt took longer than 0.1 s."


async def test_a_timeout_can_be_given_with_the_job(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(
            WaitingJob, timeout=timedelta(seconds=0.05), max_attempts=2
        )
        job = await jobs.ends(job_id)
    assert job.state is JobState.FAILED
    assert len(job.attempts) == 2


async def test_a_running_job_is_cancelled_before_the_next_heartbeat(database_url: str) -> None:
    async with jobs_host(database_url, heartbeat_interval="60s", stall_timeout="5m") as jobs:
        job_id = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(job_id, JobState.RUNNING)
        await jobs.probe.until(lambda: jobs.probe.started["waiting"] == 1)
        began = anyio.current_time()
        status = await jobs.scheduling.cancel(job_id)
        assert status.state is JobState.RUNNING
        job = await jobs.ends(job_id)
        assert anyio.current_time() - began < 10
        assert jobs.probe.stopped["waiting"] == 1
    assert job.state is JobState.CANCELLED
    assert [line.message for line in job.logs] == ["waiting"]


async def test_a_job_is_cancelled_from_another_host(database_url: str) -> None:
    async with jobs_host(database_url) as consumer:
        async with jobs_host(database_url, mode="Producer") as producer:
            job_id = await producer.scheduling.enqueue(WaitingJob)
            await consumer.probe.until(lambda: consumer.probe.started["waiting"] == 1)
            await producer.scheduling.cancel(job_id)
            job = await producer.ends(job_id)
        assert consumer.probe.stopped["waiting"] == 1
    assert job.state is JobState.CANCELLED


async def test_a_job_in_a_thread_sees_that_it_was_cancelled(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(ThreadJob)
        await jobs.probe.until(lambda: jobs.probe.started["thread"] == 1)
        await jobs.scheduling.cancel(job_id)
        job = await jobs.ends(job_id)
    assert job.state is JobState.CANCELLED


async def test_a_producer_executes_nothing(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as producer:
        job_id = await producer.scheduling.enqueue(ReportingJob, Work())
        async with jobs_host(database_url) as consumer:
            job = await producer.ends(job_id)
        assert producer.probe.started.total() == 0
        assert consumer.probe.finished["job"] == 1
    assert job.state is JobState.COMPLETED


async def test_progress_out_of_range_is_clamped_and_noted_once(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(OverflowingJob))
    assert job.state is JobState.COMPLETED
    assert (job.progress_percentage, job.progress_message) == (0, "too much")
    assert [line.message for line in job.logs] == [
        "Progress of 150 is outside of 0 to 100; 100 is shown.",
        "a \N{REPLACEMENT CHARACTER} zero and a lone surrogate ?",
    ]


async def test_only_the_newest_log_lines_are_kept(database_url: str) -> None:
    async with jobs_host(database_url, max_log_entries=10) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work(lines=500)))
    assert [line.message for line in job.logs] == [f"line {n}" for n in range(490, 500)]


async def test_a_job_stored_under_a_former_name_still_runs(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        former = new_job(job_type="tests.Old")
        async with jobs.host.scope() as scope:
            await (await scope.get(JobStore)).insert([former])
        assert (await jobs.ends(former.id)).state is JobState.COMPLETED
        renamed = await jobs.ends(await jobs.scheduling.enqueue(RenamedJob))
    assert renamed.job_type == "tests.New"


async def test_a_job_that_nobody_registered_is_refused(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        with pytest.raises(UnregisteredJob, match=r"add_module_job\(services, Unreg"):
            await jobs.scheduling.enqueue(UnregisteredJobClass)


async def test_data_that_cannot_be_stored_is_refused(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        with pytest.raises(InvalidJobData, match="cannot be stored as JSON"):
            await jobs.scheduling.enqueue(ReportingJob, object())
        with pytest.raises(InvalidJobData, match="without a time zone"):
            await jobs.scheduling.schedule(ReportingJob, datetime(2026, 1, 1))  # noqa: DTZ001
        page = await jobs.querying.get_jobs(JobFilter())
    assert page.total_count == 0


@pytest.mark.parametrize("count", [100, pytest.param(300, marks=EXHAUSTIVE)])
async def test_many_jobs_with_failures_and_long_logs_lose_nothing(
    database_url: str, count: int
) -> None:
    async with jobs_host(database_url, max_log_entries=50) as jobs:
        work = [Work(name=f"job {n}", failures=n % 3, lines=n % 100) for n in range(count)]
        ids = await jobs.scheduling.enqueue_many(ReportingJob, work)
        ended = [await jobs.ends(job_id, seconds=60) for job_id in ids]
    assert {job.state for job in ended} == {JobState.COMPLETED}
    for number, job in enumerate(ended):
        assert job.retry_count == number % 3
        kept = min(50, (number % 100) * (number % 3 + 1))
        assert len(job.logs) == kept
    assert set(jobs.probe.finished.values()) == {1}


async def test_shutdown_lets_short_jobs_end_and_hands_long_ones_back(database_url: str) -> None:
    async with jobs_host(database_url, shutdown_grace="300ms") as jobs:
        long = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.probe.until(lambda: jobs.probe.started["waiting"] == 1)
    async with jobs_host(database_url, mode="Producer") as later:
        job = await later.detail(long)
        assert job.state is JobState.PENDING
        assert (job.retry_count, job.attempts[0].error) == (
            0,
            "released: its worker shut down.",
        )
        assert [line.message for line in job.logs] == ["waiting"]
        async with jobs_host(database_url) as consumer:
            consumer.probe.gate.set()
            assert (await later.ends(long)).state is JobState.COMPLETED
