"""Reading the log of a job, from either end."""

from collections.abc import Collection, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Select, func, literal, select, union_all

from modhost.database import Database
from modhost_background_jobs.queries.listing import LOGS, Row, rows_of

_BATCH_SIZE: Final = 100


class Place(NamedTuple):
    """A line of a job's log; -1 is before all of them."""

    job_id: UUID
    line: int


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

    async def after(self, places: Collection[Place], limit: int) -> dict[Place, Sequence[Row]]:
        """Return the lines after each of several places, in order, up to a limit for each."""
        lines: dict[Place, list[Row]] = {place: [] for place in places}
        async with self._database.reading() as session:
            connection = await session.connection()
            asked = iter(lines)
            while parts := [_after(place, limit) for place in islice(asked, _BATCH_SIZE)]:
                for row in await rows_of(connection, select(union_all(*parts).subquery())):
                    lines[Place(row["job_id"], row.pop("seen"))].append(row)
        return {place: sorted(rows, key=_line) for place, rows in lines.items()}


def _after(place: Place, limit: int) -> Select[Any]:
    later = select(LOGS, literal(place.line, BigInteger()).label("seen")).where(
        LOGS.c.job_id == place.job_id, LOGS.c.line > place.line
    )
    return select(later.order_by(LOGS.c.line).limit(limit).subquery())


def _line(row: Row) -> int:
    line: int = row["line"]
    return line
