"""The statements about awaited jobs on SQLite; batches travel as JSON arrays."""

from typing import Final

from modhost_background_jobs.model.flow import HAS_STARTED
from modhost_background_jobs.storage.columns import CARRIED, REVIVED, listed
from modhost_background_jobs.storage.tables import IS_UNIQUE

IS_WORKFLOW: Final = "SELECT 1 FROM background_jobs_workflows WHERE id = ?1"

# Rows are [id, fence, state, error, result].
END: Final = f"""
INSERT INTO background_jobs_finished_jobs
    ({listed(CARRIED)}, state, error, completed_at, result)
SELECT {listed(CARRIED, "j")}, g.value ->> 2, g.value ->> 3, max(?2, j.created_at), g.value ->> 4
FROM json_each(?1) AS g
CROSS JOIN background_jobs_jobs j ON j.id = g.value ->> 0
WHERE j.fence = g.value ->> 1 AND j.state = 'Running'
RETURNING id, state, workflow_id
"""

# Rows are [id, reason].
CANCEL: Final = f"""
INSERT INTO background_jobs_finished_jobs ({listed(CARRIED)}, state, error, completed_at)
SELECT {listed(CARRIED, "j")}, 'Cancelled', g.value ->> 1, max(?2, j.created_at)
FROM json_each(?1) AS g
CROSS JOIN background_jobs_jobs j ON j.id = g.value ->> 0
WHERE j.state = 'Pending'
RETURNING id, state, workflow_id
"""

REMOVE: Final = "DELETE FROM background_jobs_jobs WHERE id IN (SELECT value FROM json_each(?1))"

# Rows are [id, whether it is bad].
JUDGE: Final = """
UPDATE background_jobs_job_conditions AS c
SET unfinished = c.unfinished - gone.number,
    verdict = CASE
        WHEN c.run_when = 'succeeded' AND gone.is_bad THEN 'cancel'
        WHEN c.run_when = 'failed' AND gone.is_bad THEN 'run'
        WHEN c.unfinished = gone.number THEN CASE c.run_when WHEN 'failed' THEN 'cancel'
            ELSE 'run' END
        END
FROM (
    SELECT d.job_id, count(*) AS number, max(g.value ->> 1) AS is_bad
    FROM json_each(?1) AS g
    CROSS JOIN background_jobs_job_dependencies d ON d.after_id = g.value ->> 0
    GROUP BY d.job_id
) AS gone
WHERE c.job_id = gone.job_id AND c.verdict IS NULL
RETURNING job_id, verdict, run_when
"""

RELEASE: Final = """
UPDATE background_jobs_jobs SET on_hold = false, execute_at = max(execute_at, ?2)
WHERE id IN (SELECT value FROM json_each(?1))
"""

# Of the jobs before these, one that has decided: a bad one if there is any.
DECIDING: Final = """
SELECT d.job_id, d.after_id, max(e.value ->> 1)
FROM json_each(?2) AS e
CROSS JOIN background_jobs_job_dependencies d ON d.after_id = e.value ->> 0
WHERE d.job_id IN (SELECT value FROM json_each(?1))
GROUP BY d.job_id
"""

SPREAD: Final = """
WITH RECURSIVE reached (job_id, after_id) AS (
    SELECT d.job_id, d.after_id
    FROM json_each(?1) AS g
    CROSS JOIN background_jobs_job_dependencies d ON d.after_id = g.value
    CROSS JOIN background_jobs_job_conditions c ON c.job_id = d.job_id
    WHERE c.run_when = 'succeeded' AND c.verdict IS NULL
    UNION
    SELECT d.job_id, d.after_id
    FROM reached
    CROSS JOIN background_jobs_job_dependencies d ON d.after_id = reached.job_id
    CROSS JOIN background_jobs_job_conditions c ON c.job_id = d.job_id
    WHERE c.run_when = 'succeeded' AND c.verdict IS NULL
)
SELECT job_id, min(after_id) FROM reached GROUP BY job_id
"""

NOTE_VERDICT: Final = """
UPDATE background_jobs_job_conditions SET verdict = ?2
WHERE job_id IN (SELECT value FROM json_each(?1)) AND verdict IS NULL
"""

WAITING: Final = """
SELECT c.job_id, count(j.id), c.verdict IS NOT NULL
FROM background_jobs_job_conditions c
CROSS JOIN background_jobs_job_dependencies d ON d.job_id = c.job_id
LEFT JOIN background_jobs_jobs j ON j.id = d.after_id
LEFT JOIN background_jobs_finished_jobs f ON f.id = d.after_id
WHERE c.job_id IN (
    SELECT job_id FROM background_jobs_job_dependencies
    WHERE after_id IN (SELECT value FROM json_each(?1))
) AND (c.verdict IS NULL OR (c.verdict = 'cancel' AND c.run_when = 'succeeded'))
GROUP BY c.job_id
HAVING c.verdict IS NULL OR NOT coalesce(max(f.state <> 'Completed'), false)
"""

# Rows are [id, unfinished].
NOTE_WAITING: Final = """
UPDATE background_jobs_job_conditions AS c SET unfinished = g.value ->> 1, verdict = NULL
FROM json_each(?1) AS g WHERE c.job_id = g.value ->> 0
"""

# A key that another job has meanwhile is given up, and so are those of jobs that share one.
_KEY: Final = f"""CASE WHEN EXISTS (
        SELECT 1 FROM background_jobs_jobs j WHERE j.unique_key = f.unique_key AND {IS_UNIQUE}
    ) OR row_number() OVER (PARTITION BY unique_key ORDER BY id) > 1
    THEN '{HAS_STARTED}' || substr(unique_key, 3) ELSE unique_key END"""
_REVIVED: Final = REVIVED | {"execute_at": "?2", "unique_key": _KEY}
REVIVE: Final = f"""
INSERT INTO background_jobs_jobs ({", ".join(_REVIVED)})
SELECT {", ".join(_REVIVED.values())} FROM background_jobs_finished_jobs f
WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'Cancelled'
RETURNING id, workflow_id
"""

REMOVE_FINISHED: Final = """
DELETE FROM background_jobs_finished_jobs WHERE id IN (SELECT value FROM json_each(?1))
"""

# Rows are [workflow, over, failed, cancelled, stopped].
COUNT: Final = """
UPDATE background_jobs_workflows AS w
SET unfinished = w.unfinished - (g.value ->> 1), failed = w.failed + (g.value ->> 2),
    cancelled = w.cancelled + (g.value ->> 3), stopped = w.stopped + (g.value ->> 4),
    outcome = CASE WHEN w.unfinished = g.value ->> 1 THEN CASE
        WHEN w.failed + (g.value ->> 2) > 0 THEN 'Failed'
        WHEN w.stopped + (g.value ->> 4) > 0 THEN 'Cancelled'
        ELSE 'Completed' END END,
    completed_at = CASE WHEN w.unfinished = g.value ->> 1 THEN ?2 END
FROM json_each(?1) AS g WHERE w.id = g.value ->> 0
"""
