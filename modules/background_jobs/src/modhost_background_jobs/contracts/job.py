"""What a job is, and what it is given while it runs."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypeVar

from modhost_background_jobs.contracts.ids import JobId

T = TypeVar("T")

Executor: TypeAlias = Literal["worker", "process"]


class JobExecutionContext(Protocol):
    """One attempt's view of its job."""

    @property
    def job_id(self) -> JobId:
        """The identifier of the job; the same for all its attempts."""
        ...

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether the job was asked to stop: cancelled, timed out, lost its lease, or shut down."""
        ...

    def raise_if_cancelled(self) -> None:
        """Raise `JobCancelled` when the job was asked to stop; for jobs that run in a thread."""
        ...

    def get_data(self, model: type[T]) -> T:
        """Return the job's data as the model; raises `JobDataError`, which fails without retry."""
        ...

    def report_progress(self, percentage: float, message: str | None = None) -> None:
        """Report progress from 0 to 100; a message left out keeps the last one. Never blocks."""
        ...

    def log(self, message: str) -> None:
        """Add a line to the job's log with the time of now. Never blocks."""
        ...


class ModuleJob(ABC):
    """Base of every job. The constructor's parameters are resolved from the attempt's own scope.

    Attributes:
        job_type: the stored name; without it `<module name>.<ClassName>`.
        aliases: names that the job had before; jobs stored under them still run.
        max_attempts: attempts before the job fails; None takes the module's option.
        retry_base_delay: wait before the second attempt, doubled for each later one; None takes
            the module's option.
        timeout: how long one attempt may take; None for no limit.
        executor: where attempts run: `worker`, in the worker itself, or `process`, in a process of
            their own, which is killed when it does not stop in time.
        no_retry: exceptions after which another attempt would be useless.
        data_model: what `execute` reads the data as; the pages check edited input by it.

    """

    job_type: ClassVar[str | None] = None
    aliases: ClassVar[tuple[str, ...]] = ()
    max_attempts: ClassVar[int | None] = None
    retry_base_delay: ClassVar[timedelta | None] = None
    timeout: ClassVar[timedelta | None] = None
    executor: ClassVar[Executor] = "worker"
    no_retry: ClassVar[tuple[type[Exception], ...]] = ()
    data_model: ClassVar[Any] = None

    @abstractmethod
    def execute(self, context: JobExecutionContext) -> Awaitable[Any] | None:
        """Do the work: `async def` on the event loop, a plain `def` in a thread.

        Returning is success. An exception fails the attempt, which is retried with backoff up to
        `max_attempts`; `PermanentJobError` fails the job at once and `Snooze` puts it off.
        """
