"""Statements of flow control on SQLite: claims from lanes, limits, and held jobs."""

from typing import Final

from modhost_background_jobs.storage.tables import IN_LANE, PLACE

_PICKED: Final = f"id, lane, {PLACE}, execute_at, limits, job_type"

DUE_OF_TYPE: Final = f"""
SELECT {_PICKED} FROM background_jobs_jobs
WHERE job_type = ? AND state = 'Pending' AND NOT on_hold AND lane IS NULL AND execute_at <= ?
ORDER BY execute_at, id LIMIT ?
"""

DUE_OF_LANE: Final = f"""
SELECT {_PICKED} FROM background_jobs_jobs
WHERE lane = ? AND {IN_LANE} AND {PLACE} <= ?
ORDER BY {PLACE}, id LIMIT ?
"""

LIMIT: Final = """
SELECT kind, coalesce(limit_override, default_limit), period_seconds
FROM background_jobs_limits WHERE name = ?
"""

_GRANTS: Final = "background_jobs_limit_grants WHERE limit_name = ?1 AND key = ?2"
_RUNS: Final = """EXISTS (
    SELECT 1 FROM background_jobs_jobs j
    WHERE j.id = job_id AND j.fence = background_jobs_limit_grants.fence AND j.state = 'Running'
)"""

RUNNING: Final = f"SELECT count(*) FROM {_GRANTS} AND {_RUNS}"

STARTED: Final = f"SELECT count(*) FROM {_GRANTS} AND granted_at > ?3"

RECORDS: Final = f"SELECT count(*) FROM {_GRANTS}"

OPENING: Final = f"SELECT granted_at FROM {_GRANTS} ORDER BY granted_at DESC LIMIT 1 OFFSET ?3"

GRANT: Final = """
INSERT INTO background_jobs_limit_grants (limit_name, key, job_id, fence, granted_at)
SELECT ?1, ?2, id, fence, ?4 FROM background_jobs_jobs WHERE id = ?3
"""

FORGET_RUNS: Final = f"DELETE FROM {_GRANTS} AND NOT {_RUNS}"

FORGET_STARTS: Final = f"DELETE FROM {_GRANTS} AND granted_at <= ?3"

HOLD: Final = "UPDATE background_jobs_jobs SET held_by = ?2 WHERE id = ?1"

HELD_LANES: Final = """
WITH RECURSIVE lanes(lane) AS (
    SELECT (SELECT j.lane FROM background_jobs_jobs j WHERE j.held_by = ?1
        ORDER BY j.lane LIMIT 1)
    UNION ALL
    SELECT (SELECT j.lane FROM background_jobs_jobs j
        WHERE j.held_by = ?1 AND j.lane > lanes.lane ORDER BY j.lane LIMIT 1)
    FROM lanes WHERE lanes.lane IS NOT NULL
)
SELECT lane FROM lanes WHERE lane IS NOT NULL
"""

FIRST_HELD: Final = f"""
SELECT id, {PLACE}, execute_at FROM background_jobs_jobs
WHERE held_by = ? AND lane = ? AND {PLACE} <= ? ORDER BY {PLACE}, id LIMIT 1
"""

LET_GO: Final = "UPDATE background_jobs_jobs SET held_by = NULL WHERE id = ?"

LET_GO_FIRST: Final = f"""
UPDATE background_jobs_jobs SET held_by = NULL WHERE id IN (
    SELECT id FROM background_jobs_jobs WHERE held_by = ?1 AND lane = ?2
    ORDER BY {PLACE}, id LIMIT ?3
)
"""

NOTE_OPENING: Final = """
INSERT INTO background_jobs_limit_keys (limit_name, key, opens_at) VALUES (?1, ?2, ?3)
ON CONFLICT (limit_name, key) DO UPDATE SET opens_at = excluded.opens_at
"""

IS_OPENING: Final = "SELECT 1 FROM background_jobs_limit_keys WHERE opens_at <= ? LIMIT 1"

OPEN: Final = """
UPDATE background_jobs_limit_keys SET opens_at = NULL WHERE (limit_name, key) IN (
    SELECT limit_name, key FROM background_jobs_limit_keys
    WHERE opens_at <= ? ORDER BY opens_at LIMIT 200
)
RETURNING limit_name, key
"""

NEXT_KEYS: Final = """
SELECT limit_name, key FROM background_jobs_limit_grants WHERE (limit_name, key) > (?1, ?2)
UNION
SELECT limit_name, key FROM background_jobs_limit_keys WHERE (limit_name, key) > (?1, ?2)
ORDER BY limit_name, key LIMIT ?3
"""

FORGET_KEY: Final = f"""
DELETE FROM background_jobs_limit_keys
WHERE limit_name = ?1 AND key = ?2 AND opens_at IS NULL AND NOT EXISTS (SELECT 1 FROM {_GRANTS})
    AND NOT EXISTS (SELECT 1 FROM background_jobs_jobs j WHERE j.held_by = ?3)
"""

HELD_KEYS: Final = """
WITH RECURSIVE held(held_by) AS (
    SELECT (SELECT j.held_by FROM background_jobs_jobs j
        WHERE j.held_by > ?1 ORDER BY j.held_by LIMIT 1)
    UNION ALL
    SELECT (SELECT j.held_by FROM background_jobs_jobs j
        WHERE j.held_by > held.held_by ORDER BY j.held_by LIMIT 1)
    FROM held WHERE held.held_by IS NOT NULL
)
SELECT held_by FROM held WHERE held_by IS NOT NULL LIMIT ?2
"""

HEADS: Final = f"""
WITH RECURSIVE lanes(lane) AS (
    SELECT (SELECT j.lane FROM background_jobs_jobs j WHERE {IN_LANE} ORDER BY j.lane LIMIT 1)
    UNION ALL
    SELECT (SELECT j.lane FROM background_jobs_jobs j
        WHERE {IN_LANE} AND j.lane > lanes.lane ORDER BY j.lane LIMIT 1)
    FROM lanes WHERE lanes.lane IS NOT NULL
)
SELECT lane, (
    SELECT {PLACE} FROM background_jobs_jobs j WHERE {IN_LANE} AND j.lane = lanes.lane
    ORDER BY {PLACE} LIMIT 1
)
FROM lanes WHERE lane IS NOT NULL
"""

PAUSES: Final = """
SELECT kind, name, paused_until FROM background_jobs_pauses
WHERE paused_until IS NULL OR paused_until > ?
"""

NEXT_OPENING: Final = """
SELECT min(opens_at) FROM background_jobs_limit_keys WHERE opens_at IS NOT NULL
"""

HAS_HELD: Final = "SELECT EXISTS (SELECT 1 FROM background_jobs_jobs WHERE held_by IS NOT NULL)"
