"""Durable subscribers get every end of a job, in the transaction that ends it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from background_jobs.events.ending import Ends, Heard, Hearing, OnFailed, Task, Work, ends_of
from background_jobs.support import seen
from modhost_background_jobs.bulk.change import Change
from modhost_background_jobs.bulk.changes import BulkChanges
from modhost_background_jobs.contracts import JobId, JobState
from modhost_background_jobs.contracts.events import JobFailed
from modhost_background_jobs.model import Ended, Released

pytestmark = pytest.mark.anyio

LAST_WORDS = "no paper\nand no ink"
DOOMED = "cancelled: the job {} {}, and this one runs when it succeeds."


def followed(job_id: UUID, became: str = "was cancelled") -> str:
    return DOOMED.format(job_id, became)


async def in_a_batch(ends: Ends) -> set[Heard]:
    one, two = [await ends.enqueue() for _ in range(2)]
    first, second = await ends.claim()
    both = [
        Ended(first.lease, JobState.COMPLETED),
        Ended(second.lease, JobState.FAILED, LAST_WORDS),
    ]
    held = await ends.store.end(both, ends.now())
    left = [each for each in both if each.lease.job_id not in held]
    assert held | await ends.store.end_awaited(left, ends.now()) == {one, two}
    # An end that is stored already is not published again.
    assert await ends.store.end_awaited(both, ends.now()) == set()
    return {Heard("OnCompleted", one), Heard("OnFailed", two, "no paper")}


async def with_what_waits_for_it(ends: Ends) -> set[Heard]:
    before = await ends.enqueue()
    after = await ends.enqueue(after=[before])
    last = await ends.enqueue(after=[after])
    (claimed,) = await ends.claim()
    await ends.store.end_awaited([Ended(claimed.lease, JobState.FAILED, LAST_WORDS)], ends.now())
    why = followed(before, "failed or was cancelled")
    return {
        Heard("OnFailed", before, "no paper"),
        Heard("OnCancelled", after, why),
        Heard("OnCancelled", last, why),
    }


async def released_when_it_was_to_stop(ends: Ends) -> set[Heard]:
    stopped, _ = [await ends.enqueue() for _ in range(2)]
    claimed = await ends.claim()
    await ends.jobs.scheduling.cancel(JobId(stopped))
    later = ends.now() + timedelta(days=1)
    released = [Released(each.lease, later, "again", spent=True) for each in claimed]
    held = await ends.store.release(released, ends.now())
    assert held == {each.lease.job_id for each in claimed}
    return {Heard("OnCancelled", stopped, "again")}


async def of_a_dead_worker(ends: Ends) -> set[Heard]:
    stopped, lost = [await ends.enqueue() for _ in range(2)]
    for each in await ends.claim():
        await ends.store.note_begin(each.lease)
    await ends.jobs.scheduling.cancel(JobId(stopped))
    rescued = await ends.store.rescue(await seen(ends.store), 1, ends.now())
    assert {each.job_id: each.state for each in rescued} == {
        stopped: JobState.CANCELLED,
        lost: JobState.FAILED,
    }
    error = (await ends.jobs.detail(lost)).error
    return {Heard("OnCancelled", stopped), Heard("OnFailed", lost, error)}


async def cancelled_before_it_began(ends: Ends) -> set[Heard]:
    alone = await ends.enqueue()
    before = await ends.enqueue()
    after = await ends.enqueue(after=[before])
    for each in (alone, before):
        await ends.jobs.scheduling.cancel(JobId(each))
    return {
        Heard("OnCancelled", alone),
        Heard("OnCancelled", before),
        Heard("OnCancelled", after, followed(before)),
    }


async def cancelled_with_its_workflow(ends: Ends) -> set[Heard]:
    async with ends.jobs.scheduling.workflow("both") as workflow:
        first = workflow.add(Work, Task())
        second = workflow.add(Work, Task(), after=first)
    await ends.jobs.scheduling.cancel_workflow(workflow.id)
    why = "cancelled: the workflow was cancelled before the job began."
    return {Heard("OnCancelled", each.job_id, why) for each in (first, second)}


async def cancelled_at_birth(ends: Ends) -> set[Heard]:
    before = await ends.enqueue()
    await ends.jobs.scheduling.cancel(JobId(before))
    after = await ends.enqueue(after=[before])
    return {Heard("OnCancelled", before), Heard("OnCancelled", after, followed(before))}


async def cancelled_with_others(ends: Ends) -> set[Heard]:
    many = [await ends.enqueue() for _ in range(3)]
    await (await ends.jobs.service(BulkChanges)).change(Change.CANCEL, many)
    return {Heard("OnCancelled", each) for each in many}


WAYS: list[Callable[[Ends], Awaitable[set[Heard]]]] = [
    in_a_batch,
    with_what_waits_for_it,
    released_when_it_was_to_stop,
    cancelled_before_it_began,
    cancelled_with_its_workflow,
    cancelled_at_birth,
    cancelled_with_others,
    of_a_dead_worker,
]


async def test_an_end_of_every_kind_reaches_its_subscriber_once(database_url: str) -> None:
    before: set[Heard] = set()
    async with ends_of(database_url, Hearing()) as ends:
        for way in WAYS:
            expected = await way(ends)
            heard = await ends.heard()
            assert heard - before == expected, way.__name__
            before = heard


async def test_an_event_says_what_the_job_was(database_url: str) -> None:
    async with ends_of(database_url, Hearing()) as ends:
        async with ends.jobs.scheduling.workflow("one") as workflow:
            job = workflow.add(Work, Task(), tags=["red", "blue"])
        (claimed,) = await ends.claim()
        await ends.store.end_awaited(
            [Ended(claimed.lease, JobState.FAILED, "x" * 2000)], ends.now()
        )
        assert await ends.stored() == [
            {
                "subscriber": "OnFailed",
                "job_id": str(job.job_id),
                "job_type": "hearing.Work",
                "attempt": 1,
                "error": "x" * 1000,
                "tags": ["red", "blue"],
                "recurring_job_id": None,
                "workflow_id": str(workflow.id),
            }
        ]


async def test_only_those_ends_are_stored_that_somebody_has_subscribed_to(
    database_url: str,
) -> None:
    only_failed = Hearing(durable=[(JobFailed, OnFailed)])
    async with ends_of(database_url, only_failed) as ends:
        for way in WAYS:
            await way(ends)
        heard = [each.subscriber for each in await ends.heard()]
        assert heard == ["OnFailed"] * 3
