"""Errors that callers of background jobs see, and exceptions that jobs raise."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from modhost_background_jobs.contracts.states import JobState

MAX_WORKER_NAME: Final = 200


class BackgroundJobsError(Exception):
    """Base class of the errors that the contracts raise."""


class JobNotFound(BackgroundJobsError):
    """No job, or no recurring job, has this id."""

    def __init__(self, id: object, what: str = "job") -> None:  # noqa: A002
        shown = id if isinstance(id, UUID) else ascii(id)[:60]
        super().__init__(f"There is no {what} with the id {shown}.")


class WorkerNotFound(BackgroundJobsError):
    """No worker of this name is registered."""

    def __init__(self, name: object) -> None:
        is_name = isinstance(name, str) and name.isprintable() and len(name) <= MAX_WORKER_NAME
        shown = name if is_name else ascii(name)[:60]
        super().__init__(
            f"There is no worker {shown}; `modhost jobs workers list` shows those that there are."
        )


class JobConflict(BackgroundJobsError):
    """The job's state does not allow what was asked."""

    def __init__(
        self,
        id: UUID,  # noqa: A002
        state: JobState,
        action: str,
        allowed: str = "",
        *,
        taken_by: UUID | None = None,
        reason: str = "",
    ) -> None:
        what = f"The job {id} is {state.value} and cannot be {action}"
        if taken_by is not None:
            reason = f"while the job {taken_by} has its unique key: cancel that one, or let it "
            reason += "finish"
        if reason:
            super().__init__(f"{what} {reason}.")
            return
        super().__init__(f"{what}; only {allowed} can.")


class ResultNotAvailable(BackgroundJobsError):
    """The job has no result, or none that fits: `state` and `reason` say why."""

    def __init__(self, id: UUID, state: JobState, reason: str) -> None:  # noqa: A002
        super().__init__(f"The job {id} is {state.value}, and there is no result: {reason}")
        self.state = state
        self.reason = reason


class UnregisteredJob(BackgroundJobsError):
    """No module registered this job class on this host, or it is not a class."""

    def __init__(self, job: object) -> None:
        if not isinstance(job, type):
            super().__init__(
                f"{job!r} is not a job class: pass the class itself, e.g. "
                "enqueue(GenerateReportJob, data)."
            )
            return
        super().__init__(
            f"{job.__module__}.{job.__qualname__} is not registered as a job: call "
            f"add_module_job(services, {job.__name__}) in the configure_services of its module."
        )


class InvalidCronExpression(BackgroundJobsError, ValueError):
    """A cron expression that is malformed, out of range, or never fires."""


class UnknownTimeZone(BackgroundJobsError, ValueError):
    """A time zone that is not an IANA name."""


class InvalidJobData(BackgroundJobsError, ValueError):
    """Data that is not serializable to JSON, or a time, timeout or number out of bounds."""


class PermanentJobError(Exception):
    """Raised by a job to fail at once, since another attempt would fail too."""


class JobDataError(PermanentJobError):
    """The stored data does not fit the model that the job asked for."""


class InvalidWorkflow(BackgroundJobsError, ValueError):
    """A workflow, or what a job is to wait for, that cannot be."""


class WorkflowConflict(BackgroundJobsError):
    """The workflow's state does not allow what was asked."""

    def __init__(self, id: UUID, state: str, action: str, allowed: str) -> None:  # noqa: A002
        super().__init__(
            f"The workflow {id} is {state} and cannot be {action}; only {allowed} can."
        )


class StepError(PermanentJobError):
    """A step that cannot be taken, since its name is taken, or what cannot be kept of it.

    A checkpoint that cannot be stored is one, too.
    """


class InvalidFlow(BackgroundJobsError, ValueError):
    """A queue, a priority, a tag, a limit or a pause that cannot be."""


class JobCancelled(Exception):
    """Raised by `raise_if_cancelled` in a thread whose job was asked to stop."""


class Snooze(Exception):
    """Raised by a job to run again later without spending an attempt, as after `Retry-After`."""

    def __init__(self, delay: timedelta, reason: str = "") -> None:
        if not isinstance(delay, timedelta):
            raise InvalidJobData(f"delay is {delay!r}; give a timedelta, as timedelta(hours=1).")
        super().__init__(reason or f"asked to be run again in {delay}")
        self.delay = delay
