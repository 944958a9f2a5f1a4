"""What a worker is handed of a job, and what it writes about it: leases, reports, ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.model.flow import Lane

CLAIMS_KEPT: Final = 200
"""Of how many claims of a job the attempts are kept."""


class Lease(NamedTuple):
    """The right of one attempt to write: void as soon as the job's fence has moved on."""

    job_id: UUID
    fence: int


class Place(NamedTuple):
    """A place in the order in which jobs are claimed."""

    due_at: datetime
    job_id: UUID


START: Final = Place(datetime.min.replace(tzinfo=UTC), UUID(int=0))
"""Before all jobs."""


class ClaimedJob(NamedTuple):
    """A job that was handed to a worker.

    `timeout` is in seconds, `due_at` is that of a run, `module_version` that of who enqueued it,
    `lane` and `limits` are those of its flow control, as they are stored. `checkpoint` is the last
    one, as JSON; `is_awaited` is whether other jobs, its workflow or a caller wait for its end.
    `traceparent` is the span that has enqueued it.
    """

    lease: Lease
    job_type: str
    data: str | None
    attempt: int
    attempts_left: int
    timeout: float | None
    execute_at: datetime
    claimed_at: datetime
    max_attempts: int
    rescues: int
    recurring_job_id: UUID | None = None
    due_at: datetime | None = None
    module_version: str | None = None
    lane: str | None = None
    limits: str | None = None
    workflow_id: UUID | None = None
    checkpoint: str | None = None
    is_awaited: bool = False
    traceparent: str | None = None

    @property
    def queue(self) -> str:
        """The queue that it waited in."""
        return DEFAULT_QUEUE if self.lane is None else Lane.of(self.lane).queue

    @property
    def failures(self) -> int:
        """How many attempts of the present allowance are spent once this one has failed."""
        return self.max_attempts - self.attempts_left


class LostLease(NamedTuple):
    """A lease that a living worker has lost; `counts` is whether a rescue of it has counted."""

    lease: Lease
    counts: bool


class Ended(NamedTuple):
    """The end of a job: a final state, the error if there was one, and its result as JSON.

    `is_awaited` is whether somebody is known to wait for it.
    """

    lease: Lease
    state: JobState
    error: str | None = None
    result: str | None = None
    is_awaited: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """The end of an attempt that leaves the job `Pending`.

    Without a new due time the job keeps the one that it has, and so its place in the queue.
    `spent` is False when the attempt does not count: released, snoozed, or rescued. Without an
    error nothing had begun, and the attempt is not recorded. With one it has ended without taking
    its worker down, which clears the job of the rescues before.
    """

    lease: Lease
    execute_at: datetime | None = None
    error: str | None = None
    spent: bool = False

    @property
    def as_cancelled(self) -> Ended:
        """What it is when somebody has asked meanwhile to cancel the job."""
        return Ended(self.lease, JobState.CANCELLED, self.error if self.spent else None)


Left = TypeVar("Left", Ended, Released)


def last_of_each_job(left: Iterable[Left]) -> list[Left]:
    """Return how the last attempt of each job was left, in the order of their ids.

    Of two attempts of a job only the later one can be held: a worker that was taken for dead may
    have claimed again what it still had.
    """
    last = {each.lease.job_id: each for each in sorted(left, key=_fence)}
    return [last[job_id] for job_id in sorted(last)]


def _fence(left: Ended | Released) -> int:
    return left.lease.fence


def leases_to_forget(released: Iterable[Released]) -> list[Lease]:
    """Return up to where attempts are forgotten: those of each job's last claims are kept."""
    return [
        Lease(each.lease.job_id, each.lease.fence - CLAIMS_KEPT)
        for each in released
        if each.lease.fence > CLAIMS_KEPT
    ]


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """The newest progress of an attempt; a message of None keeps the last one."""

    lease: Lease
    percentage: int
    message: str | None
    reported_at: datetime

    def after(self, before: "ProgressUpdate") -> "ProgressUpdate":
        """Return it as the one that stands for both: a percentage counts from its first report."""
        return ProgressUpdate(
            self.lease,
            self.percentage,
            before.message if self.message is None else self.message,
            before.reported_at if self.percentage == before.percentage else self.reported_at,
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of an attempt's log; `number` counts the attempt's lines from 0."""

    lease: Lease
    number: int
    logged_at: datetime
    message: str

    @property
    def line(self) -> int:
        """The line's key within the job: grows over attempts without anybody counting rows."""
        return (self.lease.fence << 32) + self.number

    def may_exceed(self, keep: int) -> bool:
        """Whether the job may have more lines than so many: a first attempt counts them itself."""
        return self.lease.fence > 1 or self.number >= keep
