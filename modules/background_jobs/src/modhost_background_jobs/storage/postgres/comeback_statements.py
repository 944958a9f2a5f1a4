"""What a worker that was taken for dead corrects on PostgreSQL when it is back."""

from typing import Final

from modhost_background_jobs.model import CUT_OFF, LOST, QUARANTINED, lost_attempt_error
from modhost_background_jobs.model.flow import HAS_STARTED
from modhost_background_jobs.storage.columns import RESTORED
from modhost_background_jobs.storage.tables import IS_UNIQUE

_CUT_OFF: Final = f"'{CUT_OFF[0]}' || {{}}.worker || '{CUT_OFF[1]}'"
# A key that another job has meanwhile is given up.
_KEY: Final = f"""CASE WHEN rank = 1 AND NOT EXISTS (
        SELECT FROM background_jobs.jobs j WHERE j.unique_key = freed.unique_key AND {IS_UNIQUE}
    ) THEN unique_key ELSE '{HAS_STARTED}' || substr(unique_key, 3) END"""
_RESTORED: Final = RESTORED | {"unique_key": _KEY}
_LOST: Final = "'" + lost_attempt_error("' || freed.worker || '") + "'"

LOCK_WORKFLOWS: Final = """
SELECT id FROM background_jobs.workflows WHERE id IN (
    SELECT workflow_id FROM background_jobs.finished_jobs
    WHERE id = ANY($1::uuid[]) AND state = 'Failed'
)
ORDER BY id FOR UPDATE
"""

# An attempt that ended by itself has cleared the count of rescues before it. The last rescue of a
# job in quarantine is recorded in the job's own row.
TAKE_BACK: Final = f"""
WITH lost AS (
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::boolean[]) AS g(id, fence, counts)
),
corrected AS (
    UPDATE background_jobs.attempts a SET error = {_CUT_OFF.format("a")}
    FROM lost WHERE a.job_id = lost.id AND a.fence = lost.fence AND a.error LIKE '{LOST}%'
    RETURNING a.job_id, a.fence
),
counted AS (
    SELECT lost.id, lost.fence FROM lost WHERE lost.counts AND NOT EXISTS (
        SELECT FROM background_jobs.attempts later
        WHERE later.job_id = lost.id AND later.fence > lost.fence
            AND later.error NOT LIKE '{LOST}%' AND later.error NOT LIKE '{CUT_OFF[0]}%'
    )
),
reduced AS (
    UPDATE background_jobs.jobs j SET rescues = j.rescues - 1
    FROM counted JOIN corrected ON corrected.job_id = counted.id AND corrected.fence = counted.fence
    WHERE j.id = counted.id AND j.rescues > 0
),
freed AS (
    DELETE FROM background_jobs.finished_jobs f USING counted
    WHERE f.id = counted.id AND f.state = 'Failed' AND f.error LIKE '{QUARANTINED}%' AND (
        f.fence = counted.fence OR (counted.id, counted.fence) IN (SELECT * FROM corrected)
    )
    RETURNING f.*, f.fence = counted.fence AS is_own
),
noted AS (
    INSERT INTO background_jobs.attempts
        (job_id, fence, number, started_at, ended_at, worker, error)
    SELECT id, fence, attempt, started_at, completed_at, worker,
        CASE WHEN is_own THEN {_CUT_OFF.format("freed")} ELSE {_LOST} END
    FROM freed
),
again AS (
    INSERT INTO background_jobs.jobs ({", ".join(_RESTORED)})
    SELECT {", ".join(_RESTORED.values())}
    FROM (
        SELECT *, row_number() OVER (PARTITION BY unique_key ORDER BY id) AS rank FROM freed
    ) freed
)
SELECT id, workflow_id, pg_notify('background_jobs', 'due') FROM freed
"""
