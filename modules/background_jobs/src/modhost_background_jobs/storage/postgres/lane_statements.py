"""Statements of flow control on PostgreSQL: claims from lanes, limits, and held jobs."""

from typing import Final

from modhost_background_jobs.storage.columns import CLAIMED, STARTED_KEY, listed
from modhost_background_jobs.storage.tables import IN_LANE, PLACE

UNLIMITED: Final = 1_000_000_000
_OF_TYPE: Final = """background_jobs.jobs j
        WHERE j.job_type = {0}.name AND j.state = 'Pending' AND NOT j.on_hold AND j.lane IS NULL
            AND j.execute_at <= $6
        ORDER BY j.execute_at, j.id"""
_OF_LANE: Final = f"""background_jobs.jobs j
        WHERE j.lane = {{0}}.name AND {IN_LANE} AND {PLACE} <= $6
        ORDER BY {PLACE}, j.id"""

# As the plain claim does: the head of the queue over all types and lanes decides how many of each
# are taken, and each is read in its own order.
_PICKED: Final = f"""
head AS (
    SELECT name, in_lane FROM (
        SELECT t.name, false AS in_lane, 0::float8 AS boost, due.execute_at, due.id
        FROM unnest($1::text[], $2::int[]) AS t(name, most)
        CROSS JOIN LATERAL (
            SELECT j.execute_at, j.id FROM {_OF_TYPE.format("t")} LIMIT least($7, t.most)
        ) due
        UNION ALL
        SELECT t.name, true, t.boost, due.execute_at, due.id
        FROM unnest($3::text[], $4::float8[], $5::int[]) AS t(name, boost, most)
        CROSS JOIN LATERAL (
            SELECT j.execute_at, j.id FROM {_OF_LANE.format("t")} LIMIT least($7, t.most)
        ) due
    ) due
    ORDER BY extract(epoch FROM execute_at) - boost, execute_at, id LIMIT $7
),
alive AS (SELECT name FROM background_jobs.workers WHERE name = $8 FOR KEY SHARE SKIP LOCKED),
of_types AS (
    SELECT due.id, due.execute_at, due.execute_at AS place, due.limits, NULL AS lane,
        share.name AS job_type
    FROM alive
    CROSS JOIN (SELECT name, count(*) AS jobs FROM head WHERE NOT in_lane GROUP BY name) share
    CROSS JOIN LATERAL (
        SELECT j.id, j.execute_at, j.limits FROM {_OF_TYPE.format("share")}
        LIMIT share.jobs FOR UPDATE SKIP LOCKED
    ) due
),
of_lanes AS (
    SELECT due.id, due.execute_at, due.place, due.limits, share.name AS lane, NULL
    FROM alive
    CROSS JOIN (SELECT name, count(*) AS jobs FROM head WHERE in_lane GROUP BY name) share
    CROSS JOIN LATERAL (
        SELECT j.id, j.execute_at, {PLACE} AS place, j.limits FROM {_OF_LANE.format("share")}
        LIMIT share.jobs FOR UPDATE SKIP LOCKED
    ) due
),
picked AS (SELECT * FROM of_types UNION ALL SELECT * FROM of_lanes)
"""

_TAKE: Final = f"""
UPDATE background_jobs.jobs j
SET state = 'Running', worker = {{0}}, started_at = {{1}}, fence = j.fence + 1,
    attempt = j.attempt + 1, attempts_left = j.attempts_left - 1, error = NULL,
    progress_percentage = 0, progress_message = NULL, progress_at = NULL,
    unique_key = {STARTED_KEY}
WHERE j.id = ANY ({{2}})
RETURNING {listed(CLAIMED, "j")}, coalesce(j.place_at, j.execute_at)
"""

CLAIM: Final = f"WITH {_PICKED} {_TAKE.format('$8', '$6', 'ARRAY(SELECT id FROM picked)')}"

PICK: Final = f"WITH {_PICKED} SELECT id, lane, place, execute_at, limits, job_type FROM picked"

# With what the claims count for: by the clock that all share, once the keys are locked.
TAKE: Final = f"""
WITH taken AS ({_TAKE.format("$2", "$3", "$1::uuid[]")}),
granted AS (
    INSERT INTO background_jobs.limit_grants (limit_name, key, job_id, fence, granted_at)
    SELECT g.limit_name, g.key, taken.id, taken.fence, clock_timestamp()
    FROM unnest($4::text[], $5::text[], $6::uuid[]) AS g(limit_name, key, id)
    JOIN taken ON taken.id = g.id
)
SELECT * FROM taken
"""

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
SELECT g.limit_name, g.key, coalesce(l.kind, 'concurrency') AS kind, l.period_seconds,
    coalesce(l.limit_override, l.default_limit, {UNLIMITED}) AS most,
    CASE WHEN l.kind = 'rate'
        THEN (SELECT count(*) FROM {_GRANTS} AND {_WITHIN})
        ELSE (SELECT count(*) FROM {_GRANTS} AND {_RUNS})
    END AS used
FROM {_KEYS} LEFT JOIN background_jobs.limits l ON l.name = g.limit_name
"""

USAGE: Final = f"""
WITH used AS ({_USE})
SELECT g.limit_name, g.key, g.kind, g.most, g.used, (SELECT count(*) FROM {_GRANTS}) FROM used g
"""

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

# Nothing is waited for: what a crash of the server undoes, the next sweep does again.
# The lanes of a key are found by jumps in the index of held jobs, and of each the first jobs.
_HELD: Final = "j.held_by = used.limit_name || chr(31) || used.key"
TEND: Final = f"""
WITH used AS MATERIALIZED ({_USE}),
free AS (
    SELECT due.id
    FROM used
    CROSS JOIN LATERAL (
        WITH RECURSIVE lanes(lane) AS (
            SELECT (SELECT j.lane FROM background_jobs.jobs j WHERE {_HELD}
                ORDER BY j.lane LIMIT 1)
            UNION ALL
            SELECT (SELECT j.lane FROM background_jobs.jobs j
                WHERE {_HELD} AND j.lane > lanes.lane ORDER BY j.lane LIMIT 1)
            FROM lanes WHERE lanes.lane IS NOT NULL
        )
        SELECT lane FROM lanes WHERE lane IS NOT NULL
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
        AND (SELECT j.lane FROM background_jobs.jobs j
            WHERE {_HELD} ORDER BY j.lane LIMIT 1) IS NOT NULL
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

# The order asks for the index: of a mere EXISTS the planner may guess that reading the table in
# turn finds a held job soon, and reads all of it where there is none.
STATE: Final = f"""
WITH RECURSIVE lanes(lane) AS (
    SELECT (SELECT j.lane FROM background_jobs.jobs j WHERE {IN_LANE} ORDER BY j.lane LIMIT 1)
    UNION ALL
    SELECT (SELECT j.lane FROM background_jobs.jobs j
        WHERE {IN_LANE} AND j.lane > lanes.lane ORDER BY j.lane LIMIT 1)
    FROM lanes WHERE lanes.lane IS NOT NULL
),
heads AS (
    SELECT lane, (
        SELECT {PLACE} FROM background_jobs.jobs j WHERE {IN_LANE} AND j.lane = lanes.lane
        ORDER BY {PLACE} LIMIT 1
    ) AS place
    FROM lanes WHERE lane IS NOT NULL
)
SELECT ARRAY(SELECT lane FROM heads ORDER BY lane), ARRAY(SELECT place FROM heads ORDER BY lane),
    ARRAY(SELECT name FROM background_jobs.pauses WHERE kind = 'queue' AND is_on),
    ARRAY(SELECT name FROM background_jobs.pauses WHERE kind = 'type' AND is_on),
    (SELECT extract(epoch FROM min(paused_until) - $1)::float8
        FROM background_jobs.pauses WHERE paused_until > $1),
    (SELECT extract(epoch FROM min(opens_at) - clock_timestamp())::float8
        FROM background_jobs.limit_keys WHERE opens_at IS NOT NULL),
    (SELECT j.held_by FROM background_jobs.jobs j
        WHERE j.held_by IS NOT NULL ORDER BY j.held_by LIMIT 1) IS NOT NULL
""".replace("is_on", "(paused_until IS NULL OR paused_until > $1)")
