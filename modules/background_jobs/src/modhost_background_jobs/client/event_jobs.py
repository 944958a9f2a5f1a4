"""Events for durable subscribers: a job for each, in the transaction of the publisher."""

from collections.abc import Sequence
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.caller import current_caller
from modhost.events import Event
from modhost_background_jobs.client.new_jobs import Asked, NewJobs
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import QueueClock


class EventJobs:
    """Implements `DurableEvents`. Its errors are those of `BackgroundJobs.enqueue`."""

    def __init__(self, queue: DatabaseJobQueue, new_jobs: NewJobs, clock: QueueClock) -> None:
        self._queue = queue
        self._new_jobs = new_jobs
        self._clock = clock

    async def store(
        self, event: Event, subscribers: Sequence[type[Any]], session: AsyncSession | None
    ) -> None:
        """Enqueue a job of each class, all of them or none."""
        enqueued_by = (await current_caller()).person
        now = self._clock.now()
        jobs = [
            self._new_jobs.make(
                Asked(
                    flow=self._new_jobs.flow_of(each, None, None, ()),
                    max_attempts=None,
                    timeout=None,
                    enqueued_by=enqueued_by,
                    now=now,
                ),
                event,
            )
            for each in subscribers
        ]
        await self._queue.enqueue(jobs, session)
