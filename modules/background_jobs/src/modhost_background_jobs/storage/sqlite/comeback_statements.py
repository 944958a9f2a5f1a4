"""What a worker that was taken for dead corrects on SQLite when it is back."""

from typing import Final

from modhost_background_jobs.model import CUT_OFF, LOST, QUARANTINED, lost_attempt_error
from modhost_background_jobs.model.flow import HAS_STARTED
from modhost_background_jobs.storage.columns import RESTORED
from modhost_background_jobs.storage.tables import IS_UNIQUE

_LEASE: Final = "job_id = ?1 AND fence = ?2"
_CUT_OFF: Final = f"'{CUT_OFF[0]}' || worker || '{CUT_OFF[1]}'"
_LOST: Final = "'" + lost_attempt_error("' || worker || '") + "'"
ENDED_SINCE: Final = f"""
SELECT 1 FROM background_jobs_attempts
WHERE job_id = ?1 AND fence > ?2
    AND error NOT LIKE '{LOST}%' AND error NOT LIKE '{CUT_OFF[0]}%'
"""
CORRECT: Final = f"""
UPDATE background_jobs_attempts SET error = {_CUT_OFF} WHERE {_LEASE} AND error LIKE '{LOST}%'
"""
REDUCE: Final = "UPDATE background_jobs_jobs SET rescues = rescues - 1 WHERE id = ? AND rescues > 0"
_QUARANTINED: Final = f"""
FROM background_jobs_finished_jobs
WHERE id = ?1 AND state = 'Failed' AND error LIKE '{QUARANTINED}%' AND (fence = ?2 OR ?3)
"""
NOTE: Final = f"""
INSERT INTO background_jobs_attempts (job_id, fence, number, started_at, ended_at, worker, error)
SELECT id, fence, attempt, started_at, completed_at, worker,
    CASE WHEN fence = ?2 THEN {_CUT_OFF} ELSE {_LOST} END {_QUARANTINED}
"""
# A key that another job has meanwhile is given up.
_KEY: Final = f"""CASE WHEN EXISTS (
        SELECT 1 FROM background_jobs_jobs j
        WHERE j.unique_key = background_jobs_finished_jobs.unique_key AND {IS_UNIQUE}
    ) THEN '{HAS_STARTED}' || substr(unique_key, 3) ELSE unique_key END"""
_RESTORED: Final = RESTORED | {"unique_key": _KEY}
RESTORE: Final = f"""
INSERT INTO background_jobs_jobs ({", ".join(_RESTORED)})
SELECT {", ".join(_RESTORED.values())} {_QUARANTINED}
RETURNING id, workflow_id
"""
FORGET: Final = f"DELETE {_QUARANTINED}"
