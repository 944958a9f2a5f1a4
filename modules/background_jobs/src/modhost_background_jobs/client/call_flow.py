"""The flow control of a job: what its class says, the call instead, and its data."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from modhost_background_jobs.client.flow_keys import DataKeys
from modhost_background_jobs.contracts import (
    Concurrency,
    InvalidFlow,
    ModuleJob,
    RegisteredJob,
    Unique,
)
from modhost_background_jobs.contracts.flow import declared_limits, limit_name
from modhost_background_jobs.contracts.flow_checks import (
    PRIORITY,
    QUEUE_NAME,
    TAGS,
    is_priority,
    is_queue_name,
    is_tags,
)
from modhost_background_jobs.model import Flow, LimitKey, NewJob, UniqueKey
from modhost_background_jobs.model.flow import PLAIN

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallFlow:
    """The flow control of the jobs of one call.

    Attributes:
        registered: the registration of their class under its present name.
        common: what they share, whatever their data.

    """

    registered: RegisteredJob
    common: Flow

    def of(self, data: Any, stored: str | None) -> Flow:
        """Return the flow control of a job with these data, given and as JSON.

        Raises `InvalidJobData` for data without a field that the class names.
        """
        job, job_type = self.registered.job_class, self.registered.job_type
        if not has_keys(job):
            return self.common
        keys = DataKeys(job, data, stored)
        return replace(
            self.common,
            limits=tuple(dict.fromkeys(_limits(job, job_type, keys))),
            unique=_unique(job.unique, job_type, keys) if job.unique else None,
            fair_key=keys.key(job.fair.per, "fair") if job.fair else None,
        )


def call_flow(
    registered: RegisteredJob, queue: str | None, priority: int | None, tags: Sequence[str]
) -> CallFlow:
    """Return the flow control of the jobs of one call.

    Args:
        registered: the registration of their class under its present name.
        queue: what the call says, None for what the class says; see `BackgroundJobs.enqueue`.
        priority: the same.
        tags: the same; none for those of the class.

    Raises:
        InvalidFlow: one of them is out of bounds.

    """
    job = registered.job_class
    if queue is None and priority is None and tags == () and not uses_flow(job):
        return CallFlow(registered, PLAIN)
    given = _checked("tags are", tags, is_tags, TAGS)
    queue = job.queue if queue is None else _checked("queue is", queue, is_queue_name, QUEUE_NAME)
    if priority is None:
        priority = job.priority
    common = Flow(
        queue=queue,
        priority=_checked("priority is", priority, is_priority, PRIORITY),
        tags=tuple(dict.fromkeys(given or job.tags)),
    )
    return CallFlow(registered, PLAIN if common == PLAIN else common)


def hold_back(registered: RegisteredJob, jobs: Sequence[NewJob]) -> Iterator[NewJob]:
    """Hold those jobs of one call back that are more than their class lets run of a key.

    They would stand in the way of claims; whoever of the key ends lets go of the next ones.
    """
    job, job_type = registered.job_class, registered.job_type
    limits = (each for each in declared_limits(job) if isinstance(each, Concurrency))
    most = {limit_name(job_type, each): each.limit for each in limits}
    counted: Counter[LimitKey] = Counter()
    for new in jobs:
        counted.update(key for key in new.flow.limits if key.limit in most)
        full = (key for key in new.flow.limits if counted[key] > most.get(key.limit, math.inf))
        held_by = next(full, None)
        if held_by is None:
            yield new
        else:
            yield replace(new, flow=replace(new.flow, held_by=held_by.stored))


@lru_cache(maxsize=1024)
def has_keys(job: type[ModuleJob]) -> bool:
    """Return whether a class has anything that is computed of the data."""
    return any((job.concurrency, job.rate, job.unique, job.fair))


@lru_cache(maxsize=1024)
def uses_flow(job: type[ModuleJob]) -> bool:
    """Return whether a class says anything about flow control."""
    return has_keys(job) or (job.queue, job.priority, job.tags) != (PLAIN.queue, 0, ())


def _limits(job: type[ModuleJob], job_type: str, keys: DataKeys) -> Iterator[LimitKey]:
    for limit in declared_limits(job):
        yield LimitKey(
            limit_name(job_type, limit), keys.key(limit.per, type(limit).__name__.lower())
        )


def _unique(unique: Unique, job_type: str, keys: DataKeys) -> UniqueKey:
    return UniqueKey(
        digest=keys.digest(job_type, unique.per),
        until=unique.until,
        replaces=unique.on_conflict == "replace",
    )


def _checked(what: str, value: T, is_valid: Callable[[Any], bool], remedy: str) -> T:
    if not is_valid(value):
        raise InvalidFlow(f"{what} {ascii(value)[:80]}; give {remedy}.")
    return value
