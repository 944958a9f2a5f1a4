"""Statements of liveness and maintenance on PostgreSQL, each one round trip and one transaction."""

from typing import Final

from modhost_background_jobs.model import BULK_PREFIX
from modhost_background_jobs.storage.columns import CARRIED, listed

_CARRIED: Final = listed(CARRIED)

# Beats begin anywhere: those of a worker that registers again are none that were seen before.
REGISTER: Final = """
WITH back AS (
    DELETE FROM background_jobs.departed_workers WHERE name = $1 RETURNING quiet_since, quieted_by
)
INSERT INTO background_jobs.workers (name, host, process, version, started_at, heartbeat_at,
    max_concurrency, job_types, beats, queues, app_version, quiet_since, quieted_by)
SELECT $1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10, back.quiet_since, back.quieted_by
FROM (SELECT) AS one LEFT JOIN back ON true
ON CONFLICT (name) DO NOTHING
"""

BEAT: Final = """
UPDATE background_jobs.workers
SET heartbeat_at = $2, beats = beats + 1, memory = $3, blocked_since = $4, stopping_since = $5
WHERE name = $1
RETURNING quiet_since IS NOT NULL
"""

NOTE_SKEW: Final = "UPDATE background_jobs.workers SET clock_skew = $2 WHERE name = $1"

NOTE_UNRESPONSIVE: Final = "UPDATE background_jobs.workers SET unresponsive = $2 WHERE name = $1"

# Bulk runners leave no trace: their changes have one.
DEPART: Final = f"""
INSERT INTO background_jobs.departed_workers (name, host, process, version, app_version, queues,
    started_at, heartbeat_at, quiet_since, quieted_by, left_at, departure, jobs)
SELECT name, host, process, version, app_version, queues, started_at, heartbeat_at, quiet_since,
    quieted_by, {{left_at}}::timestamptz, {{departure}}, {{jobs}}
FROM gone WHERE NOT starts_with(name, '{BULK_PREFIX}')
ON CONFLICT (name) DO UPDATE
SET left_at = excluded.left_at, departure = excluded.departure, jobs = excluded.jobs
"""

UNREGISTER: Final = f"""
WITH gone AS (DELETE FROM background_jobs.workers WHERE name = $1 RETURNING *)
{DEPART.format(left_at="$2", departure="$3::text", jobs="$4::int")}
"""

DATED_HEARTBEATS: Final = "SELECT name, beats, heartbeat_at FROM background_jobs.workers"

HEARTBEATS: Final = """
SELECT name, beats FROM background_jobs.workers
UNION ALL
SELECT DISTINCT j.worker, -1 FROM background_jobs.jobs j
WHERE j.state = 'Running'
    AND NOT EXISTS (SELECT FROM background_jobs.workers w WHERE w.name = j.worker)
"""

# Staleness is repeated here: a worker that was heard of since the sweeper's look keeps its jobs.
# One statement, so that a sweeper that dies leaves no lock behind. What is locked is passed over: a
# worker is left to the next sweep, and so are jobs, which it returns as they are.
#
# Jobs that finish and whose end somebody waits for, or has subscribed to, stay as they are: they
# are to be ended.
#
# A death counts against jobs that had begun, which is noted of suspects; of all others the first
# death does, unless it would be the last.
_JUDGED: Final = "(SELECT count(*) FROM judged)"
RESCUE: Final = f"""
WITH gone AS (
    DELETE FROM background_jobs.workers WHERE name = (
        SELECT name FROM background_jobs.workers WHERE name = $1 AND beats = $6
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
),
held AS (
    SELECT *, has_begun OR (rescues = 0 AND $2 > 1) AS counts
    FROM background_jobs.jobs
    WHERE worker = $1 AND state = 'Running' AND (
        EXISTS (SELECT FROM gone)
        OR ($6 = -1 AND NOT EXISTS (SELECT FROM background_jobs.workers WHERE name = $1))
    )
    FOR UPDATE SKIP LOCKED
),
judged AS (
    SELECT *, is_awaited OR $7 AS ends_apart, CASE
        WHEN cancel_requested_at IS NOT NULL THEN 'Cancelled'
        WHEN counts AND rescues + 1 >= $2 THEN 'Failed'
        ELSE 'Pending' END AS next_state
    FROM held
),
departed AS ({DEPART.format(left_at="$3", departure="'died'", jobs=_JUDGED)}),
departed_before AS (
    UPDATE background_jobs.departed_workers SET jobs = jobs + {_JUDGED}
    WHERE name = $1 AND $6 = -1
),
noted AS (
    INSERT INTO background_jobs.attempts
        (job_id, fence, number, started_at, ended_at, worker, error)
    SELECT id, fence, attempt, started_at, $3, worker, $4 FROM judged WHERE next_state = 'Pending'
),
removed AS (
    DELETE FROM background_jobs.jobs j USING judged
    WHERE j.id = judged.id AND judged.next_state <> 'Pending' AND NOT judged.ends_apart
),
finished AS (
    INSERT INTO background_jobs.finished_jobs ({_CARRIED}, state, error, completed_at)
    SELECT {_CARRIED}, next_state, CASE WHEN next_state = 'Failed' THEN $5 END, $3
    FROM judged WHERE next_state <> 'Pending' AND NOT ends_apart
),
pending AS (
    UPDATE background_jobs.jobs j
    SET state = 'Pending', worker = NULL, started_at = NULL,
        rescues = j.rescues + judged.counts::int, has_begun = false,
        attempt = j.attempt - 1, attempts_left = j.attempts_left + 1
    FROM judged WHERE j.id = judged.id AND judged.next_state = 'Pending'
)
SELECT judged.id, judged.next_state, judged.fence, judged.ends_apart,
    pg_notify('background_jobs', 'due')
FROM judged
UNION ALL
SELECT j.id, 'Running', j.fence, false, NULL FROM background_jobs.jobs j
WHERE j.worker = $1 AND j.state = 'Running' AND EXISTS (SELECT FROM gone)
    AND j.id NOT IN (SELECT id FROM judged)
"""

TIME: Final = "SELECT clock_timestamp()"

# What somebody else has locked is left for later: a claim loop must not wait for it.
NOTE_STARTS: Final = """
WITH free AS (
    SELECT r.id, g.started_at
    FROM background_jobs.recurring_jobs r
    JOIN unnest($1::uuid[], $2::timestamptz[]) AS g(id, started_at) ON g.id = r.id
    FOR NO KEY UPDATE OF r SKIP LOCKED
),
noted AS (
    UPDATE background_jobs.recurring_jobs r
    SET last_run_at = greatest(r.last_run_at, free.started_at)
    FROM free WHERE r.id = free.id
)
SELECT r.id FROM background_jobs.recurring_jobs r
WHERE r.id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM free WHERE free.id = r.id)
"""

POLL_SCHEDULES: Final = """
SELECT array_agg(id) FILTER (WHERE next_run_at <= $1), min(next_run_at), EXISTS (
    SELECT FROM background_jobs.jobs WHERE on_hold AND recurring_job_id IS NOT NULL
)
FROM background_jobs.recurring_jobs WHERE is_enabled
"""
