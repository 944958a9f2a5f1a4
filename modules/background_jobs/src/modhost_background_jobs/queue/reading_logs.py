"""Reading the log of a job, from either end."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import Select, func, literal, select, union_all

from modhost.database import Database
from modhost_background_jobs.queue.listing import LOGS, Row, rows_of

PLACES_AT_ONCE: Final = 100

LogPlace: TypeAlias = tuple[UUID, int]
"""A job, and the line of its log after which to go on."""


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

    async def after(self, places: Sequence[LogPlace], limit: int) -> dict[LogPlace, list[Row]]:
        """Return the lines that came after each place, in order.

        The limit is one of each place: a log that is read from far behind holds up no other.
        """
        found: dict[LogPlace, list[Row]] = {place: [] for place in places}
        async with self._database.reading() as session:
            connection = await session.connection()
            for first in range(0, len(places), PLACES_AT_ONCE):
                some = places[first : first + PLACES_AT_ONCE]
                for row in await rows_of(connection, _after(some, limit)):
                    found[some[row.pop("place")]].append(row)
        return found


def _after(places: Sequence[LogPlace], limit: int) -> Select[Any]:
    parts = [
        select(
            select(literal(number).label("place"), LOGS)
            .where(LOGS.c.job_id == job_id, LOGS.c.line > line)
            .order_by(LOGS.c.line)
            .limit(limit)
            .subquery()
        )
        for number, (job_id, line) in enumerate(places)
    ]
    together = union_all(*parts).subquery()
    return select(together).order_by(together.c.place, together.c.line)
