"""Looking at jobs: the edges, where the statements may be general."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    cast,
    false,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database, UtcDateTime
from modhost_background_jobs.contracts.states import JobState
from modhost_background_jobs.queue.tables import Attempt, FinishedJob, Job, JobColumns, LogEntry

JOBS: Final[Table] = Job.__table__  # type: ignore[attr-defined]
FINISHED: Final[Table] = FinishedJob.__table__  # type: ignore[attr-defined]
ATTEMPTS: Final[Table] = Attempt.__table__  # type: ignore[attr-defined]
LOGS: Final[Table] = LogEntry.__table__  # type: ignore[attr-defined]

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

    async def page(
        self, state: JobState | None, job_type: str | None, offset: int, limit: int
    ) -> tuple[list[Row], int]:
        """Return a stretch of the jobs, newest first, and how many there are in all."""
        async with self._database.reading() as session:
            connection = await session.connection()
            total = 0
            parts = []
            for table, of_state in parts_of(state, job_type):
                conditions = _conditions(table, of_state, job_type)
                counted = select(func.count()).select_from(table).where(*conditions)
                total += (await connection.execute(counted)).scalar_one()
                newest = (
                    columns_of(table)
                    .where(*conditions)
                    .order_by(table.c.id.desc())
                    .limit(offset + limit)
                )
                parts.append(select(newest.subquery()))
            both = union_all(*parts).subquery()
            statement = select(both).order_by(both.c.id.desc()).offset(offset).limit(limit)
            rows = await connection.execute(statement)
            return [dict(row) for row in rows.mappings()], total

    async def find(self, job_id: UUID) -> Row | None:
        """Return a job, or None."""
        async with self._database.reading() as session:
            return await _find(await session.connection(), job_id)

    async def many(self, ids: Collection[UUID]) -> dict[UUID, Row]:
        """Return the jobs that there are of these, without their data."""
        rows = union_all(
            *(columns_of(table, _LIVE).where(table.c.id.in_(ids)) for table in (JOBS, FINISHED))
        )
        async with self._database.reading() as session:
            found = await rows_of(await session.connection(), select(rows.subquery()))
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
            logs = select(LOGS.c.logged_at, LOGS.c.message).where(LOGS.c.job_id == job_id)
            attempts = await _attempts(connection, job_id)
            return job, attempts, await rows_of(connection, logs.order_by(LOGS.c.line))


def tables_of(state: JobState | None) -> tuple[Table, ...]:
    """Return the tables that hold jobs in a state, or in any."""
    if state is None:
        return (JOBS, FINISHED)
    return (FINISHED,) if state.is_final else (JOBS,)


def parts_of(state: JobState | None, job_type: str | None) -> list[tuple[Table, JobState | None]]:
    """Return the tables to read, each with the state to look for.

    The finished jobs of a type lie together by their state in the index, so they are read state
    by state when it may be any.
    """
    if state is None and job_type is not None:
        final = [each for each in JobState if each.is_final]
        return [(JOBS, None), *((FINISHED, each) for each in final)]
    return [(table, state) for table in tables_of(state)]


def in_state(table: FromClause, state: JobState) -> ColumnElement[bool]:
    """Return the condition, written out so that partial indexes of a state are found."""
    return table.c.state == literal_column(f"'{state.value}'")


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


def _conditions(
    table: Table, state: JobState | None, job_type: str | None
) -> list[ColumnElement[bool]]:
    conditions = []
    if state is not None:
        conditions.append(in_state(table, state))
    if job_type is not None:
        conditions.append(table.c.job_type == job_type)
    return conditions


async def _find(connection: AsyncConnection, job_id: UUID) -> Row | None:
    # One statement over both tables: a job that moves between them is never missed.
    both = union_all(*(columns_of(table).where(table.c.id == job_id) for table in (JOBS, FINISHED)))
    rows = await rows_of(connection, select(both.subquery()))
    return rows[0] if rows else None


async def _attempts(connection: AsyncConnection, job_id: UUID) -> list[Row]:
    attempts = select(ATTEMPTS).where(ATTEMPTS.c.job_id == job_id)
    return await rows_of(connection, attempts.order_by(ATTEMPTS.c.fence))


async def rows_of(connection: AsyncConnection, statement: Select[Any]) -> list[Row]:
    """Return what a statement selects."""
    return [dict(row) for row in (await connection.execute(statement)).mappings()]
