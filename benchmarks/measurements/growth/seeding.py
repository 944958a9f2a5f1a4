"""Tables of modhost filled by SQL, as fast as the database can."""

from typing import Final

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Dialect
from benchmarks.contenders.sqlite_query import connect

JOB_TYPE: Final = "benchmarks.Noop"
SOUND_TYPE: Final = "benchmarks.Sound"
"""A type whose jobs are all completed."""

_TYPE: Final = "CASE n % 10 WHEN 9 THEN 'benchmarks.Sound' ELSE 'benchmarks.Noop' END"
_STATE: Final = """CASE WHEN n % 100 < 3 THEN 'Failed' WHEN n % 100 < 5 THEN 'Cancelled'
    WHEN n % 100 < 6 THEN 'Skipped' ELSE 'Completed' END"""
_FRAME: Final = '  File "somewhere.py", line 12, in execute: await self.server.send(record)'
# Failures have tracebacks, as in production: to search many of them takes time.
_ERROR: Final = f"""CASE WHEN n % 100 < 3 THEN 'ConnectionError: record ' || n ||
    replace('..........', '.', '\n{_FRAME}') END"""

_PENDING_POSTGRES: Final = """
INSERT INTO background_jobs.jobs (id, job_type, module_name, created_at, execute_at, max_attempts,
    attempts_left, state, attempt, fence, rescues, progress_percentage, on_hold)
SELECT ('f' || lpad(to_hex(n), 31, '0'))::uuid, 'benchmarks.Noop', 'benchmarks', at, at, 3, 3,
    'Pending', 0, 0, 0, 0, false
FROM generate_series(1, $1::bigint) n, LATERAL (
    SELECT timestamptz '2026-01-01T00:00Z' + n * interval '1 ms' AS at
) moment
"""
_FINISHED_POSTGRES: Final = f"""
INSERT INTO background_jobs.finished_jobs (id, job_type, module_name, created_at, execute_at,
    started_at, completed_at, max_attempts, attempts_left, state, attempt, fence, rescues,
    progress_percentage, worker, error)
SELECT lpad(to_hex(n), 32, '0')::uuid, {_TYPE}, 'benchmarks', at, at, at, at, 3, 2,
    {_STATE}, 1, 1, 0, 100, 'somewhere', {_ERROR}
FROM generate_series(1, $1::bigint) n, LATERAL (
    SELECT timestamptz '2026-01-01T00:00Z' + n * interval '1 ms' AS at
) moment
"""  # noqa: S608 - made of constants
_NUMBERS_SQLITE: Final = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?),
rows(n, id, at) AS (
    SELECT n, printf('%s0000000-0000-0000-0000-%012x', ?, n),
        strftime('%Y-%m-%d %H:%M:%f', 1767225600 + n / 1000.0, 'unixepoch') || '000'
    FROM numbers
)
"""
_PENDING_SQLITE: Final = (
    _NUMBERS_SQLITE
    + """
INSERT INTO background_jobs_jobs (id, job_type, module_name, created_at, execute_at, max_attempts,
    attempts_left, state, attempt, fence, rescues, progress_percentage, on_hold)
SELECT id, 'benchmarks.Noop', 'benchmarks', at, at, 3, 3, 'Pending', 0, 0, 0, 0, 0 FROM rows
"""
)
_FINISHED_SQLITE: Final = (
    _NUMBERS_SQLITE
    + f"""
INSERT INTO background_jobs_finished_jobs (id, job_type, module_name, created_at, execute_at,
    started_at, completed_at, max_attempts, attempts_left, state, attempt, fence, rescues,
    progress_percentage, worker, error)
SELECT id, {_TYPE}, 'benchmarks', at, at, at, at, 3, 2, {_STATE}, 1, 1, 0, 100,
    'somewhere', {_ERROR} FROM rows
"""  # noqa: S608 - made of constants
)


async def add_pending(dialect: Dialect, url: str, count: int) -> None:
    """Add jobs that are due, in a migrated database."""
    # Their ids come after those of the finished ones, as in life.
    await _fill(dialect, url, [count, "f"], _PENDING_SQLITE, _PENDING_POSTGRES)


async def add_finished(dialect: Dialect, url: str, count: int) -> None:
    """Add jobs that ended long ago, most of them well, in a migrated database."""
    await _fill(dialect, url, [count, "0"], _FINISHED_SQLITE, _FINISHED_POSTGRES)


async def _fill(
    dialect: Dialect, url: str, values: list[object], sqlite: str, postgres: str
) -> None:
    if dialect is Dialect.POSTGRESQL:
        await postgres_query.run(url, postgres, values[0])
        # What autovacuum would do within a minute.
        await postgres_query.run(url, "VACUUM ANALYZE")
        return
    connection = connect(url)
    connection.execute(sqlite, values)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
