"""The clock of a test drives due times, backoff, rates, leases and schedules."""

from datetime import UTC, datetime, timedelta

import pytest

from kit.parcels import CountStock, Parcel, SendParcel
from modhost.testing import MovableClock
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.testing import Jobs

pytestmark = pytest.mark.anyio


async def test_a_due_time_comes(jobs: Jobs, clock: MovableClock) -> None:
    due_at = clock.now() + timedelta(days=30)
    await jobs.scheduling.schedule(SendParcel, due_at, Parcel(to="anna"))
    clock.move(days=30, seconds=-1)
    assert await jobs.drain() == []
    clock.move(seconds=1)
    (ran,) = await jobs.drain()
    assert ran.started_at == due_at


async def test_attempts_are_spaced_by_their_backoff(jobs: Jobs, clock: MovableClock) -> None:
    await jobs.scheduling.enqueue(SendParcel, Parcel(to="nobody"))
    for backoff in (1, 2):
        (ran,) = await jobs.drain()
        assert ran.state is JobState.PENDING
        clock.move(minutes=0.7 * backoff)
        assert await jobs.drain() == []
        clock.move(minutes=0.6 * backoff)
    (ran,) = await jobs.drain()
    assert (ran.state, ran.retry_count) == (JobState.FAILED, 2)


async def test_rates_let_jobs_start_as_time_passes(jobs: Jobs, clock: MovableClock) -> None:
    for _ in range(3):
        await jobs.scheduling.enqueue(CountStock)
    for _ in range(3):
        assert len(await jobs.drain()) == 1
        clock.move(seconds=50)
        assert await jobs.drain() == []
        clock.move(seconds=10)
    assert await jobs.drain() == []


async def test_jobs_of_a_lost_worker_run_again_after_its_lease(
    jobs: Jobs, clock: MovableClock
) -> None:
    await jobs.scheduling.enqueue(SendParcel, Parcel(to="anna"))
    (lost,) = await jobs.lose_worker()
    assert lost.state is JobState.RUNNING
    clock.move(seconds=15)
    assert await jobs.drain() == []
    clock.move(seconds=5)
    (ran,) = await jobs.drain()
    assert (ran.id, ran.state) == (lost.id, JobState.COMPLETED)
    attempts = (await jobs.detail(ran.id)).attempts
    assert [(each.number, each.error is None) for each in attempts] == [(1, False), (1, True)]


async def test_jobs_run_again_whose_worker_was_lost_before_their_end_was_stored(
    jobs: Jobs, clock: MovableClock
) -> None:
    await jobs.scheduling.enqueue(SendParcel, Parcel(to="anna", pieces=2))
    lost = await jobs.lose_worker(after_running=True)
    assert [each.state for each in lost] == [JobState.RUNNING] * 2
    await jobs.assert_enqueued(SendParcel, queue="rest", count=1)
    clock.move(minutes=1)
    assert [each.state for each in await jobs.drain()] == [JobState.COMPLETED] * 3
    await jobs.assert_enqueued(SendParcel, queue="rest", count=2)


async def test_a_schedule_fires_once_where_the_hour_is_there_twice(
    jobs: Jobs, clock: MovableClock
) -> None:
    clock.move_to(datetime(2026, 10, 24, 12, tzinfo=UTC))
    await jobs.scheduling.add_recurring(
        CountStock, name="count", cron_expression="30 2 * * *", time_zone="Europe/Berlin"
    )
    for moment, runs in (
        (datetime(2026, 10, 25, 0, 29, tzinfo=UTC), 0),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 1),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), 0),
        (datetime(2026, 10, 26, 1, 30, tzinfo=UTC), 1),
    ):
        clock.move_to(moment)
        assert len(await jobs.drain()) == runs
    (first, _) = await jobs.all()
    (line,) = (await jobs.detail(first.id)).logs
    assert line.message == "for 2026-10-25 00:30:00+00:00"


def test_the_clock_stands_still_and_moves() -> None:
    clock = MovableClock(datetime(2026, 1, 31, tzinfo=UTC))
    before = clock.monotonic()
    clock.move(timedelta(hours=1), minutes=30)
    assert clock.now() == datetime(2026, 1, 31, 1, 30, tzinfo=UTC)
    assert 5400 <= clock.monotonic() - before < 5460
    clock.move_to(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    assert clock.monotonic() - before >= 5400
    with pytest.raises(ValueError, match="spans do not run backwards"):
        clock.move(seconds=-1)
    with pytest.raises(ValueError, match="has no time zone"):
        clock.move_to(datetime(2026, 1, 1))  # noqa: DTZ001
