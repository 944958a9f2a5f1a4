"""Telling the workers on PostgreSQL of new jobs, a bounded number of times a second."""

import logging
from typing import Final

import anyio
from anyio.abc import TaskStatus

from modhost.clock import Clock
from modhost.database import Database
from modhost.module import HostedService
from modhost_background_jobs.storage.postgres import statements
from modhost_background_jobs.storage.signals import Signal

logger = logging.getLogger(__name__)

MIN_PAUSE_SECONDS: Final = 0.005
SHUTDOWN_TIMEOUT: Final = 1.0


class Notifications(HostedService):
    """Decides which inserts notify, and sends what those that do not owe.

    A commit that notifies holds a lock which is global to the server, so that commits of other
    producers wait for its turn at the disk. The first insert after a pause notifies at once, in
    its own transaction; for those that follow within milliseconds one notification is owed, and
    sent after them. As long as nobody sends what is owed, every insert notifies.
    """

    name = "notifications"

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._notified_at = -MIN_PAUSE_SECONDS
        self._is_sending = False
        self._is_owed = False
        self._owed = Signal()

    def is_due(self) -> bool:
        """Tell whether the insert that begins now is to notify in its own transaction."""
        now = self._clock.monotonic()
        if self._is_sending and now - self._notified_at < MIN_PAUSE_SECONDS:
            return False
        self._notified_at = now
        return True

    def owe(self) -> None:
        """Have one sent soon, for an insert that did not notify, or may not have."""
        if not self._is_owed:
            self._is_owed = True
            self._owed.fire()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Send what is owed until cancelled, and once more then."""
        self._is_sending = True
        task_status.started()
        try:
            while True:
                ticket = self._owed.ticket()
                if not self._is_owed:
                    await ticket.wait()
                await anyio.sleep(self._seconds_to_wait())
                await self._send_owed()
        finally:
            self._is_sending = False
            with anyio.move_on_after(SHUTDOWN_TIMEOUT, shield=True):
                await self._send_owed()

    def _seconds_to_wait(self) -> float:
        passed = self._clock.monotonic() - self._notified_at
        return max(0.0, MIN_PAUSE_SECONDS - passed)

    async def _send_owed(self) -> None:
        if not self._is_owed:
            return
        self._is_owed = False
        self._notified_at = self._clock.monotonic()
        try:
            async with self._database.postgres.acquire() as connection:
                await connection.execute(statements.NOTIFY)
        except self._database.postgres.errors as error:
            logger.warning("Workers were not told of new jobs (%s); they poll.", error)
