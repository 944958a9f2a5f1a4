"""Looking at jobs: the edges, where the statements may be general."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Table,
    bindparam,
    cast,
    false,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database, UtcDateTime
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.counts import JobCounts
from modhost_background_jobs.queries.partitions import FINISHED, JOBS, find_parts
from modhost_background_jobs.storage.tables import EndedAttempt, JobColumns, LogEntry

ATTEMPTS: Final[Table] = EndedAttempt.__table__  # type: ignore[attr-defined]
LOGS: Final[Table] = LogEntry.__table__  # type: ignore[attr-defined]

# Made once: a statement costs more to make than to run.
_WANTED: Final = "wanted"
_LOGS_OF: Final = (
    select(LOGS.c.logged_at, LOGS.c.message)
    .where(LOGS.c.job_id == bindparam(_WANTED))
    .order_by(LOGS.c.line)
)
_ATTEMPTS_OF: Final = (
    select(ATTEMPTS).where(ATTEMPTS.c.job_id == bindparam(_WANTED)).order_by(ATTEMPTS.c.fence)
)
_NO_TIME: Final = cast(null(), UtcDateTime())
_COMMON: Final = tuple(JobColumns.model_fields)
_LIVE: Final = tuple(name for name in _COMMON if name != "data")

SHOWN: Final = (
    "id",
    "job_type",
    "state",
    "created_at",
    "execute_at",
    "started_at",
    "attempt",
    "max_attempts",
    "worker",
    "progress_percentage",
    "progress_message",
    "error",
)
"""What a line of a list shows of a job."""

Row = dict[str, Any]


class JobListing:
    """Reads jobs, live and finished ones as if they were one table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts = JobCounts()

    async def page(
        self, state: JobState | None, job_type: str | None, offset: int, limit: int
    ) -> tuple[list[Row], int]:
        """Return a stretch of the jobs, newest first, and how many there are in all."""
        async with self._database.reading() as session:
            connection = await session.connection()
            parts = await find_parts(connection, state, job_type)
            both = union_all(*(part.ids() for part in parts)).subquery()
            # The ids first, which an index has: whole rows are read of those that are shown only.
            shown = select(both.c.id).order_by(both.c.id.desc()).offset(offset).limit(limit)
            total = await self._counts.count(connection, state, job_type)
            ids = list((await connection.execute(shown)).scalars()) if offset < total else []
            return await rows_with(connection, ids, _COMMON), total

    async def find(self, job_id: UUID) -> Row | None:
        """Return a job, or None."""
        async with self._database.reading() as session:
            return await _find(await session.connection(), job_id)

    async def many(self, ids: Collection[UUID]) -> dict[UUID, Row]:
        """Return the jobs that there are of these, without their data."""
        async with self._database.reading() as session:
            found = await rows_with(await session.connection(), list(ids), _LIVE)
        return {row["id"]: row for row in found}

    async def attempts_of(self, ids: Collection[UUID]) -> dict[UUID, list[Row]]:
        """Return the earlier attempts of jobs."""
        attempts = select(ATTEMPTS).where(ATTEMPTS.c.job_id.in_(ids)).order_by(ATTEMPTS.c.fence)
        of_job: dict[UUID, list[Row]] = defaultdict(list)
        async with self._database.reading() as session:
            for row in await rows_of(await session.connection(), attempts):
                of_job[row["job_id"]].append(row)
        return of_job

    async def with_attempts(self, job_id: UUID) -> tuple[Row, list[Row]] | None:
        """Return a job with its earlier attempts, or None."""
        async with self._database.reading() as session:
            connection = await session.connection()
            job = await _find(connection, job_id)
            return (job, await _attempts(connection, job_id)) if job else None

    async def detail(self, job_id: UUID) -> tuple[Row, list[Row], list[Row]] | None:
        """Return a job with its earlier attempts and its log, or None."""
        async with self._database.reading() as session:
            connection = await session.connection()
            job = await _find(connection, job_id)
            if job is None:
                return None
            attempts = await _attempts(connection, job_id)
            return job, attempts, await rows_of(connection, _LOGS_OF, {_WANTED: job_id})


def columns_of(table: Table, names: Iterable[str] = _COMMON) -> Select[Any]:
    """Select the same columns of either table, so that one union reads both."""
    completed: ColumnElement[Any] = table.c.completed_at if table is FINISHED else _NO_TIME
    stop = _NO_TIME if table is FINISHED else table.c.cancel_requested_at
    reported = _NO_TIME if table is FINISHED else table.c.progress_at
    on_hold: ColumnElement[Any] = false() if table is FINISHED else table.c.on_hold
    return select(
        *(table.c[name] for name in names),
        completed.label("completed_at"),
        stop.label("cancel_requested_at"),
        reported.label("progress_at"),
        on_hold.label("on_hold"),
    )


@cache
def _both(names: tuple[str, ...], *, many: bool) -> Select[Any]:
    """Select these columns of the jobs that are wanted, from both tables.

    In one statement, between whose parts no job can move from one table to the other.
    """
    wanted: BindParameter[Any] = bindparam(_WANTED, expanding=many)
    return select(
        union_all(
            *(
                columns_of(table, names).where(
                    table.c.id.in_(wanted) if many else table.c.id == wanted
                )
                for table in (JOBS, FINISHED)
            )
        ).subquery()
    )


async def _find(connection: AsyncConnection, job_id: UUID) -> Row | None:
    rows = await rows_of(connection, _both(_COMMON, many=False), {_WANTED: job_id})
    return rows[0] if rows else None


async def _attempts(connection: AsyncConnection, job_id: UUID) -> list[Row]:
    return await rows_of(connection, _ATTEMPTS_OF, {_WANTED: job_id})


async def rows_of(
    connection: AsyncConnection, statement: Select[Any], bound: Mapping[str, Any] | None = None
) -> list[Row]:
    """Return what a statement selects, with values for its parameters."""
    return [dict(row) for row in (await connection.execute(statement, bound)).mappings()]


async def rows_with(
    connection: AsyncConnection, ids: Sequence[UUID], names: Iterable[str]
) -> list[Row]:
    """Return the jobs with these ids that there are, in the order of the ids."""
    if not ids:
        return []
    found = await rows_of(connection, _both(tuple(names), many=True), {_WANTED: ids})
    rows = {row["id"]: row for row in found}
    return [rows[id_] for id_ in ids if id_ in rows]
