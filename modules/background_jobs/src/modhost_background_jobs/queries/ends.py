"""How jobs ended, and what they returned."""

from typing import Final, NamedTuple
from uuid import UUID

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.rows import both_tables

# Made once: a statement costs more to make than to run.
_FIND: Final = both_tables("result", where="job_id")


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
