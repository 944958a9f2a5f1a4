"""Inserting jobs by a transaction of SQLAlchemy, with what flow control keeps of them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.storage.columns import NEW, flow_values
from modhost_background_jobs.storage.flow import give_turns
from modhost_background_jobs.storage.large_data import insert_with_data
from modhost_background_jobs.storage.tables import JOB_TAGS, JOBS


async def insert_jobs(connection: AsyncConnection, jobs: Sequence[NewJob]) -> None:
    """Insert jobs as `Pending`, with their data and their tags."""
    await insert_with_data(connection, JOBS, await rows_of(connection, jobs))
    await insert_tags(connection, jobs)


async def insert_tags(connection: AsyncConnection, jobs: Iterable[NewJob]) -> None:
    """Insert the tags of jobs, by which they are found."""
    rows = [{"tag": tag, "job_id": job.id} for job in jobs for tag in job.flow.tags]
    if rows:
        await connection.execute(insert(JOB_TAGS), rows)


async def rows_of(connection: AsyncConnection, jobs: Sequence[NewJob]) -> list[dict[str, object]]:
    """Return the rows of pending jobs, which give fair ones that are due their turns."""
    rows = [values_of(job) for job in jobs]
    if any(job.flow.fair_key is not None for job in jobs):
        places = await give_turns(connection, rows, max(job.created_at for job in jobs))
        return [{**row, "place_at": places.get(row["id"])} for row in rows]
    return rows


def values_of(job: NewJob) -> dict[str, object]:
    """Return the row of a pending job."""
    given = {name: getattr(job, name) for name in NEW} | flow_values(job)
    return given | {"state": JobState.PENDING.value, "attempts_left": job.max_attempts}
