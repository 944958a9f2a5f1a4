"""Counting the statements that all connections of this process run on SQLite."""

import sqlite3
from collections.abc import Callable
from typing import Any


def trace_sqlite(count: Callable[[], None]) -> None:
    """Call `count` for each statement, whoever connects from now on."""
    connect = sqlite3.connect

    def connect_traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(lambda _statement: count())
        return connection

    sqlite3.connect = connect_traced  # type: ignore[assignment]
