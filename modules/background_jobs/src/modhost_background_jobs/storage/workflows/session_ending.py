"""End a job in a session of SQLAlchemy: together with what else its transaction writes."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.model import Ended
from modhost_background_jobs.storage.workflows import workflow_statements
from modhost_background_jobs.storage.workflows.ending import end_jobs
from modhost_background_jobs.storage.workflows.steps import run_in_session


async def end_in_session(session: AsyncSession, ended: Ended, now: datetime) -> bool:
    """End a running job, with all that follows from it; return whether its lease still held.

    The job's row stays locked until the transaction ends; workers are woken when it commits.
    """
    connection = await session.connection()
    statements = workflow_statements(connection.dialect.name)
    return bool(await run_in_session(connection, end_jobs(statements, [ended], now)))
