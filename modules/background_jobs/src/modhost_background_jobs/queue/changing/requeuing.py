"""Queueing failed jobs again, and reviving what was cancelled because of them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, insert, literal, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.columns import CARRIED, UNSTARTED_KEY
from modhost_background_jobs.storage.dialects import in_batches, insert_selected
from modhost_background_jobs.storage.tables import ATTEMPTS, DEPENDENCIES, FINISHED, IS_UNIQUE, JOBS
from modhost_background_jobs.storage.workflows import workflow_statements
from modhost_background_jobs.storage.workflows.ending import revive
from modhost_background_jobs.storage.workflows.rules import Tally
from modhost_background_jobs.storage.workflows.steps import run_in_session


async def requeue(connection: AsyncConnection, job_ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Move failed jobs to the live ones: the last attempt of each recorded, all else as if new.

    What was cancelled because of them waits for them again. Returns the jobs that were moved; the
    others stay as they are, since another job has their unique key.
    """
    moved: set[UUID] = set()
    workflows: Counter[UUID] = Counter()
    for some in in_batches(job_ids):
        is_one = FINISHED.c.id.in_(some)
        columns = _live_columns(now)
        failed = select(*columns.values()).where(is_one)
        inserted = await insert_selected(connection, JOBS, list(columns), failed)
        moved |= inserted
        is_moved = FINISHED.c.id.in_(inserted)
        belongs = FINISHED.c.workflow_id.is_not(None)
        reading = select(FINISHED.c.workflow_id).where(is_moved, belongs)
        workflows.update((await connection.execute(reading)).scalars())
        attempts = _last_attempts()
        ended = select(*attempts.values()).where(is_moved)
        await connection.execute(insert(ATTEMPTS).from_select(list(attempts), ended))
        await connection.execute(delete(FINISHED).where(is_moved))
    await _revive(connection, sorted(moved), workflows, now)
    return moved


async def holder_of_key(connection: AsyncConnection, job_id: UUID) -> UUID | None:
    """Return the live job that has the unique key of a finished one; None when it is free."""
    key: ColumnElement[str] = literal_column(UNSTARTED_KEY)
    has_key = JOBS.c.unique_key == select(key).where(FINISHED.c.id == job_id).scalar_subquery()
    reading = select(JOBS.c.id).where(has_key, literal_column(IS_UNIQUE))
    holder: UUID | None = (await connection.execute(reading)).scalar_one_or_none()
    return holder


async def _revive(
    connection: AsyncConnection, again: Sequence[UUID], workflows: Counter[UUID], now: datetime
) -> None:
    statements = workflow_statements(connection.dialect.name)
    reading = select(exists().where(DEPENDENCIES.c.after_id.in_(again[:1])))
    if workflows:
        tallies = {id_: Tally(over=-count, failed=-count) for id_, count in workflows.items()}
        await run_in_session(connection, statements.count(tallies, now))
    elif len(again) == 1 and not (await connection.execute(reading)).scalar_one():
        return
    await run_in_session(connection, revive(statements, again, now))


def _live_columns(now: datetime) -> dict[str, ColumnElement[Any]]:
    """Return what a failed job becomes."""
    finished = FINISHED.c
    fresh = {
        "state": JobState.PENDING.value,
        "execute_at": now,
        "rescues": 0,
        "worker": None,
        "started_at": None,
        "progress_percentage": 0,
        "progress_message": None,
    }
    columns: dict[str, ColumnElement[Any]] = {name: finished[name] for name in CARRIED}
    columns |= {name: literal(value, JOBS.c[name].type) for name, value in fresh.items()}
    columns["attempts_left"] = finished.max_attempts
    columns["unique_key"] = literal_column(UNSTARTED_KEY)
    has_dependents = exists().where(DEPENDENCIES.c.after_id == finished.id)
    columns["is_awaited"] = or_(finished.workflow_id.is_not(None), has_dependents)
    return columns


def _last_attempts() -> dict[str, ColumnElement[Any]]:
    finished = FINISHED.c
    return {
        "job_id": finished.id,
        "fence": finished.fence,
        "number": finished.attempt,
        "started_at": finished.started_at,
        "ended_at": finished.completed_at,
        "worker": finished.worker,
        "error": finished.error,
    }
