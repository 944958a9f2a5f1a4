"""What new jobs have besides their class and their data."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeAlias, TypedDict, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts.ids import JobId
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.contracts.workflows import After

Data = TypeVar("Data")
Then: TypeAlias = (
    tuple[type[ModuleJob[Data, Any]], Data] | tuple[type[ModuleJob[Data, Any]], Data, RunWhen]
)
"""The job that follows many others: its class, its data, and after which ends of them it runs."""


class JobOptions(TypedDict, total=False):
    """What many new jobs have in common; `enqueue` describes each."""

    max_attempts: int | None
    timeout: timedelta | None
    queue: str | None
    priority: int | None
    tags: Sequence[str]


class ManyJobsOptions(JobOptions, total=False):
    """What `enqueue_many` takes besides the class and the data."""

    then: Then[Any] | None


class NewJobOptions(JobOptions, total=False):
    """What a new job has besides its class and its data."""

    job_id: JobId | None
    after: After
    when: RunWhen


class EnqueueOptions(NewJobOptions, total=False):
    """What `enqueue` and `schedule` take besides the job and its data."""

    session: AsyncSession | None
