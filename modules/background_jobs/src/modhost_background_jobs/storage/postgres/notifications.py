"""Notifications on PostgreSQL: sent a bounded number of times a second, and listened to."""

import logging
from typing import Any, Final

import anyio
from anyio.abc import TaskStatus

from modhost import Clock, HostedService
from modhost.database import Database
from modhost.failures import failures
from modhost_background_jobs.storage.dialects import CHANNEL
from modhost_background_jobs.storage.postgres import statements
from modhost_background_jobs.storage.wakeups import Signal, Wakeups, wait_for

logger = logging.getLogger(__name__)

NOTIFYING: Final = "The notification of workers"
MIN_PAUSE_SECONDS: Final = 0.005
SHUTDOWN_TIMEOUT: Final = 1.0
SILENCE_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 5.0


class Notifications(HostedService):
    """Decides which inserts notify, and sends the notifications that the others owe.

    A commit that notifies holds a lock which is global to the server, so that commits of other
    producers wait for its turn at the disk. The first insert after a pause notifies at once, in
    its own transaction; inserts that follow within milliseconds owe one notification, which is
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
        """Return whether the insert that starts now is to notify in its own transaction."""
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
                passed = self._clock.monotonic() - self._notified_at
                await anyio.sleep(max(0.0, MIN_PAUSE_SECONDS - passed))
                await self._send_owed()
        finally:
            self._is_sending = False
            with anyio.move_on_after(SHUTDOWN_TIMEOUT, shield=True):
                await self._send_owed()

    async def _send_owed(self) -> None:
        if not self._is_owed:
            return
        self._is_owed = False
        self._notified_at = self._clock.monotonic()
        try:
            await self._database.postgres.execute(statements.NOTIFY)
            failures.passed(NOTIFYING)
        except Exception as error:  # noqa: BLE001 - it only helps: workers poll
            failures.failed(logger, NOTIFYING, error)


class PostgresWakeups(Wakeups):
    """Listens on a connection of its own.

    Args:
        database: the database that notifies.
        silence_seconds: after this long without a notification the connection is tested.
        answer_seconds: how long the test may take before the connection is given up.

    """

    def __init__(
        self,
        database: Database,
        *,
        silence_seconds: float = SILENCE_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        super().__init__()
        self._postgres = database.postgres
        self._silence_seconds = silence_seconds
        self._answer_seconds = answer_seconds

    async def listen(self) -> None:
        """Fire the signals by notifications, and once for what was committed before.

        Raises whatever ends the connection.
        """
        if self._postgres.is_pooled:
            # It would stay behind on a session that others share, and nothing would arrive here.
            self.fire()
            await anyio.sleep_forever()
        closed = anyio.Event()
        connection = await self._postgres.connect()
        try:
            connection.add_termination_listener(lambda _: closed.set())
            await connection.add_listener(CHANNEL, self._notified)
            self.fire()
            while not await wait_for(closed, self._silence_seconds):
                # A connection that was cut off without a word is as silent as an idle one.
                await connection.execute("SELECT 1", timeout=self._answer_seconds)
            raise ConnectionResetError("the server closed the connection")
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await connection.close()

    def _notified(self, _connection: Any, _process: int, _channel: str, payload: Any) -> None:
        if payload == "stop":
            self.stop_requests.fire()
        elif payload == "end":
            self.ends.fire()
        elif payload == "quiet":
            self.quiet.fire()
        else:
            self.work.fire()
