"""Jobs that may be what took their last worker down: how they run, and beside which others."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from modhost.clock import Clock
from modhost_background_jobs.model import Lease, Released
from modhost_background_jobs.model.poison_jobs import is_last_chance, is_suspect
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.outcome import Outcome
from modhost_background_jobs.worker.finishing.write_retry import until_written

APART_SECONDS: Final = (1.0, 20.0)
"""When a job that was sent away is due again, drawn by lot so that those sent together part."""


class PoisonJobs:
    """Notes that suspects begin, which tells them from those that were claimed with them.

    Those that fail with their next rescue run one at a time here: one that kills this worker takes
    no other with it into quarantine.
    """

    def __init__(self, store: JobStore, options: BackgroundJobsOptions, clock: Clock) -> None:
        self._store = store
        self._max_rescues = options.max_rescues
        self._clock = clock
        self._on_last_chance: set[Lease] = set()

    def has(self, attempt: Attempt) -> bool:
        """Whether the attempt is one of a suspect."""
        return is_suspect(attempt.claimed.rescues, self._max_rescues)

    async def run(self, attempt: Attempt, run: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Run the attempt of a suspect, or put its job off."""
        if not is_last_chance(attempt.claimed.rescues, self._max_rescues):
            return await self._noted(attempt, run)
        if self._on_last_chance:
            return self._put_off(attempt)
        self._on_last_chance.add(attempt.claimed.lease)
        try:
            return await self._noted(attempt, run)
        finally:
            self._on_last_chance.discard(attempt.claimed.lease)

    async def _noted(self, attempt: Attempt, run: Callable[[], Awaitable[Outcome]]) -> Outcome:
        lease = attempt.claimed.lease
        if not await until_written(lambda: self._store.note_begin(lease), "the begin of a job"):
            attempt.stop(StopReason.LOST_LEASE)
        return await run()

    def _put_off(self, attempt: Attempt) -> Outcome:
        wait = timedelta(seconds=random.uniform(*APART_SECONDS))  # noqa: S311 - not for secrets
        return Released(attempt.claimed.lease, self._clock.now() + wait, error=None, spent=False)
