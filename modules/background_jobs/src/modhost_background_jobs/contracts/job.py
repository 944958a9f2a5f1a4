"""The base class of jobs, and the context in which they run."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypeVar

from modhost_background_jobs.contracts.flow import (
    DEFAULT_QUEUE,
    Concurrency,
    Fair,
    Rate,
    Unique,
)
from modhost_background_jobs.contracts.ids import JobId

T = TypeVar("T")

Executor: TypeAlias = Literal["worker", "process"]


class JobExecutionContext(Protocol):
    """One attempt's view of its job."""

    @property
    def job_id(self) -> JobId:
        """The id of the job, the same for all its attempts."""

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""

    @property
    def due_at(self) -> datetime | None:
        """The due time for which a run of a schedule runs, whenever it does; None for other jobs.

        Its attempts share it. A run that somebody asked for besides the due times has none.
        """

    @property
    def cancelled(self) -> bool:
        """Whether the job must stop: cancelled, timed out, lease lost, or worker shutting down."""

    def raise_if_cancelled(self) -> None:
        """Stop a job that runs in a thread when `cancelled` is set.

        Raises:
            JobCancelled: the job was asked to stop.

        """

    def get_data(self, model: type[T]) -> T:
        """Return the job's data, validated as the model.

        Args:
            model: any type that pydantic validates: a model, a dataclass, `dict[str, int]`.

        Raises:
            JobDataError: the data does not fit the model; the job fails without another attempt.

        """

    def report_progress(self, percentage: float, message: str | None = None) -> None:
        """Report progress; never blocks, stored in batches.

        Args:
            percentage: 0 to 100; a value out of bounds is clamped, and logged once.
            message: a short text; None keeps the last one. Cut off after 16,000 characters.

        """

    def log(self, message: str) -> None:
        """Add a line to the job's log, with the current time; never blocks, stored in batches.

        Args:
            message: the text of the line, cut off after 16,000 characters.

        """


class ModuleJob(ABC):
    """Base class of jobs. Parameters of the constructor are resolved from the attempt's scope.

    Attributes:
        job_type: the name under which jobs are stored; `<module name>.<ClassName>` by default.
        aliases: former names; jobs stored under them still run.
        max_attempts: attempts before the job fails; the option `max_attempts` by default.
        retry_base_delay: wait before the second attempt, doubled for each later one; the option
            `retry_base_delay` by default.
        timeout: how long one attempt may take; None for no limit.
        executor: where attempts run: `worker`, in the worker itself, or `process`, in a process of
            their own, which is killed when it does not stop in time.
        no_retry: exceptions that fail the job at once.
        data_model: the type that `execute` reads the data as; pages validate edited input with it.
        queue: the queue that jobs wait in.
        priority: -100 to 100, higher first.
        tags: up to 10 words of up to 100 characters that people find jobs by.
        concurrency: how many run at the same time, over all workers; one limit or several.
        rate: how many start within a period, over all workers; one limit or several.
        unique: which jobs must not be there twice.
        fair: by which field of the data due jobs take turns.

    """

    job_type: ClassVar[str | None] = None
    aliases: ClassVar[tuple[str, ...]] = ()
    max_attempts: ClassVar[int | None] = None
    retry_base_delay: ClassVar[timedelta | None] = None
    timeout: ClassVar[timedelta | None] = None
    executor: ClassVar[Executor] = "worker"
    no_retry: ClassVar[tuple[type[Exception], ...]] = ()
    data_model: ClassVar[Any] = None
    queue: ClassVar[str] = DEFAULT_QUEUE
    priority: ClassVar[int] = 0
    tags: ClassVar[tuple[str, ...]] = ()
    concurrency: ClassVar[Concurrency | tuple[Concurrency, ...] | None] = None
    rate: ClassVar[Rate | tuple[Rate, ...] | None] = None
    unique: ClassVar[Unique | None] = None
    fair: ClassVar[Fair | None] = None

    @abstractmethod
    def execute(self, context: JobExecutionContext) -> Awaitable[Any] | None:
        """Do the work: `async def` runs on the event loop, plain `def` in a thread.

        To return is to succeed; the result is not kept. An exception fails the attempt, and the
        job is retried with backoff up to `max_attempts`.

        Args:
            context: the job's id and data, and where to report progress and log lines.

        Raises:
            PermanentJobError: to fail the job at once.
            Snooze: to run the job again later without spending an attempt.

        """
