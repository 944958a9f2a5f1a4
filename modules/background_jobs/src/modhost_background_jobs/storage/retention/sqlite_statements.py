"""Deleting what is old on SQLite, within a write transaction."""

from typing import Final

# What a workflow reads of its jobs is there until all of them have finished, and so is what a job
# reads of those before it.
OLD_FINISHED: Final = """
SELECT id, tags IS NOT NULL OR summary IS NOT NULL FROM background_jobs_finished_jobs f
WHERE state = ? AND completed_at < ? AND (workflow_id IS NULL OR NOT EXISTS (
    SELECT 1 FROM background_jobs_workflows w WHERE w.id = f.workflow_id AND w.outcome IS NULL
)) AND NOT EXISTS (
    SELECT 1 FROM background_jobs_job_dependencies d
    JOIN background_jobs_jobs j ON j.id = d.job_id
    WHERE d.after_id = f.id
)
ORDER BY completed_at LIMIT ?
"""

_IDS: Final = "(SELECT value FROM json_each(?1))"

PRUNE: Final = (
    f"DELETE FROM background_jobs_logs WHERE job_id IN {_IDS}",
    f"DELETE FROM background_jobs_attempts WHERE job_id IN {_IDS}",
    f"DELETE FROM background_jobs_large_data WHERE job_id IN {_IDS}",
    f"DELETE FROM background_jobs_job_conditions WHERE job_id IN {_IDS}",
    f"DELETE FROM background_jobs_job_dependencies WHERE job_id IN {_IDS}",
    f"DELETE FROM background_jobs_job_steps WHERE job_id IN {_IDS}",
    f"DELETE FROM background_jobs_finished_jobs WHERE id IN {_IDS}",
)

PRUNE_FOUND_BY: Final = (
    f"DELETE FROM background_jobs_job_tags WHERE job_id IN {_IDS}",
    f"DELETE FROM background_jobs_job_words WHERE job_id IN {_IDS}",
)

ENDED_PERIODS: Final = """
SELECT unique_key FROM background_jobs_unique_periods WHERE ends_at < ?1
ORDER BY ends_at LIMIT ?2
"""

FORGET_PERIODS: Final = f"""
DELETE FROM background_jobs_unique_periods WHERE unique_key IN ({ENDED_PERIODS})
"""

NEWEST_END: Final = """
SELECT max((
    SELECT completed_at FROM background_jobs_finished_jobs
    WHERE state = states.value AND completed_at < ?2
    ORDER BY completed_at DESC LIMIT 1
)) FROM json_each(?1) AS states
"""

OLD_OCCURRENCES: Final = "SELECT 1 FROM background_jobs_occurrences WHERE fired_at < ? LIMIT 1"

# A schedule keeps the last of its due times that were forgotten: none up to it fires again.
KEEP_FORGOTTEN: Final = """
UPDATE background_jobs_recurring_jobs
SET forgotten_until = max(coalesce(forgotten_until, ''), newest.due_at)
FROM (
    SELECT recurring_job_id, max(due_at) AS due_at FROM background_jobs_occurrences
    WHERE fired_at < ? GROUP BY recurring_job_id
) AS newest
WHERE id = newest.recurring_job_id
"""

FORGET_OCCURRENCES: Final = "DELETE FROM background_jobs_occurrences WHERE fired_at < ?"

OLD_WORKFLOWS: Final = """
SELECT id FROM background_jobs_workflows w
WHERE outcome IS NOT NULL AND completed_at < ?1 AND NOT EXISTS (
    SELECT 1 FROM background_jobs_finished_jobs f WHERE f.workflow_id = w.id
)
LIMIT ?2
"""

FORGET_WORKFLOWS: Final = f"""
DELETE FROM background_jobs_workflows WHERE id IN ({OLD_WORKFLOWS})
"""
