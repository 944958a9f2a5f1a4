"""Bare connections to a SQLite database, as durable as those of the host."""

import sqlite3
from typing import Any

PREFIX = "sqlite:///"


def connect(url: str) -> sqlite3.Connection:
    """Connect with a write-ahead log and every commit on disk when it returns."""
    connection = sqlite3.connect(
        url.removeprefix(PREFIX), isolation_level=None, timeout=30, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def ask(url: str, statement: str, *values: Any) -> Any:
    """Run a statement and return the first value of its first row."""
    connection = connect(url)
    try:
        row = connection.execute(statement, values).fetchone()
        return None if row is None else row[0]
    finally:
        connection.close()
