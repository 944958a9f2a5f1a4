"""Limits at one moment: the number that holds, what runs within it, and what waits behind it."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from modhost.database import Database
from modhost_background_jobs.queries.flow.backlog import running_jobs
from modhost_background_jobs.queries.flow.held_jobs import HeldJobs, held_jobs
from modhost_background_jobs.queue.limits import LimitRow, Limits, UnknownLimit

FIRST_KEYS = 5


class LimitStatus(BaseModel):
    """A limit; `period` is in seconds, None for how many may run at the same time.

    `keys_waiting` stops at 1,000, `jobs_waiting` at 10,000.
    """

    name: str
    kind: Literal["concurrency", "rate"]
    limit: int
    period: float | None
    default_limit: int
    keys_waiting: int
    jobs_waiting: int
    running: int


@dataclass(frozen=True, slots=True)
class LimitView:
    """A limit, with what only people are shown: its row, and the first keys that jobs wait for."""

    status: LimitStatus
    row: LimitRow
    held: HeldJobs


class LimitReader:
    """Reads the limits; every number is bounded, however many jobs there are."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    async def all(self) -> list[LimitView]:
        """Return all limits by name."""
        rows = await self._limits.all()
        async with self._database.reading() as session:
            connection = await session.connection()
            held = await held_jobs(connection, FIRST_KEYS)
            running = (await running_jobs(connection)).by_limit
        return [
            _view(row, held.get(row.name, HeldJobs()), running.get(row.name, 0)) for row in rows
        ]

    async def find(self, name: str) -> LimitView:
        """Return a limit. Raises `UnknownLimit`."""
        views = await self.all()
        for each in views:
            if each.status.name == name:
                return each
        raise UnknownLimit(name, [each.status.name for each in views])


def _view(row: LimitRow, held: HeldJobs, running: int) -> LimitView:
    status = LimitStatus(
        name=row.name,
        kind="rate" if row.period_seconds is not None else "concurrency",
        limit=row.limit,
        period=row.period_seconds,
        default_limit=row.default_limit,
        keys_waiting=held.keys,
        jobs_waiting=held.jobs,
        running=running,
    )
    return LimitView(status, row, held)
