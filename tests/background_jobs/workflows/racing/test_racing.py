"""What happens to jobs at the same time, on connections of their own."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, Final
from uuid import UUID

import anyio
import pytest

from background_jobs.support import add_worker, claim, new_job
from background_jobs.workflows.racing.consistency import inconsistencies
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import JobConflict, JobNotFound, JobState, WorkflowConflict
from modhost_background_jobs.model import Ended, Lease, NewJob, Released
from modhost_background_jobs.model.workflow import NewWorkflow, Node
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.workflows.store import DatabaseWorkflows
from modhost_background_jobs.storage import JobsLocked, JobStore
from modhost_background_jobs.worker.write_retry import until_written
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

ROUNDS: Final = 8
LATER: Final = START + timedelta(seconds=1)
REFUSALS: Final = (JobConflict, JobNotFound, WorkflowConflict)


class Race:
    """Jobs, and all that can be done to them."""

    def __init__(self, database: Database, store: JobStore, queue: DatabaseJobQueue) -> None:
        self.store = store
        self.queue = queue
        self.workflows = DatabaseWorkflows(database, queue, MovingClock())

    def node(self, after: Sequence[UUID], workflow: UUID | None = None, when: Any = None) -> NewJob:
        return replace(new_job(), node=Node(workflow, tuple(after), when or "succeeded"))

    async def continue_(self, *after: UUID, when: Any = None) -> UUID:
        job = self.node(after, when=when)
        await self.queue.enqueue([job])
        return job.id

    async def workflow(self, *layers: int, after: Sequence[UUID] = ()) -> tuple[UUID, list[NewJob]]:
        """Store a workflow of layers, each after all of the one before it."""
        workflow = NewWorkflow(new_id(), "race", START, None)
        jobs: list[NewJob] = []
        before = list(after)
        for size in layers:
            layer = [self.node(before, workflow.id) for _ in range(size)]
            jobs += layer
            before = [each.id for each in layer]
        await self.workflows.store(workflow, jobs, None)
        return workflow.id, jobs

    async def end(self, leases: Sequence[Lease], state: JobState = JobState.COMPLETED) -> None:
        """End jobs as a worker does: whatever goes wrong, it tries again."""
        left = list(leases)

        async def write() -> None:
            try:
                await self.store.end_awaited([Ended(each, state, None) for each in left], LATER)
            except JobsLocked as some:
                left[:] = [each for each in left if each.job_id in some.locked]
                raise

        await until_written(write, "ends")

    async def claimed(self) -> dict[UUID, Lease]:
        return {each.lease.job_id: each.lease for each in await claim(self.store, "w1", 99, LATER)}


async def at_once(*acts: Callable[[], Awaitable[Any]]) -> None:
    """Do it all at the same time; refusals are answers."""

    async def do(act: Callable[[], Awaitable[Any]]) -> None:
        try:
            await act()
        except REFUSALS:
            return

    async with anyio.create_task_group() as group:
        for act in acts:
            group.start_soon(do, act)


@pytest.fixture
async def race(database: Database, store: JobStore, queue: DatabaseJobQueue) -> Race:
    await add_worker(store)
    return Race(database, store, queue)


async def test_the_last_two_jobs_before_one_end_at_the_same_time(
    race: Race, database: Database
) -> None:
    for _ in range(ROUNDS):
        _, jobs = await race.workflow(2, 1)
        alone = [new_job(), new_job()]
        await race.store.insert(alone)
        then = await race.continue_(*(each.id for each in alone))
        leases = await race.claimed()
        await at_once(*(partial(race.end, [leases[one.id]]) for one in [*jobs[:2], *alone]))
        assert (await race.claimed()).keys() == {then, jobs[2].id}
    assert await inconsistencies(database) == []


@pytest.mark.parametrize("state", [JobState.COMPLETED, JobState.FAILED])
async def test_a_job_is_continued_while_it_ends(
    race: Race, database: Database, state: JobState
) -> None:
    for _ in range(ROUNDS):
        jobs = [new_job() for _ in range(4)]
        ids = [each.id for each in jobs]
        await race.store.insert(jobs)
        leases = list((await race.claimed()).values())
        await at_once(
            *(partial(race.end, [lease], state) for lease in leases),
            *(partial(race.continue_, id_, when="finished") for id_ in ids),
            partial(race.continue_, *ids, when="finished"),
            partial(race.continue_, *ids[::-1], when="finished"),
        )
        assert len(await race.claimed()) == 6
    assert await inconsistencies(database) == []


async def test_jobs_and_workflows_are_cancelled_and_retried_while_others_end(
    race: Race, database: Database
) -> None:
    for seed in range(ROUNDS):
        pick = Random(seed)  # noqa: S311 - it has to be repeatable
        alone = [new_job() for _ in range(4)]
        await race.store.insert(alone)
        ids = [each.id for each in alone]
        one, jobs = await race.workflow(2, 3, 1, after=ids[:2])
        other, more = await race.workflow(3, 1, after=[ids[1], jobs[2].id])
        last = [await race.continue_(jobs[-1].id, more[-1].id, ids[3], when=None) for _ in range(3)]
        then = await race.continue_(ids[0], ids[2], when="failed")
        leases = list((await race.claimed()).values())
        pick.shuffle(leases)
        states = [pick.choice([JobState.COMPLETED, JobState.FAILED]) for _ in leases]
        acts: list[Callable[[], Awaitable[Any]]] = [
            *(
                partial(race.end, [lease], state)
                for lease, state in zip(leases, states, strict=True)
            ),
            partial(race.queue.cancel, jobs[0].id),
            partial(race.queue.cancel, last[0]),
            partial(race.queue.cancel, then),
            partial(race.queue.cancel, jobs[2].id),
            partial(race.workflows.cancel, pick.choice([one, other])),
            partial(race.continue_, *pick.sample(ids, 3)),
            *(partial(race.queue.retry, id_) for id_ in ids[:2]),
            partial(race.workflows.retry, one),
        ]
        pick.shuffle(acts)
        await at_once(*acts)
        assert await inconsistencies(database) == []
        # All that is left comes to its end, whatever has become of it.
        while again := list((await race.claimed()).values()):
            await at_once(*(partial(race.end, [lease]) for lease in again))
        assert await inconsistencies(database) == []


async def test_a_continuation_that_was_cancelled_is_not_revived(
    race: Race, database: Database
) -> None:
    first = new_job()
    await race.store.insert([first])
    then = await race.continue_(first.id)
    assert await race.queue.cancel(then) is JobState.CANCELLED
    await race.end(list((await race.claimed()).values()), JobState.FAILED)
    await race.queue.retry(first.id)
    await race.end(list((await race.claimed()).values()))
    assert not await race.claimed()
    assert await inconsistencies(database) == []


async def test_a_released_job_that_was_asked_to_stop_ends_with_what_waits_for_it(
    race: Race, database: Database
) -> None:
    _, (first, second) = await race.workflow(1, 1)
    leases = await race.claimed()
    assert await race.queue.cancel(first.id) is JobState.RUNNING
    # As for the jobs of a claim whose answer was lost.
    released = [Released(leases[first.id])]
    assert await race.store.release(released, LATER) == {first.id}
    assert not await race.claimed()
    with pytest.raises(JobConflict, match="Cancelled"):
        await race.queue.cancel(second.id)
    assert await inconsistencies(database) == []


async def test_the_end_of_many_jobs_before_one_costs_no_more_for_each_of_them(
    race: Race, database: Database
) -> None:
    workflow = NewWorkflow(new_id(), "large", START, None)
    parts = [race.node((), workflow.id) for _ in range(2_000)]
    last = race.node([each.id for each in parts], workflow.id, "failed")
    await race.workflows.store(workflow, [*parts, last], None)
    leases = [each.lease for each in await claim(race.store, "w1", 2_000, LATER)]
    began = time.monotonic()
    await race.end(leases)
    # Less than a tenth of a second where nobody else works; each by each of them would be ten.
    assert time.monotonic() - began < 5
    assert not await race.claimed()
    assert await inconsistencies(database) == []
