"""A model of the queue in plain Python, which the databases are compared with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Heartbeat, Lease, NewJob

MAX_RESCUES = 3


@dataclass
class ModelJob:
    """One job."""

    id: UUID
    execute_at: datetime
    max_attempts: int
    attempts_left: int
    state: JobState = JobState.PENDING
    fence: int = 0
    attempt: int = 0
    rescues: int = 0
    has_begun: bool = False
    worker: str | None = None
    is_to_stop: bool = False
    recurring_id: UUID | None = None
    ended_at: datetime | None = None

    @property
    def lease(self) -> Lease:
        return Lease(self.id, self.fence)

    @property
    def compared(self) -> tuple[object, ...]:
        """The values that the database must have too."""
        return (
            self.state.value,
            self.fence,
            self.attempt,
            self.attempts_left,
            self.rescues,
            self.worker if self.state is JobState.RUNNING else None,
        )


@dataclass
class Model:
    """The jobs, and the workers that are registered with the number of their beats."""

    jobs: dict[UUID, ModelJob] = field(default_factory=dict)
    beats: dict[str, int] = field(default_factory=dict)

    def insert(self, job: NewJob) -> None:
        self.jobs[job.id] = ModelJob(
            job.id,
            job.execute_at,
            job.max_attempts,
            job.max_attempts,
            recurring_id=job.recurring_job_id,
        )

    def held(self, lease: Lease) -> ModelJob | None:
        """Return the job of a lease that is still valid."""
        job = self.jobs.get(lease.job_id)
        if job and job.state is JobState.RUNNING and job.fence == lease.fence:
            return job
        return None

    def running_on(self, worker: str) -> Iterator[ModelJob]:
        for job in self.jobs.values():
            if job.state is JobState.RUNNING and job.worker == worker:
                yield job

    def claim(self, worker: str, limit: int, now: datetime) -> list[UUID]:
        if worker not in self.beats:
            return []
        due = [
            job
            for job in self.jobs.values()
            if job.state is JobState.PENDING and job.execute_at <= now
        ]
        picked = sorted(due, key=lambda job: (job.execute_at, job.id))[:limit]
        for job in picked:
            job.state, job.worker = JobState.RUNNING, worker
            job.fence += 1
            job.attempt += 1
            job.attempts_left -= 1
        return [job.id for job in picked]

    def end(self, lease: Lease, state: JobState, now: datetime) -> bool:
        job = self.held(lease)
        if job:
            job.state, job.ended_at = state, now
        return job is not None

    def release(
        self, lease: Lease, again_at: datetime | None, now: datetime, *, spent: bool
    ) -> bool:
        """Without a new due time the job keeps its own."""
        job = self.held(lease)
        if job is None:
            return False
        if job.is_to_stop:
            return self.end(lease, JobState.CANCELLED, now)
        job.state, job.worker, job.execute_at = JobState.PENDING, None, again_at or job.execute_at
        job.has_begun = False
        if spent:
            job.rescues = 0
        else:
            job.attempt -= 1
            job.attempts_left += 1
        return True

    def begin(self, lease: Lease) -> bool:
        job = self.held(lease)
        if job:
            job.has_begun = True
        return job is not None

    def rescue(self, seen: Heartbeat, now: datetime) -> set[tuple[UUID, JobState]]:
        if self.beats.get(seen.worker, -1) != seen.beats:
            return set()
        self.beats.pop(seen.worker, None)
        taken = list(self.running_on(seen.worker))
        for job in taken:
            counts = job.has_begun or job.rescues == 0
            if not job.is_to_stop and counts and job.rescues + 1 >= MAX_RESCUES:
                self.end(job.lease, JobState.FAILED, now)
            elif self.release(job.lease, None, now, spent=False) and not job.is_to_stop:
                job.rescues += counts
        return {(job.id, job.state) for job in taken}

    def cancel(self, job_id: UUID, now: datetime) -> JobState | None:
        """Return what the queue answers, None for a conflict."""
        job = self.jobs[job_id]
        if job.state is JobState.PENDING:
            job.state, job.ended_at = JobState.CANCELLED, now
        elif job.state is JobState.RUNNING:
            job.is_to_stop = True
        else:
            return None
        return job.state

    def retry(self, job_id: UUID, now: datetime) -> bool:
        job = self.jobs[job_id]
        if job.state is not JobState.FAILED:
            return False
        job.state, job.execute_at, job.ended_at = JobState.PENDING, now, None
        job.attempts_left, job.rescues, job.worker = job.max_attempts, 0, None
        job.is_to_stop = False
        return True

    def prune(self, state: JobState, before: datetime) -> int:
        old = [
            job.id
            for job in self.jobs.values()
            if job.state is state and job.ended_at and job.ended_at < before
        ]
        for job_id in old:
            del self.jobs[job_id]
        return len(old)

    def fire(self, recurring_id: UUID, job_id: UUID, now: datetime, execute_at: datetime) -> None:
        """Fire a due time: its job is skipped while an earlier run of the schedule is live."""
        live = any(
            job.recurring_id == recurring_id and not job.state.is_final
            for job in self.jobs.values()
        )
        job = ModelJob(job_id, execute_at, 3, 3, recurring_id=recurring_id)
        if live:
            job.state, job.ended_at = JobState.SKIPPED, now
        self.jobs[job_id] = job

    def miss(self, recurring_id: UUID, job_id: UUID, now: datetime) -> None:
        """Add one skipped run for due times that passed and are not caught up."""
        job = ModelJob(job_id, now, 3, 3, recurring_id=recurring_id)
        job.state, job.ended_at = JobState.SKIPPED, now
        self.jobs[job_id] = job
