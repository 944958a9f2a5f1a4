"""Wrong ways to enqueue on SQLite: turns without memory, and unique keys without an index."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Table, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.model import NewJob, UniqueKey
from modhost_background_jobs.queue import unique
from modhost_background_jobs.storage import dialects
from modhost_background_jobs.storage.flow import turn_statements, turns
from modhost_background_jobs.storage.sqlite import insert_statements
from modhost_background_jobs.storage.tables import JOBS, UNIQUE_PERIODS
from simulation.flow.storm import FlowStorm
from simulation.links.faults import Link
from simulation.workers.invariants import PEOPLE

_enqueue = FlowStorm.enqueue
_insert_or_renew = dialects.insert_or_renew
_place = turn_statements.sqlite_place
_DROP_INDEX = "DROP INDEX IF EXISTS ix_background_jobs_jobs_unique"


@contextmanager
def _placing(change: Callable[[str], str]) -> Iterator[None]:
    """Change the SQL of places."""
    with (
        patch.object(insert_statements, "sqlite_place", lambda *names: change(_place(*names))),
        patch.object(turns, "PLACE_IN_SQLITE", change(turn_statements.PLACE_IN_SQLITE)),
    ):
        insert_statements.insert_flowing.cache_clear()
        yield
    insert_statements.insert_flowing.cache_clear()


def without_turns() -> AbstractContextManager[None]:
    """Place each fair job behind all others of its lane."""
    return _placing(lambda place: re.sub(r" AND fair_key = \?\d+", "", place))


def without_memory() -> AbstractContextManager[None]:
    """Place a key without live jobs before all others, whatever turns it has had."""
    return _placing(
        lambda place: re.sub(r"(fair_key = \?\d+) AND turn_at", r"\1 AND 0 AND turn_at", place)
    )


def without_a_front() -> AbstractContextManager[None]:
    """Place a key that has had no turn behind all others of the round."""
    return _placing(lambda place: place.replace("THEN front", "THEN substr(front, 1, 23) || '500'"))


class Reader:
    """Reads which unique keys are taken, and nothing keeps them from being taken meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def taken(self, jobs: Sequence[NewJob]) -> set[str]:
        """Return the keys of live jobs, and those of periods that last."""
        async with self._database.session() as session:
            connection = await session.connection()
            await connection.exec_driver_sql(_DROP_INDEX)
            live = await connection.execute(select(JOBS.c.unique_key))
            lasting = UNIQUE_PERIODS.c.ends_at > max(job.created_at for job in jobs)
            periods = await connection.execute(select(UNIQUE_PERIODS.c.unique_key).where(lasting))
            return {*live.scalars(), *periods.scalars()}


async def _enqueue_what_is_free(storm: FlowStorm, jobs: list[NewJob]) -> None:
    link = Link(f"{PEOPLE} who read", storm._seed, storm.server)
    reader = storm._remote(Reader(storm._world.database), link)
    try:
        taken = await reader.taken(jobs)
    except ConnectionResetError:
        return
    keys = {job.id: job.flow.unique for job in jobs}
    free = [job for job in jobs if (key := keys[job.id]) is None or _stored(key) not in taken]
    if free:
        await _enqueue(storm, free)


def _stored(key: UniqueKey) -> str:
    return key.stored or key.digest


async def _renew(connection: AsyncConnection, table: Table, rows: Any, key: str, _: Any) -> Any:
    return await _insert_or_renew(connection, table, rows, key, true())


@contextmanager
def read_before_insert() -> Iterator[None]:
    """Read which keys are taken, and then insert whatever has come meanwhile."""
    with (
        patch.object(FlowStorm, "enqueue", _enqueue_what_is_free),
        patch.object(unique, "insert_or_renew", _renew),
    ):
        yield
