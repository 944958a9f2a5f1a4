"""The metrics of background jobs, each with what it means; `docs/metrics.md` lists them."""

from typing import Final

from modhost.metrics import Metric

_OF_JOBS: Final = ("queue", "job_type")
_MAX_JOBS: Final = 500
"""So many pairs of a queue and a type."""

FINISHED: Final = Metric(
    "background_jobs_finished_total",
    "counter",
    "Jobs that this worker has brought to an end, by their final state.",
    (*_OF_JOBS, "outcome"),
    3 * _MAX_JOBS,
)
WAIT: Final = Metric(
    "background_jobs_wait_seconds",
    "histogram",
    "How long the jobs that this worker finished had waited, from their due time to the claim.",
    _OF_JOBS,
)
RUN: Final = Metric(
    "background_jobs_run_seconds",
    "histogram",
    "How long the last attempts of the jobs that this worker finished took, from the claim on.",
    _OF_JOBS,
)
RETRIES: Final = Metric(
    "background_jobs_retries_total",
    "counter",
    "Attempts that failed on this worker and are retried.",
    _OF_JOBS,
    _MAX_JOBS,
)
RESCUES: Final = Metric(
    "background_jobs_rescues_total",
    "counter",
    "Jobs that this process has taken back from dead workers, by the state they got.",
    ("state",),
)
CLAIMS: Final = Metric(
    "background_jobs_claims_total", "counter", "Claims that this worker has begun."
)
CLAIM_FAILURES: Final = Metric(
    "background_jobs_claim_failures_total", "counter", "Claims that failed, and were repeated."
)
CLAIMED: Final = Metric(
    "background_jobs_claimed_total", "counter", "Jobs that claims of this worker returned."
)
SLOTS: Final = Metric(
    "background_jobs_slots", "gauge", "How many jobs this process may run at a time; 0 if none."
)
HELD: Final = Metric(
    "background_jobs_held",
    "gauge",
    "Jobs that this worker holds: they run, wait for a slot, or their end is yet to be stored.",
)
UNRESPONSIVE: Final = Metric(
    "background_jobs_unresponsive",
    "gauge",
    "Slots of this worker with jobs that were asked to stop and did not.",
)
FLUSH_ENTRIES: Final = Metric(
    "background_jobs_flush_entries",
    "gauge",
    "Progress and log lines of jobs that this process has not yet written.",
)
FLUSH_LAG: Final = Metric(
    "background_jobs_flush_lag_seconds",
    "gauge",
    "How old the oldest of those entries is; 0 without any.",
)
PENDING: Final = Metric(
    "background_jobs_pending",
    "gauge",
    "Pending jobs; the count stops at 10,000 due and 10,000 later ones of a type in a queue.",
    _OF_JOBS,
    _MAX_JOBS,
)
DUE: Final = Metric(
    "background_jobs_due",
    "gauge",
    "Pending jobs that are due; the count stops at 10,000 of a type in a queue.",
    _OF_JOBS,
    _MAX_JOBS,
)
OLDEST_DUE: Final = Metric(
    "background_jobs_oldest_due_age_seconds",
    "gauge",
    "For how long the oldest due job has been due; 0 without any.",
    _OF_JOBS,
    _MAX_JOBS,
    merge="max",
)
RUNNING: Final = Metric(
    "background_jobs_running", "gauge", "Running jobs, on all workers.", _OF_JOBS, _MAX_JOBS
)
LIMIT_WAITING: Final = Metric(
    "background_jobs_limit_waiting",
    "gauge",
    "Due jobs that a limit holds back; the count stops at 10,000.",
    ("limit",),
)
WORKERS: Final = Metric(
    "background_jobs_workers",
    "gauge",
    "Registered workers: alive, quiet, or silent for longer than stall_timeout.",
    ("state",),
)
METRICS: Final = (
    FINISHED,
    WAIT,
    RUN,
    RETRIES,
    RESCUES,
    CLAIMS,
    CLAIM_FAILURES,
    CLAIMED,
    SLOTS,
    HELD,
    UNRESPONSIVE,
    FLUSH_ENTRIES,
    FLUSH_LAG,
    PENDING,
    DUE,
    OLDEST_DUE,
    RUNNING,
    LIMIT_WAITING,
    WORKERS,
)
