"""The contract by which modules put jobs into the queue and steer them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts.ids import JobId, RecurringJobId
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.models import JobStatus


class OverlapPolicy(StrEnum):
    """What a due time does while an earlier run of the schedule is `Pending` or `Running`."""

    SKIP = "skip"
    """Record the run as `Skipped`, with the reason."""
    QUEUE = "queue"
    """Enqueue the run; it starts after the earlier ones are over."""
    ALLOW = "allow"
    """Enqueue the run; it may run beside the earlier ones."""


class CatchUpPolicy(StrEnum):
    """What happens to due times that passed while no consumer ran."""

    ONE = "one"
    """One run, for the latest of them."""
    NONE = "none"
    """No run; the schedule goes on with the next due time."""
    ALL = "all"
    """A run for each, up to the newest hundred."""


class BackgroundJobs(Protocol):
    """Enqueue, schedule and cancel jobs; add, toggle and remove recurring ones."""

    async def enqueue(
        self,
        job: type[ModuleJob],
        data: Any = None,
        *,
        session: AsyncSession | None = None,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        job_id: JobId | None = None,
    ) -> JobId:
        """Store a job to run as soon as a consumer is free, and return its id.

        With `session` the job is part of the caller's transaction: it exists exactly if that
        commits. With `job_id`, an id of the caller's own such as `modhost.new_id()` returns, the
        call can be repeated after an error: while a job has that id, over or not, it stores no
        other. Raises `UnregisteredJob` and `InvalidJobData`.
        """
        ...

    async def enqueue_many(
        self,
        job: type[ModuleJob],
        data: Sequence[Any],
        *,
        session: AsyncSession | None = None,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
    ) -> list[JobId]:
        """Store one job for each item of `data`, all or none, and return their ids in order."""
        ...

    async def schedule(
        self,
        job: type[ModuleJob],
        execute_at: datetime,
        data: Any = None,
        *,
        session: AsyncSession | None = None,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        job_id: JobId | None = None,
    ) -> JobId:
        """Store a job to run at a time (with a zone), and return its id."""
        ...

    async def add_recurring(
        self,
        job: type[ModuleJob],
        *,
        name: str,
        cron_expression: str,
        data: Any = None,
        time_zone: str = "UTC",
        overlap: OverlapPolicy = OverlapPolicy.SKIP,
        catch_up: CatchUpPolicy = CatchUpPolicy.ONE,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        session: AsyncSession | None = None,
    ) -> RecurringJobId:
        """Add a schedule, or update the one of this name, and return its id.

        An update keeps the id and leaves a schedule disabled that somebody disabled. With
        `session` the schedule is part of the caller's transaction. Raises
        `InvalidCronExpression`, `UnknownTimeZone`, `UnregisteredJob` and `InvalidJobData`.
        """
        ...

    async def cancel(self, job_id: JobId) -> JobStatus:
        """Cancel a pending job at once, or ask a running one to stop wherever it runs.

        Raises `JobNotFound`, and `JobConflict` for a job that is over.
        """
        ...

    async def get_status(self, job_id: JobId) -> JobStatus | None:
        """Return how a job stands, or None when there is no such job."""
        ...

    async def toggle_recurring(self, recurring_id: RecurringJobId) -> bool:
        """Enable or disable a schedule; return whether it is enabled now. Raises `JobNotFound`."""
        ...

    async def remove_recurring(self, recurring_id: RecurringJobId) -> None:
        """Remove a schedule; a run that is under way goes on. Raises `JobNotFound`."""
        ...

    async def run_recurring_now(self, recurring_id: RecurringJobId) -> JobId:
        """Enqueue a run of a schedule besides its due times. Raises `JobNotFound`."""
        ...
