"""The statements about awaited jobs on PostgreSQL; batches travel as arrays."""

from typing import Final

from modhost_background_jobs.model.flow import HAS_STARTED
from modhost_background_jobs.storage.columns import CARRIED, REVIVED, listed
from modhost_background_jobs.storage.postgres.lease_statements import IS_RUNNING
from modhost_background_jobs.storage.tables import IS_UNIQUE

_CARRIED: Final = listed(CARRIED)

LOCK_WORKFLOWS: Final = """
SELECT id FROM background_jobs.workflows WHERE id IN (
    SELECT workflow_id FROM background_jobs.jobs WHERE id = ANY($1::uuid[])
)
ORDER BY id FOR UPDATE
"""

LOCK_ALL_WORKFLOWS: Final = """
WITH RECURSIVE reached AS (
    SELECT unnest($1::uuid[]) AS id
    UNION
    SELECT d.job_id FROM reached JOIN background_jobs.job_dependencies d ON d.after_id = reached.id
)
SELECT id FROM background_jobs.workflows WHERE id IN (
    SELECT j.workflow_id FROM reached JOIN background_jobs.jobs j ON j.id = reached.id
)
ORDER BY id FOR UPDATE
"""

LOCK_WORKFLOW: Final = "SELECT id FROM background_jobs.workflows WHERE id = $1 FOR UPDATE"

# By a statement of its own: whoever has added a job that waits for one of these had it locked.
LOCK_JOBS: Final = """
SELECT id FROM background_jobs.jobs WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
"""

_NEW_COUNTS: Final = """
UPDATE background_jobs.workflows w
SET unfinished = w.unfinished - t.number, failed = w.failed + t.failed,
    cancelled = w.cancelled + t.cancelled, stopped = w.stopped + t.stopped,
    outcome = CASE WHEN w.unfinished = t.number THEN CASE
        WHEN w.failed + t.failed > 0 THEN 'Failed'
        WHEN w.stopped + t.stopped > 0 THEN 'Cancelled'
        ELSE 'Completed' END END,
    completed_at = CASE WHEN w.unfinished = t.number THEN {now} END
FROM {tallies} t WHERE w.id = t.workflow_id
"""

# The row of a condition is locked whatever its verdict: a revival reads how many are unfinished.
_JUDGED: Final = """
gone AS (
    SELECT d.job_id, count(*)::int AS number, bool_or(e.is_bad) AS is_bad,
        (array_agg(e.id ORDER BY e.is_bad DESC, e.id))[1] AS before_id
    FROM ends e JOIN background_jobs.job_dependencies d ON d.after_id = e.id
    GROUP BY d.job_id
),
locked AS (
    SELECT c.job_id, c.run_when, c.verdict, c.unfinished - gone.number AS unfinished,
        gone.is_bad, gone.before_id
    FROM background_jobs.job_conditions c JOIN gone ON gone.job_id = c.job_id
    ORDER BY c.job_id FOR UPDATE OF c
),
judged AS (
    SELECT *, CASE
        WHEN verdict IS NOT NULL THEN verdict
        WHEN run_when = 'succeeded' AND is_bad THEN 'cancel'
        WHEN run_when = 'failed' AND is_bad THEN 'run'
        WHEN unfinished = 0 THEN CASE run_when WHEN 'failed' THEN 'cancel' ELSE 'run' END
        END AS next_verdict
    FROM locked
),
noted AS (
    UPDATE background_jobs.job_conditions c
    SET unfinished = judged.unfinished, verdict = judged.next_verdict
    FROM judged WHERE c.job_id = judged.job_id AND judged.verdict IS NULL
),
released AS (
    UPDATE background_jobs.jobs j
    SET on_hold = false, execute_at = greatest(j.execute_at, {now})
    FROM judged
    WHERE j.id = judged.job_id AND judged.verdict IS NULL AND judged.next_verdict = 'run'
)
"""

_DOOMED: Final = "verdict IS NULL AND next_verdict = 'cancel'"

END: Final = f"""
WITH ended AS (
    DELETE FROM background_jobs.jobs j
    USING unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[])
        AS g(id, fence, state, error, result)
    WHERE j.id = g.id AND j.fence = g.fence AND j.id = ANY ($1::uuid[]) AND {IS_RUNNING}
    RETURNING j.*, g.state AS final_state, g.error AS final_error, g.result AS final_result
),
finished AS (
    INSERT INTO background_jobs.finished_jobs
        ({_CARRIED}, state, error, completed_at, result)
    SELECT {_CARRIED}, final_state, final_error, greatest($6, created_at), final_result FROM ended
),
tallies AS (
    SELECT workflow_id, count(*) AS number,
        count(*) FILTER (WHERE final_state = 'Failed') AS failed,
        count(*) FILTER (WHERE final_state = 'Cancelled') AS cancelled,
        count(*) FILTER (WHERE final_state = 'Cancelled') AS stopped
    FROM ended WHERE workflow_id IS NOT NULL GROUP BY workflow_id
),
counted AS ({_NEW_COUNTS.format(now="$6::timestamptz", tallies="tallies")}),
ends AS (SELECT id, final_state <> 'Completed' AS is_bad FROM ended),
{_JUDGED.format(now="$6::timestamptz")}
SELECT id, NULL::uuid, NULL FROM ended
UNION ALL SELECT job_id, before_id, run_when FROM judged WHERE {_DOOMED}
"""

JUDGE: Final = f"""
WITH ends AS (SELECT * FROM unnest($1::uuid[], $2::boolean[]) AS g(id, is_bad)),
{_JUDGED.format(now="$3::timestamptz")}
SELECT job_id, before_id, run_when FROM judged WHERE {_DOOMED}
"""

SPREAD: Final = """
WITH RECURSIVE reached AS (
    SELECT d.job_id, d.after_id
    FROM unnest($1::uuid[]) AS g(id)
    JOIN background_jobs.job_dependencies d ON d.after_id = g.id
    JOIN background_jobs.job_conditions c ON c.job_id = d.job_id
        AND c.run_when = 'succeeded' AND c.verdict IS NULL
    UNION
    SELECT d.job_id, d.after_id
    FROM reached
    JOIN background_jobs.job_dependencies d ON d.after_id = reached.job_id
    JOIN background_jobs.job_conditions c ON c.job_id = d.job_id
        AND c.run_when = 'succeeded' AND c.verdict IS NULL
),
first AS (SELECT DISTINCT ON (job_id) job_id, after_id FROM reached ORDER BY job_id, after_id)
UPDATE background_jobs.job_conditions c SET verdict = 'cancel'
FROM first WHERE c.job_id = first.job_id AND c.verdict IS NULL
RETURNING c.job_id, first.after_id, c.run_when
"""

CANCEL: Final = f"""
WITH gone AS (
    DELETE FROM background_jobs.jobs j
    USING unnest($1::uuid[], $2::text[]) AS g(id, reason)
    WHERE j.id = g.id AND j.state = 'Pending'
    RETURNING j.*, g.reason
),
finished AS (
    INSERT INTO background_jobs.finished_jobs ({_CARRIED}, state, error, completed_at)
    SELECT {_CARRIED}, 'Cancelled', reason, greatest($3::timestamptz, created_at) FROM gone
),
tallies AS (
    SELECT workflow_id, count(*) AS number, 0 AS failed, count(*) AS cancelled, 0 AS stopped
    FROM gone WHERE workflow_id IS NOT NULL GROUP BY workflow_id
),
counted AS ({_NEW_COUNTS.format(now="$3::timestamptz", tallies="tallies")})
SELECT id FROM gone
"""

# Locked by a statement of its own: what ends meanwhile is read as it is then, or counts itself.
LOCK_WAITING: Final = """
SELECT job_id FROM background_jobs.job_conditions WHERE job_id IN (
    SELECT job_id FROM background_jobs.job_dependencies WHERE after_id = ANY($1::uuid[])
)
ORDER BY job_id FOR UPDATE
"""

# A key that another job has meanwhile is given up.
_KEY: Final = f"""CASE WHEN rank = 1 AND NOT EXISTS (
        SELECT FROM background_jobs.jobs j WHERE j.unique_key = freed.unique_key AND {IS_UNIQUE}
    ) THEN unique_key ELSE '{HAS_STARTED}' || substr(unique_key, 3) END"""
_REVIVED: Final = REVIVED | {"execute_at": "$2::timestamptz", "unique_key": _KEY}

REVIVE: Final = f"""
WITH counted AS (
    SELECT c.job_id, c.verdict, count(j.id)::int AS unfinished,
        bool_or(f.state <> 'Completed') IS TRUE AS is_bad
    FROM background_jobs.job_conditions c
    JOIN background_jobs.job_dependencies d ON d.job_id = c.job_id
    LEFT JOIN background_jobs.jobs j ON j.id = d.after_id
    LEFT JOIN background_jobs.finished_jobs f ON f.id = d.after_id
    WHERE c.job_id IN (
        SELECT job_id FROM background_jobs.job_dependencies WHERE after_id = ANY($1::uuid[])
    ) AND (c.verdict IS NULL OR (c.verdict = 'cancel' AND c.run_when = 'succeeded'))
    GROUP BY c.job_id
),
waiting AS (SELECT * FROM counted WHERE verdict IS NULL OR NOT is_bad),
noted AS (
    UPDATE background_jobs.job_conditions c SET unfinished = waiting.unfinished, verdict = NULL
    FROM waiting WHERE c.job_id = waiting.job_id
),
freed AS (
    DELETE FROM background_jobs.finished_jobs f USING waiting
    WHERE f.id = waiting.job_id AND f.state = 'Cancelled' AND waiting.verdict = 'cancel'
    RETURNING f.*
),
again AS (
    INSERT INTO background_jobs.jobs ({", ".join(_REVIVED)})
    SELECT {", ".join(_REVIVED.values())}
    FROM (
        SELECT *, row_number() OVER (PARTITION BY unique_key ORDER BY id) AS rank FROM freed
    ) freed
),
tallies AS (
    SELECT workflow_id, -count(*) AS number, 0 AS failed, -count(*) AS cancelled, 0 AS stopped
    FROM freed WHERE workflow_id IS NOT NULL GROUP BY workflow_id
),
counted_again AS ({_NEW_COUNTS.format(now="$2::timestamptz", tallies="tallies")})
SELECT id FROM freed
"""

STOP: Final = """
UPDATE background_jobs.job_conditions SET verdict = 'stop'
WHERE job_id = ANY($1::uuid[]) AND verdict IS NULL
"""

COUNT: Final = _NEW_COUNTS.format(
    now="$6::timestamptz",
    tallies="""unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[])
    AS""",
).replace(" t WHERE", " t(workflow_id, number, failed, cancelled, stopped) WHERE")

NOTIFY: Final = """
SELECT pg_notify('background_jobs', 'end'), pg_notify('background_jobs', 'due')
"""
