"""Why a pending job waits, in a sentence and from facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from modhost_background_jobs.contracts import JobAttempt, JobState
from modhost_background_jobs.inspection.snapshot import DO_NOT_STOP, WorkerView
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.model.job_types import LEFT_TO_NEWER


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a job waits.

    Attributes:
        text: the reason.
        until: the moment that the text ends with, if there is one.
        disabled_schedule: the name of its schedule when that was disabled meanwhile.

    """

    text: str
    until: datetime | None = None
    disabled_schedule: str | None = None


def why_waiting(
    row: JobRow,
    attempts: Sequence[JobAttempt],
    now: datetime,
    workers: Sequence[WorkerView],
    *,
    disabled_schedule: str | None,
    is_bulk_change: bool,
) -> Waiting | None:
    """Return why a job waits; None for one that does not."""
    if row.state is not JobState.PENDING:
        return None
    until = None
    if row.on_hold:
        text = "It waits for an earlier run of its schedule to finish."
    elif row.execute_at > now:
        until = row.execute_at
        text = "It is due"
        if attempts and (attempts[-1].error or "").startswith(LEFT_TO_NEWER):
            text = (
                f"It waits for a worker with version {row.module_version} of {row.module_name}, "
                "which enqueued it: older ones cannot read its data. They try it again"
            )
        elif row.attempt:
            text = f"Its attempt {row.attempt} failed; the next one is due"
    elif is_bulk_change:
        text = "It needs no slot of a worker; a host is about to start it."
    else:
        text = _why_no_slot(row.job_type, [worker for worker in workers if worker.is_alive])
    return Waiting(text, until, disabled_schedule)


def _why_no_slot(job_type: str, alive: Sequence[WorkerView]) -> str:
    if not alive:
        return "No worker is alive: start one with `modhost worker`."
    able = [worker for worker in alive if job_type in worker.row.job_types]
    if not able:
        return f"No living worker knows the type {job_type}; deploy the module that has it."
    if all(worker.is_stuck for worker in able):
        return f"All slots of the workers that know its type are held by {DO_NOT_STOP}."
    if all(worker.is_busy for worker in able):
        return "All slots of the workers that know its type are busy."
    return "It is due, and a worker is about to claim it."
