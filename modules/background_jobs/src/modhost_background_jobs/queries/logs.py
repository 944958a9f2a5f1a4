"""The log lines of jobs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Select, literal, select, union_all

from modhost.database import Database
from modhost_background_jobs.storage.tables import LOGS

SHOWN_CHARACTERS: Final = 4_000
_POSITIONS_PER_STATEMENT: Final = 100


class LogPosition(NamedTuple):
    """A line of a job's log; line -1 is before the first one."""

    job_id: UUID
    line: int


class LogRow(NamedTuple):
    """A line of a log; `line` grows within a job, with gaps."""

    job_id: UUID
    line: int
    logged_at: datetime
    message: str

    @property
    def shown(self) -> str:
        """The message as pages show it; the download has all of a long one."""
        if len(self.message) <= SHOWN_CHARACTERS:
            return self.message
        more = f"{len(self.message) - SHOWN_CHARACTERS:,} more characters"
        return f"{self.message[:SHOWN_CHARACTERS]}… ({more} in the download)"


class JobLogs:
    """Reads log lines."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(
        self, positions: Collection[LogPosition], limit: int
    ) -> dict[LogPosition, Sequence[LogRow]]:
        """Return the lines after each of several positions, in order, up to a limit for each."""
        lines: dict[LogPosition, list[LogRow]] = {position: [] for position in positions}
        async with self._database.reading() as session:
            connection = await session.connection()
            remaining = iter(lines)
            while parts := [
                _after(each, limit) for each in islice(remaining, _POSITIONS_PER_STATEMENT)
            ]:
                for *line, seen in await connection.execute(select(union_all(*parts).subquery())):
                    row = LogRow(*line)
                    lines[LogPosition(row.job_id, seen)].append(row)
        return {each: sorted(rows, key=lambda row: row.line) for each, rows in lines.items()}


def _after(position: LogPosition, limit: int) -> Select[Any]:
    columns = (LOGS.c[name] for name in LogRow._fields)
    later = select(*columns, literal(position.line, BigInteger()).label("seen")).where(
        LOGS.c.job_id == position.job_id, LOGS.c.line > position.line
    )
    return select(later.order_by(LOGS.c.line).limit(limit).subquery())
