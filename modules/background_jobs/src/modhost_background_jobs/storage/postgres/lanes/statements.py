"""Statements of lanes on PostgreSQL: what they have, and claims from them."""

from typing import Final

from modhost_background_jobs.storage.columns import CLAIMED, STARTED_KEY, listed
from modhost_background_jobs.storage.tables import IN_LANE, PLACE

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
    SELECT name, in_lane, id FROM (
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


def lanes_behind(held_by: str) -> str:
    """Return the statement that finds the lanes of held jobs, by jumps in their index."""
    held = f"j.held_by = {held_by}"
    return f"""WITH RECURSIVE lanes(lane) AS (
            SELECT (SELECT j.lane FROM background_jobs.jobs j WHERE {held}
                ORDER BY j.lane LIMIT 1)
            UNION ALL
            SELECT (SELECT j.lane FROM background_jobs.jobs j
                WHERE {held} AND j.lane > lanes.lane ORDER BY j.lane LIMIT 1)
            FROM lanes WHERE lanes.lane IS NOT NULL
        )
        SELECT lane FROM lanes WHERE lane IS NOT NULL"""


CLAIM: Final = f"WITH {_PICKED} {_TAKE.format('$8', '$6', 'ARRAY(SELECT id FROM picked)')}"

# What is picked is found by indexes, whatever the tables have: to plan it for each claim takes
# longer than to run it.
KEEP_PLANS: Final = "SET LOCAL plan_cache_mode = force_generic_plan"

# With what comes before them in the same moment and is not picked: of each key and lane the first
# held job, and, if others have locked something, what they have locked. Few lanes are all asked for
# each key; of many, those are found first in which the key has held jobs.
MANY_LANES: Final = 8
_PICK: Final = f"""
WITH {_PICKED},
keys AS (
    SELECT DISTINCT (pair ->> 0) || chr(31) || (pair ->> 1) AS held_by
    FROM picked CROSS JOIN LATERAL json_array_elements(picked.limits::json) AS g(pair)
),
held AS (
    SELECT due.id, lanes.lane, due.place, due.execute_at, keys.held_by
    FROM keys
    CROSS JOIN {{lanes}}
    CROSS JOIN LATERAL (
        SELECT j.id, {PLACE} AS place, j.execute_at FROM background_jobs.jobs j
        WHERE j.held_by = keys.held_by AND j.lane = lanes.lane AND {PLACE} <= $6
        ORDER BY {PLACE}, j.id LIMIT 1
    ) due
),
locked AS (
    SELECT j.* FROM (SELECT lane, max(place) AS place FROM picked GROUP BY lane) last
    CROSS JOIN LATERAL (
        SELECT j.id, j.lane, {PLACE} AS place, j.execute_at, j.limits FROM background_jobs.jobs j
        WHERE j.lane = last.lane AND {IN_LANE} AND {PLACE} <= last.place
        ORDER BY {PLACE}, j.id
    ) j
    WHERE j.limits IS NOT NULL AND j.id NOT IN (SELECT id FROM picked)
        AND EXISTS (SELECT id FROM head WHERE in_lane EXCEPT SELECT id FROM picked)
)
SELECT 'picked', id, lane, place, execute_at, limits, job_type FROM picked
UNION ALL SELECT 'held', id, lane, place, execute_at, held_by, NULL FROM held
UNION ALL SELECT 'locked', id, lane, place, execute_at, limits, NULL FROM locked
"""

PICK: Final = _PICK.format(lanes="unnest($3::text[]) AS lanes(lane)")
PICK_AMONG_MANY: Final = _PICK.format(
    lanes=f"LATERAL ({lanes_behind('keys.held_by')} AND lane = ANY ($3)) lanes"
)

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
