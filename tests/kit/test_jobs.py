"""The fixture `jobs`: asserted, held and drained, inline, by a real worker, performed."""

from datetime import timedelta

import httpx2
import pytest

from kit.parcels import CountStock, Parcel, SendParcel
from modhost.database import Database
from modhost.testing import MovableClock, RunningHost
from modhost_background_jobs.contracts import JobState, Snooze
from modhost_background_jobs.testing import Jobs, Progress

pytestmark = pytest.mark.anyio


async def test_jobs_are_held_until_the_queue_is_drained(jobs: Jobs) -> None:
    await jobs.scheduling.enqueue(SendParcel, Parcel(to="anna", pieces=3))
    enqueued = await jobs.assert_enqueued(SendParcel, Parcel(to="anna", pieces=3))
    assert enqueued.state is JobState.PENDING
    ran = await jobs.drain()
    assert [each.state for each in ran] == [JobState.COMPLETED] * 3
    assert ran[0].id == enqueued.id
    detail = await jobs.detail(enqueued.id)
    assert detail.result == "anna, 1 Mill Lane"
    assert [each.message for each in detail.logs] == ["to anna, 1 Mill Lane"]
    assert await jobs.drain() == []


async def test_what_was_enqueued_is_asserted_by_all_that_is_asked_for(
    jobs: Jobs, clock: MovableClock
) -> None:
    later = clock.now() + timedelta(days=1)
    parcel = Parcel(to="anna", code="hunter22")
    await jobs.scheduling.schedule(
        SendParcel, later, parcel, queue="post", priority=5, tags=["air", "eu"]
    )
    found = await jobs.assert_enqueued(
        SendParcel,
        parcel,
        queue="post",
        priority=5,
        tags=["eu"],
        execute_at=later,
        count=1,
    )
    assert found.tags == ("air", "eu")
    await jobs.assert_enqueued(SendParcel, {"to": "anna"})
    await jobs.refute_enqueued(SendParcel, {"to": "ben"})
    await jobs.refute_enqueued(SendParcel, queue="rest")
    await jobs.refute_enqueued(CountStock)


async def test_a_failed_assertion_names_what_was_enqueued_instead(jobs: Jobs) -> None:
    with pytest.raises(AssertionError, match=r"^Expected one CountStock .* Nothing was enqueued"):
        await jobs.assert_enqueued(CountStock)
    await jobs.scheduling.enqueue(SendParcel, Parcel(to="anna", code="hunter22"))
    with pytest.raises(AssertionError) as failed:
        await jobs.assert_enqueued(SendParcel, {"to": "ben"}, queue="post")
    first, second = str(failed.value).splitlines()
    assert first == (
        "Expected one SendParcel with data={'to': 'ben'}, queue='post' to be enqueued, found 0. "
        "Enqueued were:"
    )
    assert second.startswith("  parcels.SendParcel(data={'to': 'anna', 'pieces': 1, 'code': '***")
    assert "hunter22" not in second
    with pytest.raises(AssertionError, match="Expected 2 SendParcel to be enqueued, found 1"):
        await jobs.assert_enqueued(SendParcel, count=2)
    with pytest.raises(AssertionError, match=r"Expected no SendParcel .*\n  parcels\.SendParcel"):
        await jobs.refute_enqueued(SendParcel)


@pytest.mark.jobs("inline")
async def test_inline_jobs_have_run_when_the_caller_continues(
    jobs: Jobs, host: RunningHost
) -> None:
    await jobs.scheduling.enqueue(SendParcel, Parcel(to="anna", pieces=2))
    assert [each.state for each in await jobs.all()] == [JobState.COMPLETED] * 2
    async with host.scope() as scope:
        database = await scope.get(Database)
    async with database.session() as session:
        await jobs.scheduling.enqueue(SendParcel, Parcel(to="ben"), session=session)
        await jobs.refute_enqueued(SendParcel, {"to": "ben"})
    assert (await jobs.assert_enqueued(SendParcel, {"to": "ben"})).state is JobState.COMPLETED
    async with database.session() as session:
        await jobs.scheduling.enqueue(SendParcel, Parcel(to="carl"), session=session)
        await session.rollback()
    await jobs.refute_enqueued(SendParcel, {"to": "carl"})


@pytest.mark.jobs("inline")
@pytest.mark.permissions("Parcels.Send")
async def test_inline_jobs_have_run_when_a_request_is_answered(
    jobs: Jobs, client: httpx2.AsyncClient, clock: MovableClock
) -> None:
    assert (await client.post("/api/parcels", json={"to": "later"})).status_code == 202
    job = await jobs.assert_enqueued(SendParcel)
    assert (job.state, job.execute_at) == (JobState.PENDING, clock.now() + timedelta(hours=1))
    clock.move(hours=1)
    assert [each.id for each in await jobs.drain()] == [job.id]


@pytest.mark.jobs("worker")
async def test_a_real_worker_runs_jobs_by_the_clock_of_the_test(
    jobs: Jobs, clock: MovableClock
) -> None:
    job_id = await jobs.scheduling.schedule(
        SendParcel, clock.now() + timedelta(days=1), Parcel(to="anna")
    )
    with pytest.raises(RuntimeError, match=r"A real worker runs .* `wait`"):
        await jobs.drain()
    clock.move(days=1)
    assert (await jobs.wait(job_id)).state is JobState.COMPLETED


async def test_an_attempt_is_performed_and_recorded(jobs: Jobs) -> None:
    performed = await jobs.perform(SendParcel, Parcel(to="anna", pieces=2))
    assert performed.result == "anna, 1 Mill Lane"
    assert performed.progress == [Progress(50, "packed")]
    assert performed.log == ["to anna, 1 Mill Lane"]
    assert performed.steps == ["address"]
    assert performed.checkpoints == [{"left": 1}]
    await jobs.assert_enqueued(SendParcel, {"pieces": 1}, queue="rest", count=1)
    await jobs.refute_enqueued(SendParcel, {"pieces": 2})
    assert (await jobs.perform(CountStock, attempt=2)).log == ["for None"]


async def test_what_an_attempt_raises_reaches_the_test(jobs: Jobs) -> None:
    with pytest.raises(ValueError, match="nobody lives there"):
        await jobs.perform(SendParcel, Parcel(to="nobody"))
    with pytest.raises(Snooze):
        await jobs.perform(SendParcel, Parcel(to="later"))
    assert await jobs.drain() == []
