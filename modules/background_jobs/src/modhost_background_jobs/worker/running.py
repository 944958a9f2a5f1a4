"""The attempts that this worker has: waiting for a slot, running, or having their end stored."""

from collections.abc import Iterator

import anyio.lowlevel

from modhost_background_jobs.queue.records import Lease
from modhost_background_jobs.worker.stopping import RunningAttempt


class RunningAttempts:
    """Attempts by their lease, from the claim until the database has acknowledged their end."""

    def __init__(self) -> None:
        self._attempts: dict[Lease, RunningAttempt] = {}
        self._changed = anyio.Event()
        self.is_abandoned = False
        """Whether no attempt is removed from now on, so that there is nothing to wait for."""

    def __len__(self) -> int:
        return len(self._attempts)

    def __contains__(self, lease: Lease) -> bool:
        return lease in self._attempts

    def __iter__(self) -> Iterator[RunningAttempt]:
        return iter(list(self._attempts.values()))

    def add(self, attempt: RunningAttempt) -> None:
        """Take an attempt over."""
        self._attempts[attempt.claimed.lease] = attempt

    def remove(self, attempt: RunningAttempt) -> None:
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
