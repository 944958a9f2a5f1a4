"""Why a pending job waits, in a sentence and from facts."""

from dataclasses import dataclass
from datetime import datetime

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.monitoring.snapshot import Snapshot
from modhost_background_jobs.queries.listing import Row


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a job waits; `until` is the moment that the words end with, if there is one.

    `disabled_schedule` is the name of its schedule when that is disabled meanwhile.
    """

    text: str
    until: datetime | None = None
    disabled_schedule: str | None = None


def why_waiting(row: Row, snapshot: Snapshot) -> Waiting | None:
    """Return why a job waits; None for one that does not."""
    if row["state"] != JobState.PENDING:
        return None
    text, until = _reason(row, snapshot)
    schedule = snapshot.schedule(row["recurring_job_id"])
    is_disabled = schedule is not None and not schedule["is_enabled"]
    return Waiting(text, until, schedule["name"] if schedule and is_disabled else None)


def _reason(row: Row, snapshot: Snapshot) -> tuple[str, datetime | None]:
    if row["on_hold"]:
        return "It waits for an earlier run of its schedule to end.", None
    if row["execute_at"] > snapshot.now:
        if row["attempt"]:
            return f"Its attempt {row['attempt']} failed; the next one is due", row["execute_at"]
        return "It is due", row["execute_at"]
    return _no_slot(row["job_type"], snapshot), None


def _no_slot(job_type: str, snapshot: Snapshot) -> str:
    if job_type in snapshot.operations:
        return "It needs no slot of a consumer; a host is about to begin it."
    if not snapshot.alive:
        return "No consumer is alive: start one with `modhost worker`."
    knowing = [worker for worker in snapshot.alive if job_type in worker.job_types]
    if not knowing:
        return f"No living consumer knows the type {job_type}; deploy the module that has it."
    if all(worker.is_busy for worker in knowing):
        return "All slots of the consumers that know its type are busy."
    return "It is due, and a consumer is about to claim it."
