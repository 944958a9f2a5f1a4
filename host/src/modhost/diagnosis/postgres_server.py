"""What only a PostgreSQL server knows: its clock, and transactions that are held open."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text

from modhost.checks import Finding, rules
from modhost.clock import Clock
from modhost.database import Database

MAX_CLOCK_SKEW: Final = timedelta(seconds=2)
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


async def check_clock(database: Database, clock: Clock) -> list[Finding]:
    """Return a finding when the clocks of this host and of the database differ too much.

    The server reads its clock at an unknown moment of the round trip, so only a difference
    beyond that counts. A SQLite file has no clock of its own.
    """
    if database.dialect == "sqlite":
        return []
    async with database.reading() as session:
        connection = await session.connection()
        # Connects and begins the transaction, which must not be part of the measurement.
        await connection.execute(text("SELECT 1"))
        before = clock.now()
        theirs = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        after = clock.now()
    skew = max(before - theirs, theirs - after)
    if skew <= MAX_CLOCK_SKEW:
        return []
    direction = "ahead of" if before > theirs else "behind"
    detail = f"this host's clock is {skew.total_seconds():.1f} s {direction} the database's."
    remedy = "Synchronise the clocks of both machines by NTP."
    return [Finding(rules.CLOCK_SKEW, detail, remedy)]


async def check_transactions(database: Database, held_for: timedelta) -> list[Finding]:
    """Return a finding for each transaction of this database that has been open for longer.

    Those of other users are visible to superusers and members of `pg_read_all_stats` only; SQLite
    shows none.
    """
    if database.dialect == "sqlite":
        return []
    async with database.reading() as session:
        connection = await session.connection()
        held = await connection.execute(_HELD, {"seconds": held_for.total_seconds()})
        return [_finding(row) for row in held]


def _finding(row: Any) -> Finding:
    detail = f"process {row.pid} (user {row.usename!r}, application {row.application_name!r}) has "
    detail += f"held one open for {_duration(row.age)}; it is {row.state}."
    remedy = "Let that program commit sooner, or end it by `SELECT pg_terminate_backend("
    remedy += f"{row.pid})`."
    return Finding(rules.HELD_TRANSACTION, detail, remedy)


def _duration(age: timedelta) -> str:
    minutes, seconds = divmod(round(age.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
