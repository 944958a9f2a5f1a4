"""The newest failures: how many there are, and the parts of errors by which they are compared."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, case, func, select

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import in_state
from modhost_background_jobs.storage.tables import FINISHED

MAX_FAILURES: Final = 1_000
"""So many failures of a type are compared, those of the jobs that were enqueued last."""
BEGINNING: Final = 300
END: Final = 5_000
"""The message stands below the last frame, too; most are shorter than this."""
MAX_COUNTED: Final = 10_000
"""So many of the latest failures are counted."""


class FailedJob(NamedTuple):
    """A failed job: the beginning of its error, which has the first line, and the end of it."""

    id: UUID
    completed_at: datetime
    beginning: str
    end: str


class FailureCount(NamedTuple):
    """How many jobs have failed since a moment; `is_capped` where there may be more."""

    since: datetime
    number: int
    is_capped: bool


class RecentFailures:
    """Reads failures by an index, a bounded number however many there are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_type(self, job_type: str) -> list[FailedJob]:
        """Return the failures of a type, those of the newest jobs first."""
        async with self._database.reading() as session:
            connection = await session.connection()
            rows = await connection.execute(_NEWEST, {"job_type": job_type})
            return [FailedJob(*row) for row in rows]

    async def last_day(self, now: datetime, job_type: str | None = None) -> FailureCount:
        """Count the failed jobs of the last day, of a type or all, among the latest failures.

        The day begins with a minute, as in the list of jobs.
        """
        since = (now - timedelta(days=1)).replace(second=0, microsecond=0)
        counting = _COUNT if job_type is None else _COUNT_OF_TYPE
        async with self._database.reading() as session:
            values = {"since": since, "job_type": job_type}
            row = (await (await session.connection()).execute(counting, values)).one()
            return FailureCount(since, row.number, row.read >= MAX_COUNTED)

    async def have_finished(self, job_type: str) -> bool:
        """Return whether jobs of a type have finished, of which there may be no more."""
        async with self._database.reading() as session:
            connection = await session.connection()
            found = await connection.execute(_ANY, {"job_type": job_type})
            return found.first() is not None


_OF_TYPE: Final = FINISHED.c.job_type == bindparam("job_type")
_LENGTH: Final = func.length(FINISHED.c.error)
_START_OF_END: Final = case((_LENGTH > END, _LENGTH - END + 1), else_=1)
_NEWEST: Final = (
    select(
        FINISHED.c.id,
        FINISHED.c.completed_at,
        func.substr(func.coalesce(FINISHED.c.error, ""), 1, BEGINNING),
        func.substr(func.coalesce(FINISHED.c.error, ""), func.coalesce(_START_OF_END, 1)),
    )
    .where(_OF_TYPE, in_state(FINISHED, JobState.FAILED))
    .order_by(FINISHED.c.id.desc())
    .limit(MAX_FAILURES)
)
_ENDED: Final = FINISHED.c.completed_at
_FAILED: Final = (
    select(FINISHED.c.job_type)
    .where(in_state(FINISHED, JobState.FAILED), _ENDED.__ge__(bindparam("since")))
    .order_by(_ENDED.desc())
    .limit(MAX_COUNTED)
    .subquery()
)
_READ: Final = func.count().label("read")
_COUNT: Final = select(_READ, func.count().label("number")).select_from(_FAILED)
_COUNT_OF_TYPE: Final = select(
    _READ, func.count().filter(_FAILED.c.job_type == bindparam("job_type")).label("number")
)
_ANY: Final = select(FINISHED.c.id).where(_OF_TYPE).limit(1)
