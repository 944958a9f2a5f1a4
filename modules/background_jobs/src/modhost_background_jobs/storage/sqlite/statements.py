"""Every statement of the hot path on SQLite, run inside `BEGIN IMMEDIATE` on the one writer.

Batches travel as JSON arrays that `json_each` turns into rows. A write transaction excludes all
others, so that what a statement has read cannot change before the next one acts on it.
"""

from typing import Final

from modhost_background_jobs.model import BULK_PREFIX
from modhost_background_jobs.storage.columns import (
    CARRIED,
    CLAIMED,
    STARTED_KEY,
    listed,
)

LARGE: Final = """
SELECT job_id, data FROM background_jobs_large_data
WHERE job_id IN (SELECT value FROM json_each(?1))
"""

# One for each job type, joined by UNION ALL: SQLite merges them in index order and stops at the
# limit, so that jobs of types that this node does not know are never read.
DUE_OF_TYPE: Final = """
SELECT id, execute_at FROM background_jobs_jobs
WHERE job_type = ? AND state = 'Pending' AND NOT on_hold AND lane IS NULL AND execute_at <= ?
"""

DUE_ORDER: Final = " ORDER BY execute_at, id LIMIT ?"

NEXT_DUE: Final = """
SELECT min((
    SELECT execute_at FROM background_jobs_jobs
    WHERE job_type = types.value AND state = 'Pending' AND NOT on_hold AND lane IS NULL
    ORDER BY execute_at LIMIT 1
)) FROM json_each(?) AS types
"""

# A worker that was found dead claims nothing.
IS_REGISTERED: Final = "SELECT 1 FROM background_jobs_workers WHERE name = ?"

CLAIM: Final = f"""
UPDATE background_jobs_jobs
SET state = 'Running', worker = ?2, started_at = ?3, fence = fence + 1, attempt = attempt + 1,
    attempts_left = attempts_left - 1, error = NULL, progress_percentage = 0,
    progress_message = NULL, progress_at = NULL,
    unique_key = {STARTED_KEY}
WHERE id IN (SELECT value FROM json_each(?1))
RETURNING {listed(CLAIMED)}
"""

NOTE_BEGIN: Final = """
UPDATE background_jobs_jobs SET has_begun = true WHERE id = ? AND fence = ? AND state = 'Running'
"""

_END: Final = f"""
INSERT INTO background_jobs_finished_jobs
    ({listed(CARRIED)}, state, error, completed_at{{}})
SELECT {listed(CARRIED, "j")}, g.value ->> 2, g.value ->> 3, max(?2, j.created_at){{}}
FROM json_each(?1) AS g
CROSS JOIN background_jobs_jobs j ON j.id = g.value ->> 0
WHERE j.fence = g.value ->> 1 AND j.state = 'Running' AND NOT j.is_awaited
RETURNING id
"""

# Rows are [id, fence, state, error], and maybe the result. Jobs whose end somebody waits for are
# ended otherwise.
END: Final = _END.format("", "")
END_WITH_RESULTS: Final = _END.format(", result", ", g.value ->> 4")

REMOVE: Final = "DELETE FROM background_jobs_jobs WHERE id IN (SELECT value FROM json_each(?1))"

# Rows are [id, fence]; returns whether the job was asked to stop meanwhile.
HELD: Final = """
SELECT j.id, j.cancel_requested_at IS NOT NULL
FROM json_each(?1) AS g
CROSS JOIN background_jobs_jobs j ON j.id = g.value ->> 0
WHERE j.fence = g.value ->> 1 AND j.state = 'Running'
"""

# Rows are [id, error].
NOTE_ATTEMPTS: Final = """
INSERT INTO background_jobs_attempts (job_id, fence, number, started_at, ended_at, worker, error)
SELECT j.id, j.fence, j.attempt, j.started_at, ?2, j.worker, g.value ->> 1
FROM json_each(?1) AS g CROSS JOIN background_jobs_jobs j ON j.id = g.value ->> 0
"""

# Rows are [id, execute_at, error, spent, rescues]; a due time, or a number of rescues, that is
# null stays as it is.
TO_PENDING: Final = """
UPDATE background_jobs_jobs
SET state = 'Pending', execute_at = coalesce(g.value ->> 1, execute_at),
    place_at = CASE WHEN g.value ->> 1 IS NULL THEN place_at END,
    worker = NULL, started_at = NULL,
    error = CASE WHEN g.value ->> 3 THEN g.value ->> 2 END,
    attempt = attempt - CASE WHEN g.value ->> 3 THEN 0 ELSE 1 END,
    attempts_left = attempts_left + CASE WHEN g.value ->> 3 THEN 0 ELSE 1 END,
    rescues = coalesce(g.value ->> 4, rescues), has_begun = false
FROM json_each(?1) AS g WHERE background_jobs_jobs.id = g.value ->> 0
"""

# Of jobs that are snoozed again and again.
FORGET_ATTEMPTS: Final = "DELETE FROM background_jobs_attempts WHERE job_id = ? AND fence <= ?"

# Rows are [id, fence, percentage, message, reported_at]; a percentage counts from its first report.
SAVE_PROGRESS: Final = """
UPDATE background_jobs_jobs
SET progress_at = CASE WHEN progress_percentage = g.value ->> 2 AND progress_at >= started_at
        THEN progress_at ELSE g.value ->> 4 END,
    progress_percentage = g.value ->> 2,
    progress_message = coalesce(g.value ->> 3, progress_message)
FROM json_each(?1) AS g
WHERE background_jobs_jobs.id = g.value ->> 0 AND fence = g.value ->> 1 AND state = 'Running'
RETURNING background_jobs_jobs.id
"""

# Rows are [id, fence, line, logged_at, message]; lines that an earlier try of the same flush
# stored already are left alone.
APPEND_LOGS: Final = """
INSERT INTO background_jobs_logs (job_id, line, logged_at, message)
SELECT g.value ->> 0, g.value ->> 2, g.value ->> 3, g.value ->> 4
FROM json_each(?1) AS g
CROSS JOIN background_jobs_jobs j ON j.id = g.value ->> 0
WHERE j.fence = g.value ->> 1 AND j.state = 'Running'
ON CONFLICT DO NOTHING
"""

TRIM_LOGS: Final = """
DELETE FROM background_jobs_logs
WHERE job_id = ?1 AND line <= (
    SELECT line FROM background_jobs_logs WHERE job_id = ?1 ORDER BY line DESC LIMIT 1 OFFSET ?2
)
"""

LEASES: Final = """
SELECT id, fence, cancel_requested_at IS NOT NULL
FROM background_jobs_jobs WHERE worker = ? AND state = 'Running'
"""

# Beats begin anywhere: those of a worker that registers again are none that were seen before.
REGISTER: Final = """
INSERT INTO background_jobs_workers (name, host, process, version, started_at, heartbeat_at,
    max_concurrency, job_types, beats, queues, app_version, quiet_since, quieted_by)
SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10, back.quiet_since, back.quieted_by
FROM (SELECT 1) LEFT JOIN background_jobs_departed_workers AS back ON back.name = ?1
WHERE true
ON CONFLICT (name) DO NOTHING
"""

# The bare column: some versions of SQLite answer 1 to whether it is not null.
BEAT: Final = """
UPDATE background_jobs_workers
SET heartbeat_at = ?2, beats = beats + 1, memory = ?3, blocked_since = ?4, stopping_since = ?5
WHERE name = ?1
RETURNING quiet_since
"""

NOTE_SKEW: Final = "UPDATE background_jobs_workers SET clock_skew = ?2 WHERE name = ?1"

NOTE_UNRESPONSIVE: Final = "UPDATE background_jobs_workers SET unresponsive = ?2 WHERE name = ?1"

UNREGISTER: Final = "DELETE FROM background_jobs_workers WHERE name = ?"

# Bulk runners leave no trace: their changes have one.
DEPART: Final = f"""
INSERT OR REPLACE INTO background_jobs_departed_workers (name, host, process, version, app_version,
    queues, started_at, heartbeat_at, quiet_since, quieted_by, left_at, departure, jobs)
SELECT name, host, process, version, app_version, queues, started_at, heartbeat_at, quiet_since,
    quieted_by, ?2, ?3, ?4
FROM background_jobs_workers WHERE name = ?1 AND name NOT GLOB '{BULK_PREFIX}*'
"""
COME_BACK: Final = "DELETE FROM background_jobs_departed_workers WHERE name = ?"
COUNT_RESCUED: Final = """
UPDATE background_jobs_departed_workers SET jobs = jobs + ?2 WHERE name = ?1
"""

DATED_HEARTBEATS: Final = "SELECT name, beats, heartbeat_at FROM background_jobs_workers"

HEARTBEATS: Final = """
SELECT name, beats FROM background_jobs_workers
UNION ALL
SELECT DISTINCT worker, -1 FROM background_jobs_jobs
WHERE state = 'Running' AND worker NOT IN (SELECT name FROM background_jobs_workers)
"""

# Staleness is repeated here: a worker that was heard of since the sweeper's look keeps its jobs.
IS_SILENT: Final = "SELECT 1 FROM background_jobs_workers WHERE name = ? AND beats = ?"

# A death counts against jobs that had begun, which is noted of suspects; of all others the first
# death does, unless it would be the last.
RESCUABLE: Final = """
WITH held AS (
    SELECT *, has_begun OR (rescues = 0 AND ?2 > 1) AS counts
    FROM background_jobs_jobs WHERE worker = ?1 AND state = 'Running'
)
SELECT id, CASE
    WHEN cancel_requested_at IS NOT NULL THEN 'Cancelled'
    WHEN counts AND rescues + 1 >= ?2 THEN 'Failed'
    ELSE 'Pending' END, fence, rescues + counts
FROM held
"""

NOTE_START: Final = """
UPDATE background_jobs_recurring_jobs SET last_run_at = max(coalesce(last_run_at, ''), ?2)
WHERE id = ?1
"""

POLL_SCHEDULES: Final = """
SELECT json_group_array(id) FILTER (WHERE next_run_at <= ?), min(next_run_at), EXISTS (
    SELECT 1 FROM background_jobs_jobs WHERE on_hold AND recurring_job_id IS NOT NULL
)
FROM background_jobs_recurring_jobs WHERE is_enabled
"""
