"""What defines a recurring job."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypedDict

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts.job import ModuleJob


class OverlapPolicy(StrEnum):
    """What a due time does while an earlier run of the recurring job is `Pending` or `Running`."""

    SKIP = "skip"
    """Record the run as `Skipped`, with the reason."""
    QUEUE = "queue"
    """Enqueue the run; it starts after the earlier ones have finished."""
    ALLOW = "allow"
    """Enqueue the run; it may run at the same time as earlier ones."""


class CatchUpPolicy(StrEnum):
    """What happens to due times that passed while no consumer ran."""

    ONE = "one"
    """One run, for the latest of them."""
    NONE = "none"
    """No run; the recurring job continues with its next due time."""
    ALL = "all"
    """A run for each, up to the newest hundred, in turn unless they may overlap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringDefinition:
    """What a recurring job is defined by; `add_recurring` explains each.

    Attributes:
        job: the class of the jobs.
        name: its name within the module.
        cron_expression: when it is due.
        data: the input of each run.
        time_zone: the zone of the expression.
        overlap: what happens while an earlier run has not finished.
        catch_up: what happens to due times without a consumer.
        max_attempts: attempts before a run fails.
        timeout: how long one attempt may take.
        queue: the queue that runs wait in; that of the class by default.
        priority: -100 to 100, higher first; that of the class by default.
        tags: words that people find runs by, in place of those of the class.

    """

    job: type[ModuleJob]
    name: str
    cron_expression: str
    data: Any = None
    time_zone: str = "UTC"
    overlap: OverlapPolicy = OverlapPolicy.SKIP
    catch_up: CatchUpPolicy = CatchUpPolicy.ONE
    max_attempts: int | None = None
    timeout: timedelta | None = None
    queue: str | None = None
    priority: int | None = None
    tags: Sequence[str] = ()


class RecurringOptions(TypedDict, total=False):
    """What `add_recurring` takes besides the job, its name, when it is due, and its data."""

    time_zone: str
    overlap: OverlapPolicy
    catch_up: CatchUpPolicy
    max_attempts: int | None
    timeout: timedelta | None
    queue: str | None
    priority: int | None
    tags: Sequence[str]
    session: AsyncSession | None
