"""Statements of limits on PostgreSQL: what counts for a key, and the jobs that it holds back."""

from typing import Final

from modhost_background_jobs.storage.postgres.lanes.statements import lanes_behind
from modhost_background_jobs.storage.tables import PLACE

UNLIMITED: Final = 1_000_000_000
_KEYS: Final = "unnest($1::text[], $2::text[]) AS g(limit_name, key)"

# Whoever has the row counts; a key that somebody else counts is passed over.
LOCK_KEYS: Final = f"""
SELECT k.limit_name, k.key FROM background_jobs.limit_keys k
JOIN {_KEYS} USING (limit_name, key)
ORDER BY k.limit_name, k.key FOR UPDATE OF k SKIP LOCKED
"""

ADD_KEYS: Final = f"""
INSERT INTO background_jobs.limit_keys (limit_name, key)
SELECT limit_name, key FROM {_KEYS} ORDER BY limit_name, key
ON CONFLICT DO NOTHING RETURNING limit_name, key
"""

_GRANTS: Final = """background_jobs.limit_grants x
        WHERE x.limit_name = g.limit_name AND x.key = g.key"""
_RUNS: Final = """EXISTS (
            SELECT FROM background_jobs.jobs j
            WHERE j.id = x.job_id AND j.fence = x.fence AND j.state = 'Running'
        )"""
_WITHIN: Final = "x.granted_at > clock_timestamp() - make_interval(secs => l.period_seconds)"

# A limit that nobody declares any more holds nothing back.
_USE: Final = f"""
SELECT g.limit_name, g.key, coalesce(l.kind, 'concurrency') AS kind,
    coalesce(l.limit_override, l.default_limit, {UNLIMITED}) AS most, grants.used, grants.records,
    l.period_seconds
FROM {{keys}} LEFT JOIN background_jobs.limits l ON l.name = g.limit_name
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE CASE WHEN l.kind = 'rate' THEN {_WITHIN} ELSE {_RUNS} END)
        AS used, count(*) AS records
    FROM {_GRANTS}
) grants
"""

USAGE: Final = _USE.format(keys=_KEYS)

FORGET_GRANTS: Final = f"""
DELETE FROM background_jobs.limit_grants x
USING {_KEYS} LEFT JOIN background_jobs.limits l ON l.name = g.limit_name
WHERE x.limit_name = g.limit_name AND x.key = g.key
    AND CASE WHEN l.kind = 'rate' THEN NOT {_WITHIN} ELSE NOT {_RUNS} END
"""

HOLD: Final = """
UPDATE background_jobs.jobs j SET held_by = g.held_by
FROM unnest($1::uuid[], $2::text[]) AS g(id, held_by) WHERE j.id = g.id
"""

# Returns those of them that somebody else has locked: they stay held.
LET_GO: Final = """
WITH held AS (
    SELECT id FROM background_jobs.jobs WHERE id = ANY ($1::uuid[]) AND held_by IS NOT NULL
),
freed AS (
    UPDATE background_jobs.jobs j SET held_by = NULL WHERE j.id = ANY (ARRAY(
        SELECT id FROM background_jobs.jobs
        WHERE id = ANY ($1::uuid[]) AND held_by IS NOT NULL FOR UPDATE SKIP LOCKED
    ))
    RETURNING j.id
)
SELECT id FROM held EXCEPT SELECT id FROM freed
"""

# Nothing is waited for: what a crash of the server undoes, the next sweep does again.
_HELD: Final = "j.held_by = used.limit_name || chr(31) || used.key"
TEND: Final = f"""
WITH g AS MATERIALIZED (
    SELECT * FROM {_KEYS} WHERE (
        SELECT j.lane FROM background_jobs.jobs j
        WHERE j.held_by = g.limit_name || chr(31) || g.key ORDER BY j.lane LIMIT 1
    ) IS NOT NULL
),
used AS MATERIALIZED ({_USE.format(keys="g")}),
free AS (
    SELECT due.id
    FROM used
    CROSS JOIN LATERAL (
        {lanes_behind("used.limit_name || chr(31) || used.key")}
    ) lanes
    CROSS JOIN LATERAL (
        SELECT j.id FROM background_jobs.jobs j WHERE {_HELD} AND j.lane = lanes.lane
        ORDER BY {PLACE}, j.id LIMIT used.most - used.used FOR UPDATE SKIP LOCKED
    ) due
    WHERE used.used < used.most
),
freed AS (
    UPDATE background_jobs.jobs j SET held_by = NULL WHERE j.id = ANY (ARRAY(SELECT id FROM free))
    RETURNING j.id
),
full_rates AS (
    SELECT used.limit_name, used.key, (
        SELECT x.granted_at FROM background_jobs.limit_grants x
        WHERE x.limit_name = used.limit_name AND x.key = used.key
        ORDER BY x.granted_at DESC OFFSET used.most - 1 LIMIT 1
    ) + make_interval(secs => used.period_seconds) AS opens_at
    FROM used
    WHERE used.kind = 'rate' AND used.used >= used.most
),
noted AS (
    INSERT INTO background_jobs.limit_keys (limit_name, key, opens_at)
    SELECT limit_name, key, opens_at FROM full_rates ORDER BY limit_name, key
    ON CONFLICT (limit_name, key) DO UPDATE SET opens_at = excluded.opens_at
)
SELECT count(*), CASE WHEN count(*) > 0 THEN pg_notify('background_jobs', 'due') END,
    set_config('synchronous_commit', 'off', true)
FROM freed
"""

# Keys that somebody counts at the moment are left to the next time.
NEXT_KEYS: Final = """
SELECT limit_name, key FROM background_jobs.limit_keys WHERE (limit_name, key) > ($1, $2)
ORDER BY limit_name, key LIMIT $3 FOR UPDATE SKIP LOCKED
"""

FORGET_KEYS: Final = f"""
DELETE FROM background_jobs.limit_keys k USING {_KEYS}
WHERE k.limit_name = g.limit_name AND k.key = g.key AND k.opens_at IS NULL
    AND NOT EXISTS (SELECT FROM {_GRANTS})
    AND NOT EXISTS (
        SELECT FROM background_jobs.jobs j
        WHERE j.held_by = k.limit_name || chr(31) || k.key
    )
"""

# A key that somebody counts at the moment is opened the next time.
DUE_KEYS: Final = """
UPDATE background_jobs.limit_keys SET opens_at = NULL WHERE (limit_name, key) IN (
    SELECT limit_name, key FROM background_jobs.limit_keys
    WHERE opens_at <= clock_timestamp() ORDER BY opens_at LIMIT 200 FOR UPDATE SKIP LOCKED
)
RETURNING limit_name, key
"""

HELD_KEYS: Final = """
WITH RECURSIVE held(held_by) AS (
    SELECT (SELECT j.held_by FROM background_jobs.jobs j
        WHERE j.held_by > $1 ORDER BY j.held_by LIMIT 1)
    UNION ALL
    SELECT (SELECT j.held_by FROM background_jobs.jobs j
        WHERE j.held_by > held.held_by ORDER BY j.held_by LIMIT 1)
    FROM held WHERE held.held_by IS NOT NULL
)
SELECT held_by FROM held WHERE held_by IS NOT NULL LIMIT $2
"""
