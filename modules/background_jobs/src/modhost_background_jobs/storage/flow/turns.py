"""Turns: due jobs of a fair type start in rounds, one job of each key in a round.

The place of a job in its lane is then its round, as a time in the years before 2000, so that an
index by places serves lanes of both kinds. The round under way is that of the first due job of the
lane. A key that has had no turn in it goes first, and is known by its last turn afterwards, so that
one whose jobs come one after another gets one in a round, as those do that have many waiting.
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import literal_column, select

from modhost.database import Database
from modhost_background_jobs.model import Lane
from modhost_background_jobs.storage.flow.turn_statements import (
    PLACE_IN_POSTGRES,
    PLACE_IN_SQLITE,
)
from modhost_background_jobs.storage.tables import IN_LANE, JOBS, PLACE

LAST_ROUND: Final = datetime(2000, 1, 1, tzinfo=UTC)
TURNS_BATCH_SIZE: Final = 500


def turns_of(keys: Iterable[Hashable | None]) -> list[int | None]:
    """Return how many jobs of its key are before each one; None for one without a key."""
    counted: Counter[Hashable] = Counter()
    turns: list[int | None] = []
    for key in keys:
        turns.append(None if key is None else counted[key])
        counted[key] += 1
    return turns


class Turns:
    """Gives jobs their turns that were not due when they were enqueued."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def place_due(self, lane: Lane, now: datetime) -> None:
        """Place the jobs of a fair lane that fell due; those that are locked, the next time."""
        place = literal_column(PLACE, JOBS.c.execute_at.type)
        due = (
            select(JOBS.c.id, JOBS.c.lane, JOBS.c.fair_key)
            .where(JOBS.c.lane == lane.stored, literal_column(IN_LANE))
            .where(place >= LAST_ROUND, now >= place)
            .order_by(place, JOBS.c.id)
            .limit(TURNS_BATCH_SIZE)
        )
        async with self._database.reading() as session:
            if not (await (await session.connection()).execute(due.limit(1))).first():
                return
        async with self._database.session() as session:
            connection = await session.connection()
            locked = (await connection.execute(due.with_for_update(skip_locked=True))).all()
            turns = turns_of(row.fair_key for row in locked)
            rows = [(*row, turn) for row, turn in zip(locked, turns, strict=True)]
            if not rows:
                return
            if self._database.dialect == "sqlite":
                stored = [(str(id_), *more) for id_, *more in rows]
                await connection.exec_driver_sql(PLACE_IN_SQLITE, stored)
            else:
                columns = tuple(map(list, zip(*rows, strict=True)))
                await connection.exec_driver_sql(PLACE_IN_POSTGRES, columns)
