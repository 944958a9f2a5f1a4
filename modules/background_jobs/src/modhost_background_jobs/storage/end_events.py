"""What is published when jobs end, in the transaction that ends them."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.contracts.events import (
    JobCancelled,
    JobCompleted,
    JobEnded,
    JobFailed,
)
from modhost_background_jobs.model.flow import words_of
from modhost_background_jobs.storage.dialects import in_batches
from modhost_background_jobs.storage.tables import FINISHED

EVENT_OF: Final[dict[JobState, type[JobEnded]]] = {
    JobState.COMPLETED: JobCompleted,
    JobState.FAILED: JobFailed,
    JobState.CANCELLED: JobCancelled,
}
_COLUMNS: Final = (
    *("job_type", "attempt", "error", "tags", "recurring_job_id", "workflow_id"),
    *("id", "state"),
)
MAX_ERROR: Final = 1_000
"""Bounds the first line of an error, which is data of the jobs that get it."""


class EndEvents(Protocol):
    """Stores the ends of jobs for durable subscribers."""

    states: frozenset[JobState]
    """The final states that somebody has subscribed to: of other ends nothing is stored."""

    async def store(self, session: AsyncSession, ended: Collection[UUID], now: datetime) -> None:
        """Store the ends of these jobs in the transaction that has ended them."""


class _NoEndEvents:
    states: frozenset[JobState] = frozenset()

    async def store(self, session: AsyncSession, ended: Collection[UUID], now: datetime) -> None:
        """Do nothing."""


NO_END_EVENTS: Final[EndEvents] = _NoEndEvents()


async def read_ends(
    connection: AsyncConnection,
    job_ids: Collection[UUID],
    states: Collection[JobState],
    silent_types: Collection[str],
) -> list[JobEnded]:
    """Return the events of those of the jobs that have ended in these states, by their ids.

    Jobs of `silent_types` have none.
    """
    events: list[JobEnded] = []
    for some in in_batches(sorted(job_ids)):
        is_one = FINISHED.c.id.in_(some)
        is_heard = FINISHED.c.state.in_([each.value for each in states])
        is_silent = FINISHED.c.job_type.in_(silent_types)
        reading = select(*(FINISHED.c[name] for name in _COLUMNS)).where(is_one, is_heard)
        for row in await connection.execute(reading.where(~is_silent).order_by(FINISHED.c.id)):
            *values, job_id, state = row
            given = dict(zip(_COLUMNS, values, strict=False))
            given["error"] = given["error"] and given["error"].partition("\n")[0][:MAX_ERROR]
            given["tags"] = words_of(given["tags"])
            events.append(EVENT_OF[JobState(state)].model_validate(given | {"job_id": job_id}))
    return events
