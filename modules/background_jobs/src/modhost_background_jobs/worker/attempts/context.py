"""The context that a job is given: its data, progress, log and requests to stop."""

import math
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple, cast

from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts import (
    InvalidWorkflow,
    JobCancelled,
    JobDataError,
    JobId,
    JobState,
    Workflow,
)
from modhost_background_jobs.model import Ended, Lease, LogLine, ProgressUpdate
from modhost_background_jobs.model.data.job_data import for_job
from modhost_background_jobs.model.data.job_result import read_result
from modhost_background_jobs.model.data.read_back import problems_in, read_as
from modhost_background_jobs.model.steps import Checkpoint
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.workflows.results import results_before
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.error_text import printable
from modhost_background_jobs.worker.attempts.growth import GrowingWorkflow
from modhost_background_jobs.worker.attempts.own_end import end_until_written, finish_in
from modhost_background_jobs.worker.attempts.steps.attempt_steps import AttemptSteps, StepTools
from modhost_background_jobs.worker.attempts.steps.checkpoints import (
    checkpoint_to_stored,
    read_checkpoint,
)
from modhost_background_jobs.worker.attempts.steps.from_thread import StepsFromThread

T = TypeVar("T")
Args = TypeVarTuple("Args")

_UNREAD: Final = object()


class Reports(Protocol):
    """Takes what jobs report, from any thread, without blocking."""

    def report(self, update: ProgressUpdate) -> None:
        """Take a progress update."""

    def log(self, line: LogLine) -> None:
        """Take a log line."""

    def checkpoint(self, reached: Checkpoint) -> None:
        """Take how far an attempt has come."""

    async def keep(self, lease: Lease) -> None:
        """Keep what cannot be stored of an attempt from now on: it ends its job itself."""


class AttemptContext:
    """Implements `JobExecutionContext`, where each method is described."""

    __slots__ = (
        "_attempt",
        "_checkpoint",
        "_clamped",
        "_clock",
        "_data",
        "_growing",
        "_reports",
        "_steps",
        "_tools",
    )

    def __init__(
        self, attempt: Attempt, reports: Reports, tools: StepTools, clock: QueueClock
    ) -> None:
        self._attempt = attempt
        self._reports = reports
        self._tools = tools
        self._clock = clock
        self._steps: AttemptSteps | None = None
        self._checkpoint = attempt.claimed.checkpoint
        self._clamped = False
        self._data: Any = _UNREAD
        self._growing: GrowingWorkflow | None = None

    @property
    def job_id(self) -> JobId:
        """The job's id."""
        return JobId(self._attempt.lease.job_id)

    @property
    def attempt(self) -> int:
        """The number of this attempt."""
        return self._attempt.claimed.attempt

    @property
    def due_at(self) -> datetime | None:
        """The due time that a run is for."""
        return self._attempt.claimed.due_at

    @property
    def cancelled(self) -> bool:
        """Whether the job was asked to stop."""
        return self._reason() is not None

    def raise_if_cancelled(self) -> None:
        """Raise when the job was asked to stop."""
        reason = self._reason()
        if reason is not None:
            raise JobCancelled(reason.value)

    @property
    def data(self) -> Any:
        """The data, read as the model of the class when they are first asked for."""
        if self._data is _UNREAD:
            model = self._attempt.registered.job_class.data_model
            self._data = self.get_data(Any if model is None else model)
        return self._data

    def get_data(self, model: type[T]) -> T:
        """Validate the stored JSON as the model."""
        stored = self._attempt.claimed.data
        try:
            return cast("T", read_as(model, "null" if stored is None else for_job(stored)))
        except ValidationError as error:
            problems = problems_in(error, "data")
            msg = f"The job's data does not fit {getattr(model, '__name__', model)}: {problems}."
            raise JobDataError(msg) from None

    @property
    def workflow(self) -> Workflow:
        """What the job adds others to."""
        claimed = self._attempt.claimed
        if claimed.workflow_id is None:
            msg = (
                f"The job {claimed.lease.job_id} belongs to no workflow, and can add no job to it: "
            )
            raise InvalidWorkflow(f"{msg}enqueue one, with `after` where that is to wait for it.")
        if self._growing is None:
            self._growing = self._tools.growth.block(claimed.lease, claimed.workflow_id)
        return self._growing

    async def results(self, model: type[T]) -> AsyncIterator[T]:
        """Read the results of the jobs before this one."""
        async for found in results_before(self._tools.database, self._attempt.lease.job_id):
            try:
                result = read_result(found.result, model)
            except ValidationError as error:
                named = getattr(model, "__name__", model)
                problems = problems_in(error, "result")
                msg = f"The result of the job {found.job_id} does not fit {named}: {problems}."
                raise JobDataError(msg) from None
            yield result

    async def step(
        self, name: str, function: Callable[..., Any], *args: *Args, transactional: bool = False
    ) -> Any:
        """Do what no earlier attempt has done."""
        return await self._own_steps().run(name, function, *args, transactional=transactional)

    @property
    def from_thread(self) -> StepsFromThread:
        """The steps of a job in a thread."""
        return StepsFromThread(self._own_steps())

    async def finish_in(self, session: AsyncSession, result: object = None) -> None:
        """End the job in a transaction."""
        self.raise_if_cancelled()
        stored = self._tools.results.to_stored(self._attempt, result)
        self._attempt.ends_itself = True
        await self._reports.keep(self._attempt.lease)
        await self._end_in(session, stored)

    async def end_grown(self, result: str | None) -> None:
        """End the job together with what it has added to its workflow, if it has added anything.

        `result` is what it returns, as it is stored. One that was asked to stop adds nothing.
        """
        if self._growing is None or not self._growing.jobs or self._attempt.is_to_stop:
            return
        self._attempt.ends_itself = True
        await self._reports.keep(self._attempt.lease)
        await end_until_written(
            self._attempt, self._tools.database, lambda session: self._end_in(session, result)
        )

    def checkpoint(self, value: object) -> None:
        """Note how far the job has come."""
        stored = checkpoint_to_stored(value, self._tools.max_size)
        self._attempt.keep_secret(stored)
        self._checkpoint = stored
        self._reports.checkpoint(Checkpoint(self._attempt.lease, stored))

    def last_checkpoint(self, model: type[T]) -> T | None:
        """Return how far the job has come."""
        self._attempt.keep_secret(self._checkpoint)
        return read_checkpoint(self._checkpoint, model)

    def report_progress(self, percentage: float, message: str | None = None) -> None:
        """Report the progress, clamped to 0 to 100."""
        clamped = 0 if math.isnan(percentage) else int(min(100, max(0, percentage)))
        if not 0 <= percentage <= 100 and not self._clamped:
            self._clamped = True
            self.log(f"Progress of {percentage} is outside of 0 to 100; {clamped} is shown.")
        text = None if message is None else printable(self._attempt.redact(message))
        lease = self._attempt.lease
        self._reports.report(ProgressUpdate(lease, clamped, text, self._clock.now()))

    def log(self, message: str) -> None:
        """Report a line with the current time."""
        text = printable(self._attempt.redact(message))
        lease = self._attempt.lease
        self._reports.log(LogLine(lease, next(self._attempt.line_numbers), self._clock.now(), text))

    async def _end_in(self, session: AsyncSession, result: str | None) -> None:
        if (growing := self._growing) is not None:
            lease, jobs = self._attempt.lease, growing.end()
            await self._tools.growth.store(session, lease, growing.id, jobs)
        ended = Ended(self._attempt.lease, JobState.COMPLETED, None, result)
        await finish_in(self._attempt, session, ended, self._clock.now(), self._tools.end_events)

    def _own_steps(self) -> AttemptSteps:
        if self._steps is None:
            self._steps = AttemptSteps(self._attempt, self._tools)
        return self._steps

    def _reason(self) -> StopReason | None:
        reason = self._attempt.reason
        if reason is not None:
            self._attempt.has_noticed = True
        return reason
