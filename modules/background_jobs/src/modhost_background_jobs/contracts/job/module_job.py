"""The base class of jobs."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, ClassVar, Literal, TypeAlias

from modhost_background_jobs.contracts.flow import (
    DEFAULT_QUEUE,
    Concurrency,
    Fair,
    Rate,
    Unique,
)
from modhost_background_jobs.contracts.job.context import JobExecutionContext
from modhost_background_jobs.contracts.job.type_arguments import has_names, type_arguments
from modhost_background_jobs.contracts.job.typed_job import Data_contra, Result_co, TypedJob

Executor: TypeAlias = Literal["worker", "process"]


class ModuleJob(ABC, TypedJob[Data_contra, Result_co]):
    """Base class of jobs. Parameters of the constructor are resolved from the attempt's scope.

    `ModuleJob[Image, Size]` says the types of the data and of the result, both optional: type
    checkers refuse other data, and `data_model` and `result_model` follow.

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
        result_model: the type that `execute` returns.
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
    result_model: ClassVar[Any] = None
    queue: ClassVar[str] = DEFAULT_QUEUE
    priority: ClassVar[int] = 0
    tags: ClassVar[tuple[str, ...]] = ()
    concurrency: ClassVar[Concurrency | tuple[Concurrency, ...] | None] = None
    rate: ClassVar[Rate | tuple[Rate, ...] | None] = None
    unique: ClassVar[Unique | None] = None
    fair: ClassVar[Fair | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        set_models(cls, is_final=False)

    @staticmethod
    def summary(data: Any) -> str | None:
        """Say in a line what a job with these data is about; by default nothing.

        A static method, or a class method. What it returns is stored when the job is enqueued and
        shown beside its type; people find the job by its words. It has up to 200 characters, no
        line breaks, and masks in place of the secrets of the data. When it raises, the job is
        enqueued without a summary, and a warning is logged.

        Args:
            data: what the job will get as its data.

        Returns:
            The line; None for none.

        """
        return None

    @abstractmethod
    def execute(
        self, context: JobExecutionContext[Data_contra]
    ) -> Awaitable[Result_co] | Result_co:
        """Do the work: `async def` runs on the event loop, plain `def` in a thread.

        To return is to succeed; what is returned is stored as JSON with the end of the job, None
        stores nothing. An exception fails the attempt, and the job is retried with backoff up to
        `max_attempts`.

        Args:
            context: the job's id and data, and where to report progress and log lines.

        Raises:
            PermanentJobError: to fail the job at once.
            Snooze: to run the job again later without spending an attempt.

        """


def set_models(job: type[ModuleJob], *, is_final: bool) -> None:
    """Set `data_model` and `result_model` by the type arguments of a class, where it sets none.

    Done when the class is made, and finally when it is registered: by then names in quotes are
    known.
    """
    arguments = zip(("data_model", "result_model"), type_arguments(job, ModuleJob), strict=True)
    for name, argument in arguments:
        if getattr(job, name) is None and (is_final or not has_names(argument)):
            setattr(job, name, argument)
