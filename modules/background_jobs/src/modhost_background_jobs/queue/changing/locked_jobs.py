"""Locking one job that somebody wants to change, and what has to be locked before it."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Table, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobConflict, JobNotFound, JobState
from modhost_background_jobs.storage.tables import CONDITIONS, FINISHED, JOBS, WORKFLOWS


class LiveJob(NamedTuple):
    """A live job that is locked."""

    state: JobState
    is_awaited: bool
    workflow_id: UUID | None
    on_hold: bool


class FinishedRow(NamedTuple):
    """A finished job that is locked."""

    state: JobState
    job_type: str
    workflow_id: UUID | None


async def lock_live(
    connection: AsyncConnection,
    job_id: UUID,
    action: str = "cancelled",
    allowed: str = "a pending or running job",
) -> LiveJob:
    """Lock a live job, and before it its workflow and the condition that it waits for.

    `action` is what is to be done to it, `allowed` which jobs that can be done to.

    Raises `JobNotFound` and `JobConflict`.
    """
    columns = (JOBS.c.state, JOBS.c.is_awaited, JOBS.c.workflow_id, JOBS.c.on_hold)
    # Locked before it is read: a claim in progress is waited for.
    locking = select(*columns).where(JOBS.c.id == job_id).with_for_update()
    alone = locking.where(JOBS.c.workflow_id.is_(None), JOBS.c.on_hold.is_(False))
    while not (row := (await connection.execute(alone)).one_or_none()):
        await _lock_workflow(connection, JOBS, job_id)
        await _lock_condition(connection, job_id)
        if row := (await connection.execute(locking)).one_or_none():
            break
        found = await _state(connection, job_id)
        # A live job after all has come back in between, by a retry.
        if found.is_final:
            raise JobConflict(job_id, found, action, allowed)
    return LiveJob(JobState(row.state), *row[1:])


async def lock_failed(connection: AsyncConnection, job_id: UUID) -> None:
    """Lock a failed job, and its workflow before it. Raises `JobNotFound` and `JobConflict`."""
    await _lock_workflow(connection, FINISHED, job_id)
    is_failed = FINISHED.c.state == JobState.FAILED.value
    statement = select(FINISHED.c.id).where(FINISHED.c.id == job_id, is_failed).with_for_update()
    while not (await connection.execute(statement)).first():
        found = await _state(connection, job_id)
        # A failed job after all has failed in between.
        if found is not JobState.FAILED:
            raise JobConflict(job_id, found, "retried", "a failed job")


async def lock_finished(connection: AsyncConnection, job_id: UUID, action: str) -> FinishedRow:
    """Lock a finished job, and its workflow before it. Raises `JobNotFound` and `JobConflict`."""
    await _lock_workflow(connection, FINISHED, job_id)
    columns = (FINISHED.c.state, FINISHED.c.job_type, FINISHED.c.workflow_id)
    statement = select(*columns).where(FINISHED.c.id == job_id).with_for_update()
    while not (row := (await connection.execute(statement)).one_or_none()):
        found = await _state(connection, job_id)
        # A finished job after all has finished in between.
        if not found.is_final:
            raise JobConflict(job_id, found, action, "a finished job")
    return FinishedRow(JobState(row.state), *row[1:])


async def _lock_workflow(connection: AsyncConnection, table: Table, job_id: UUID) -> None:
    """Lock the workflow of a job, if it has one."""
    of_job = select(table.c.workflow_id).where(table.c.id == job_id).scalar_subquery()
    locking = select(WORKFLOWS.c.id).where(WORKFLOWS.c.id == of_job).with_for_update()
    await connection.execute(locking)


async def _lock_condition(connection: AsyncConnection, job_id: UUID) -> None:
    """Lock the condition of a job, if it has one, as ends of others do before they release it."""
    locking = select(CONDITIONS.c.job_id).where(CONDITIONS.c.job_id == job_id).with_for_update()
    await connection.execute(locking)


async def _state(connection: AsyncConnection, job_id: UUID) -> JobState:
    """Return the state of a job. Raises `JobNotFound`."""
    if (state := await read_column(connection, job_id, "state")) is None:
        raise JobNotFound(job_id)
    return JobState(state)


async def read_column(connection: AsyncConnection, job_id: UUID, column: str) -> str | None:
    """Return a column of a job; None for an unknown id."""
    # One statement reads both tables: between its parts no job can move from one to the other.
    parts = [select(table.c[column]).where(table.c.id == job_id) for table in (JOBS, FINISHED)]
    value: str | None = (await connection.execute(union_all(*parts))).scalar_one_or_none()
    return value
