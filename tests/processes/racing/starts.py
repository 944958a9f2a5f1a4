"""What the database records of starts, kept by a trigger, since the queue deletes old ones.

A rate is counted when a job is claimed: by the time with which that is recorded, no window has more
starts than the limit. The time of the write itself may be a little later, and the begin of the job
follows the commit by as long as the worker takes: only the record can be exact.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Column, MetaData, String, Table, select

from modhost.database import Database, UtcDateTime
from modhost_background_jobs.storage.tables import LIMITS

STARTS = Table(
    "race_starts",
    MetaData(),
    Column("limit_name", String),
    Column("key", String),
    Column("granted_at", UtcDateTime),
    Column("written_at", UtcDateTime),
)
POSTGRES = (
    """CREATE FUNCTION note_start() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO race_starts VALUES (
            new.limit_name, new.key, new.granted_at, clock_timestamp()
        );
        RETURN new;
    END $$""",
    """CREATE TRIGGER note_start BEFORE INSERT ON background_jobs.limit_grants
        FOR EACH ROW EXECUTE FUNCTION note_start()""",
)
SQLITE = (
    """CREATE TRIGGER note_start AFTER INSERT ON background_jobs_limit_grants BEGIN
        INSERT INTO race_starts VALUES (
            new.limit_name, new.key, new.granted_at, strftime('%Y-%m-%d %H:%M:%f000', 'now')
        );
    END""",
)
WRITTEN_LATE = timedelta(milliseconds=250)
"""Starts whose write lies further behind the time that it records are judged by that alone."""


@dataclass
class Starts:
    """The starts that counted for rates.

    Attributes:
        recorded: how many.
        excesses: a line for each window with more starts than its limit.

    """

    recorded: int = 0
    excesses: list[str] = field(default_factory=list)


async def record_starts(database: Database) -> None:
    """Record from now on."""
    async with database.session() as session:
        connection = await session.connection()
        await connection.run_sync(STARTS.create)
        for statement in POSTGRES if database.dialect == "postgresql" else SQLITE:
            await connection.exec_driver_sql(statement)


async def read_starts(database: Database) -> Starts:
    """Check each window of each key of each rate."""
    async with database.reading() as session:
        connection = await session.connection()
        rates = select(LIMITS.c.name, LIMITS.c.default_limit, LIMITS.c.period_seconds)
        of_rates = rates.where(LIMITS.c.kind == "rate")
        limits = {row[0]: row[1:] for row in await connection.execute(of_rates)}
        times: dict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
        for name, key, *both in await connection.execute(select(STARTS)):
            times[name, key].append((both[0], both[1]))
    starts = Starts()
    for (name, key), each in times.items():
        if name not in limits:
            continue
        limit, seconds = limits[name]
        starts.recorded += len(each)
        period = timedelta(seconds=seconds)
        granted = sorted(at for at, _ in each)
        written = sorted(at for of, at in each if at - of <= WRITTEN_LATE)
        for column, least in ((granted, period), (written, period - WRITTEN_LATE)):
            for first, last in zip(column, column[limit:], strict=False):
                if last - first < least:
                    line = f"{name} {key}: {limit + 1} starts within {last - first} from {first}"
                    starts.excesses.append(line)
    return starts
