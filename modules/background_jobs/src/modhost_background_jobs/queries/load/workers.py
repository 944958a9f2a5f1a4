"""The workers that are registered, and those that are gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import DepartedRow, Departure, WorkerRow
from modhost_background_jobs.queries.partitions import in_state
from modhost_background_jobs.storage.tables import DEPARTED, JOBS, WORKERS

UNCLEAN: Final = (Departure.DIED, Departure.CRASHED)
RUNNING_COUNT: Final = (
    select(func.count()).select_from(JOBS).where(in_state(JOBS, JobState.RUNNING))
)
_WORKERS: Final = select(
    WORKERS,
    RUNNING_COUNT.where(JOBS.c.worker == WORKERS.c.name).scalar_subquery().label("running"),
).order_by(WORKERS.c.name)
_DEPARTED: Final = select(DEPARTED).order_by(DEPARTED.c.left_at.desc(), DEPARTED.c.name)
_DEPARTURES: Final = select(DEPARTED.c.departure, func.count()).group_by(DEPARTED.c.departure)
_WORKER_FIELDS: Final = [field.name for field in fields(WorkerRow)]


async def read_workers(connection: AsyncConnection, *which: ColumnElement[bool]) -> list[WorkerRow]:
    """Return the registered workers by name, or those of them that fulfil the conditions."""
    rows = (await connection.execute(_WORKERS.where(*which))).mappings()
    return [WorkerRow(**_values(row, _WORKER_FIELDS)) for row in rows]


@dataclass(frozen=True, slots=True)
class Departures:
    """How many workers left within a day in each way, and the last of them."""

    counts: Mapping[Departure, int]
    last: Sequence[DepartedRow]

    @property
    def lost(self) -> int:
        """How many have died or crashed."""
        return sum(self.counts.get(each, 0) for each in UNCLEAN)


async def read_departed(connection: AsyncConnection, limit: int) -> list[DepartedRow]:
    """Return the workers that left, the last one first, at most so many."""
    rows = (await connection.execute(_DEPARTED.limit(limit))).mappings()
    names = [column.name for column in DEPARTED.columns]
    return [
        DepartedRow(**_values(row, names) | {"departure": Departure(row["departure"])})
        for row in rows
    ]


async def count_departures(connection: AsyncConnection) -> dict[Departure, int]:
    """Return how many workers left in each way."""
    rows = await connection.execute(_DEPARTURES)
    return {Departure(departure): count for departure, count in rows}


def _values(row: RowMapping, names: list[str]) -> dict[str, Any]:
    """Return the values of a row, its lists taken apart."""
    lists = {"job_types", "queues"}
    return {
        name: tuple(filter(None, row[name].split(","))) if name in lists else row[name]
        for name in names
    }
