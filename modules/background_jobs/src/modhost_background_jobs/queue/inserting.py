"""Inserting jobs by a transaction of SQLAlchemy, with what flow control keeps of them."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.storage import Wakeups
from modhost_background_jobs.storage.columns import FLOW, NEW, flow_values, flowing_rows
from modhost_background_jobs.storage.dialects import insert_free, notify
from modhost_background_jobs.storage.postgres import statements as postgres
from modhost_background_jobs.storage.sqlite import transitions as sqlite
from modhost_background_jobs.storage.tables import JOB_TAGS, JOB_WORDS

ENQUEUED: Final = "modhost_background_jobs.enqueued"
"""By which key a session knows the wake-ups that its commit sends."""


async def insert_rows(
    connection: AsyncConnection, jobs: Sequence[NewJob], *, unless_there: bool = False
) -> set[UUID]:
    """Insert jobs as `Pending`, with their data and their tags; return the ids of those inserted.

    Of jobs that may be there, by an id or a unique key, those that are not.
    """
    if connection.dialect.name == "sqlite":
        return await connection.run_sync(
            lambda own: sqlite.insert_flowing(own.exec_driver_sql, jobs, unless_there=unless_there)
        )
    are_nodes = any(job.node is not None for job in jobs)
    have_words = any(job.summary is not None for job in jobs)
    insert = postgres.insert_flowing(
        unless_there=unless_there, are_nodes=are_nodes, have_words=have_words
    )
    rows = flowing_rows(jobs, with_words=have_words)
    statement, values = postgres.insert_with(insert, rows)
    return {row[0] for row in await connection.exec_driver_sql(statement, tuple(values))}


async def insert_found_by(connection: AsyncConnection, job_id: UUID, job: NewJob) -> None:
    """Insert the tags of a job and the words of its summary, by which it is found."""
    tags = [{"tag": tag, "job_id": job_id} for tag in job.flow.tags]
    words = [{"word": word, "job_id": job_id} for word in job.words]
    for table, rows in ((JOB_TAGS, tags), (JOB_WORDS, words)):
        if rows:
            await insert_free(connection, table, rows, "job_id")


def values_of(job: NewJob) -> dict[str, object]:
    """Return the row of a pending job."""
    given = {name: getattr(job, name) for name in NEW}
    given |= zip(FLOW, flow_values(job), strict=True)
    return given | {"state": JobState.PENDING.value, "attempts_left": job.max_attempts}


async def wake_after_commit(session: AsyncSession, wakeups: Wakeups) -> None:
    """Have workers notice what a session has stored, once it is committed."""
    await notify(await session.connection(), "due")
    # One listener for all jobs of a session: what once listened stays, even with `once`.
    if session.info.get(ENQUEUED) is not wakeups:
        session.info[ENQUEUED] = wakeups
        event.listen(session.sync_session, "after_commit", lambda _: wakeups.work.fire())
