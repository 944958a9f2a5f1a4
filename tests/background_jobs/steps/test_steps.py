"""Steps: what is done is not done again, and what it returned is there."""

import anyio
import pytest
from sqlalchemy import update

from background_jobs.steps.conftest import StepHost
from background_jobs.steps.step_jobs import (
    CommitsByItself,
    NamesBadly,
    NamesTwice,
    Order,
    Payment,
    RetriesItsStep,
    ReturnsAnythingElse,
    ReturnsASocket,
    ReturnsTooMuch,
    SnoozesBetween,
    StepJob,
    Steps,
    StepsInThread,
    WaitsInSteps,
)
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.tables import JOBS
from modhost_background_jobs.worker.attempts.attempt import StopReason
from sweeps import first_on_both

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("job", [Steps, StepsInThread])
async def test_later_attempts_get_what_the_first_one_did(
    steps: StepHost, job: type[StepJob]
) -> None:
    order = Order(number=7, failures=2)
    await steps.jobs.reaches(await steps.jobs.scheduling.enqueue(job, order), JobState.COMPLETED)
    assert {job.calls[each] for each in ("charge", "compute", "book")} == {1}
    expected = (Payment(order=7, amount=9.5), [7, 8], 7)
    assert job.results == [expected] * 3
    assert job.results[0][0].token.get_secret_value() == "very secret"  # type: ignore[index]
    assert await steps.booked() == [7]


async def test_plain_functions_run_in_threads(steps: StepHost) -> None:
    await steps.jobs.ends(await steps.jobs.scheduling.enqueue(Steps, Order()))
    assert [name for name in Steps.calls if "orker" in name]


async def test_a_snoozed_job_keeps_its_steps(steps: StepHost) -> None:
    await steps.jobs.reaches(
        await steps.jobs.scheduling.enqueue(SnoozesBetween, Order()), JobState.COMPLETED
    )
    assert SnoozesBetween.calls == {"charge": 1, "snoozed": 2}


async def test_a_step_that_has_failed_can_be_called_again(steps: StepHost) -> None:
    await steps.jobs.reaches(
        await steps.jobs.scheduling.enqueue(RetriesItsStep, Order()), JobState.COMPLETED
    )
    assert RetriesItsStep.calls["flaky"] == 3


@first_on_both(
    "job,calls,says",
    [
        (NamesTwice, {"nothing": 1}, "The step 'one' is there twice"),
        (ReturnsASocket, {}, "annotate it"),
        (ReturnsAnythingElse, {"count": 1}, "'count' has returned cannot be stored"),
        (ReturnsTooMuch, {}, "'read' has returned has 1000002 characters"),
        (CommitsByItself, {"book": 1}, "leave commit and rollback to the step"),
    ],
)
async def test_a_wrong_step_fails_the_job_at_once_and_says_what_to_do(
    steps: StepHost, job: type[StepJob], calls: dict[str, int], says: str
) -> None:
    failed = await steps.jobs.ends(await steps.jobs.scheduling.enqueue(job, Order()))
    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert says.lower() in failed.error.lower()
    assert failed.retry_count == 0
    assert job.calls == calls


async def test_the_name_of_a_step_is_bounded(steps: StepHost) -> None:
    await steps.jobs.reaches(await steps.jobs.scheduling.enqueue(NamesBadly), JobState.COMPLETED)
    assert NamesBadly.calls == {"refused": 4, "nothing": 1}


async def test_a_retry_by_hand_keeps_the_steps(steps: StepHost) -> None:
    job_id = await steps.jobs.scheduling.enqueue(Steps, Order(failures=1), max_attempts=1)
    await steps.jobs.reaches(job_id, JobState.FAILED)
    await steps.jobs.querying.retry(job_id)
    await steps.jobs.reaches(job_id, JobState.COMPLETED)
    assert (Steps.calls["charge"], Steps.calls["book"]) == (1, 1)


async def test_a_thread_of_a_step_is_awaited_before_a_cancelled_job_ends(steps: StepHost) -> None:
    job_id = await steps.jobs.scheduling.enqueue(WaitsInSteps, Order())
    await steps.jobs.probe.until(lambda: WaitsInSteps.calls["thread"] == 1)
    await steps.jobs.scheduling.cancel(job_id)
    await steps.jobs.stop_was_asked(job_id)
    assert (await steps.jobs.detail(job_id)).state is JobState.RUNNING
    steps.jobs.probe.thread_gate.set()
    assert (await steps.jobs.ends(job_id)).state is JobState.CANCELLED
    assert WaitsInSteps.calls["task"] == 0


async def test_an_attempt_that_lost_its_lease_stores_no_step_and_is_stopped(
    steps: StepHost,
) -> None:
    await steps.jobs.scheduling.enqueue(WaitsInSteps, Order())
    await steps.jobs.probe.until(lambda: WaitsInSteps.calls["thread"] == 1)
    processor = await steps.jobs.processor()
    (attempt,) = processor.attempts
    async with steps.database.session() as session:
        # As a rescue does, but sooner than the worker could learn of it.
        taken = update(JOBS).values(fence=JOBS.c.fence + 1, worker="somebody else")
        await (await session.connection()).execute(taken)
    steps.jobs.probe.thread_gate.set()
    with anyio.fail_after(20):
        while attempt in list(processor.attempts):
            await anyio.sleep(0.01)
    assert attempt.reason is StopReason.LOST_LEASE
    assert WaitsInSteps.calls == {"thread": 1}
    assert await steps.stored() == []
