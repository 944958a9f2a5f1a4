"""The limit on SQLite: sqlite3, claiming and completing a hundred rows a transaction."""

import signal
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from benchmarks.contenders.contender import Contender, Dialect, Executions, Kind
from benchmarks.contenders.sqlite_query import ask, connect

TABLE: Final = """
CREATE TABLE bare (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0);
CREATE INDEX bare_pending ON bare (id) WHERE state = 0;
"""
INSERT: Final = "INSERT INTO bare (kind) VALUES (?)"
CLAIM: Final = """
UPDATE bare SET state = 1
WHERE id IN (SELECT id FROM bare WHERE state = 0 ORDER BY id LIMIT 100) RETURNING id
"""
COMPLETE: Final = "UPDATE bare SET state = 2 WHERE id = ?"
LEFT: Final = "SELECT EXISTS (SELECT 1 FROM bare WHERE state < 2)"
NAP_SECONDS: Final = 0.005


class BareProducer:
    """Inserts rows, on the calling thread: there is one writer anyway."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def enqueue(self, kind: Kind) -> None:
        """Insert one row."""
        self._connection.execute(INSERT, [kind.value])

    async def enqueue_many(self, kind: Kind, count: int) -> None:
        """Insert many rows in one transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(INSERT, [(kind.value,)] * count)
        self._connection.execute("COMMIT")


class BareSqlite:
    """Three columns, no guarantees beyond durability, and no jobs that are called."""

    name = "bare sqlite3"
    dialect = Dialect.SQLITE
    settings = "claim and complete 100 rows a transaction, jobs are not called"
    share = 1.0
    is_limit = True
    is_variant = False
    uses_database = True

    async def prepare(self, url: str) -> None:
        """Create the table."""
        connection = connect(url)
        connection.executescript(TABLE)
        connection.close()

    @asynccontextmanager
    async def produce(self, url: str) -> AsyncIterator[BareProducer]:
        """Open a connection."""
        connection = connect(url)
        try:
            yield BareProducer(connection)
        finally:
            connection.close()

    async def is_drained(self, url: str) -> bool:
        """Return whether all rows are complete."""
        return not ask(url, LEFT)

    def work(self, url: str, executions: Executions) -> None:
        """Claim and complete until SIGTERM."""
        stopped = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopped.set())
        connection = connect(url)
        while not stopped.is_set():
            rows = connection.execute(CLAIM).fetchall()
            if not rows:
                stopped.wait(NAP_SECONDS)
                continue
            executions.count(len(rows))
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(COMPLETE, rows)
            connection.execute("COMMIT")
        connection.close()


def contenders() -> list[Contender]:
    """Return the limit on SQLite."""
    return [BareSqlite()]
