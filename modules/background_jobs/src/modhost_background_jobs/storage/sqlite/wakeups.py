"""Wake-ups on SQLite, by the file that all processes share."""

from typing import Final

import anyio

from modhost.database import Database
from modhost_background_jobs.storage.wakeups import Wakeups

COMMIT_SECONDS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
MIN_PAUSE_SECONDS: Final = 0.003


class SqliteWakeups(Wakeups):
    """Polls `PRAGMA data_version`, which any other connection's commit changes.

    It costs four microseconds and locks nothing. Where the system reports writes to the
    write-ahead log it is read after one; a commit shows only once it is on disk, some time after
    its first write. Elsewhere it is read again and again.
    """

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._sqlite = database.sqlite

    async def listen(self) -> None:
        """Fire the signals after each commit, and once for what was committed before."""
        seen = self._sqlite.data_version()
        self.fire()
        with self._sqlite.watch() as log:
            while True:
                await log.written()
                for pause in COMMIT_SECONDS if log.is_event_driven else (0.0,):
                    version = self._sqlite.data_version()
                    if version != seen:
                        seen = version
                        self.fire()
                        break
                    await anyio.sleep(pause)
                if log.is_event_driven:
                    await anyio.sleep(MIN_PAUSE_SECONDS)
