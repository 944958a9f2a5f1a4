"""Why an attempt is asked to stop, and how it learns of it."""

from collections.abc import Callable, Iterator
from enum import Enum
from itertools import count
from typing import Literal, TypeAlias

import anyio
import anyio.lowlevel

from modhost.caller import Caller
from modhost_background_jobs.model import ClaimedJob, Lease
from modhost_background_jobs.model.job_data import MASK, secrets_in

Place: TypeAlias = Literal["task", "thread", "process"]


class StopReason(Enum):
    """Why an attempt is asked to stop."""

    CANCELLED = "cancelled"
    TIMEOUT = "timed out"
    LOST_LEASE = "lost lease"
    SHUTDOWN = "shut down"


class Attempt:
    """An attempt that this worker runs.

    A task is stopped through its cancel scope; a thread sees the reason and has to stop by itself,
    unless it is given up; whoever looks after a process is told by `on_stop`.
    """

    __slots__ = (
        "_secrets",
        "claimed",
        "has_noticed",
        "lines",
        "on_stop",
        "over",
        "place",
        "reason",
        "scope",
    )

    def __init__(self, claimed: ClaimedJob, place: Place) -> None:
        self.claimed = claimed
        self.place = place
        self.scope = anyio.CancelScope()
        self.on_stop: Callable[[], None] | None = None
        self.reason: StopReason | None = None
        self.has_noticed = False
        """Whether its code has learned that it is to stop."""
        self.over = False
        self.lines = count()
        """The numbers of its log lines, for whoever writes one, in any thread."""
        self._secrets: tuple[str, ...] | None = None

    @property
    def is_to_stop(self) -> bool:
        """Whether the attempt was asked to stop."""
        return self.reason is not None

    async def caller(self) -> Caller:
        """Return the job as the caller of what its code calls."""
        return Caller("job", f"job:{self.claimed.lease.job_id}", self.claimed.job_type)

    def redact(self, text: object) -> str:
        """Return a text of the job with the secrets of its data masked."""
        if self._secrets is None:
            # Not before there is a text: data that cannot be read is the job's own trouble.
            self._secrets = secrets_in(self.claimed.data)
        told = str(text)
        for secret in self._secrets:
            told = told.replace(secret, MASK)
        return told

    def stop(self, reason: StopReason) -> None:
        """Ask the attempt to stop; the first reason stands, a lost lease overrides all."""
        if self.over:
            return
        before = self.reason
        if before is None or reason is StopReason.LOST_LEASE:
            self.reason = reason
        if self.place == "task":
            self.scope.cancel()
        if self.on_stop is not None and self.reason is not before:
            self.on_stop()

    def give_up(self) -> None:
        """Stop waiting for a thread that ignores the request; the thread itself runs on."""
        self.scope.cancel()


class AttemptRegistry:
    """Attempts by their lease, from the claim until the database has acknowledged their end."""

    def __init__(self) -> None:
        self._attempts: dict[Lease, Attempt] = {}
        self._changed = anyio.Event()
        self.is_abandoned = False
        """Whether no attempt is removed from now on, so that there is nothing to wait for."""

    def __len__(self) -> int:
        return len(self._attempts)

    def __contains__(self, lease: Lease) -> bool:
        return lease in self._attempts

    def __iter__(self) -> Iterator[Attempt]:
        return iter(list(self._attempts.values()))

    def add(self, attempt: Attempt) -> None:
        """Take an attempt over."""
        self._attempts[attempt.claimed.lease] = attempt

    def remove(self, attempt: Attempt) -> None:
        """Forget an attempt that is over."""
        self._attempts.pop(attempt.claimed.lease, None)

    def notify(self) -> None:
        """Wake those who wait for attempts to be over."""
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def abandon(self) -> None:
        """Let nobody wait any longer."""
        self.is_abandoned = True
        self.notify()

    async def at_most(self, count: int) -> None:
        """Wait until there are no more than so many."""
        while len(self._attempts) > count:
            if self.is_abandoned:
                # Who asks again and again does not hold up the loop.
                await anyio.lowlevel.checkpoint()
                return
            await self._changed.wait()
