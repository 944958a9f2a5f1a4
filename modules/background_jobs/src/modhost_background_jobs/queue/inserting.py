"""Inserting jobs by a transaction of SQLAlchemy, with what flow control keeps of them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.storage.columns import NEW, flow_values
from modhost_background_jobs.storage.large_data import insert_with_data
from modhost_background_jobs.storage.tables import JOB_TAGS, JOBS


async def insert_jobs(connection: AsyncConnection, jobs: Sequence[NewJob]) -> None:
    """Insert jobs as `Pending`, with their data and their tags."""
    await insert_with_data(connection, JOBS, [values_of(job) for job in jobs])
    await insert_tags(connection, jobs)


async def insert_tags(connection: AsyncConnection, jobs: Iterable[NewJob]) -> None:
    """Insert the tags of jobs, by which they are found."""
    rows = [{"tag": tag, "job_id": job.id} for job in jobs for tag in job.flow.tags]
    if rows:
        await connection.execute(insert(JOB_TAGS), rows)


def values_of(job: NewJob) -> dict[str, object]:
    """Return the row of a pending job."""
    given = {name: getattr(job, name) for name in NEW} | flow_values(job)
    return given | {"state": JobState.PENDING.value, "attempts_left": job.max_attempts}
