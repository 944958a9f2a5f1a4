"""Why an attempt is asked to stop, and how it learns of it."""

from enum import Enum

import anyio

from modhost.calling import Caller
from modhost_background_jobs.queue.job_data import MASK, secrets_in
from modhost_background_jobs.queue.records import ClaimedJob


class StopReason(Enum):
    """Why an attempt is asked to stop."""

    CANCELLED = "cancelled"
    TIMEOUT = "timed out"
    LOST_LEASE = "lost lease"
    SHUTDOWN = "shut down"


class RunningAttempt:
    """An attempt that runs in this process.

    An async job is stopped through its cancel scope; one in a thread sees the reason and has to
    stop by itself, unless it is given up.
    """

    __slots__ = ("_secrets", "claimed", "in_thread", "over", "reason", "scope")

    def __init__(self, claimed: ClaimedJob, *, in_thread: bool) -> None:
        self.claimed = claimed
        self.in_thread = in_thread
        self.scope = anyio.CancelScope()
        self.reason: StopReason | None = None
        self.over = False
        self._secrets = secrets_in(claimed.data)

    @property
    def is_to_stop(self) -> bool:
        """Whether the attempt was asked to stop."""
        return self.reason is not None

    async def caller(self) -> Caller:
        """Return the job as the caller of what its code calls."""
        return Caller("job", f"job:{self.claimed.lease.job_id}", self.claimed.job_type)

    def redact(self, text: object) -> str:
        """Return a text of the job with the secrets of its data masked."""
        told = str(text)
        for secret in self._secrets:
            told = told.replace(secret, MASK)
        return told

    def stop(self, reason: StopReason) -> None:
        """Ask the attempt to stop; the first reason stands, a lost lease overrides all."""
        if self.over:
            return
        if self.reason is None or reason is StopReason.LOST_LEASE:
            self.reason = reason
        if not self.in_thread:
            self.scope.cancel()

    def give_up(self) -> None:
        """Stop waiting for a thread that ignores the request; the thread itself runs on."""
        self.scope.cancel()
