"""Reading the log of a job, from either end."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from modhost.database import Database
from modhost_background_jobs.queue.listing import LOGS, Row, rows_of


class JobLogs:
    """Reads log lines; each has `job_id`, `line` (grows within a job), `logged_at`, `message`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, job_id: UUID, limit: int, words: str | None = None) -> list[Row]:
        """Return the newest lines of a job, in order; only those with the words, if given."""
        statement = select(LOGS).where(LOGS.c.job_id == job_id)
        if words:
            found = func.lower(LOGS.c.message).contains(words.lower(), autoescape=True)
            statement = statement.where(found)
        statement = statement.order_by(LOGS.c.line.desc()).limit(limit)
        async with self._database.reading() as session:
            rows = await rows_of(await session.connection(), statement)
        return rows[::-1]

    async def after(self, lines: Mapping[UUID, int], limit: int) -> list[Row]:
        """Return the lines of several jobs that came after one line of each, in order."""
        later = [
            and_(LOGS.c.job_id == job_id, LOGS.c.line > line) for job_id, line in lines.items()
        ]
        statement = (
            select(LOGS).where(or_(*later)).order_by(LOGS.c.job_id, LOGS.c.line).limit(limit)
        )
        async with self._database.reading() as session:
            return await rows_of(await session.connection(), statement)
