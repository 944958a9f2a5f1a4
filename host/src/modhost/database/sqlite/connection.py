"""Open SQLite connections as the host configures them."""

import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

LOCK_DEADLINE_SECONDS: Final = 30.0

# Short, and retried: SQLite's own pauses grow to 100 ms, by which a busy neighbour starves us.
_BUSY_TIMEOUT_MS: Final = 20


def connect(path: Path, *, query_only: bool) -> sqlite3.Connection:
    """Open a configured connection. Raises `sqlite3.Error`."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        configure(connection, busy_timeout_ms=_BUSY_TIMEOUT_MS, query_only=query_only)
    except BaseException:
        connection.close()
        raise
    return connection


def configure(connection: Any, *, busy_timeout_ms: int, query_only: bool) -> None:
    """Set WAL, foreign keys, and `FULL`: a commit is on disk when it returns."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(LOCK_DEADLINE_SECONDS * 1000)}")
    # Switching a file to WAL locks it exclusively, and SQLite waits for that lock only while
    # nobody else wants it too.
    _retry_while_busy(cursor.execute, "PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA query_only = {'ON' if query_only else 'OFF'}")
    cursor.execute(f"PRAGMA busy_timeout = {int(busy_timeout_ms)}")
    cursor.close()


def begin_immediate(connection: sqlite3.Connection) -> None:
    """Begin a write transaction, waiting for that of another process."""
    _retry_while_busy(connection.execute, "BEGIN IMMEDIATE")


def _retry_while_busy(execute: Callable[[str], Any], statement: str) -> None:
    deadline = time.monotonic() + LOCK_DEADLINE_SECONDS
    while True:
        try:
            execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.0005, 0.003))  # noqa: S311 - not for secrets
        else:
            return
