"""What carries leases on PostgreSQL: ends, releases, progress, logs and checkpoints.

Each statement takes the ids and the fences of its leases as its first two values.
"""

from typing import Final

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.columns import CARRIED, listed

_CARRIED: Final = listed(CARRIED)

# No operator: by one the planner knows the index of running jobs, and reads those of all workers.
IS_RUNNING: Final = "textne(j.state, 'Pending')"
_AMONG: Final = f"j.id = ANY ($1::uuid[]) AND {IS_RUNNING}"

# Jobs are found by their ids, and what becomes of each by its place among them, which are in
# ascending order: a join would compare each with each, and so would a search from the first one on.
# For the same reason states are numbers: a text of an array is found by counting, as the few
# errors and results are. Jobs whose end somebody waits for are ended otherwise.
_PLACE: Final = "width_bucket(j.id, $1::uuid[])"
_STATES: Final = f"ARRAY[{', '.join(map(repr, map(str, JobState)))}]"
_END: Final = f"""
WITH ended AS (
    DELETE FROM background_jobs.jobs j
    WHERE {_AMONG} AND NOT j.is_awaited AND j.fence = ($2::bigint[])[{_PLACE}]
    RETURNING j.*, {_PLACE} AS place
)
INSERT INTO background_jobs.finished_jobs ({_CARRIED}, state, completed_at{{columns}})
SELECT {_CARRIED}, ({_STATES})[($3::smallint[])[place]], greatest($4, created_at){{values}}
FROM ended RETURNING id
"""

END: Final = _END.format(columns="", values="")
END_WITH_TEXTS: Final = _END.format(
    columns=", error, result", values=", ($5::text[])[place], ($6::text[])[place]"
)
NUMBERS: Final = {state: number for number, state in enumerate(JobState, start=1)}
"""The states as the ends of jobs are given them."""

_AGAIN_AT: Final = f"($3::timestamptz[])[{_PLACE}]"
_ERROR: Final = f"($4::text[])[{_PLACE}]"
_SPENT: Final = f"($5::boolean[])[{_PLACE}]"

# A job that was asked to stop meanwhile is finished: it never goes back to Pending. A job that had
# started has ended without taking its worker down, and is no longer a suspect.
RELEASE: Final = f"""
WITH held AS (
    SELECT j.*, {_ERROR} AS attempt_error, {_SPENT} AS spent
    FROM background_jobs.jobs j
    WHERE {_AMONG} AND j.fence = ($2::bigint[])[{_PLACE}]
        AND NOT (j.cancel_requested_at IS NOT NULL AND (j.is_awaited OR $7))
    FOR UPDATE OF j
),
noted AS (
    INSERT INTO background_jobs.attempts
        (job_id, fence, number, started_at, ended_at, worker, error)
    SELECT id, fence, attempt, started_at, $6, worker, attempt_error FROM held
    WHERE cancel_requested_at IS NULL AND attempt_error IS NOT NULL
),
cancelled AS (
    DELETE FROM background_jobs.jobs j
    WHERE j.id = ANY (ARRAY(SELECT id FROM held WHERE cancel_requested_at IS NOT NULL))
),
finished AS (
    INSERT INTO background_jobs.finished_jobs ({_CARRIED}, state, error, completed_at)
    SELECT {_CARRIED}, 'Cancelled', CASE WHEN spent THEN attempt_error END, $6
    FROM held WHERE cancel_requested_at IS NOT NULL
),
pending AS (
    UPDATE background_jobs.jobs j
    SET state = 'Pending', execute_at = coalesce({_AGAIN_AT}, j.execute_at),
        place_at = CASE WHEN {_AGAIN_AT} IS NULL THEN j.place_at END,
        worker = NULL, started_at = NULL,
        error = CASE WHEN {_SPENT} THEN {_ERROR} END,
        attempt = j.attempt - CASE WHEN {_SPENT} THEN 0 ELSE 1 END,
        attempts_left = j.attempts_left + CASE WHEN {_SPENT} THEN 0 ELSE 1 END,
        rescues = CASE WHEN {_ERROR} IS NULL THEN j.rescues ELSE 0 END,
        has_begun = false
    WHERE j.id = ANY (ARRAY(SELECT id FROM held WHERE cancel_requested_at IS NULL))
)
SELECT held.id, pg_notify('background_jobs', 'due') FROM held
"""

# Of jobs that are snoozed again and again; $2 are the last fences to forget.
FORGET_ATTEMPTS: Final = """
DELETE FROM background_jobs.attempts a
USING unnest($1::uuid[], $2::bigint[]) AS g(id, fence)
WHERE a.job_id = g.id AND a.fence <= g.fence
"""

# A percentage counts from its first report.
SAVE_PROGRESS: Final = f"""
UPDATE background_jobs.jobs j
SET progress_at = CASE WHEN j.progress_percentage = g.percentage AND j.progress_at >= j.started_at
        THEN j.progress_at ELSE g.reported_at END,
    progress_percentage = g.percentage,
    progress_message = coalesce(g.message, j.progress_message)
FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[], $5::timestamptz[])
    AS g(id, fence, percentage, message, reported_at)
WHERE j.id = g.id AND j.fence = g.fence AND {_AMONG}
RETURNING j.id
"""

# The lock keeps a rescue out between the check of the fence and the insert; lines that an earlier
# try of the same flush stored already are left alone.
APPEND_LOGS: Final = f"""
WITH held AS (
    SELECT j.id, j.fence FROM background_jobs.jobs j
    WHERE {_AMONG} FOR SHARE
),
appended AS (
    INSERT INTO background_jobs.logs (job_id, line, logged_at, message)
    SELECT g.id, g.line, g.logged_at, g.message
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[])
        AS g(id, fence, line, logged_at, message)
    JOIN held ON held.id = g.id AND held.fence = g.fence
    ON CONFLICT DO NOTHING
)
SELECT DISTINCT held.id
FROM held JOIN unnest($1::uuid[], $2::bigint[]) AS g(id, fence)
    ON held.id = g.id AND held.fence = g.fence
"""

TRIM_LOGS: Final = """
DELETE FROM background_jobs.logs l
USING unnest($1::uuid[]) AS g(id)
WHERE l.job_id = g.id AND l.line <= (
    SELECT newest.line FROM background_jobs.logs newest
    WHERE newest.job_id = g.id ORDER BY newest.line DESC OFFSET $2 LIMIT 1
)
"""

SAVE_CHECKPOINTS: Final = f"""
UPDATE background_jobs.jobs j SET checkpoint = g.checkpoint
FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS g(id, fence, checkpoint)
WHERE j.id = g.id AND j.fence = g.fence AND {_AMONG}
RETURNING j.id
"""
