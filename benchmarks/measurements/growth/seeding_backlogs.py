"""Jobs that wait and are not claimed: of types that nobody knows, of many types, or deferred."""

from dataclasses import dataclass
from typing import Final

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Dialect
from benchmarks.contenders.sqlite_query import connect

_POSTGRES: Final = """
INSERT INTO background_jobs.jobs (id, job_type, module_name, created_at, execute_at, max_attempts,
    attempts_left, state, attempt, fence, rescues, progress_percentage, on_hold)
SELECT ('e' || lpad(to_hex(n), 31, '0'))::uuid, $2::text || n % $3::bigint, 'benchmarks', at, at,
    3, 3, 'Pending', 0, 0, 0, 0, false
FROM generate_series(1, $1::bigint) n, LATERAL (
    SELECT to_timestamp($4::bigint) + n * interval '1 ms' AS at
) moment
"""
_SQLITE: Final = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1),
rows(n, id, at) AS (
    SELECT n, printf('e0000000-0000-0000-0000-%012x', n),
        strftime('%Y-%m-%d %H:%M:%f', ?4 + n / 1000.0, 'unixepoch') || '000'
    FROM numbers
)
INSERT INTO background_jobs_jobs (id, job_type, module_name, created_at, execute_at, max_attempts,
    attempts_left, state, attempt, fence, rescues, progress_percentage, on_hold)
SELECT id, ?2 || n % ?3, 'benchmarks', at, at, 3, 3, 'Pending', 0, 0, 0, 0, 0 FROM rows
"""
LONG_AGO: Final = 1_735_689_600
FAR_AWAY: Final = 4_070_908_800


@dataclass(frozen=True)
class Waiting:
    """Jobs of `types` types, named `prefix` and a number, due from `first` on, a unix time."""

    prefix: str
    types: int = 1
    first: int = LONG_AGO

    @property
    def job_types(self) -> list[str]:
        """The names of all types."""
        return [f"{self.prefix}{number}" for number in range(self.types)]


async def add_waiting(dialect: Dialect, url: str, count: int, waiting: Waiting) -> None:
    """Add jobs to a migrated database."""
    values = [count, waiting.prefix, waiting.types, waiting.first]
    if dialect is Dialect.POSTGRESQL:
        await postgres_query.run(url, _POSTGRES, *values)
        return
    connection = connect(url)
    connection.execute(_SQLITE, values)
    connection.close()
