"""The events of a job, in order."""

from datetime import timedelta
from uuid import UUID

import pytest

from background_jobs.support import claim_one, new_job
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.timeline import Event, timeline
from modhost_background_jobs.model import Ended, Released
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio


async def events_of(details: JobDetailReader, job_id: UUID, seconds: float) -> list[Event]:
    found = await details.find(job_id)
    assert found is not None
    return timeline(found.row, found.attempts, START + timedelta(seconds=seconds))


def reported(events: list[Event]) -> list[tuple[str, float, bool]]:
    return [(e.name, (e.at - START).total_seconds(), e.has_happened) for e in events]


async def test_every_attempt_of_a_retried_job_is_reported(
    store: JobStore, details: JobDetailReader
) -> None:
    """Only the latest one was."""
    job = new_job()
    await store.insert([job])
    first = await claim_one(store)
    second_at, end_at = START + timedelta(seconds=30), START + timedelta(seconds=40)
    failed = Released(first.lease, second_at, "ValueError: no\nat line 3", spent=True)
    await store.release([failed], START + timedelta(seconds=5))
    waiting = await events_of(details, job.id, seconds=10)
    assert reported(waiting)[-1] == ("Next attempt due", 30, False)
    second = await claim_one(store, now=second_at)
    await store.end([Ended(second.lease, JobState.COMPLETED)], end_at)
    events = await events_of(details, job.id, seconds=60)
    assert reported(events) == [
        ("Created", 0, True),
        ("Attempt 1 started", 0, True),
        ("Attempt 1 ended", 5, True),
        ("Due", 30, True),
        ("Attempt 2 started", 30, True),
        ("Completed", 40, True),
    ]
    assert [event.kind for event in events][2:] == ["failed", "pending", "running", "completed"]
    assert events[2].note == "ValueError: no"
    assert (events[-1].note, events[-1].span) == ("after running", 10)


async def test_what_never_came_about_stands_last(
    store: JobStore, details: JobDetailReader, queue: DatabaseJobQueue, clock: MovingClock
) -> None:
    job = new_job(due=3600)
    await store.insert([job])
    clock.advance(60)
    await queue.cancel(job.id)
    events = await events_of(details, job.id, seconds=7200)
    assert reported(events) == [("Created", 0, True), ("Cancelled", 60, True), ("Due", 3600, False)]
