"""Conditions that no index answers: checked of a bounded number of jobs at a time."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, cast, false, literal, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.queries.partitions import Partition
from modhost_background_jobs.queries.selection import CHECKED
from modhost_background_jobs.storage.tables import FINISHED, JOBS

BATCH_SIZE: Final = 5_000
"""The number of jobs that are checked for one page."""


async def narrow(
    connection: AsyncConnection,
    partitions: Sequence[Partition],
    batch_size: int,
    *,
    ascending: bool = False,
) -> tuple[list[Partition], UUID | None]:
    """Narrow partitions to the jobs of one batch that pass their checks.

    Args:
        connection: where to read.
        partitions: those without checks are narrowed to the same batch.
        batch_size: how many jobs of each partition are checked.
        ascending: whether the batch begins with the oldest job, and not with the newest.

    Returns:
        the narrowed partitions, and the id at which the batch ends, None if it reaches the last
        job.

    """
    checked = [each for each in partitions if each.checks]
    end = await _end(connection, checked, batch_size, ascending=ascending) if checked else None
    if end is not None:
        partitions = [
            each.narrowed(each.id <= end if ascending else each.id >= end) for each in partitions
        ]
    return [
        _passing(each, batch_size, ascending=ascending) if each.checks else each
        for each in partitions
    ], end


async def _end(
    connection: AsyncConnection,
    partitions: Sequence[Partition],
    batch_size: int,
    *,
    ascending: bool,
) -> UUID | None:
    lasts = []
    for number, partition in enumerate(partitions):
        # The last job of the batch, and whether one follows it.
        ordered = partition.ids().order_by(partition.order(ascending=ascending))
        last = ordered.offset(batch_size - 1).limit(2).subquery()
        lasts.append(select(literal(number), last.c.id))
    found: dict[int, list[UUID]] = {}
    for number, id_ in await connection.execute(union_all(*lasts)):
        found.setdefault(number, []).append(id_)
    full = [ids for ids in found.values() if len(ids) > 1]
    if not full:
        return None
    return min(map(min, full)) if ascending else max(map(max, full))


def _passing(partition: Partition, batch_size: int, *, ascending: bool) -> Partition:
    # Jobs may have come since the end was found.
    ordered = partition.order(ascending=ascending)
    if partition.is_of_others:
        ids = partition.ids().order_by(ordered).limit(2 * batch_size).subquery()
        # The limits keep the checks out of the parts, which others of their indexes would answer.
        found = [
            select(*checked_columns(table)).join(ids, ids.c.id == table.c.id)
            for table in (JOBS, FINISHED)
        ]
        parts = [select(each.limit(2 * batch_size).subquery()) for each in found]
        batch = union_all(*parts).subquery()
    else:
        batch = (
            partition.select(*checked_columns(partition.table))
            .order_by(ordered)
            .limit(2 * batch_size)
            .subquery()
        )
    return Partition(batch, [check(batch.c) for check in partition.checks])


def checked_columns(table: FromClause) -> list[ColumnElement[Any]]:
    """Return the columns `CHECKED` of either table."""
    absent = {
        "completed_at": cast(null(), FINISHED.c.completed_at.type).label("completed_at"),
        "on_hold": false().label("on_hold"),
    }
    return [table.c[name] if name in table.c else absent[name] for name in CHECKED]
