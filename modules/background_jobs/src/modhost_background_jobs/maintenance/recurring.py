"""Poll for due schedules, and fire them."""

import logging
from typing import Final
from uuid import UUID

from modhost.failures import failures
from modhost.module import PeriodicService
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import GuardedClock

logger = logging.getLogger(__name__)

MAX_PAUSE_SECONDS: Final = 5.0
PULL_BACK_SECONDS: Final = 60.0
LOCKED_PAUSE_SECONDS: Final = 0.5


class RecurringJobsService(PeriodicService):
    """Fires due schedules; every consumer tries, the database lets one of them."""

    name = "recurring jobs"
    failure = "The poll for due schedules"

    def __init__(
        self,
        firing: RecurringFiring,
        schedules: RecurringSchedules,
        changes: ScheduleChanges,
        types: JobTypes,
        options: BackgroundJobsOptions,
        clock: GuardedClock,
    ) -> None:
        self._firing = firing
        self._schedules = schedules
        self._changes = changes
        self._modules = types.modules
        self._has_noted = False
        self._pull_back_at = 0.0
        self._clock = clock
        self.interval = options.poll_interval.total_seconds()

    async def step(self) -> float:
        """Fire all due schedules; return the seconds until there may be more to do."""
        if not await self._clock.agrees():
            return self.interval
        if not self._has_noted:
            # Hosted services run once all modules have started.
            await self._changes.note_left_out(self._modules)
            self._has_noted = True
        if self._clock.monotonic() >= self._pull_back_at:
            self._pull_back_at = self._clock.monotonic() + PULL_BACK_SECONDS
            await self._schedules.pull_back()
        schedules = await self._firing.poll()
        fired = [await self._fire(each) for each in schedules.due]
        if schedules.has_waiting_runs:
            await self._firing.release_waiting_runs()
        if any(fired):
            return 0.0
        longest = self.interval if schedules.has_waiting_runs else MAX_PAUSE_SECONDS
        if 0 in fired:
            # Another consumer fires it, or somebody else has locked it.
            return min(longest, LOCKED_PAUSE_SECONDS)
        if fired or schedules.next_due is None:
            return longest
        return min(longest, max(0.0, (schedules.next_due - self._clock.now()).total_seconds()))

    async def _fire(self, recurring_id: UUID) -> int | None:
        """Fire one schedule and return how many times; None for an error, which is logged."""
        what = f"The firing of the schedule {recurring_id}"
        try:
            fired = await self._firing.fire(recurring_id)
        except Exception as error:  # noqa: BLE001 - the others are due as well
            failures.failed(logger, what, error)
            return None
        failures.passed(what)
        return fired
