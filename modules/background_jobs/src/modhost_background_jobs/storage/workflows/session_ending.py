"""End jobs in a session of SQLAlchemy: together with what else its transaction writes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.storage.end_events import EndEvents
from modhost_background_jobs.storage.workflows import workflow_statements
from modhost_background_jobs.storage.workflows.ending import end_jobs
from modhost_background_jobs.storage.workflows.steps import run_in_session

LOCK_TIMEOUT: Final = "800ms"
"""As long as the bare driver waits for what somebody else has locked."""


async def end_in_session(
    session: AsyncSession, ended: Sequence[Ended], now: datetime, events: EndEvents
) -> set[UUID]:
    """End running jobs, with all that follows from it; return the ids whose lease still held.

    Their rows stay locked until the transaction ends; workers are woken when it commits.
    """
    connection = await session.connection()
    statements = workflow_statements(connection.dialect.name)
    held, cancelled = await run_in_session(connection, end_jobs(statements, ended, now))
    await events.store(session, [*held, *cancelled], now)
    return held


class PublishedEnds:
    """The ends of jobs that somebody has subscribed to, in a session each."""

    def __init__(self, database: Database, events: EndEvents) -> None:
        self._database = database
        self._events = events
        self.of_lost = not events.states.isdisjoint({JobState.FAILED, JobState.CANCELLED})
        """Whether that can be ends of jobs of dead workers."""
        self.of_cancelled = JobState.CANCELLED in events.states
        """Whether that can be ends of jobs that were asked to stop."""

    def has_subscribed(self, state: JobState) -> bool:
        """Return whether somebody has subscribed to ends in a state."""
        return state in self._events.states

    def concern(self, ended: Sequence[Ended]) -> bool:
        """Return whether there are such among these ends, and what may follow from them."""
        return self.of_cancelled or any(self.has_subscribed(each.state) for each in ended)

    async def end(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        """End running jobs, with all that follows from it; return the ids whose lease still held.

        Raises what the driver raises.
        """
        try:
            async with self._database.session() as session:
                if self._database.dialect == "postgresql":
                    waiting = func.set_config("lock_timeout", LOCK_TIMEOUT, True)  # noqa: FBT003
                    await (await session.connection()).execute(select(waiting))
                return await end_in_session(session, ended, now, self._events)
        except DBAPIError as error:
            raise error.orig or error from error
