"""Statements of the looks at schedules on PostgreSQL, each one round trip and one transaction."""

from typing import Final

LOOK_AT_SCHEDULES: Final = """
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
