"""A worker as people see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from modhost import ProcessReport
from modhost_background_jobs.model import JobRow, WorkerRow, is_bulk_runner

DO_NOT_STOP: Final = "jobs that do not stop"


class WorkerState(StrEnum):
    """What there is to say of a worker, the most pressing first.

    `stuck` is one with slots that are held by jobs that do not stop.
    """

    NOT_RESPONDING = "not_responding"
    BLOCKED = "blocked"
    WRONG_CLOCK = "wrong_clock"
    STUCK = "stuck"
    STOPPING = "stopping"
    QUIET = "quiet"
    ALIVE = "alive"


_ORDER: Final = {state: place for place, state in enumerate(WorkerState)}
TROUBLES: Final = tuple(WorkerState)[:4]
"""The states in which something is wrong."""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker; it is alive while its heartbeats arrive within the stall timeout.

    `running` is how many of its slots are busy, `jobs` are the jobs in them, the oldest first.
    """

    row: WorkerRow
    is_alive: bool
    running: int
    jobs: Sequence[JobRow] = ()

    @property
    def state(self) -> WorkerState:
        """The worst that there is to say of it."""
        row = self.row
        if not self.is_alive:
            return WorkerState.NOT_RESPONDING
        if row.blocked_since is not None:
            return WorkerState.BLOCKED
        if row.clock_skew:
            return WorkerState.WRONG_CLOCK
        if row.unresponsive:
            return WorkerState.STUCK
        if row.stopping_since is not None:
            return WorkerState.STOPPING
        return WorkerState.ALIVE if row.quiet_since is None else WorkerState.QUIET

    @property
    def is_consuming(self) -> bool:
        """Whether it claims jobs: it is alive, and neither quiet nor about to stop."""
        return self.is_alive and self.row.quiet_since is None and self.row.stopping_since is None

    @property
    def needs_attention(self) -> bool:
        """Whether something is wrong with it."""
        return self.state in TROUBLES

    @property
    def is_busy(self) -> bool:
        """Whether it has no free slot."""
        return max(self.running, self.row.unresponsive) >= self.row.max_concurrency

    @property
    def is_stuck(self) -> bool:
        """Whether jobs that do not stop hold all its slots, so that it begins no other."""
        return self.row.unresponsive >= self.row.max_concurrency

    @property
    def report(self) -> ProcessReport:
        """The worker as the host lists its processes."""
        row = self.row
        return ProcessReport(
            name=row.name,
            role="worker",
            version=row.version,
            machine=f"{row.host}, process {row.process}",
            started_at=row.started_at,
            heard_at=row.heartbeat_at,
            is_alive=self.is_alive,
            load=f"{self.running} of {row.max_concurrency} slots busy",
        )

    @property
    def held(self) -> str:
        """How many of its slots are held by jobs that do not stop, in words."""
        slots = self.row.max_concurrency
        return f"{min(self.row.unresponsive, slots)} of {slots} slots are held by {DO_NOT_STOP}"


def views_of(
    workers: Sequence[WorkerRow],
    running: Sequence[JobRow],
    now: datetime,
    stall_timeout: timedelta,
) -> list[WorkerView]:
    """Return the workers, the troubled ones first, with those of the running jobs that are theirs.

    They are alive while their heartbeats arrive within the timeout. Bulk runners are left out.
    """
    oldest_first = sorted(running, key=lambda row: (row.started_at or now, row.id))
    views = [
        WorkerView(
            row=row,
            is_alive=_silence(row, now) < stall_timeout,
            # A worker claims more jobs than it has slots, to start them without a claim.
            running=min(row.running, row.max_concurrency),
            jobs=[job for job in oldest_first if job.worker == row.name][: row.max_concurrency],
        )
        for row in workers
        if not is_bulk_runner(row.name)
    ]
    return sorted(views, key=lambda view: (_ORDER[view.state], view.row.name))


def _silence(row: WorkerRow, now: datetime) -> timedelta:
    """Return for how long a worker was not heard of.

    With a file the time of its heartbeat is that of its host, whose clock may be known to be wrong.
    """
    silence = now - row.heartbeat_at
    if not row.clock_skew:
        return silence
    return min(abs(silence), abs(silence + timedelta(seconds=row.clock_skew)))
