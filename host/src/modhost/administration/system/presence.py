"""Which web hosts run, on whatever machines: each says so from time to time."""

import os
import socket
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import anyio
from anyio.abc import TaskStatus
from sqlalchemy import MetaData, delete
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col, select

from modhost.clock import Clock
from modhost.database import Database, UtcDateTime
from modhost.ids import new_id
from modhost.module import HostInfo, PeriodicService, ProcessReport
from modhost.web import RequestCounts

FIRST_SECONDS: Final = 1.0
"""A host that ends at once leaves no trace."""
INTERVAL_SECONDS: Final = 20.0
ALIVE: Final = timedelta(seconds=60)
FORGOTTEN: Final = timedelta(hours=1)
LEAVE_SECONDS: Final = 2.0


class PresenceTable(SQLModel, registry=registry(metadata=MetaData(schema="modhost"))):
    """Base of the table of web hosts, in a registry of its own."""


class WebHostRow(PresenceTable, table=True):
    """A web host that runs, or has ended without leaving."""

    __tablename__ = "web_hosts"

    id: UUID = Field(primary_key=True)
    machine: str
    version: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    heard_at: datetime = Field(sa_type=UtcDateTime)
    load: str


class Presence(PeriodicService):
    """Keeps the row of this web host, and reads those of the others.

    Attributes:
        load: how many requests this one has answered a minute, between its last two steps.

    """

    name = "presence"
    interval = INTERVAL_SECONDS
    failure = "The note that this host runs"

    def __init__(
        self, database: Database, clock: Clock, info: HostInfo, counts: RequestCounts
    ) -> None:
        self._database = database
        self._clock = clock
        self._info = info
        self._counts = counts
        self._counted = 0
        self._counted_at = clock.now()
        self.load = ""
        self._id = new_id()
        self._started_at: datetime | None = None
        self._is_noted = False

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Repeat the step until cancelled, and take the row back."""
        try:
            await super().run(task_status=task_status)
        finally:
            if self._is_noted:
                # Without it the others forget this host an hour later.
                bound = anyio.move_on_after(LEAVE_SECONDS, shield=True)
                with bound, suppress(*self._database.errors):
                    await self._leave()

    async def step(self) -> float | None:
        """Write that this host runs, and delete those of which nothing was heard for long."""
        now = self._clock.now()
        answered = self._counts.requests.total()
        seconds = max(1.0, (now - self._counted_at).total_seconds())
        self.load = f"{60 * (answered - self._counted) / seconds:.0f} requests a minute"
        self._counted, self._counted_at = answered, now
        if self._started_at is None:
            self._started_at = now
            return FIRST_SECONDS
        self._is_noted = True
        async with self._database.session() as session:
            forgotten = col(WebHostRow.heard_at) < now - FORGOTTEN
            await (await session.connection()).execute(delete(WebHostRow).where(forgotten))
            await session.merge(
                WebHostRow(
                    id=self._id,
                    machine=f"{socket.gethostname()}, process {os.getpid()}",
                    version=self._info.version,
                    started_at=self._started_at,
                    heard_at=now,
                    load=self.load,
                )
            )
        return None

    async def others(self) -> list[ProcessReport]:
        """Return the other web hosts; those that ended without leaving for an hour."""
        now = self._clock.now()
        async with self._database.reading() as session:
            rows = (await session.exec(select(WebHostRow).order_by(col(WebHostRow.id)))).all()
        return [
            ProcessReport(
                row.machine,
                "web",
                row.version,
                row.machine,
                row.started_at,
                row.heard_at,
                is_alive=now - row.heard_at < ALIVE,
                load=row.load,
            )
            for row in rows
            if row.id != self._id
        ]

    async def _leave(self) -> None:
        async with self._database.session() as session:
            own = col(WebHostRow.id) == self._id
            await (await session.connection()).execute(delete(WebHostRow).where(own))
