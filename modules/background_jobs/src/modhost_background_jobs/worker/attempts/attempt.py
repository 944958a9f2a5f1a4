"""Attempts of jobs that a worker holds, and why it asks one to stop."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from itertools import count
from typing import Final, Literal, TypeAlias

import anyio
import anyio.lowlevel

from modhost.caller import Caller
from modhost_background_jobs.contracts import JobCancelled, RegisteredJob
from modhost_background_jobs.model import ClaimedJob, Lease
from modhost_background_jobs.model.data.job_data import secrets_in
from modhost_background_jobs.model.data.secret_json import MASK
from modhost_background_jobs.model.job_types import is_newer

MAX_ASIDE: Final = 100
"""How many finished attempts of locked jobs take no room."""

RunsIn: TypeAlias = Literal["task", "thread", "process"]


class StopReason(Enum):
    """Why an attempt is asked to stop."""

    CANCELLED = "cancelled"
    TIMEOUT = "timed out"
    LOST_LEASE = "lost lease"
    SHUTDOWN = "shut down"


@cache
def _kind_of_scope() -> type[anyio.CancelScope]:
    # anyio finds its backend anew for each, which takes twice as long as all else of it.
    return type(anyio.CancelScope())


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt of a job.

    A task is stopped through its cancel scope; a thread sees the reason and has to stop by itself,
    unless it is abandoned; whoever supervises a process sets `on_stop`.
    """

    claimed: ClaimedJob
    registered: RegisteredJob
    runs_in: RunsIn
    scope: anyio.CancelScope = field(default_factory=lambda: _kind_of_scope()())
    on_stop: Callable[[], None] | None = None
    reason: StopReason | None = None
    has_noticed: bool = False
    """Whether its code has learned that it is to stop."""
    ends_itself: bool = False
    """Whether it has called `finish_in`, whose transaction may have ended the job."""
    is_finished: bool = False
    has_stored_begin: bool = False
    """Whether the database knows that it runs, and not only that it was claimed."""
    error: BaseException | None = None
    """What its code raised, until that is reported."""
    is_reported: bool = False
    """Whether its own process reports its errors."""
    line_numbers: Iterator[int] = field(default_factory=count)
    """The numbers of its log lines, taken from any thread."""
    _secrets: tuple[str, ...] | None = None
    _threads: int = 0
    """How many of the steps of a task run in threads."""
    _waits: tuple[anyio.CancelScope, ...] = ()
    lease: Lease = field(init=False)
    """Its right to write."""

    def __post_init__(self) -> None:
        """Have the lease at hand, which is asked for most of all."""
        self.lease = self.claimed.lease

    @property
    def is_to_stop(self) -> bool:
        """Whether the attempt was asked to stop."""
        return self.reason is not None

    @property
    def is_of_newer_version(self) -> bool:
        """Whether a newer version of its module has enqueued it than this process has."""
        return is_newer(self.claimed.module_version, self.registered.module_version)

    async def caller(self) -> Caller:
        """Return the job as the caller of what its code calls."""
        return Caller("job", f"job:{self.lease.job_id}", self.claimed.job_type)

    def log_fields(self) -> Mapping[str, str | int]:
        """Return the ids by which the log lines of its code are found."""
        claimed = self.claimed
        fields: dict[str, str | int] = {
            "job_id": str(self.lease.job_id),
            "job_type": claimed.job_type,
            "attempt": claimed.attempt,
        }
        if claimed.workflow_id is not None:
            fields["workflow_id"] = str(claimed.workflow_id)
        return fields

    def redact(self, text: object) -> str:
        """Return a text of the job with the secrets of its data masked."""
        redacted = str(text)
        for secret in self._known_secrets():
            redacted = redacted.replace(secret, MASK)
        return redacted

    def keep_secret(self, stored: str | None) -> None:
        """Mask the secrets of another value, such as the result of a step, from now on."""
        if more := secrets_in(stored):
            self._secrets = tuple(sorted({*self._known_secrets(), *more}, key=len, reverse=True))

    def _known_secrets(self) -> tuple[str, ...]:
        if self._secrets is None:
            # Not before there is a text: unreadable data must fail this job alone.
            self._secrets = secrets_in(self.claimed.data)
        return self._secrets

    def stop(self, reason: StopReason) -> None:
        """Ask the attempt to stop; the first reason stands, a lost lease overrides all."""
        if self.is_finished:
            return
        before = self.reason
        if before is None or reason is StopReason.LOST_LEASE:
            self.reason = reason
        for scope in (self.scope, *self._waits) if self.runs_in == "task" else self._waits:
            scope.cancel()
        if self.on_stop is not None and self.reason is not before:
            self.on_stop()

    def continue_as_task(self) -> None:
        """Be stopped as a task from now on: what its thread has returned is awaited."""
        if self.runs_in == "thread":
            self.runs_in = "task"
            if self.is_to_stop:
                self.scope.cancel()

    @contextmanager
    def in_thread(self) -> Iterator[None]:
        """Be stopped as a thread during the block, which waits for one."""
        if self.runs_in == "thread" and not self._threads:
            yield
            return
        self.runs_in = "thread"
        self._threads += 1
        try:
            yield
        finally:
            self._threads -= 1
            if not self._threads:
                self.continue_as_task()

    @contextmanager
    def wait_of_thread(self) -> Iterator[None]:
        """Let its thread wait, on the event loop, for no longer than until it is asked to stop.

        Raises `JobCancelled` then.
        """
        with anyio.CancelScope() as scope:
            self._waits = (*self._waits, scope)
            if self.is_to_stop:
                scope.cancel()
            try:
                yield
            finally:
                self._waits = tuple(each for each in self._waits if each is not scope)
        if scope.cancelled_caught and self.reason is not None:
            self.has_noticed = True
            raise JobCancelled(self.reason.value)

    def abandon(self) -> None:
        """Stop waiting for a thread that ignores the request; the thread itself runs on."""
        self.scope.cancel()


class AttemptRegistry:
    """Attempts by their lease, from the claim until the database has acknowledged their end."""

    def __init__(self) -> None:
        self._attempts: dict[Lease, Attempt] = {}
        self._aside: set[Lease] = set()
        self._changed = anyio.Event()
        self.is_abandoned = False
        """Whether no attempt will be removed any more, so that waiting is pointless."""

    def __len__(self) -> int:
        return len(self._attempts)

    @property
    def in_slots(self) -> int:
        """How many attempts run, or wait for a slot or for their end to be stored."""
        return len(self._attempts) - len(self._aside)

    def __contains__(self, lease: Lease) -> bool:
        return lease in self._attempts

    def __iter__(self) -> Iterator[Attempt]:
        return iter(list(self._attempts.values()))

    def add(self, attempt: Attempt) -> None:
        """Add an attempt that was claimed."""
        self._attempts[attempt.lease] = attempt

    def remove(self, finished: Iterable[Attempt]) -> None:
        """Remove attempts whose end is stored, and wake those who wait for that."""
        for attempt in finished:
            self._attempts.pop(attempt.lease, None)
            self._aside.discard(attempt.lease)
        self._wake()

    def set_aside(self, finished: Iterable[Attempt]) -> None:
        """Let attempts that have finished, and whose jobs are locked, take the room of no other.

        Not of arbitrarily many: after a crash they run again.
        """
        for attempt in finished:
            if len(self._aside) < MAX_ASIDE:
                self._aside.add(attempt.lease)
        self._wake()

    def abandon(self) -> None:
        """Release everybody who waits: nobody stores ends any more."""
        self.is_abandoned = True
        self._wake()

    async def wait_until_left(self, count: int) -> None:
        """Wait until no more than `count` attempts are left."""
        while len(self._attempts) > count:
            if self.is_abandoned:
                return
            await self.changed()

    async def changed(self) -> None:
        """Wait until an attempt is removed or set aside."""
        if self.is_abandoned:
            # A caller that asks in a loop does not block the event loop.
            await anyio.lowlevel.checkpoint()
        else:
            await self._changed.wait()

    def _wake(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
