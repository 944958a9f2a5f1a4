"""Jobs that continue others which are there already, and batches with a callback."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from background_jobs.workflows.nodes import NotingJob, Task, workflows_host
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import (
    InvalidWorkflow,
    JobFilter,
    JobId,
    JobNotFound,
    JobState,
    WorkflowState,
)
from modhost_background_jobs.contracts.scheduling.options import Then
from modhost_background_jobs.contracts.workflows import After

pytestmark = pytest.mark.anyio


async def test_a_job_continues_one_that_runs(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        first = await jobs.scheduling.enqueue(NotingJob, Task(name="first", waits=True))
        await jobs.reaches(first, JobState.RUNNING)
        then = await jobs.scheduling.enqueue(NotingJob, Task(name="then"), after=first)
        undo = await jobs.scheduling.enqueue(
            NotingJob, Task(name="undo"), after=first, when="failed"
        )
        assert (await jobs.detail(then)).state is JobState.PENDING
        jobs.probe.gate.set()
        await jobs.reaches(then, JobState.COMPLETED)
        await jobs.reaches(undo, JobState.CANCELLED)
    assert jobs.started() == ["first", "then"]


async def test_a_finished_job_is_judged_at_once(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        good = await jobs.scheduling.enqueue(NotingJob, Task(name="good"))
        bad = await jobs.scheduling.enqueue(NotingJob, Task(name="bad", failures=9))
        await jobs.ends(good)
        await jobs.ends(bad)
        then = await jobs.scheduling.enqueue(NotingJob, Task(name="then"), after=good)
        undo = await jobs.scheduling.enqueue(
            NotingJob, Task(name="undo"), after=[good, bad], when="failed"
        )
        never = await jobs.scheduling.enqueue(NotingJob, Task(name="never"), after=[bad, good])
        neither = await jobs.scheduling.enqueue(
            NotingJob, Task(name="neither"), after=good, when="failed"
        )
        await jobs.reaches(then, JobState.COMPLETED)
        await jobs.reaches(undo, JobState.COMPLETED)
        assert (await jobs.detail(neither)).state is JobState.CANCELLED
        cancelled = await jobs.detail(never)
        assert cancelled.state is JobState.CANCELLED
        assert str(bad) in (cancelled.error or "")
        await jobs.querying.retry(bad)
        await jobs.ends(bad)


async def test_a_retried_job_revives_what_continues_it(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        bad = await jobs.scheduling.enqueue(NotingJob, Task(name="bad", failures=1))
        await jobs.ends(bad)
        then = await jobs.scheduling.enqueue(NotingJob, Task(name="then"), after=bad)
        last = await jobs.scheduling.enqueue(NotingJob, Task(name="last"), after=then)
        assert (await jobs.detail(last)).state is JobState.CANCELLED
        await jobs.querying.retry(bad)
        await jobs.reaches(last, JobState.COMPLETED)
    assert jobs.started() == ["bad", "bad", "then", "last"]


async def test_a_continuation_is_part_of_the_callers_transaction(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        database = await jobs.service(Database)
        first = await jobs.scheduling.enqueue(NotingJob, Task(name="first"))
        await jobs.ends(first)
        async with database.session() as session:
            then = await jobs.scheduling.enqueue(
                NotingJob, Task(name="then"), after=first, session=session
            )
            other = await jobs.scheduling.enqueue(
                NotingJob, Task(name="other"), after=then, session=session
            )
        await jobs.reaches(other, JobState.COMPLETED)


async def test_what_cannot_be_waited_for_is_refused(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        with pytest.raises(JobNotFound):
            await jobs.scheduling.enqueue(NotingJob, Task(name="x"), after=JobId(new_id()))
        with pytest.raises(InvalidWorkflow):
            await jobs.scheduling.enqueue(NotingJob, Task(name="x"), after="nothing")  # type: ignore[arg-type]
        assert (await jobs.querying.get_jobs(JobFilter())).total_count == 0


async def test_a_clean_up_that_waits_for_no_job_is_refused(database_url: str) -> None:
    async with workflows_host(database_url, mode="Producer") as jobs:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        none: tuple[After, ...] = ((), [])
        for after in none:
            with pytest.raises(InvalidWorkflow, match="after names no job"):
                await jobs.scheduling.enqueue(
                    NotingJob, Task(name="clean up"), after=after, when="failed"
                )
            with pytest.raises(InvalidWorkflow, match="after names no job"):
                await jobs.scheduling.schedule(
                    NotingJob, tomorrow, Task(name="clean up"), after=after, when="failed"
                )
        with pytest.raises(InvalidWorkflow, match="when is 'success'"):
            await jobs.scheduling.enqueue(NotingJob, Task(name="x"), when="success")  # type: ignore[call-overload]
        clean_up: Then[Task] = (NotingJob, Task(name="clean up"), "failed")
        assert await jobs.scheduling.enqueue_many(NotingJob, [], then=clean_up) == []
        assert (await jobs.querying.get_jobs(JobFilter())).total_count == 0


async def test_a_continuation_with_an_id_of_its_own_is_safe_to_repeat(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        first = await jobs.scheduling.enqueue(NotingJob, Task(name="first", waits=True))
        own = JobId(new_id())
        for _ in range(2):
            same = await jobs.scheduling.enqueue(
                NotingJob, Task(name="then"), after=first, job_id=own
            )
            assert same == own
        jobs.probe.gate.set()
        await jobs.reaches(own, JobState.COMPLETED)
    assert jobs.started() == ["first", "then"]


async def test_ends_and_continuations_at_the_same_time_lose_nothing(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        names = [f"job {number}" for number in range(40)]

        async def chain(name: str) -> None:
            first = await jobs.scheduling.enqueue(NotingJob, Task(name=name))
            for part in range(3):
                first = await jobs.scheduling.enqueue(
                    NotingJob, Task(name=f"{name} {part}"), after=first
                )
            await jobs.reaches(first, JobState.COMPLETED)

        async with anyio.create_task_group() as group:
            for name in names:
                group.start_soon(chain, name)
    assert len(jobs.started()) == len(set(jobs.started())) == 160


async def test_a_batch_has_a_callback(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        ids = await jobs.scheduling.enqueue_many(
            NotingJob,
            [Task(name=f"part {number}") for number in range(5)],
            then=(NotingJob, Task(name="all done")),
        )
        assert len(ids) == 5
        await jobs.probe.until(lambda: jobs.probe.finished["all done"] == 1)
        assert jobs.started()[-1] == "all done"
        bad = Task(name="bad", failures=9)
        await jobs.scheduling.enqueue_many(
            NotingJob, [bad], then=(NotingJob, Task(name="over"), "finished")
        )
        await jobs.probe.until(lambda: jobs.probe.finished["over"] == 1)
        await jobs.scheduling.enqueue_many(NotingJob, [], then=(NotingJob, Task(name="none")))
        await jobs.probe.until(lambda: jobs.probe.finished["none"] == 1)
    assert WorkflowState("completed") is WorkflowState.COMPLETED
