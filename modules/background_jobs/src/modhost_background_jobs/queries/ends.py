"""How jobs ended, and what they returned."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, select, union_all

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.queries.rows import both_tables, fetch_rows, select_rows
from modhost_background_jobs.storage.tables import FINISHED, JOBS

# Made once: a statement costs more to make than to run.
_FIND: Final = both_tables("result", where="job_id")
_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_FINISHED: Final = select_rows(FINISHED).where(FINISHED.c.id.in_(_IDS))
# One statement: between its parts no job can move from one table to the other.
_THERE: Final = union_all(
    *(select(table.c.id).where(table.c.id.in_(_IDS)) for table in (JOBS, FINISHED))
)


class JobEnd(NamedTuple):
    """The state of a job, and its error and its result as they are stored."""

    state: JobState
    error: str | None
    result: str | None

    @property
    def why_no_result(self) -> str:
        """A sentence about a job without a result."""
        match self.state:
            case JobState.COMPLETED:
                return "it returned nothing."
            case JobState.CANCELLED:
                return "it was cancelled."
            case state if state.is_final:
                return (self.error or "it did not run.").split("\n", 1)[0]
        return "it has not finished."


class JobEnds:
    """Reads how jobs ended."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, job_id: UUID) -> JobEnd | None:
        """Return how a job ended, or that it has not; None for an unknown id."""
        async with self._database.reading() as session:
            connection = await session.connection()
            found = (await connection.execute(_FIND, {"job_id": job_id})).mappings().one_or_none()
        return found and JobEnd(JobState(found["state"]), found["error"], found["result"])

    async def of(self, ids: Sequence[UUID]) -> list[JobRow]:
        """Return those of several jobs that have ended, in one statement."""
        async with self._database.reading() as session:
            return await fetch_rows(await session.connection(), _FINISHED, {"ids": ids})

    async def missing(self, ids: Sequence[UUID]) -> set[UUID]:
        """Return those of several ids that no job has any more."""
        async with self._database.reading() as session:
            there = await (await session.connection()).execute(_THERE, {"ids": ids})
            return set(ids) - set(there.scalars())
