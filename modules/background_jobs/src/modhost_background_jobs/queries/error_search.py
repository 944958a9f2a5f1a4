"""Looking for words, which have no index: in a bounded number of errors at a time."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import JOBS, Part, parts_of

BATCH_SIZE: Final = 500
"""So many jobs with an error are looked through for one page."""


def with_errors(state: JobState | None) -> list[Part]:
    """Return the parts of the jobs in whose errors words are looked for."""
    # A skipped run has a reason, which is no failure.
    parts = [Part(JOBS), *parts_of(JobState.FAILED)] if state is None else parts_of(state)
    return [part.narrowed(part.table.c.error.is_not(None)) for part in parts]


async def look_through(
    connection: AsyncConnection,
    parts: Sequence[Part],
    words: str,
    job_type: str | None,
    at_once: int,
    *,
    ascending: bool = False,
) -> tuple[list[Part], UUID | None]:
    """Narrow parts to those of a window whose error has the words, in any case.

    Also returns the id up to which the window goes, or None when it goes to the end.
    """
    end = await _end(connection, parts, at_once, ascending=ascending)
    if end is not None:
        parts = [
            part.narrowed(part.table.c.id <= end if ascending else part.table.c.id >= end)
            for part in parts
        ]
    # Some may have come since the end was found.
    most = 2 * at_once
    return [_matching(each, words, job_type, most, ascending=ascending) for each in parts], end


async def _end(
    connection: AsyncConnection, parts: Sequence[Part], at_once: int, *, ascending: bool
) -> UUID | None:
    lasts = []
    for number, part in enumerate(parts):
        # The last one of the window, and whether there is one after it.
        last = (
            part.ids()
            .order_by(part.order(ascending=ascending))
            .offset(at_once - 1)
            .limit(2)
            .subquery()
        )
        lasts.append(select(literal(number), last.c.id))
    found: dict[int, list[UUID]] = {}
    for number, id_ in await connection.execute(union_all(*lasts)):
        found.setdefault(number, []).append(id_)
    full = [ids for ids in found.values() if len(ids) > 1]
    if not full:
        return None
    return min(min(ids) for ids in full) if ascending else max(max(ids) for ids in full)


def _matching(part: Part, words: str, job_type: str | None, most: int, *, ascending: bool) -> Part:
    table = part.table
    # Of any type: not each combination has an index.
    window = (
        select(table.c.id, table.c.job_type, table.c.error)
        .where(*part.conditions)
        .order_by(part.order(ascending=ascending))
        .limit(most)
        .subquery()
    )
    found = [func.lower(window.c.error).contains(words.lower(), autoescape=True)]
    if job_type is not None:
        found.append(window.c.job_type == job_type)
    return Part(table, [table.c.id.in_(select(window.c.id).where(*found))])
