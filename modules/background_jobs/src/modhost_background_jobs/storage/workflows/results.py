"""The results of the jobs before one, in the order in which it names them."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import select

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.tables import DEPENDENCIES, FINISHED

BATCH_SIZE: Final = 100


class StoredResult(NamedTuple):
    """What a job has returned, as JSON."""

    job_id: UUID
    result: str


async def results_before(database: Database, job_id: UUID) -> AsyncIterator[StoredResult]:
    """Read the results of the jobs before one, some at a time."""
    last = -1
    while True:
        reading = (
            select(
                DEPENDENCIES.c.position,
                FINISHED.c.id,
                FINISHED.c.result,
            )
            .join_from(DEPENDENCIES, FINISHED, FINISHED.c.id == DEPENDENCIES.c.after_id)
            .where(
                DEPENDENCIES.c.job_id == job_id,
                DEPENDENCIES.c.position > last,
                FINISHED.c.state == JobState.COMPLETED.value,
                FINISHED.c.result.is_not(None),
            )
            .order_by(DEPENDENCIES.c.position)
            .limit(BATCH_SIZE)
        )
        async with database.reading() as session:
            rows = (await (await session.connection()).execute(reading)).all()
        for position, id_, result in rows:
            last = position
            yield StoredResult(id_, result)
        if len(rows) < BATCH_SIZE:
            return
