"""Every statement of the hot path on PostgreSQL, each one round trip and one transaction.

Batches travel as arrays that `unnest` turns into rows, so that a batch of any size is one
prepared statement.
"""

from typing import Final, NamedTuple

CHANNEL: Final = "background_jobs"

_CARRIED: Final = """id, job_type, module_name, data, created_at, execute_at, started_at, attempt,
    max_attempts, attempts_left, fence, rescues, worker, timeout_seconds, progress_percentage,
    progress_message, recurring_job_id, enqueued_by"""

_INTO_JOBS: Final = """
    INSERT INTO background_jobs.jobs (id, job_type, module_name, data, created_at, execute_at,
        max_attempts, attempts_left, timeout_seconds, recurring_job_id, enqueued_by, state,
        attempt, fence, rescues, progress_percentage, on_hold)
"""

_INSERT: Final = f"""{_INTO_JOBS}
    SELECT g.id, g.job_type, g.module_name, g.data, g.created_at, g.execute_at, g.max_attempts,
        g.max_attempts, g.timeout, g.recurring_job_id, g.enqueued_by, 'Pending', 0, 0, 0, 0, false
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
        $6::timestamptz[], $7::int[], $8::float8[], $9::uuid[], $10::text[])
        AS g(id, job_type, module_name, data, created_at, execute_at, max_attempts, timeout,
            recurring_job_id, enqueued_by)
"""

# One job is the usual case, and arrays of one cost more than the insert.
_INSERT_ONE: Final = f"""{_INTO_JOBS}
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, 'Pending', 0, 0, 0, 0, false)
"""

NOTIFY: Final = "SELECT pg_notify('background_jobs', 'due')"


class Insert(NamedTuple):
    """An insert of many jobs and one of a single job."""

    many: str
    one: str


INSERT: Final = Insert(_INSERT, _INSERT_ONE)

# One notification a statement, inside the inserting transaction: workers wake when it commits.
INSERT_AND_NOTIFY: Final = Insert(*(f"WITH inserted AS ({insert}) {NOTIFY}" for insert in INSERT))

NOTE_BEGIN: Final = """
UPDATE background_jobs.jobs SET has_begun = true
WHERE id = $1 AND fence = $2 AND state = 'Running' RETURNING id
"""

NEXT_DUE: Final = """
SELECT min(due.execute_at)
FROM unnest($1::text[]) AS t(job_type)
CROSS JOIN LATERAL (
    SELECT j.execute_at FROM background_jobs.jobs j
    WHERE j.job_type = t.job_type AND j.state = 'Pending' AND NOT j.on_hold
    ORDER BY j.execute_at LIMIT 1
) due
"""

END: Final = f"""
WITH ended AS (
    DELETE FROM background_jobs.jobs j
    USING unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) AS g(id, fence, state, error)
    WHERE j.id = g.id AND j.fence = g.fence AND j.state = 'Running'
    RETURNING j.*, g.state AS final_state, g.error AS final_error
)
INSERT INTO background_jobs.finished_jobs ({_CARRIED}, state, error, completed_at)
SELECT {_CARRIED}, final_state, final_error, $5 FROM ended
RETURNING id
"""

# A job that was asked to stop meanwhile is over: it never goes back to Pending. What had begun has
# ended without taking its worker down, and is no suspect any more.
RELEASE: Final = f"""
WITH held AS (
    SELECT j.*, g.again_at, g.attempt_error, g.spent
    FROM background_jobs.jobs j
    JOIN unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::boolean[])
        AS g(id, fence, again_at, attempt_error, spent)
        ON j.id = g.id AND j.fence = g.fence AND j.state = 'Running'
    FOR UPDATE OF j
),
noted AS (
    INSERT INTO background_jobs.attempts
        (job_id, fence, number, started_at, ended_at, worker, error)
    SELECT id, fence, attempt, started_at, $6, worker, attempt_error FROM held
    WHERE cancel_requested_at IS NULL AND attempt_error IS NOT NULL
),
cancelled AS (
    DELETE FROM background_jobs.jobs j USING held
    WHERE j.id = held.id AND held.cancel_requested_at IS NOT NULL
),
finished AS (
    INSERT INTO background_jobs.finished_jobs ({_CARRIED}, state, error, completed_at)
    SELECT {_CARRIED}, 'Cancelled', CASE WHEN spent THEN attempt_error END, $6
    FROM held WHERE cancel_requested_at IS NOT NULL
),
pending AS (
    UPDATE background_jobs.jobs j
    SET state = 'Pending', execute_at = held.again_at, worker = NULL, started_at = NULL,
        error = CASE WHEN held.spent THEN held.attempt_error END,
        attempt = j.attempt - CASE WHEN held.spent THEN 0 ELSE 1 END,
        attempts_left = j.attempts_left + CASE WHEN held.spent THEN 0 ELSE 1 END,
        rescues = CASE WHEN held.attempt_error IS NULL THEN j.rescues ELSE 0 END,
        has_begun = false
    FROM held WHERE j.id = held.id AND held.cancel_requested_at IS NULL
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
SAVE_PROGRESS: Final = """
UPDATE background_jobs.jobs j
SET progress_at = CASE WHEN j.progress_percentage = g.percentage AND j.progress_at >= j.started_at
        THEN j.progress_at ELSE g.reported_at END,
    progress_percentage = g.percentage,
    progress_message = coalesce(g.message, j.progress_message)
FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[], $5::timestamptz[])
    AS g(id, fence, percentage, message, reported_at)
WHERE j.id = g.id AND j.fence = g.fence AND j.state = 'Running'
RETURNING j.id
"""

# The lock keeps a rescue out between the look at the fence and the insert; lines that an earlier
# try of the same flush stored already are left alone.
APPEND_LOGS: Final = """
WITH held AS (
    SELECT j.id, j.fence FROM background_jobs.jobs j
    WHERE j.id = ANY($1::uuid[]) AND j.state = 'Running' FOR SHARE
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

LEASES: Final = """
SELECT id, fence, cancel_requested_at IS NOT NULL AS stop
FROM background_jobs.jobs WHERE worker = $1 AND state = 'Running'
"""

# Beats begin anywhere: those of a worker that registers again are none that were seen before.
REGISTER: Final = """
INSERT INTO background_jobs.workers (name, host, process, version, started_at, heartbeat_at, beats,
    max_concurrency, running, job_types)
VALUES ($1, $2, $3, $4, $5, $5, $8, $6, 0, $7)
ON CONFLICT (name) DO NOTHING
"""

BEAT: Final = """
UPDATE background_jobs.workers SET heartbeat_at = $2, beats = beats + 1
WHERE name = $1 RETURNING name
"""

UNREGISTER: Final = "DELETE FROM background_jobs.workers WHERE name = $1"

HEARTBEATS: Final = """
SELECT name, beats FROM background_jobs.workers
UNION ALL
SELECT DISTINCT j.worker, -1 FROM background_jobs.jobs j
WHERE j.state = 'Running'
    AND NOT EXISTS (SELECT FROM background_jobs.workers w WHERE w.name = j.worker)
"""

# Staleness is repeated here: a worker that was heard of since the sweeper's look keeps its jobs.
BURY: Final = """
WITH buried AS (
    DELETE FROM background_jobs.workers WHERE name = $1 AND beats = $2 RETURNING name
)
SELECT EXISTS (SELECT FROM buried)
    OR ($2 = -1 AND NOT EXISTS (SELECT FROM background_jobs.workers WHERE name = $1))
"""

# A death counts against jobs that had begun, which is noted of suspects; of all others the first
# death does, unless it would be the last.
RESCUE: Final = f"""
WITH held AS (
    SELECT *, has_begun OR (rescues = 0 AND $2 > 1) AS counts
    FROM background_jobs.jobs WHERE worker = $1 AND state = 'Running'
    FOR UPDATE
),
judged AS (
    SELECT *, CASE
        WHEN cancel_requested_at IS NOT NULL THEN 'Cancelled'
        WHEN counts AND rescues + 1 >= $2 THEN 'Failed'
        ELSE 'Pending' END AS next_state
    FROM held
),
noted AS (
    INSERT INTO background_jobs.attempts
        (job_id, fence, number, started_at, ended_at, worker, error)
    SELECT id, fence, attempt, started_at, $3, worker, $4 FROM judged WHERE next_state = 'Pending'
),
removed AS (
    DELETE FROM background_jobs.jobs j USING judged
    WHERE j.id = judged.id AND judged.next_state <> 'Pending'
),
finished AS (
    INSERT INTO background_jobs.finished_jobs ({_CARRIED}, state, error, completed_at)
    SELECT {_CARRIED}, next_state, CASE WHEN next_state = 'Failed' THEN $5 END, $3
    FROM judged WHERE next_state <> 'Pending'
),
pending AS (
    UPDATE background_jobs.jobs j
    SET state = 'Pending', execute_at = $3, worker = NULL, started_at = NULL,
        rescues = j.rescues + judged.counts::int, has_begun = false,
        attempt = j.attempt - 1, attempts_left = j.attempts_left + 1
    FROM judged WHERE j.id = judged.id AND judged.next_state = 'Pending'
)
SELECT judged.id, judged.next_state, pg_notify('background_jobs', 'due') FROM judged
"""

PRUNE: Final = """
WITH old AS (
    SELECT id FROM background_jobs.finished_jobs WHERE state = $1 AND completed_at < $2
    ORDER BY completed_at LIMIT $3 FOR UPDATE SKIP LOCKED
),
logs AS (DELETE FROM background_jobs.logs USING old WHERE job_id = old.id),
attempts AS (DELETE FROM background_jobs.attempts USING old WHERE job_id = old.id)
DELETE FROM background_jobs.finished_jobs f USING old WHERE f.id = old.id RETURNING f.id
"""

TIME: Final = "SELECT clock_timestamp()"

NEWEST_END: Final = """
SELECT max(newest.completed_at)
FROM unnest($1::text[]) AS s(state)
CROSS JOIN LATERAL (
    SELECT f.completed_at FROM background_jobs.finished_jobs f
    WHERE f.state = s.state AND f.completed_at < $2
    ORDER BY f.completed_at DESC LIMIT 1
) newest
"""


POLL_SCHEDULES: Final = """
SELECT array_agg(id) FILTER (WHERE next_run_at <= $1), min(next_run_at), EXISTS (
    SELECT FROM background_jobs.jobs WHERE on_hold AND recurring_job_id IS NOT NULL
)
FROM background_jobs.recurring_jobs WHERE is_enabled
"""

# A schedule keeps the last of its due times that were forgotten: none up to it fires again.
FORGET_OCCURRENCES: Final = """
WITH forgotten AS (
    DELETE FROM background_jobs.occurrences WHERE fired_at < $1 RETURNING recurring_job_id, due_at
),
newest AS (SELECT recurring_job_id, max(due_at) AS due_at FROM forgotten GROUP BY recurring_job_id),
kept AS (
    UPDATE background_jobs.recurring_jobs r
    SET forgotten_until = greatest(r.forgotten_until, newest.due_at)
    FROM newest WHERE r.id = newest.recurring_job_id
)
SELECT count(*) FROM forgotten
"""
