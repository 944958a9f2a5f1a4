"""The clock of this host against that of the database."""

from datetime import timedelta
from typing import Final

from sqlalchemy import text

from modhost.checks import Finding, rules
from modhost.clock import Clock
from modhost.database import Database

TOLERATED: Final = timedelta(seconds=2)


async def check_clock(database: Database, clock: Clock) -> list[Finding]:
    """Return a finding when the clocks differ by more than is tolerated.

    The database's time is read somewhere within the round trip, so that only what lies outside of
    it counts. A SQLite file has no clock of its own.
    """
    if database.dialect == "sqlite":
        return []
    async with database.reading() as session:
        connection = await session.connection()
        # Connects and begins the transaction, which would only blur the measurement.
        await connection.execute(text("SELECT 1"))
        before = clock.now()
        theirs = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        after = clock.now()
    skew = max(before - theirs, theirs - after)
    if skew <= TOLERATED:
        return []
    direction = "ahead of" if before > theirs else "behind"
    detail = f"this host's clock is {skew.total_seconds():.1f} s {direction} the database's."
    remedy = "Let both machines keep their time by NTP."
    return [Finding(rules.CLOCK_SKEW, detail, remedy)]
