"""Flow control: what may run beside what, how fast, in which order, and what exists once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol, TypeAlias

DEFAULT_QUEUE: Final = "default"

Per: TypeAlias = str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many jobs of a key are `Running` at most, over all workers.

    Attributes:
        limit: how many, from 1; operators may change it while everything runs.
        per: the field of the data whose value is the key, dotted for a nested one, or several;
            None for one key that all jobs of the type share.
        name: the name of a limit that several types share; by default each type has its own.

    """

    limit: int
    per: Per = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """How many jobs of a key start within any window of a period, over all workers.

    Attributes:
        limit: how many starts, from 1; operators may change it while everything runs.
        period: the length of the window, above 0.
        per: the field or fields of the data whose values are the key; see `Concurrency`.
        name: the name of a limit that several types share; by default each type has its own.

    """

    limit: int
    period: timedelta
    per: Per = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Unique:
    """While there is a job of a key, enqueueing another returns its id.

    Attributes:
        per: the field or fields of the data that make jobs alike; None for the whole data.
        until: `finished` for a job that is pending or running, `started` for a pending one alone,
            or how long from the moment of enqueueing.
        on_conflict: `keep` changes nothing; `replace` gives the pending job the new data, priority
            and due time. A running job is never changed.

    """

    per: Per = None
    until: Literal["finished", "started"] | timedelta = "finished"
    on_conflict: Literal["keep", "replace"] = "keep"


@dataclass(frozen=True, slots=True)
class Fair:
    """Due jobs take turns by key: the first of each, then the second of each, and so on.

    Attributes:
        per: the field or fields of the data whose values are the key; see `Concurrency`.

    """

    per: str | tuple[str, ...]


def limit_name(job_type: str, limit: Concurrency | Rate) -> str:
    """Return the name of a limit: its own, or one of the type and the fields that it counts per."""
    if limit.name is not None:
        return limit.name
    kind = "concurrency" if isinstance(limit, Concurrency) else "rate"
    per = (limit.per,) if isinstance(limit.per, str) else limit.per or ()
    return ".".join(filter(None, (job_type, kind, "+".join(per))))


def declared_limits(job: Any) -> Iterator[Concurrency | Rate]:
    """Yield the limits that a job class declares, one or several of each kind."""
    for declared in (job.concurrency, job.rate):
        if isinstance(declared, tuple):
            yield from declared
        elif declared is not None:
            yield declared


class FlowControl(Protocol):
    """Pauses of queues and types, which survive restarts, and workers that are to be quiet."""

    async def pause_queue(
        self, queue: str, *, until: datetime | None = None, reason: str = ""
    ) -> None:
        """Start no job of a queue until it is resumed; running ones continue, as does enqueueing.

        Args:
            queue: the name of the queue, whether it has jobs or not.
            until: when the pause ends by itself, with a time zone; by default it does not.
            reason: what people are shown, up to 500 characters.

        Raises:
            InvalidFlow: the name, the time or the reason is out of bounds.

        """

    async def resume_queue(self, queue: str) -> None:
        """End the pause of a queue; nothing happens to one that is not paused.

        Args:
            queue: the name of the queue.

        Raises:
            InvalidFlow: no queue can have the name.

        """

    async def pause_job_type(
        self, job_type: str, *, until: datetime | None = None, reason: str = ""
    ) -> None:
        """Start no job of a type until it is resumed; see `pause_queue`.

        Args:
            job_type: the stored name of the type.
            until: when the pause ends by itself, with a time zone; by default it does not.
            reason: what people are shown, up to 500 characters.

        Raises:
            InvalidFlow: the name, the time or the reason is out of bounds.

        """

    async def resume_job_type(self, job_type: str) -> None:
        """End the pause of a type; nothing happens to one that is not paused.

        Args:
            job_type: the stored name of the type.

        Raises:
            InvalidFlow: no type can have the name.

        """

    async def quiet_worker(self, name: str) -> None:
        """Have a worker claim no more jobs, while it finishes those that it runs.

        It learns of it with its next heartbeat, on PostgreSQL at once. It stays quiet until it is
        resumed or stops; a worker that starts anew is not quiet.

        Args:
            name: the name of the worker; nothing happens to one that is quiet already.

        Raises:
            WorkerNotFound: no worker of this name is registered.

        """

    async def resume_worker(self, name: str) -> None:
        """Have a quiet worker claim jobs again; see `quiet_worker`.

        Args:
            name: the name of the worker; nothing happens to one that is not quiet.

        Raises:
            WorkerNotFound: no worker of this name is registered.

        """
