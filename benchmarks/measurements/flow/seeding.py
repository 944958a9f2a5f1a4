"""Pending jobs with limits and turns, filled in by SQL."""

from dataclasses import dataclass
from typing import Final

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Dialect
from benchmarks.contenders.sqlite_query import connect
from benchmarks.measurements.growth.seeding import JOB_TYPE
from modhost_background_jobs.model import Lane, LimitKey

LIMIT: Final = "beside"
FULL: Final = LimitKey(LIMIT, "full")
"""The key behind which jobs are held back."""
MAX_RUNNING: Final = 1_000_000
"""How many jobs of a key may run: those that are claimed are held back by none."""

_COLUMNS: Final = """id, job_type, module_name, created_at, execute_at, max_attempts,
    attempts_left, state, attempt, fence, rescues, progress_percentage, on_hold, lane, limits,
    held_by, fair_key, place_at, turn_at"""
_POSTGRES: Final = f"""
INSERT INTO background_jobs.jobs ({_COLUMNS})
SELECT ($2::text || lpad(to_hex(n), 31, '0'))::uuid, $3::text, 'benchmarks', at, at, 3, 3,
    'Pending', 0, 0, 0, 0, false, $4::text,
    replace($5::text, '#', (n % $8::bigint)::text), $6::text,
    CASE WHEN $7::boolean THEN (n % $8)::text END,
    turn, turn
FROM generate_series(1, $1::bigint) n, LATERAL (
    SELECT timestamptz '2026-01-01T00:00Z' + n * interval '1 ms' AS at,
        CASE WHEN $7 THEN to_timestamp(0) + (n / $8 + 0.5) * interval '1 ms' END AS turn
) moment
"""  # noqa: S608 - made of constants
_SQLITE: Final = f"""
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1),
rows(n, id, at, turn) AS (
    SELECT n, printf('%s0000000-0000-0000-0000-%012x', ?2, n),
        strftime('%Y-%m-%d %H:%M:%f', 1767225600 + n / 1000.0, 'unixepoch') || '000',
        CASE WHEN ?7 THEN strftime('%Y-%m-%d %H:%M:%f', n / ?8 / 1000.0, 'unixepoch') || '500' END
    FROM numbers
)
INSERT INTO background_jobs_jobs ({_COLUMNS})
SELECT id, ?3, 'benchmarks', at, at, 3, 3, 'Pending', 0, 0, 0, 0, 0, ?4,
    replace(?5, '#', n % ?8), ?6, CASE WHEN ?7 THEN n % ?8 END, turn, turn
FROM rows
"""  # noqa: S608 - made of constants
_LIMIT: Final = "INSERT INTO background_jobs{}limits (name, kind, default_limit) VALUES "


@dataclass(frozen=True)
class Jobs:
    """Due jobs of one lane: fair, or limited, perhaps all held back by one key, or neither."""

    count: int
    keys: int
    is_fair: bool = False
    is_limited: bool = False
    are_held: bool = False

    @property
    def lane(self) -> Lane:
        """The lane that they wait in."""
        return Lane("default", 1, JOB_TYPE, self.is_limited, self.is_fair)

    @property
    def values(self) -> list[object]:
        """What the statements take."""
        limits = f'[["{LIMIT}", "#"]]' if self.is_limited else None
        held_by = FULL.stored if self.are_held else None
        # Before those of `new_id`, as jobs that were enqueued earlier are.
        prefix = "e" if self.are_held else "0"
        stored = self.lane.stored
        return [self.count, prefix, JOB_TYPE, stored, limits, held_by, self.is_fair, self.keys]


async def add_jobs(dialect: Dialect, url: str, jobs: Jobs) -> None:
    """Add jobs to a migrated database."""
    if dialect is Dialect.POSTGRESQL:
        await postgres_query.run(url, _POSTGRES, *jobs.values)
        return
    connection = connect(url)
    connection.execute(_SQLITE, jobs.values)
    connection.close()


async def finish(dialect: Dialect, url: str) -> None:
    """Add the limit, and let the database look as it would after a minute."""
    values = f"('{LIMIT}', 'concurrency', {MAX_RUNNING})"
    if dialect is Dialect.POSTGRESQL:
        await postgres_query.run(url, _LIMIT.format(".") + values)
        await postgres_query.run(url, "VACUUM ANALYZE")
        return
    connection = connect(url)
    connection.execute(_LIMIT.format("_") + values)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
