"""Counting the statements that all connections of this process run on SQLite.

A PRAGMA reads no table and takes no lock; it is not counted.
"""

import sqlite3
from collections.abc import Callable
from typing import Any


def trace_sqlite(count: Callable[[], None]) -> None:
    """Call `count` for each statement, whoever connects from now on."""
    connect = sqlite3.connect

    def traced(statement: str) -> None:
        if not statement.startswith("PRAGMA"):
            count()

    def connect_traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(traced)
        return connection

    sqlite3.connect = connect_traced  # type: ignore[assignment]
