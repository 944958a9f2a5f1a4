"""Steps whose commits are uncertain, and what their results must not give away."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast
from unittest.mock import patch
from uuid import UUID

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from background_jobs.steps.conftest import StepHost
from background_jobs.steps.failing_jobs import (
    BooksAgain,
    Callables,
    SaysTooMuch,
    SideBySide,
    WaitsOnTheLoop,
)
from background_jobs.steps.step_jobs import Order, Steps
from modhost_background_jobs.client.run_again import Rerunning
from modhost_background_jobs.contracts import JobExecutionContext, JobState
from modhost_background_jobs.model.steps import StepRow
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.worker.attempts.context import AttemptContext
from moving_clock import START

pytestmark = pytest.mark.anyio


async def test_a_commit_whose_answer_was_lost_is_not_repeated(steps: StepHost) -> None:
    original = steps.database.session
    lost: list[str] = []

    @asynccontextmanager
    async def session() -> AsyncIterator[AsyncSession]:
        before = BooksAgain.calls["book"]
        async with original() as opened:
            yield opened
        if before == 0 and BooksAgain.calls["book"] == 1 and not lost:
            lost.append("the answer")
            msg = "the connection was lost"
            raise OSError(msg)

    with patch.object(steps.database, "session", session):
        job_id = await steps.jobs.scheduling.enqueue(BooksAgain)
        ended = await steps.jobs.reaches(job_id, JobState.COMPLETED)
    assert lost
    assert (ended.result, await steps.booked()) == (1, [1])
    assert BooksAgain.calls["book"] == 1


# On SQLite a session excludes all other writers.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_commit_that_turns_out_to_be_there_undoes_the_second_one(
    steps: StepHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await steps.jobs.service(JobStore)

    async def commit_late(context: JobExecutionContext) -> None:
        lease = cast(AttemptContext, context)._attempt.lease
        await store.save_step(lease, StepRow("book", 1, START, START, "41"))

    monkeypatch.setattr(BooksAgain, "meanwhile", staticmethod(commit_late))
    job_id = await steps.jobs.scheduling.enqueue(BooksAgain)
    ended = await steps.jobs.reaches(job_id, JobState.COMPLETED)
    assert (ended.result, await steps.booked()) == (41, [])


async def test_a_step_can_be_taken_once_what_is_stored_can_be_read(
    steps: StepHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await steps.jobs.service(JobStore)
    read, errors = store.read_steps, [OSError("cut off")]

    async def read_later(job_id: UUID) -> Mapping[str, str | None]:
        if errors:
            raise errors.pop()
        return await read(job_id)

    async def fail_first(_: JobExecutionContext) -> None:
        if BooksAgain.calls["book"] == 1:
            raise ValueError

    monkeypatch.setattr(BooksAgain, "meanwhile", staticmethod(fail_first))
    monkeypatch.setattr(store, "read_steps", read_later)
    job_id = await steps.jobs.scheduling.enqueue(BooksAgain)
    ended = await steps.jobs.reaches(job_id, JobState.COMPLETED)
    assert (ended.result, await steps.booked(), errors) == (2, [2], [])


async def test_secrets_of_steps_and_checkpoints_are_masked_in_logs_and_errors(
    steps: StepHost,
) -> None:
    job_id = await steps.jobs.scheduling.enqueue(SaysTooMuch)
    failed = await steps.jobs.reaches(job_id, JobState.FAILED)
    assert [line.message for line in failed.logs] == ["logged in with ***"] * 2
    assert "failed with *** and ***" in (failed.error or "")
    assert "token-of-a-step" not in failed.model_dump_json()


async def test_steps_may_be_taken_side_by_side(steps: StepHost) -> None:
    job_id = await steps.jobs.scheduling.enqueue(SideBySide)
    assert (await steps.jobs.ends(job_id)).result == ["met 0", "met 1"]


async def test_all_that_can_be_called_is_a_step(steps: StepHost) -> None:
    ended = await steps.jobs.ends(await steps.jobs.scheduling.enqueue(Callables))
    assert ended.result == [4, 6, 5, {"six": 6}, 8, True]
    assert ended.retry_count == 1


async def test_a_job_on_the_event_loop_is_asked_to_await_its_steps(steps: StepHost) -> None:
    job_id = await steps.jobs.scheduling.enqueue(WaitsOnTheLoop)
    assert "await context.step(...)" in ((await steps.jobs.ends(job_id)).error or "")


async def test_run_again_begins_anew(steps: StepHost) -> None:
    job_id = await steps.jobs.scheduling.enqueue(Steps, Order())
    await steps.jobs.reaches(job_id, JobState.COMPLETED)
    rerunning = await steps.jobs.service(Rerunning)
    again = await rerunning.run_again(job_id, Order().model_dump_json())
    await steps.jobs.reaches(again, JobState.COMPLETED)
    assert (Steps.calls["charge"], Steps.calls["book"]) == (2, 2)


async def test_what_is_stored_is_read_once_and_not_by_a_first_attempt(steps: StepHost) -> None:
    store = await steps.jobs.service(JobStore)
    with patch.object(store, "read_steps", wraps=store.read_steps) as read:
        await steps.jobs.ends(await steps.jobs.scheduling.enqueue(Steps, Order()))
        assert read.call_count == 0
        await steps.jobs.ends(await steps.jobs.scheduling.enqueue(Steps, Order(failures=1)))
        assert read.call_count == 1
