"""What the database has to see of a clock that was moved: silent workers, and rates."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Interval, literal, update

from modhost import Clock
from modhost.database import Database
from modhost.testing import MovableClock
from modhost_background_jobs.maintenance.stalled_jobs import StalledJobSweeperService
from modhost_background_jobs.model import CurrentWorker
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.tables.flow import GRANTS, LIMIT_KEYS

ROUNDING: Final = timedelta(seconds=1)


class _Replayed:
    """A clock that passes through a span in steps; the time of day is that of another."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.at = clock.monotonic()

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self.at


class PassingTime:
    """Lets spans pass for the parts of the queue that measure time themselves."""

    def __init__(
        self, database: Database, store: JobStore, options: BackgroundJobsOptions, clock: Clock
    ) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._moved = timedelta(0)
        if isinstance(clock, MovableClock):
            clock.on_move(self._note_move)
        self._replayed = _Replayed(clock)
        self._interval = options.stall_sweep_interval.total_seconds()
        self._enough = 2 + int(options.stall_timeout.total_seconds() / self._interval)
        self._sweeper = StalledJobSweeperService(store, CurrentWorker(), options, self._replayed)

    async def watch_workers(self) -> None:
        """See which workers live now: their silence counts from now on."""
        self._replayed.at = self._clock.monotonic()
        await self._sweeper.step()

    async def catch_up(self) -> None:
        """Let all pass by which the clock was moved since the last time."""
        moved, self._moved = self._moved, timedelta(0)
        if moved > timedelta(0):
            await self._move_limits(self._clock.now() - moved, moved)
        if await self._store.heartbeats():
            await self._sweep()

    def _note_move(self, span: timedelta) -> None:
        self._moved += span

    async def _sweep(self) -> None:
        """Sweep as often as a consumer would have, as far as that makes a difference."""
        passed = self._clock.monotonic() - self._replayed.at
        for _ in range(min(self._enough, int(passed / self._interval))):
            self._replayed.at += self._interval
            await self._sweeper.step()
        self._replayed.at = max(self._replayed.at, self._clock.monotonic() - self._interval)

    async def _move_limits(self, before: datetime, span: timedelta) -> None:
        """Let rates see the span: PostgreSQL measures them by its own clock, which nobody moves.

        On SQLite starts count from when they were written, a moment after the time of the clock.
        """
        granted, opens = GRANTS.c.granted_at, LIMIT_KEYS.c.opens_at
        async with self._database.session() as session:
            connection = await session.connection()
            if self._database.dialect == "postgresql":
                passed = literal(span, Interval)
                await connection.execute(update(GRANTS).values(granted_at=granted - passed))
                await connection.execute(
                    update(LIMIT_KEYS).where(opens.is_not(None)).values(opens_at=opens - passed)
                )
            else:
                await connection.execute(
                    update(GRANTS).where(granted > before).values(granted_at=before)
                )
                soon = before + span + ROUNDING
                await connection.execute(
                    update(LIMIT_KEYS).where(opens <= soon).values(opens_at=before + span)
                )
