"""Storing how attempts finished: in batches, retried until the database has acknowledged."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import anyio

from modhost.failures import describe
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, Released
from modhost_background_jobs.model.flow import limits_of
from modhost_background_jobs.storage import JobStore, LaneStore, QueueClock, Signal, wait_for
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry
from modhost_background_jobs.worker.attempts.outcome import Finished, Outcome
from modhost_background_jobs.worker.finishing.in_process import InProcessEnds
from modhost_background_jobs.worker.finishing.lost_leases import LostLeases
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from modhost_background_jobs.worker.write_retry import Written, apart, until_written

logger = logging.getLogger(__name__)

BATCH_SIZE: Final = 1000
FLUSH_TIMEOUT: Final = 2.0
LOCKED_PAUSE_SECONDS: Final = 1.0
POSTPONED: Final = timedelta(hours=1)
REFUSED: Final = "the database refused how the attempt ended; the worker's log says why."

End = TypeVar("End", Ended, Released)


class Stored(NamedTuple):
    """The jobs whose leases still held, and those that are locked, of which nothing is stored.

    `ended` are the jobs that their attempts have ended themselves.
    """

    held: set[UUID]
    locked: set[UUID]
    ended: set[UUID]

    def state_of(self, finished: Finished) -> JobState | None:
        """Return the final state in which a job is now; None without one."""
        outcome, job_id = finished.outcome, finished.attempt.lease.job_id
        if self.ended and job_id in self.ended:
            return JobState.COMPLETED
        return outcome.state if isinstance(outcome, Ended) and job_id in self.held else None

    def add(self, written: Written[End] | Written[Ended | Released]) -> None:
        """Add what was written."""
        self.held.update(written.held)
        self.locked.update(written.locked)


class OutcomeWriter:
    """Writes outcomes, each after what its attempt reported."""

    def __init__(
        self,
        store: JobStore,
        lanes: LaneStore,
        buffer: ProgressBuffer,
        clock: QueueClock,
        ends: InProcessEnds,
    ) -> None:
        self._store = store
        self._ends = ends
        self._lanes = lanes
        self._buffer = buffer
        self._clock = clock
        self._lost = LostLeases(store, buffer, clock)

    async def write(self, finished: Sequence[Finished]) -> Stored:
        """Write until the database has taken all but what somebody else has locked."""
        leases = [each.attempt.lease for each in finished]
        locked = await until_written(lambda: self._buffer.flush(leases), "progress and logs")
        free = [each.outcome for each in finished if each.attempt.lease.job_id not in locked]
        held: set[UUID] = set()
        stored = Stored(held, locked, set())
        ended = [each for each in free if isinstance(each, Ended)]
        if unawaited := [each for each in ended if not each.is_awaited]:
            await self._write(self._store.end, unawaited, "the end of jobs", stored)
        if released := [each for each in free if isinstance(each, Released)]:
            await self._write(self._store.release, released, "jobs to be run again", stored)
        known = held | locked
        if awaited := [each for each in ended if each.lease.job_id not in known]:
            await self._write(self._store.end_awaited, awaited, "the end of jobs", stored)
        known = held | locked
        if lost := [each for each in finished if each.attempt.lease.job_id not in known]:
            stored.ended.update(await self._lost.settle(lost))
        self._buffer.no_longer_keep(each for each in leases if each.job_id not in locked)
        await self._free_keys(finished)
        if self._ends.have_subscribers:
            over = [each for each in finished if stored.state_of(each) is not None]
            await self._ends.publish([each.attempt.lease.job_id for each in over])
        return stored

    async def write_all(self, finished: Sequence[Finished]) -> None:
        """Write until the database has taken all."""
        while locked := (await self.write(finished)).locked:
            finished = [each for each in finished if each.attempt.lease.job_id in locked]
            await anyio.sleep(LOCKED_PAUSE_SECONDS)

    async def release(self, released: Sequence[Released]) -> None:
        """Write what unfinished attempts have reported so far, and let others have their jobs.

        The jobs matter more than their logs, and a worker that shuts down has little time: the
        logs are tried for `FLUSH_TIMEOUT`, the release once.
        """
        leases = [each.lease for each in released]
        with anyio.move_on_after(FLUSH_TIMEOUT) as flush:
            await until_written(lambda: self._buffer.flush(leases), "the last progress and logs")
        if flush.cancelled_caught:
            logger.warning("The last logs of %d jobs are lost.", len(released))
        await self._store.release(released, self._clock.now())

    async def _free_keys(self, finished: Sequence[Finished]) -> None:
        """Let jobs start that limits have held back because of these."""
        keys = {
            key
            for each in finished
            if each.attempt.claimed.limits
            for key in limits_of(each.attempt.claimed.limits)
        }
        if not keys:
            return
        try:
            await self._lanes.tend(keys, self._clock.now())
        except Exception as error:  # noqa: BLE001 - the ends are stored, and a sweep does the same
            logger.warning("Jobs behind %d limits have to wait (%s).", len(keys), describe(error))

    async def _write(
        self,
        write: Callable[[Sequence[End], datetime], Awaitable[set[UUID]]],
        ends: Sequence[End],
        what: str,
        stored: Stored,
    ) -> None:
        written = await until_written(
            lambda: apart(lambda some: write(some, self._clock.now()), ends), what
        )
        stored.add(written)
        for end, error in written.refused:
            message = "The database refuses how the job %s ended (%s)."
            logger.error(message, end.lease.job_id, describe(error))
            stored.add(await self._write_without_text(end))

    async def _write_without_text(self, end: Ended | Released) -> Written[Ended | Released]:
        """Write a refused end without its error; one that has none postpones its job instead.

        A second refusal leaves the lease to be lost.
        """
        now = self._clock.now()

        async def write(_: Sequence[Ended | Released]) -> set[UUID]:
            if isinstance(end, Ended) and end.error is not None:
                return await self._store.end_awaited([Ended(end.lease, end.state, REFUSED)], now)
            spent = isinstance(end, Released) and end.spent
            return await self._store.release(
                [Released(end.lease, now + POSTPONED, REFUSED, spent)], now
            )

        return await until_written(lambda: apart(write, [end]), "the end of a job")


class Finisher:
    """Collects outcomes and writes them; no job runs again because its outcome was hard to write.

    What comes together while one batch is written is the next batch. Outcomes of jobs that
    somebody else has locked are tried again from time to time; they hold up no other, and take no
    slot.
    """

    def __init__(
        self, writer: OutcomeWriter, statistics: StatisticsService, clock: QueueClock
    ) -> None:
        self._writer = writer
        self._statistics = statistics
        self._clock = clock
        self._waiting: list[Finished] = []
        self._locked: list[Finished] = []
        self._try_locked_at = 0.0
        self._added = Signal()

    def add(self, attempt: Attempt, outcome: Outcome) -> None:
        """Take the outcome of an attempt; None when its lease is lost already."""
        attempt.is_finished = True
        self._waiting.append(Finished(attempt, outcome, self._clock.now()))
        if len(self._waiting) == 1:
            self._added.fire()

    async def run(self, attempts: AttemptRegistry) -> None:
        """Write outcomes, and remove their attempts, until cancelled."""
        while True:
            ticket = self._added.ticket()
            if not self._waiting and not self._locked:
                await ticket.wait()
            elif not self._waiting:
                await wait_for(ticket, LOCKED_PAUSE_SECONDS)
            batch = self._next_batch()
            stored = await self._writer.write(batch)
            self._count(batch, stored)
            if locked := stored.locked:
                left = [each for each in batch if each.attempt.lease.job_id in locked]
                batch = [each for each in batch if each.attempt.lease.job_id not in locked]
                attempts.set_aside(each.attempt for each in left)
                self._locked += left
            attempts.remove(each.attempt for each in batch)

    def _next_batch(self) -> list[Finished]:
        batch = self._waiting[:BATCH_SIZE]
        del self._waiting[:BATCH_SIZE]
        if self._clock.monotonic() >= self._try_locked_at:
            self._try_locked_at = self._clock.monotonic() + LOCKED_PAUSE_SECONDS
            batch += self._locked
            self._locked = []
        return batch

    def _count(self, batch: Sequence[Finished], stored: Stored) -> None:
        try:
            self._statistics.count(
                (each.attempt.claimed, state, each.at)
                for each in batch
                if (state := stored.state_of(each)) is not None
            )
            for attempt, outcome, _ in batch:
                if isinstance(outcome, Released) and outcome.spent:
                    retried = attempt.lease.job_id in stored.held
                    lane, job_type = attempt.claimed.lane, attempt.claimed.job_type
                    self._statistics.counts.of(lane, job_type).retried += retried
        except Exception:
            # The ends are stored; a fault in counting them must not hold up the next ones.
            logger.exception("The ends of jobs could not be counted.")
