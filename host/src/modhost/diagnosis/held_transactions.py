"""Transactions that somebody holds open, on PostgreSQL."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text

from modhost.checks import Finding, rules
from modhost.database import Database

HELD_FOR: Final = timedelta(minutes=1)

# Not the text of the query: it may hold secrets.
_HELD: Final = text("""
SELECT pid, usename, application_name, state, clock_timestamp() - xact_start AS age
FROM pg_stat_activity
WHERE datname = current_database()
  AND backend_type = 'client backend'
  AND pid <> pg_backend_pid()
  AND state <> 'idle'
  AND xact_start < clock_timestamp() - make_interval(secs => :seconds)
ORDER BY xact_start
""")


async def check_transactions(database: Database, held_for: timedelta) -> list[Finding]:
    """Return a finding for each transaction of this database that has been open for longer.

    Those of other users show to superusers and members of `pg_read_all_stats` only. SQLite does
    not tell.
    """
    if database.dialect == "sqlite":
        return []
    async with database.reading() as session:
        connection = await session.connection()
        held = await connection.execute(_HELD, {"seconds": held_for.total_seconds()})
        return [_finding(row) for row in held]


def _finding(row: Any) -> Finding:
    detail = f"process {row.pid} (user {row.usename!r}, application {row.application_name!r}) has "
    detail += f"held one open for {_words(row.age)}; it is {row.state}."
    remedy = "Let that program commit sooner, or end it by `SELECT pg_terminate_backend("
    remedy += f"{row.pid})`."
    return Finding(rules.HELD_TRANSACTION, detail, remedy)


def _words(age: timedelta) -> str:
    minutes, seconds = divmod(round(age.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
