"""A schedule that is fired in one transaction, and moved on in the next."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import update

from modhost_background_jobs.maintenance.recurring import RecurringJobsService
from modhost_background_jobs.queue.firing import RecurringFiring, _run_of
from modhost_background_jobs.queue.schedules import lock_schedule, next_run
from modhost_background_jobs.storage.tables import SCHEDULES
from simulation.workers import hosts


class MovedAfterwards:
    """A firing over a link, which it calls twice."""

    def __init__(self, firing: Any) -> None:
        self._firing = firing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._firing, name)

    async def fire(self, recurring_id: UUID) -> int:
        if not await self._firing.fire_only(recurring_id):
            return 0
        await self._firing.move_on(recurring_id)
        return 1


async def _fire_only(firing: RecurringFiring, recurring_id: UUID) -> bool:
    now = firing._clock.now()
    is_due = (SCHEDULES.c.id == recurring_id, SCHEDULES.c.next_run_at <= now)
    async with firing._database.session() as session:
        row = await lock_schedule(await session.connection(), *is_due, skip_locked=True)
        if row is None:
            return False
        await firing._queue.enqueue([_run_of(row, now, row.next_run_at)], session)
        return True


async def _move_on(firing: RecurringFiring, recurring_id: UUID) -> None:
    is_it = SCHEDULES.c.id == recurring_id
    async with firing._database.session() as session:
        connection = await session.connection()
        row = await lock_schedule(connection, is_it)
        if row is not None:
            next_run_at = next_run(row, firing._clock.now())
            await connection.execute(update(SCHEDULES).where(is_it).values(next_run_at=next_run_at))


def _service(firing: Any, *others: Any) -> RecurringJobsService:
    moved: Any = MovedAfterwards(firing)
    return RecurringJobsService(moved, *others)


@contextmanager
def moved_afterwards() -> Iterator[None]:
    with ExitStack() as stack:
        for name, function in (("fire_only", _fire_only), ("move_on", _move_on)):
            stack.enter_context(patch.object(RecurringFiring, name, function, create=True))
        stack.enter_context(patch.object(hosts, "RecurringJobsService", _service))
        yield
