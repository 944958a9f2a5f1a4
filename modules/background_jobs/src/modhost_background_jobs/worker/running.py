"""The attempts that run in this process, and the slots they fill."""

from collections.abc import Iterator

import anyio

from modhost_background_jobs.queue.records import Lease
from modhost_background_jobs.worker.stopping import RunningAttempt


class RunningAttempts:
    """Attempts by their lease, at most as many as there are slots."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._attempts: dict[Lease, RunningAttempt] = {}
        self._changed = anyio.Event()

    def __len__(self) -> int:
        return len(self._attempts)

    def __contains__(self, lease: Lease) -> bool:
        return lease in self._attempts

    def __iter__(self) -> Iterator[RunningAttempt]:
        return iter(list(self._attempts.values()))

    def add(self, attempt: RunningAttempt) -> None:
        """Fill a slot."""
        self._attempts[attempt.claimed.lease] = attempt

    def remove(self, attempt: RunningAttempt) -> None:
        """Free a slot."""
        self._attempts.pop(attempt.claimed.lease, None)
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    async def free_slots(self) -> int:
        """Wait until a slot is free, and return how many are."""
        while len(self._attempts) >= self._slots:
            await self._changed.wait()
        return self._slots - len(self._attempts)

    async def none_left(self) -> None:
        """Wait until no attempt runs."""
        while self._attempts:
            await self._changed.wait()
