"""How many jobs arrive and finish within a minute, by queue and type, from the newest of them."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import in_state
from modhost_background_jobs.storage.tables import FINISHED, JOBS

MINUTE: Final = timedelta(minutes=1)
MAX_READ: Final = 5_000
"""Where more jobs finish or arrive in a minute, as many as these say how fast they do."""
_FINAL: Final = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)

Key: TypeAlias = tuple[str, str]
"""A queue and a type."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Jobs a minute: those that finished, and those that were enqueued."""

    finished: Counter[Key] = field(default_factory=Counter)
    arrived: Counter[Key] = field(default_factory=Counter)


async def throughput(connection: AsyncConnection, now: datetime) -> Throughput:
    """Return what happened in the last minute."""
    found = Throughput()
    since = now - MINUTE
    for state in _FINAL:
        moment = FINISHED.c.completed_at
        newest = _newest(FINISHED, moment, in_state(FINISHED, state), moment > since)
        found.finished.update(await _counted(connection, newest, now))
    # Ids are in the order of their creation, and begin with its time.
    first_id = UUID(int=int(since.timestamp() * 1000) << 80)
    for table in (JOBS, FINISHED):
        newest = _newest(table, table.c.created_at, table.c.id > first_id, order=table.c.id)
        found.arrived.update(await _counted(connection, newest, now))
    return found


def _newest(
    table: Table,
    moment: ColumnElement[Any],
    *conditions: ColumnElement[bool],
    order: ColumnElement[Any] | None = None,
) -> Select[Any]:
    newest = (
        select(table.c.queue, table.c.job_type, moment.label("moment"))
        .where(*conditions)
        .order_by((moment if order is None else order).desc())
        .limit(literal_column(str(MAX_READ)))
        .subquery()
    )
    key = (newest.c.queue, newest.c.job_type)
    return select(*key, func.count(), func.min(newest.c.moment)).group_by(*key)


async def _counted(
    connection: AsyncConnection, statement: Select[Any], now: datetime
) -> dict[Key, int]:
    """Return the counts, as many as they would be in a minute if not all were read."""
    rows = (await connection.execute(statement)).all()
    factor = 1.0
    if sum(row[2] for row in rows) >= MAX_READ:
        span = max(now - min(row[3] for row in rows), timedelta(milliseconds=1))
        factor = max(1.0, MINUTE / span)
    return {(row[0], row[1]): round(row[2] * factor) for row in rows}
