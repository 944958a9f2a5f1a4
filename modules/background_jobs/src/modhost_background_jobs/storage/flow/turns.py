"""Turns: due jobs of a fair type start in rounds, one job of each key in a round.

The place of a job in its lane is then its round, as a time in the years before 2000, so that an
index by places serves lanes of both kinds. A round begins where the first due job of the lane is:
a key that had no job waits for none of the rounds that others have planned.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, bindparam, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.model import Lane
from modhost_background_jobs.storage.tables import IN_LANE, JOBS, PLACE

FIRST_ROUND: Final = datetime(1970, 1, 1, tzinfo=UTC)
ROUND: Final = timedelta(seconds=1)
LAST_ROUND: Final = datetime(2000, 1, 1, tzinfo=UTC)
TURNS_BATCH_SIZE: Final = 500

_PLACE: Final = literal_column(PLACE, JOBS.c.execute_at.type)
_HEAD: Final = (
    select(_PLACE)
    .where(JOBS.c.lane == bindparam("in_lane"), literal_column(IN_LANE), _PLACE < LAST_ROUND)
    .order_by(_PLACE)
    .limit(1)
)
_LAST: Final = select(func.max(JOBS.c.place_at)).where(
    JOBS.c.lane == bindparam("in_lane"), JOBS.c.fair_key == bindparam("key")
)


async def give_turns(
    connection: AsyncConnection, jobs: Iterable[RowMapping | dict[str, Any]], now: datetime
) -> dict[Any, datetime]:
    """Return the places of those among the jobs that are fair and due, by their ids.

    Args:
        connection: reads what is pending, in the transaction that stores the places.
        jobs: `id`, `lane`, `fair_key` and `execute_at` of each, in the order of their turns.
        now: which ones are due.

    """
    heads: dict[str, datetime] = {}
    last: dict[tuple[str, str], datetime] = {}
    places = {}
    for job in jobs:
        lane, key = job["lane"], job["fair_key"]
        if key is None or job["execute_at"] > now:
            continue
        if lane not in heads:
            found = await connection.execute(_HEAD, {"in_lane": lane})
            heads[lane] = found.scalar_one_or_none() or FIRST_ROUND
        if (lane, key) in last:
            place = last[lane, key] + ROUND
        else:
            latest = await connection.execute(_LAST, {"in_lane": lane, "key": key})
            before = latest.scalar_one_or_none()
            place = heads[lane] if before is None else max(heads[lane], before + ROUND)
        places[job["id"]] = last[lane, key] = place
    return places


class Turns:
    """Gives jobs their turns that were not due when they were enqueued."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def place_due(self, lane: Lane, now: datetime) -> None:
        """Place the jobs of a fair lane that fell due; those that are locked, the next time."""
        due = (
            select(JOBS.c.id, JOBS.c.lane, JOBS.c.fair_key, JOBS.c.execute_at)
            .where(JOBS.c.lane == lane.stored, literal_column(IN_LANE))
            .where(_PLACE >= LAST_ROUND, now >= _PLACE)
            .order_by(_PLACE, JOBS.c.id)
            .limit(TURNS_BATCH_SIZE)
        )
        async with self._database.reading() as session:
            if not (await (await session.connection()).execute(due.limit(1))).first():
                return
        async with self._database.session() as session:
            connection = await session.connection()
            locked = await connection.execute(due.with_for_update(skip_locked=True))
            places = await give_turns(connection, locked.mappings().all(), now)
            for id_, place in places.items():
                placed = update(JOBS).where(JOBS.c.id == id_).values(place_at=place)
                await connection.execute(placed)
