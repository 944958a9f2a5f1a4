"""What is done to a process from within: its clock is moved, its connections are all taken."""

import json
import os
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskStatus

from modhost.clock import SystemClock
from modhost.database import Database
from modhost.module import HostedService

POLL_SECONDS = 0.1
CONNECTIONS = 15


class MovedClock:
    """The clock of this process, which differs from that of the machine by what it is moved."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        moved, right = self, SystemClock.now

        def now(self: SystemClock) -> datetime:
            return right(self) + moved.ahead

        SystemClock.now = now  # type: ignore[method-assign]


class Orders:
    """Files by which processes are asked to do something, one for each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def give(self, pid: int, **order: float) -> None:
        """Ask a process for something."""
        path = self._folder / f"{pid}.new"
        path.write_text(json.dumps(order))
        path.rename(path.with_suffix(".json"))

    def take(self) -> dict[str, Any]:
        """Return what this process is asked for, once."""
        path = self._folder / f"{os.getpid()}.json"
        if not path.exists():
            return {}
        order: dict[str, Any] = json.loads(path.read_text())
        path.unlink()
        return order


class Controls(HostedService):
    """Does what its process is asked for: `ahead` moves its clock, `hold` takes its connections."""

    name = "chaos controls"

    def __init__(self, orders: Orders, clock: MovedClock, database: Database) -> None:
        self._orders = orders
        self._clock = clock
        self._database = database

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        async with anyio.create_task_group() as group:
            while True:
                order = self._orders.take()
                if "ahead" in order:
                    self._clock.ahead = timedelta(seconds=order["ahead"])
                if "hold" in order:
                    group.start_soon(self._hold_connections, order["hold"])
                await anyio.sleep(POLL_SECONDS)

    async def _hold_connections(self, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            async with anyio.create_task_group() as group:
                for _ in range(CONNECTIONS):
                    group.start_soon(self._hold_session)
                    if self._database.dialect == "postgresql":
                        group.start_soon(self._hold_connection)

    async def _hold_session(self) -> None:
        async with self._database.reading() as session:
            await session.connection()
            await anyio.sleep_forever()

    async def _hold_connection(self) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._database.postgres.acquire())
            await anyio.sleep_forever()
