"""Deleting what is old on PostgreSQL, each statement one transaction."""

from typing import Final

# What a workflow reads of its jobs is there until all of them have finished, and so is what a job
# reads of those before it.
_OLD: Final = """old AS (
    SELECT id, tags, summary FROM background_jobs.finished_jobs f
    WHERE state = $1 AND completed_at < $2 AND (workflow_id IS NULL OR NOT EXISTS (
        SELECT FROM background_jobs.workflows w WHERE w.id = f.workflow_id AND w.outcome IS NULL
    )) AND NOT EXISTS (
        SELECT FROM background_jobs.job_dependencies d
        JOIN background_jobs.jobs j ON j.id = d.job_id
        WHERE d.after_id = f.id
    )
    ORDER BY completed_at LIMIT $3 FOR UPDATE SKIP LOCKED
)"""
# No index is searched for steps where no job has any.
_CONDITIONS: Final = """steps AS (
    DELETE FROM background_jobs.job_steps USING {0}
    WHERE job_id = {0}.id AND EXISTS (SELECT FROM background_jobs.job_steps)
),
conditions AS (
    DELETE FROM background_jobs.job_conditions USING {0} WHERE job_id = {0}.id
),
dependencies AS (
    DELETE FROM background_jobs.job_dependencies USING {0} WHERE job_id = {0}.id
),"""

PRUNE: Final = f"""
WITH {_OLD},
{_CONDITIONS.format("old")}
logs AS (DELETE FROM background_jobs.logs USING old WHERE job_id = old.id),
attempts AS (DELETE FROM background_jobs.attempts USING old WHERE job_id = old.id),
tags AS (
    DELETE FROM background_jobs.job_tags USING old WHERE old.tags IS NOT NULL AND job_id = old.id
),
words AS (
    DELETE FROM background_jobs.job_words USING old
    WHERE old.summary IS NOT NULL AND job_id = old.id
)
DELETE FROM background_jobs.finished_jobs f USING old WHERE f.id = old.id RETURNING f.id
"""

_OF_JOBS: Final = (
    "logs",
    "attempts",
    "job_steps",
    "job_conditions",
    "job_dependencies",
    "job_tags",
    "job_words",
)
_FREE: Final = "".join(
    f"""
free_{table} AS (
    SELECT ctid AS place FROM background_jobs.{table} WHERE job_id IN (SELECT id FROM old)
    FOR UPDATE SKIP LOCKED
),"""
    for table in _OF_JOBS
)
_IS_FREE: Final = " AND ".join(
    f"""NOT EXISTS (
        SELECT FROM background_jobs.{table} t
        WHERE t.job_id = old.id AND t.ctid NOT IN (SELECT place FROM free_{table})
    )"""
    for table in _OF_JOBS
)

# The same without jobs of which a row is locked; tried when one is waited for.
PRUNE_FREE: Final = f"""
WITH {_OLD},
{_FREE}
free AS (SELECT id, tags, summary FROM old WHERE {_IS_FREE}),
{_CONDITIONS.format("free")}
logs AS (DELETE FROM background_jobs.logs USING free WHERE job_id = free.id),
attempts AS (DELETE FROM background_jobs.attempts USING free WHERE job_id = free.id),
tags AS (
    DELETE FROM background_jobs.job_tags USING free WHERE free.tags IS NOT NULL AND job_id = free.id
),
words AS (
    DELETE FROM background_jobs.job_words USING free
    WHERE free.summary IS NOT NULL AND job_id = free.id
)
DELETE FROM background_jobs.finished_jobs f USING free WHERE f.id = free.id RETURNING f.id
"""

FORGET_PERIODS: Final = """
DELETE FROM background_jobs.unique_periods WHERE unique_key IN (
    SELECT unique_key FROM background_jobs.unique_periods WHERE ends_at < $1
    ORDER BY ends_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING unique_key
"""

FORGET_WORKFLOWS: Final = """
DELETE FROM background_jobs.workflows WHERE id IN (
    SELECT id FROM background_jobs.workflows w
    WHERE outcome IS NOT NULL AND completed_at < $1 AND NOT EXISTS (
        SELECT FROM background_jobs.finished_jobs f WHERE f.workflow_id = w.id
    )
    LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING id
"""

NEWEST_END: Final = """
SELECT max(newest.completed_at)
FROM unnest($1::text[]) AS s(state)
CROSS JOIN LATERAL (
    SELECT f.completed_at FROM background_jobs.finished_jobs f
    WHERE f.state = s.state AND f.completed_at < $2
    ORDER BY f.completed_at DESC LIMIT 1
) newest
"""

# A schedule keeps the last of its due times that were forgotten: none up to it fires again. One
# that is locked is left to the next time.
FORGET_OCCURRENCES: Final = """
WITH old AS (
    SELECT recurring_job_id, due_at FROM background_jobs.occurrences WHERE fired_at < $1
    FOR UPDATE SKIP LOCKED
),
free AS (
    SELECT id FROM background_jobs.recurring_jobs WHERE id IN (SELECT recurring_job_id FROM old)
    FOR NO KEY UPDATE SKIP LOCKED
),
forgotten AS (
    DELETE FROM background_jobs.occurrences o USING old
    WHERE o.recurring_job_id = old.recurring_job_id AND o.due_at = old.due_at AND (
        o.recurring_job_id IN (SELECT id FROM free) OR NOT EXISTS (
            SELECT FROM background_jobs.recurring_jobs r WHERE r.id = o.recurring_job_id
        )
    )
    RETURNING o.recurring_job_id, o.due_at
),
newest AS (SELECT recurring_job_id, max(due_at) AS due_at FROM forgotten GROUP BY recurring_job_id),
kept AS (
    UPDATE background_jobs.recurring_jobs r
    SET forgotten_until = greatest(r.forgotten_until, newest.due_at)
    FROM newest WHERE r.id = newest.recurring_job_id
)
SELECT count(*) FROM forgotten
"""
