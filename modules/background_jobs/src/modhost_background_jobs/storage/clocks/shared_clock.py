"""The clock of the queue: this host's, unless it differs too much from the one that all share."""

import logging
from datetime import datetime, timedelta
from typing import Final, Protocol

from modhost import Clock
from modhost.module import PeriodicService
from modhost_background_jobs.model import CurrentWorker, DatedHeartbeat, is_of_this_process
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage.clocks.peer_clocks import PeerClocks
from modhost_background_jobs.storage.store import JobStore

logger = logging.getLogger(__name__)

CHECK_SECONDS: Final = 0.05
MAX_ANSWER_SECONDS: Final = 1.0
"""A database that takes longer says too little of the present."""
HEARTBEATS_MISSED: Final = 2.5
MAX_GAP: Final = 1.5
"""How many heartbeat intervals may lie between two comparisons of clocks by a host that runs."""
DIFFERS: Final = (
    "The clock of this host is %s the %s. It fires no schedules and deletes no history until they "
    "agree: synchronize it by NTP."
)


class QueueClock(Clock, Protocol):
    """The time by which jobs are due, and that is stored with them."""


class GuardedClock(QueueClock, Protocol):
    """A clock that schedules and retention ask first whether it may decide for other hosts."""

    async def agrees(self) -> bool:
        """Compare it with the shared one now, and return whether it may decide."""

    def heartbeat_time(self) -> datetime:
        """Return the time for a heartbeat, by which other hosts may judge their clocks."""


class SharedClock:
    """Implements `GuardedClock`.

    PostgreSQL's own clock is the shared one: a host that differs too much counts from there. On
    SQLite it counts from the heartbeats of other processes, if most of them differ from it alike.
    """

    def __init__(self, clock: Clock, store: JobStore, options: BackgroundJobsOptions) -> None:
        self._clock = clock
        self._store = store
        self._max_skew = options.max_clock_skew
        interval = options.heartbeat_interval.total_seconds()
        self._peers = PeerClocks(self._max_skew, HEARTBEATS_MISSED * interval, MAX_GAP * interval)
        self._shared: tuple[datetime, float] | None = None
        """The shared time, and when that was by the monotonic clock."""
        self._has_database_clock = False
        self._is_off = False
        self._checked_at = 0.0
        self._differs = False
        self._other = ""
        self.skew = timedelta(0)
        """How far this host's clock is ahead, as it was last measured."""

    def now(self) -> datetime:
        """Return this host's time, or the shared one when the two differ too much."""
        if self._shared is None:
            return self._clock.now()
        monotonic = self._clock.monotonic()
        is_checked = monotonic - self._checked_at < CHECK_SECONDS
        if is_checked and not self._is_off:
            return self._clock.now()
        shared = self._shared[0] + timedelta(seconds=monotonic - self._shared[1])
        if not is_checked:
            self._checked_at = monotonic
            self._is_off = abs(self._clock.now() - shared) > self._max_skew
        return shared if self._is_off else self._clock.now()

    def heartbeat_time(self) -> datetime:
        """Return the time for a heartbeat: this host's own where others judge theirs by it."""
        return self.now() if self._has_database_clock else self._clock.now()

    def monotonic(self) -> float:
        """Return this host's monotonic clock."""
        return self._clock.monotonic()

    @property
    def differs(self) -> bool:
        """Whether this host's clock was found to differ too much."""
        return self._differs

    def troubles(self) -> list[str]:
        """Return a sentence for the health of this host while its clock differs."""
        return [DIFFERS % (describe_skew(self.skew), self._other)] if self._differs else []

    async def agrees(self) -> bool:
        """Compare the clocks; log when one begins or ceases to differ."""
        began, before = self._clock.monotonic(), self._clock.now()
        theirs = await self._store.database_clock()
        if theirs is None:
            skew = self._skew_by_peers(await self._store.dated_heartbeats())
            present = self._peers.present(ended := self._clock.monotonic())
            self._shared = None if present is None else (present, ended)
            self._checked_at = 0.0
            other = "clocks of other processes with this database"
        else:
            ended, after = self._clock.monotonic(), self._clock.now()
            self._has_database_clock = True
            if self._shared is None or ended - began <= MAX_ANSWER_SECONDS:
                self._shared = (theirs, ended)
                self._checked_at = 0.0
            skew = max(timedelta(0), before - theirs) or min(timedelta(0), after - theirs)
            other = "database's"
        if skew is None:
            return False
        self._note(skew, other)
        return not self._differs

    def _skew_by_peers(self, heartbeats: list[DatedHeartbeat]) -> timedelta | None:
        others = [each for each in heartbeats if not is_of_this_process(each.worker)]
        return self._peers.skew(others, self._clock.now(), self._clock.monotonic())

    def _note(self, skew: timedelta, other: str) -> None:
        differed, self._differs = self._differs, abs(skew) > self._max_skew
        self.skew, self._other = skew, other
        if self._differs and not differed:
            logger.error(DIFFERS, describe_skew(skew), other)
        elif differed and not self._differs:
            logger.info("The clock of this host agrees with the %s again.", other)


def describe_skew(skew: timedelta) -> str:
    """Return how far a clock is ahead or behind, in words that a name follows."""
    return f"{abs(skew).total_seconds():.0f} s {'ahead of' if skew > timedelta(0) else 'behind'}"


class ClockWatch(PeriodicService):
    """Compares this host's clock with the shared one as often as a worker sends heartbeats.

    The worker's row says by how much they differ, for pages and the doctor.
    """

    name = "clock watch"
    failure = "The comparison of clocks"

    def __init__(
        self,
        clock: SharedClock,
        store: JobStore,
        worker: CurrentWorker,
        options: BackgroundJobsOptions,
    ) -> None:
        self._clock = clock
        self._store = store
        self._worker = worker
        self._is_noted = False
        self.interval = options.heartbeat_interval.total_seconds()

    async def step(self) -> None:
        """Compare once."""
        await self._clock.agrees()
        differs = self._clock.differs
        if self._worker.name is not None and (differs or self._is_noted):
            seconds = self._clock.skew.total_seconds() if differs else 0.0
            await self._store.note_skew(self._worker.name, seconds)
            self._is_noted = differs
