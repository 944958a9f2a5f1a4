"""The database: one URL, SQLite or PostgreSQL, the same promises on both."""

from modhost.database.database import Database
from modhost.database.errors import (
    BadDatabaseUrl,
    DatabaseError,
    DatabaseUnreachable,
    UnreadableValue,
)
from modhost.database.failures import may_pass
from modhost.database.postgres.access import PostgresAccess
from modhost.database.sqlite.access import SqliteAccess
from modhost.database.sqlite.connection import LOWER as SQLITE_LOWER
from modhost.database.types import Identifier, UtcDateTime, from_postgres, from_sqlite, to_sqlite
from modhost.database.url import DatabaseUrl

__all__ = [
    "SQLITE_LOWER",
    "BadDatabaseUrl",
    "Database",
    "DatabaseError",
    "DatabaseUnreachable",
    "DatabaseUrl",
    "Identifier",
    "PostgresAccess",
    "SqliteAccess",
    "UnreadableValue",
    "UtcDateTime",
    "from_postgres",
    "from_sqlite",
    "may_pass",
    "to_sqlite",
]
