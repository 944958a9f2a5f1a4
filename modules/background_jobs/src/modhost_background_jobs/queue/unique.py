"""Inserting jobs that must not be there twice: by an index, or by a table of periods.

Two hosts that enqueue a key at the same time are decided by the database: on PostgreSQL the second
waits until the first has committed, on SQLite there is one writer at a time.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import delete, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import NewJob, UniqueKey
from modhost_background_jobs.queue.inserting import insert_found_by, insert_rows, values_of
from modhost_background_jobs.storage.columns import FLOW
from modhost_background_jobs.storage.dialects import insert_or_renew
from modhost_background_jobs.storage.large_data import in_row, insert_large
from modhost_background_jobs.storage.tables import (
    IS_UNIQUE,
    JOB_TAGS,
    JOB_WORDS,
    JOBS,
    LARGE_DATA,
    UNIQUE_PERIODS,
)

BATCH_SIZE: Final = 500
"""Of how many jobs the keys are read at a time."""
_REPLACED: Final = (
    *("data", "execute_at", "module_version"),
    *(name for name in FLOW if name != "unique_key"),
)


class _Unique(NamedTuple):
    """A job that has a key, and the key."""

    job: NewJob
    key: UniqueKey


class _Holder(NamedTuple):
    """The job that has a key."""

    id: UUID
    is_pending: bool


async def insert_jobs(
    connection: AsyncConnection, jobs: Sequence[NewJob], *, unless_there: bool = False
) -> list[UUID]:
    """Insert jobs as `Pending`; return the id of each, or of the job that has its unique key.

    `unless_there` is for a job whose id may be that of a live one, which then stays as it is.
    """
    plain = [job for job in jobs if job.flow.unique is None]
    if plain:
        await insert_rows(connection, plain, unless_there=unless_there)
    chosen: dict[str, _Unique] = {}
    for job in jobs:
        # Of those of one call the last one replaces the others.
        if (key := job.flow.unique) and (key.replaces or key.text not in chosen):
            chosen[key.text] = _Unique(job, key)
    standing: dict[str, UUID] = {}
    # In one order, so that hosts with the same keys wait for each other, and do not deadlock.
    ordered = iter(sorted(chosen.items(), key=lambda pair: pair[1].key.digest))
    while some := dict(islice(ordered, BATCH_SIZE)):
        standing |= await _insert_unique(connection, some)
    return [standing[job.flow.unique.text] if job.flow.unique else job.id for job in jobs]


async def _insert_unique(
    connection: AsyncConnection, waiting: dict[str, _Unique]
) -> dict[str, UUID]:
    """Insert jobs unless their keys are taken; return which job stands for each text of a key."""
    standing: dict[str, UUID] = {}
    while waiting:
        new = await _insert_free(connection, list(waiting.values()))
        standing |= {text: each.job.id for text, each in waiting.items() if each.job.id in new}
        taken = {text: each for text, each in waiting.items() if each.job.id not in new}
        holders = await _holders(connection, taken) if taken else {}
        # Again where the holder has finished, or begun, in between.
        waiting = {}
        for text, each in taken.items():
            holder = holders.get(text)
            replaces = each.key.replaces and holder is not None and holder.is_pending
            if holder is None or (replaces and not await _replace(connection, holder.id, each.job)):
                waiting[text] = each
            else:
                standing[text] = holder.id
    return standing


async def _insert_free(connection: AsyncConnection, jobs: Sequence[_Unique]) -> set[UUID]:
    """Insert the jobs whose keys, and ids, are free; return their ids."""
    with_period = [each for each in jobs if each.key.stored is None]
    rows = [
        {
            "unique_key": key.digest,
            "job_id": job.id,
            "ends_at": job.created_at + key.until,
        }
        for job, key in with_period
        if isinstance(key.until, timedelta)
    ]
    renewed = set()
    if rows:
        now = jobs[0].job.created_at
        has_ended = UNIQUE_PERIODS.c.ends_at <= now
        keys = await insert_or_renew(connection, UNIQUE_PERIODS, rows, "unique_key", has_ended)
        renewed = {job.id for job, key in with_period if key.digest in keys}
    held = {job.id for job, _ in with_period} - renewed
    free = [job for job, _ in jobs if job.id not in held]
    return await insert_rows(connection, free, unless_there=True) if free else set()


async def _holders(connection: AsyncConnection, taken: dict[str, _Unique]) -> dict[str, _Holder]:
    """Return which live jobs have the keys; of periods, whatever has become of the job."""
    by_index = [text for text, each in taken.items() if each.key.stored is not None]
    by_period = [text for text, each in taken.items() if each.key.stored is None]
    found: dict[str, _Holder] = {}
    if by_index:
        by_id = {each.job.id: text for text, each in taken.items()}
        columns = (JOBS.c.id, JOBS.c.state, JOBS.c.unique_key)
        has_key = JOBS.c.unique_key.in_(by_index) & literal_column(IS_UNIQUE)
        reading = select(*columns).where(or_(has_key, JOBS.c.id.in_(by_id)))
        for id_, state, stored in await connection.execute(reading):
            found[by_id.get(id_) or stored] = _Holder(id_, state == JobState.PENDING.value)
    if by_period:
        joined = UNIQUE_PERIODS.outerjoin(JOBS, JOBS.c.id == UNIQUE_PERIODS.c.job_id)
        reading = select(
            UNIQUE_PERIODS.c.unique_key, UNIQUE_PERIODS.c.job_id, JOBS.c.state
        ).select_from(joined)
        reading = reading.where(UNIQUE_PERIODS.c.unique_key.in_(by_period))
        for digest, id_, state in await connection.execute(reading):
            found[digest] = _Holder(id_, state == JobState.PENDING.value)
    return found


async def _replace(connection: AsyncConnection, job_id: UUID, job: NewJob) -> bool:
    """Give a job what another was to have; return whether it was still pending."""
    is_pending = (JOBS.c.id == job_id, JOBS.c.state == JobState.PENDING.value)
    locking = select(JOBS.c.tags, JOBS.c.summary).where(*is_pending).with_for_update()
    if (before := (await connection.execute(locking)).first()) is None:
        return False
    values = values_of(job) | {"id": job_id}
    row = in_row(connection, values)
    # Its place among the due ones, and what held it back, were those of other data.
    changed = {name: row[name] for name in _REPLACED} | {
        "place_at": None,
        "turn_at": None,
        "held_by": None,
    }
    await connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(changed))
    filled = {LARGE_DATA: True, JOB_TAGS: before.tags, JOB_WORDS: before.summary}
    for table in (table for table, is_filled in filled.items() if is_filled):
        await connection.execute(delete(table).where(table.c.job_id == job_id))
    await insert_large(connection, [values])
    await insert_found_by(connection, job_id, job)
    return True
