"""Events for durable subscribers: a job for each, in the transaction of the publisher."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.caller import current_caller
from modhost.events import DurableSubscription, Event
from modhost.failures import describe
from modhost_background_jobs.client.new_jobs import NewJobs
from modhost_background_jobs.contracts.events import JobEnded
from modhost_background_jobs.model import JobTypes, NewJob
from modhost_background_jobs.queue.inserting import wake_after_commit
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.unique import insert_jobs
from modhost_background_jobs.storage import QueueClock, Wakeups
from modhost_background_jobs.storage.end_events import EVENT_OF, read_ends

logger = logging.getLogger(__name__)


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
        if isinstance(event, JobEnded):
            return  # `EndEventJobs` has stored it together with the end
        by = (await current_caller()).person
        now = self._clock.now()
        jobs = [self._new_jobs.of_event(event, each, by, now) for each in subscribers]
        await self._queue.enqueue(jobs, session)


class EndEventJobs:
    """Implements `EndEvents`: the ends of jobs of which no class has subscribed to ends itself."""

    def __init__(
        self,
        durable: tuple[DurableSubscription, ...],
        new_jobs: NewJobs,
        types: JobTypes,
        wakeups: Wakeups,
    ) -> None:
        self._new_jobs = new_jobs
        self._types = types
        self._wakeups = wakeups
        self._subscribers = {
            event: [each.subscriber for each in durable if issubclass(event, each.event)]
            for event in EVENT_OF.values()
        }
        self.states = frozenset(
            state for state, event in EVENT_OF.items() if self._subscribers[event]
        )

    async def store(self, session: AsyncSession, ended: Collection[UUID], now: datetime) -> None:
        """Enqueue a job of each class that subscribed."""
        if not self.states or not ended:
            return
        connection = await session.connection()
        events = await read_ends(connection, ended, self.states, self._types.with_silent_ends)
        by = (await current_caller()).person
        jobs = [
            job
            for event in events
            for each in self._subscribers[type(event)]
            if (job := self._job(event, each, by, now))
        ]
        if jobs:
            await insert_jobs(connection, jobs)
            await wake_after_commit(session, self._wakeups)

    def _job(
        self, event: JobEnded, subscriber: type[Any], by: str | None, now: datetime
    ) -> NewJob | None:
        try:
            return self._new_jobs.of_event(event, subscriber, by, now)
        except Exception as error:  # noqa: BLE001 - a job ends, whatever its subscribers are like
            logger.error(  # noqa: TRY400 - it says what to do
                "The end of the job %s cannot be stored for its subscriber %s (%s).",
                event.job_id,
                subscriber.__qualname__,
                describe(error),
            )
            return None
