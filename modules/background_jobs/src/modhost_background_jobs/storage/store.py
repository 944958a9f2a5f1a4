"""The protocol of a store: what the queue needs of a database, the same on both."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from modhost_background_jobs.model import (
    START,
    ClaimedJob,
    DatedHeartbeat,
    Departure,
    DueSchedules,
    Ended,
    Heartbeat,
    Known,
    Lease,
    LogLine,
    LostLease,
    NewJob,
    Place,
    ProgressUpdate,
    Released,
    Rescue,
    Vitals,
    WorkerInfo,
)
from modhost_background_jobs.storage.steps import StepStore

NO_VITALS: Final = Vitals()


class JobsLocked(Exception):
    """Somebody else has locked some of the jobs; what concerns the others is written.

    Args:
        written: the jobs whose lease still held, as the method would have returned them.
        locked: the jobs to try again.

    """

    def __init__(self, written: set[UUID], locked: set[UUID]) -> None:
        super().__init__(f"somebody else has locked the rows of {len(locked)} jobs")
        self.written = written
        self.locked = locked


class JobStore(StepStore, Protocol):
    """The statements of the hot path, each one transaction, each batch all or nothing.

    A write that carries a lease touches a job only while the job is `Running` under that fence.
    Writes of many leases raise `JobsLocked` when somebody else has locked some of the jobs.
    """

    async def insert(self, jobs: Sequence[NewJob]) -> None:
        """Insert jobs without flow control as `Pending` and wake the workers."""

    async def insert_flowing(
        self, jobs: Sequence[NewJob], *, unless_there: bool = False
    ) -> set[UUID]:
        """Insert jobs with flow control as `Pending`, wake the workers, and return their ids.

        `unless_there` leaves out those whose id or unique key is taken, or may be since an open
        transaction has it.
        """

    async def holder(self, unique_key: str) -> UUID | None:
        """Return the live job that has a unique key."""

    async def claim(
        self,
        worker: str,
        job_types: Collection[str],
        limit: int,
        now: datetime,
        after: Place = START,
    ) -> list[ClaimedJob]:
        """Hand up to `limit` due jobs of these types to the worker, earliest due first.

        A worker that is not registered (any more) gets none. Jobs before the place `after` may be
        left out.
        """

    async def note_begin(self, lease: Lease) -> bool:
        """Record that the attempt of a suspect begins now; return whether its lease still held."""

    async def note_starts(self, started: Mapping[UUID, datetime]) -> set[UUID]:
        """Record when runs of schedules started; return the schedules to record again.

        Those are the ones that another transaction has locked: this waits for none.
        """

    async def next_due(self, job_types: Collection[str]) -> datetime | None:
        """Return when the earliest pending job of these types is due; None without any."""

    async def end(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        """Move jobs to their final state; return the ids whose lease still held.

        Jobs whose end somebody waits for are left alone, and not returned.
        """

    async def end_awaited(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        """Do as `end` for any job, and all that follows from it for others, in one transaction.

        Jobs that wait for these are released, or cancelled when they can no longer run.
        """

    async def release(self, released: Sequence[Released], now: datetime) -> set[UUID]:
        """Put jobs back to `Pending`, or to `Cancelled` where that was asked for meanwhile.

        Returns the ids whose lease still held.
        """

    async def save_progress(self, updates: Sequence[ProgressUpdate]) -> set[UUID]:
        """Store progress; return the ids whose lease still held."""

    async def append_logs(self, lines: Sequence[LogLine], keep: int) -> set[UUID]:
        """Append log lines, keep the newest `keep` of a job; return the ids whose lease held."""

    async def leases(self, worker: str) -> dict[Lease, bool]:
        """Return the worker's running jobs, each with whether it was asked to stop."""

    async def register(self, worker: WorkerInfo, now: datetime) -> None:
        """Add the worker to those alive; again after it was found dead, under the same name.

        One that was quiet then is quiet again.
        """

    async def beat(self, worker: str, now: datetime, vitals: Vitals = NO_VITALS) -> Known | None:
        """Count a heartbeat; None when the worker's row is gone."""

    async def note_skew(self, worker: str, seconds: float) -> None:
        """Record by how many seconds the clock of a worker's host is ahead of the shared one."""

    async def note_unresponsive(self, worker: str, attempts: int) -> None:
        """Record how many slots of a worker are held by attempts that do not stop."""

    async def unregister(
        self, worker: str, now: datetime, departure: Departure, jobs: int = 0
    ) -> None:
        """Remove a worker that has released all its jobs, and record how it left.

        `jobs` is how many of them it had not finished.
        """

    async def heartbeats(self) -> list[Heartbeat]:
        """Return the heartbeat count of each worker that is registered or holds jobs."""

    async def rescue(self, seen: Heartbeat, max_rescues: int, now: datetime) -> list[Rescue]:
        """Take all jobs back from a worker, provided that it has not been heard of since `seen`.

        It is recorded that it died, and how many jobs that took back.

        A job that was rescued `max_rescues` times in a row fails instead, since it may be what
        kills them. Of suspects only those count that had begun. Jobs that somebody else has locked
        stay `Running`, and are left to the next sweep.
        """

    async def take_back_rescues(self, lost: Sequence[LostLease], now: datetime) -> None:
        """Take the rescues of these leases back, whose worker lives after all.

        They no longer count, unless an attempt has ended by itself since, and jobs that were
        quarantined because of them are `Pending` again.
        """

    async def database_time(self, now: datetime) -> datetime:
        """Return the time of a clock that does not run ahead of the database's.

        SQLite has no other clock than that of this machine, which is `now`.
        """

    async def database_clock(self) -> datetime | None:
        """Return the time of the database; None on SQLite, which has no clock of its own."""

    async def dated_heartbeats(self) -> list[DatedHeartbeat]:
        """Return the last heartbeat of each worker."""

    async def poll_schedules(self, now: datetime) -> DueSchedules:
        """Return what schedules ask for, by one statement without a transaction around it."""
