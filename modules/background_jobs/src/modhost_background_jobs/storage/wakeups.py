"""How a consumer learns that there is work, or that a job is to stop, before it polls."""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import anyio

from modhost.database import Database
from modhost_background_jobs.storage.dialects import CHANNEL
from modhost_background_jobs.storage.signals import Signal, wait_for

logger = logging.getLogger(__name__)

COMMIT_SECONDS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
MIN_PAUSE_SECONDS: Final = 0.003
RECONNECT_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
LASTING_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 5.0


class Wakeups(Protocol):
    """Two signals, fired by changes that any process commits."""

    work: Signal
    stop_requests: Signal

    async def watch(self) -> None:
        """Fire the signals until cancelled; survives any loss of the connection."""
        ...


class SqliteWakeups:
    """Looks at `PRAGMA data_version`, which any other connection's commit changes.

    Where the system tells of writes to the write-ahead log it looks after one; a commit shows only
    once it is on disk, some time after its first write. Elsewhere it looks again and again.
    """

    def __init__(self, database: Database) -> None:
        self.work = Signal()
        self.stop_requests = Signal()
        self._sqlite = database.sqlite

    async def watch(self) -> None:
        """Look at what costs four microseconds, and locks nothing; again after every error."""
        await _keep_on(self._look, (sqlite3.Error, OSError))

    async def _look(self) -> None:
        seen = self._sqlite.data_version()
        # What was committed while nobody looked is found by one look.
        _fire_all(self)
        with self._sqlite.watch() as log:
            while True:
                await log.written()
                for pause in COMMIT_SECONDS if log.is_event_driven else (0.0,):
                    version = self._sqlite.data_version()
                    if version != seen:
                        seen = version
                        _fire_all(self)
                        break
                    await anyio.sleep(pause)
                if log.is_event_driven:
                    await anyio.sleep(MIN_PAUSE_SECONDS)


class PostgresWakeups:
    """Listens on a connection of its own.

    Args:
        database: the database that notifies.
        silence_seconds: after this long without a notification the connection is tested.
        answer_seconds: how long the server has to answer that.

    """

    def __init__(
        self,
        database: Database,
        *,
        silence_seconds: float = SILENCE_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.work = Signal()
        self.stop_requests = Signal()
        self._database = database
        self._silence_seconds = silence_seconds
        self._answer_seconds = answer_seconds

    async def watch(self) -> None:
        """Listen, and listen again after every loss of the connection."""
        await _keep_on(self._listen, self._database.postgres.errors)

    async def _listen(self) -> None:
        closed = anyio.Event()
        connection = await self._database.postgres.connect()
        try:
            connection.add_termination_listener(lambda _: closed.set())
            await connection.add_listener(CHANNEL, self._notified)
            # What was committed while nobody listened is found by one look.
            _fire_all(self)
            while not await wait_for(closed, self._silence_seconds):
                # A connection that was cut off without a word is silent as an idle one is.
                await connection.execute("SELECT 1", timeout=self._answer_seconds)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await connection.close()

    def _notified(self, _connection: Any, _process: int, _channel: str, payload: Any) -> None:
        if payload == "stop":
            self.stop_requests.fire()
        else:
            self.work.fire()


async def _keep_on(
    watch: Callable[[], Awaitable[None]], errors: tuple[type[Exception], ...]
) -> None:
    """Watch for ever: again when it ends, and after pauses that grow when it fails."""
    failures = 0
    while True:
        began = anyio.current_time()
        try:
            await watch()
            failures = 0
        except errors as error:
            if anyio.current_time() - began > LASTING_SECONDS:
                failures = 0
            pause = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
            failures += 1
            logger.warning("Lost the wake-ups (%s); polling, next try in %s s.", error, pause)
            await anyio.sleep(pause)


def _fire_all(wakeups: Wakeups) -> None:
    wakeups.work.fire()
    wakeups.stop_requests.fire()


def open_wakeups(database: Database) -> Wakeups:
    """Return the wake-ups that fit the database."""
    if database.dialect == "postgresql":
        return PostgresWakeups(database)
    return SqliteWakeups(database)
