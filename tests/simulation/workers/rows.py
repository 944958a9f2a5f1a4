"""The jobs as a simulation looks at them."""

from typing import Final

_COLUMNS: Final = "id, state, fence, attempts_left, worker"
ROWS: Final = f"""
SELECT {_COLUMNS}, cancel_requested_at IS NOT NULL, recurring_job_id IS NOT NULL, on_hold
FROM {{prefix}}jobs
UNION ALL
SELECT {_COLUMNS}, false, recurring_job_id IS NOT NULL, false FROM {{prefix}}finished_jobs
"""
