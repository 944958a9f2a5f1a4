"""Inserting jobs by a transaction of SQLAlchemy, with what flow control keeps of them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.storage.columns import NEW, flow_values
from modhost_background_jobs.storage.dialects import insert_free
from modhost_background_jobs.storage.flow import give_turns
from modhost_background_jobs.storage.large_data import in_row, insert_large
from modhost_background_jobs.storage.tables import JOB_TAGS, JOBS


async def insert_rows(
    connection: AsyncConnection, jobs: Sequence[NewJob], *, unless_there: bool = False
) -> set[UUID]:
    """Insert jobs as `Pending`, with their data and their tags; return the ids of those inserted.

    Of jobs that may be there, by an id or a unique key, those that are not.
    """
    values = await _rows_of(connection, jobs)
    rows = [in_row(connection, row) for row in values]
    if unless_there:
        new = await insert_free(connection, JOBS, rows)
    else:
        await connection.execute(insert(JOBS), rows)
        new = {job.id for job in jobs}
    await insert_large(connection, [row for row in values if row["id"] in new])
    await insert_tags(connection, {job.id: job.flow.tags for job in jobs if job.id in new})
    return new


async def insert_tags(connection: AsyncConnection, tags: Mapping[UUID, Sequence[str]]) -> None:
    """Insert the tags of jobs, by which they are found."""
    rows = [{"tag": tag, "job_id": job_id} for job_id, words in tags.items() for tag in words]
    if rows:
        await insert_free(connection, JOB_TAGS, rows, "job_id")


async def _rows_of(connection: AsyncConnection, jobs: Sequence[NewJob]) -> list[dict[str, object]]:
    """Return the rows of pending jobs, which give fair ones that are due their turns."""
    rows = [values_of(job) | {"held_by": job.flow.held_by} for job in jobs]
    if any(job.flow.fair_key is not None for job in jobs):
        places = await give_turns(connection, rows, max(job.created_at for job in jobs))
        return [{**row, "place_at": places.get(row["id"])} for row in rows]
    return rows


def values_of(job: NewJob) -> dict[str, object]:
    """Return the row of a pending job."""
    given = {name: getattr(job, name) for name in NEW} | flow_values(job)
    return given | {"state": JobState.PENDING.value, "attempts_left": job.max_attempts}
