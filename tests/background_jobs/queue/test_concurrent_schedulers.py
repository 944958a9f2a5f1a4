"""Several schedulers at once, under each overlap and each catch-up policy."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from itertools import product
from typing import Any, NamedTuple
from uuid import UUID

import anyio
import pytest
from sqlalchemy import select

from background_jobs.schedules import settings
from background_jobs.support import claim, jobs_database
from modhost.database import Database
from modhost_background_jobs.contracts import CatchUpPolicy, JobState, OverlapPolicy
from modhost_background_jobs.model import Ended
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.storage import JobStore, open_store, open_wakeups
from modhost_background_jobs.storage.tables import FINISHED, JOBS, OCCURRENCES
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

Policies = tuple[OverlapPolicy, CatchUpPolicy]

EACH = list(product(OverlapPolicy, CatchUpPolicy))
SCHEDULERS = 4
MISSED = 36
"""The due times of six hours, one every ten minutes."""


class Runs(NamedTuple):
    """How many runs a schedule has."""

    claimable: int = 0
    waiting: int = 0
    skipped: int = 0


class Schedulers:
    """Consumers that all try to fire, each with connections of its own."""

    def __init__(self, database: Database, firing: list[RecurringFiring], ids: list[UUID]) -> None:
        self._database = database
        self._firing = firing
        self._policies: dict[UUID, Policies] = dict(zip(ids, EACH, strict=True))

    async def fire(self) -> Counter[Policies]:
        """Let all schedulers fire all schedules at once; return how many due times each fired."""
        fired: Counter[Policies] = Counter()

        async def fire_all(firing: RecurringFiring) -> None:
            for schedule, policies in self._policies.items():
                count = await firing.fire(schedule)
                fired[policies] += count

        await self._all(fire_all)
        return fired

    async def let_go(self) -> int:
        """Let all schedulers search for runs that no longer wait; return how many they released."""
        let_go: list[int] = []

        async def release(firing: RecurringFiring) -> None:
            let_go.append(await firing.release_waiting_runs())

        await self._all(release)
        return sum(let_go)

    async def runs(self) -> dict[Policies, Runs]:
        """Count the runs of each schedule."""
        found: Counter[tuple[Policies, str]] = Counter()
        async with self._database.reading() as session:
            connection = await session.connection()
            for row in await connection.execute(select(JOBS.c.recurring_job_id, JOBS.c.on_hold)):
                found[self._policies[row[0]], "waiting" if row[1] else "claimable"] += 1
            for row in await connection.execute(
                select(FINISHED.c.recurring_job_id).where(FINISHED.c.state == JobState.SKIPPED)
            ):
                found[self._policies[row[0]], "skipped"] += 1
        return {each: Runs(*(found[each, kind] for kind in Runs._fields)) for each in EACH}

    async def due_times(self) -> dict[Policies, dict[UUID, datetime]]:
        """Return when each run was due, by its job, in the order of time."""
        due: dict[Policies, dict[UUID, datetime]] = {each: {} for each in EACH}
        async with self._database.reading() as session:
            statement = select(OCCURRENCES).order_by(OCCURRENCES.c.due_at)
            for row in await (await session.connection()).execute(statement):
                due[self._policies[row.recurring_job_id]][row.job_id] = row.due_at
        return due

    async def _all(self, act: Callable[[RecurringFiring], Coroutine[Any, Any, None]]) -> None:
        async with anyio.create_task_group() as group:
            for each in self._firing:
                group.start_soon(act, each)


@pytest.fixture
async def schedulers(
    database: Database, database_url: str, clock: MovingClock, changes: ScheduleChanges
) -> AsyncIterator[Schedulers]:
    ids = [
        await changes.put(settings(" ".join(each), overlap=each[0], catch_up=each[1]))
        for each in EACH
    ]
    async with AsyncExitStack() as stack:
        firing = []
        for _ in range(SCHEDULERS):
            own = await stack.enter_async_context(jobs_database(database_url).open())
            store = open_store(own)
            queue = DatabaseJobQueue(own, store, open_wakeups(own), clock)
            firing.append(RecurringFiring(own, store, queue, clock))
        yield Schedulers(database, firing, ids)


def expected(policies: Policies, fired: int) -> Runs:
    """Return the states of so many unfinished runs, and of those that are not caught up."""
    overlap, catch_up = policies
    later = max(0, fired - 1)
    dropped = int(caught_up(catch_up) < MISSED)
    match overlap:
        case OverlapPolicy.ALLOW:
            return Runs(claimable=fired, skipped=dropped)
        case OverlapPolicy.QUEUE:
            return Runs(claimable=min(1, fired), waiting=later, skipped=dropped)
        case _ if catch_up is CatchUpPolicy.ALL:
            # Those that nobody missed are skipped, while those that are caught up wait in turn.
            waiting = min(later, MISSED - 1)
            return Runs(claimable=min(1, fired), waiting=waiting, skipped=later - waiting)
        case _:
            return Runs(claimable=min(1, fired), skipped=later + dropped)


def caught_up(catch_up: CatchUpPolicy) -> int:
    return {CatchUpPolicy.NONE: 0, CatchUpPolicy.ONE: 1, CatchUpPolicy.ALL: MISSED}[catch_up]


async def test_each_due_time_fires_once_and_has_the_run_that_its_policies_ask_for(
    schedulers: Schedulers, clock: MovingClock
) -> None:
    """First what six hours without a consumer have left, then a time that nobody missed."""
    clock.advance(MISSED * 600 + 300)
    fired = await schedulers.fire()
    assert fired == Counter({each: caught_up(each[1]) for each in EACH})
    assert await schedulers.runs() == {each: expected(each, fired[each]) for each in EACH}

    clock.advance(300)
    more = await schedulers.fire()
    assert more == Counter(EACH)
    assert await schedulers.runs() == {each: expected(each, fired[each] + 1) for each in EACH}
    last = START + timedelta(minutes=10 * (MISSED + 1))
    for each, due in (await schedulers.due_times()).items():
        missed = [last - timedelta(minutes=10 * (n + 1)) for n in range(caught_up(each[1]))]
        assert sorted(due.values()) == [*reversed(missed), last]


async def test_runs_that_queue_go_one_by_one_in_the_order_of_their_due_times(
    schedulers: Schedulers, clock: MovingClock, store: JobStore
) -> None:
    clock.advance(4 * 600)
    await schedulers.fire()
    turns = [(each, CatchUpPolicy.ALL) for each in (OverlapPolicy.QUEUE, OverlapPolicy.SKIP)]
    due = await schedulers.due_times()
    went: dict[Policies, list[UUID]] = {each: [] for each in turns}
    for left in (3, 2, 1, 0):
        claimed = [job.lease for job in await claim(store, limit=100, now=clock.now())]
        for each in turns:
            went[each] += [lease.job_id for lease in claimed if lease.job_id in due[each]]
        assert await schedulers.let_go() == 0
        await store.end([Ended(lease, JobState.COMPLETED) for lease in claimed], clock.now())
        assert await schedulers.let_go() == len(turns) * min(1, left)
    assert went == {each: list(due[each]) for each in turns}
