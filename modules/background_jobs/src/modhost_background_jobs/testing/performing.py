"""One attempt of a job, run at once, whose errors reach the test."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import update

from modhost import Clock, Scope
from modhost.database import Database
from modhost.services import ServiceProvider
from modhost_background_jobs.client.new_jobs import Asked, NewJobs
from modhost_background_jobs.contracts import (
    BackgroundJobsContracts,
    JobId,
    JobState,
    ModuleJob,
)
from modhost_background_jobs.model import (
    ClaimedJob,
    Ended,
    JobTypes,
    Lease,
    LogLine,
    NewJob,
    ProgressUpdate,
    Released,
)
from modhost_background_jobs.model.data.job_data import for_people
from modhost_background_jobs.model.flow import PLAIN
from modhost_background_jobs.model.steps import Checkpoint
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.tables import JOBS
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.attempts.outcome import Finished, Outcome, Outcomes
from modhost_background_jobs.worker.attempts.runner import AttemptRunner
from modhost_background_jobs.worker.attempts.steps.attempt_steps import StepTools
from modhost_background_jobs.worker.finishing.finisher import OutcomeWriter
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer

Result = TypeVar("Result")

WORKER: Final = "the test itself"


@dataclass(frozen=True, slots=True)
class Progress:
    """A report of progress."""

    percentage: int
    message: str | None


@dataclass(slots=True)
class Performed(Generic[Result]):
    """What an attempt returned, and what it did by its context, each in order.

    `checkpoints` and the names of `steps` are those that this attempt has stored.
    """

    result: Result
    progress: list[Progress] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    checkpoints: list[Any] = field(default_factory=list)


class _RecordedReports:
    """Implements `Reports`: records what a job reports, and stores it as ever."""

    def __init__(self, buffer: ProgressBuffer) -> None:
        self._buffer = buffer
        self.progress: list[Progress] = []
        self.log_lines: list[str] = []
        self.checkpoints: list[Any] = []

    def report(self, update: ProgressUpdate) -> None:
        self.progress.append(Progress(update.percentage, update.message))
        self._buffer.report(update)

    def log(self, line: LogLine) -> None:
        self.log_lines.append(line.message)
        self._buffer.log(line)

    def checkpoint(self, reached: Checkpoint) -> None:
        self.checkpoints.append(for_people(reached.value))
        self._buffer.checkpoint(reached)

    async def keep(self, lease: Lease) -> None:
        await self._buffer.keep(lease)


class _RaisingRunner(AttemptRunner):
    """Keeps the error of its attempt, whatever that means for the job."""

    error: BaseException | None = None

    def outcome_of(self, attempt: Attempt, error: BaseException) -> Outcome:
        self.error = error
        return super().outcome_of(attempt, error)


class Performer:
    """Runs attempts outside of the queue: no worker sees their jobs."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.performed: set[UUID] = set()
        """The jobs that nobody has enqueued."""

    async def perform(
        self, job: type[ModuleJob[Any, Result]], data: Any, attempt: int
    ) -> Performed[Result]:
        """Run an attempt of a new job, and end that; raise what the attempt raised."""
        get = self._scope.get
        claimed = await self._store_running(job, data, attempt)
        registered = (await get(JobTypes)).of_class(job)
        runs_in = "thread" if registered.runs_in_thread else "task"
        running = Attempt(claimed, registered, "thread" if runs_in == "thread" else "task")
        reports = _RecordedReports(await get(ProgressBuffer))
        runner = _RaisingRunner(
            await get(ServiceProvider),
            reports,
            await get(StepTools),
            await get(Outcomes),
            await get(BackgroundJobsOptions),
            await get(Clock),
        )
        outcome = await runner.run(running)
        if isinstance(outcome, Released):
            outcome = Ended(running.lease, JobState.CANCELLED, outcome.error)
        now = (await get(QueueClock)).now()
        await (await get(OutcomeWriter)).write_all([Finished(running, outcome, now)])
        if runner.error is not None:
            raise runner.error
        found = await get(BackgroundJobsContracts)
        job_id = JobId(claimed.lease.job_id)
        detail = await found.get_job_detail(job_id)
        return Performed(
            await found.get_result(job_id, Any if job.result_model is None else job.result_model),
            reports.progress,
            reports.log_lines,
            [each.name for each in detail.steps] if detail else [],
            reports.checkpoints,
        )

    async def _store_running(self, job: type[ModuleJob], data: Any, attempt: int) -> ClaimedJob:
        """Store a job that runs from the beginning, so that its attempt can write."""
        new = await self._new_job(job, data)
        self.performed.add(new.id)
        queue = await self._scope.get(DatabaseJobQueue)
        started = {
            "state": JobState.RUNNING.value,
            "worker": WORKER,
            "started_at": new.created_at,
            "fence": 1,
            "attempt": attempt,
            "attempts_left": 0,
        }
        async with (await self._scope.get(Database)).session() as session:
            await queue.enqueue([new], session)
            connection = await session.connection()
            await connection.execute(update(JOBS).where(JOBS.c.id == new.id).values(started))
        return ClaimedJob(
            lease=Lease(new.id, 1),
            job_type=new.job_type,
            data=new.data,
            attempt=attempt,
            attempts_left=0,
            timeout=new.timeout_seconds,
            execute_at=new.execute_at,
            claimed_at=new.created_at,
            max_attempts=attempt,
            rescues=0,
            module_version=new.module_version,
        )

    async def _new_job(self, job: type[ModuleJob], data: Any) -> NewJob:
        new_jobs = await self._scope.get(NewJobs)
        asked = Asked(
            flow=new_jobs.flow_of(job, None, None, ()),
            max_attempts=None,
            timeout=None,
            enqueued_by=None,
            now=(await self._scope.get(QueueClock)).now(),
        )
        # Limits and keys hold back what waits for a worker.
        return replace(new_jobs.make(asked, data), flow=PLAIN)
