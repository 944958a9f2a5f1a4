"""The contract for enqueuing, scheduling and changing jobs, and for flow control."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar, Unpack, overload

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts.flow import FlowControl
from modhost_background_jobs.contracts.ids import JobId
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.models import JobStatus
from modhost_background_jobs.contracts.scheduling.changes import JobChanges
from modhost_background_jobs.contracts.scheduling.from_thread import JobsFromThread
from modhost_background_jobs.contracts.scheduling.options import EnqueueOptions, Then
from modhost_background_jobs.contracts.scheduling.recurring import RecurringScheduling
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.contracts.workflows import After, Workflows

Data = TypeVar("Data")
More = TypeVar("More")


class BackgroundJobs(JobChanges, RecurringScheduling, FlowControl, Workflows, Protocol):
    """Enqueue, schedule and change jobs, besides the recurring ones and workflows; pause them."""

    @overload
    async def enqueue(
        self,
        job: type[ModuleJob[Data, Any]],
        data: Data,
        **options: Unpack[EnqueueOptions],
    ) -> JobId: ...

    @overload
    async def enqueue(
        self,
        job: type[ModuleJob[None, Any]],
        data: None = None,
        **options: Unpack[EnqueueOptions],
    ) -> JobId: ...

    async def enqueue(
        self,
        job: type[ModuleJob],
        data: Any = None,
        *,
        session: AsyncSession | None = None,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        queue: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] = (),
        job_id: JobId | None = None,
        after: After = (),
        when: RunWhen = "succeeded",
    ) -> JobId:
        """Store a job to run as soon as a consumer is free.

        Args:
            job: the class of the job, which a module registered with `add_module_job`.
            data: the job's input, anything that pydantic serializes to JSON; None by default.
            session: makes the job part of the caller's transaction: it exists exactly if that
                commits. By default, the job is stored in a transaction of its own.
            max_attempts: attempts before the job fails, 1 to 1,000,000. Defaults to that of the
                class, else to the option `max_attempts`.
            timeout: how long one attempt may take, above 0 and up to 36,500 days. Defaults to that
                of the class.
            queue: the queue that the job waits in: 1 to 100 printable characters, without commas
                and `*`, and no `!` at the beginning. Defaults to that of the class.
            priority: -100 to 100, higher first. Defaults to that of the class.
            tags: up to 10 words of up to 100 characters that people find the job by, in place of
                those of the class, which are the default.
            job_id: an id of the caller's own, from `modhost.new_id()`, which makes the call safe
                to repeat after an error: while a job has that id, finished or not, no other is
                stored. By default, each call stores a new job.
            after: the job, or the jobs, that this one waits for; finished ones are judged at once.
            when: `succeeded`: it runs when all of them completed, `failed`: when one of them failed
                or was cancelled, or `finished`: when all of them have finished. One that can no
                longer run is cancelled, with the reason.

        Returns:
            The id of the job; of the one that is there where the class is `unique` and its key is
            taken.

        Raises:
            UnregisteredJob: no module registered the class on this host.
            InvalidJobData: the data is not serializable to JSON or has more characters than the
                option `max_data_size` allows, or lacks a field that a limit, `unique` or `fair` of
                the class is `per`; `max_attempts` or `timeout` is out of bounds, or `job_id`
                belongs to a job of another type.
            InvalidFlow: `queue`, `priority` or a tag is out of bounds.
            InvalidWorkflow: `after` is neither a node nor an id, or names no job while `when` is
                `failed`, or `when` is unknown.
            JobNotFound: a job of `after` does not exist.

        """

    async def enqueue_many(
        self,
        job: type[ModuleJob[Data, Any]],
        data: Sequence[Data],
        *,
        session: AsyncSession | None = None,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        queue: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] = (),
        then: Then[More] | None = None,
    ) -> list[JobId]:
        """Store one job for each item of `data`, all or none.

        Args:
            job: the class of the jobs, which a module registered with `add_module_job`.
            data: the input of each job, anything that pydantic serializes to JSON.
            session: makes the jobs part of the caller's transaction; see `enqueue`.
            max_attempts: attempts before a job fails, 1 to 1,000,000; see `enqueue`.
            timeout: how long one attempt may take, up to 36,500 days; see `enqueue`.
            queue: the queue that the jobs wait in; see `enqueue`.
            priority: -100 to 100, higher first; see `enqueue`.
            tags: words that people find the jobs by; see `enqueue`.
            then: the class and the data of a job that runs when all of them completed; or a third
                value beside these, `failed` or `finished`, see `when` of `enqueue`. All are one
                workflow, named like the type of the jobs. Without data, nothing is stored for
                `failed`.

        Returns:
            The ids of the jobs, in the order of `data`; items of one key of a `unique` class share
            an id.

        Raises:
            UnregisteredJob: no module registered the class on this host.
            InvalidJobData: `data` are those of one job, such as a model or a text; an item is not
                serializable to JSON, too large or without a field that the class needs, or
                `max_attempts` or `timeout` is out of bounds; no job is stored.
            InvalidFlow: `queue`, `priority` or a tag is out of bounds.
            InvalidWorkflow: with `then`: another job has the key of a `unique` class.

        """

    @overload
    async def schedule(
        self,
        job: type[ModuleJob[Data, Any]],
        execute_at: datetime,
        data: Data,
        **options: Unpack[EnqueueOptions],
    ) -> JobId: ...

    @overload
    async def schedule(
        self,
        job: type[ModuleJob[None, Any]],
        execute_at: datetime,
        data: None = None,
        **options: Unpack[EnqueueOptions],
    ) -> JobId: ...

    async def schedule(
        self,
        job: type[ModuleJob],
        execute_at: datetime,
        data: Any = None,
        *,
        session: AsyncSession | None = None,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        queue: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] = (),
        job_id: JobId | None = None,
        after: After = (),
        when: RunWhen = "succeeded",
    ) -> JobId:
        """Store a job to run at a later time.

        Args:
            job: the class of the job, which a module registered with `add_module_job`.
            execute_at: when the job is due, with a time zone, in the years 1970 to 8999; a time
                in the past is due at once.
            data: the job's input, anything that pydantic serializes to JSON; None by default.
            session: makes the job part of the caller's transaction; see `enqueue`.
            max_attempts: attempts before the job fails, 1 to 1,000,000; see `enqueue`.
            timeout: how long one attempt may take, up to 36,500 days; see `enqueue`.
            queue: the queue that the job waits in; see `enqueue`.
            priority: -100 to 100, higher first; see `enqueue`.
            tags: words that people find the job by; see `enqueue`.
            job_id: an id of the caller's own that makes the call safe to repeat; see `enqueue`.
            after: jobs that it waits for, also beyond its time; see `enqueue`.
            when: after which ends of them it runs; see `enqueue`.

        Returns:
            The id of the job; see `enqueue`.

        Raises:
            UnregisteredJob: no module registered the class on this host.
            InvalidJobData: `execute_at` has no time zone or is out of bounds, or for the reasons
                that `enqueue` gives.
            InvalidFlow: `queue`, `priority` or a tag is out of bounds.
            InvalidWorkflow: `after` is neither a node nor an id, or names no job while `when` is
                `failed`, or `when` is unknown.
            JobNotFound: a job of `after` does not exist.

        """

    @property
    def from_thread(self) -> JobsFromThread:
        """The same for code in a thread, as a plain `def` of a job or of an endpoint."""

    async def wait(self, job_id: JobId, timeout: timedelta) -> JobStatus:
        """Wait until a job has ended, in whatever process it runs; woken, not polled.

        A job that is retried, snoozed or taken back from a dead worker has not ended yet.

        Args:
            job_id: the job to wait for.
            timeout: how long to wait, from 0, which asks once, to 36,500 days.

        Returns:
            The status of the job: `Completed`, `Failed`, `Cancelled` or `Skipped`.

        Raises:
            JobNotFound: there is no such job, or it was deleted meanwhile.
            TimeoutError: the job has not ended in time; it continues.
            InvalidJobData: `timeout` is not a timedelta, or out of bounds.

        """

    async def get_status(self, job_id: JobId) -> JobStatus | None:
        """Return the status of a job, or None when there is no such job.

        Args:
            job_id: the job to read.

        """
