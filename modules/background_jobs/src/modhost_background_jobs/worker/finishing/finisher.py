"""Storing how attempts ended: in batches, tried until the database has acknowledged."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import anyio

from modhost.clock import Clock
from modhost_background_jobs.model import Ended, Released
from modhost_background_jobs.storage import JobStore, Signal
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry
from modhost_background_jobs.worker.attempts.outcome import Outcome, plainly
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from modhost_background_jobs.worker.finishing.write_retry import apart, until_written

logger = logging.getLogger(__name__)

BATCH_SIZE: Final = 1000
FLUSH_SECONDS: Final = 2.0
LOST_LEASE: Final = (
    "lost lease: the claim %d of job %s is no longer this worker's; "
    "what it did since is not stored."
)

End = TypeVar("End", Ended, Released)
Write = Callable[[Sequence[End], datetime], Awaitable[set[UUID]]]


class Due(NamedTuple):
    """An outcome that is to be stored, and when the attempt was over."""

    attempt: Attempt
    outcome: Outcome
    since: datetime


class Finisher:
    """Writes outcomes; a job's body is never run again because its outcome was hard to write.

    What comes together while one batch is written is the next batch.
    """

    def __init__(
        self,
        store: JobStore,
        buffer: ProgressBuffer,
        statistics: StatisticsService,
        clock: Clock,
    ) -> None:
        self._store = store
        self._buffer = buffer
        self._statistics = statistics
        self._clock = clock
        self._due: list[Due] = []
        self._added = Signal()

    def add(self, attempt: Attempt, outcome: Outcome) -> None:
        """Take the outcome of an attempt; None when its lease is lost already."""
        attempt.over = True
        self._due.append(Due(attempt, outcome, self._clock.now()))
        if len(self._due) == 1:
            self._added.fire()

    async def hand_back(self, released: Sequence[Released]) -> None:
        """Write what attempts that go on have reported so far, and let others have their jobs.

        It is tried once: there is no time for more when a worker shuts down.
        """
        with anyio.move_on_after(FLUSH_SECONDS):
            try:
                await self._buffer.flush([each.lease for each in released])
            except Exception as error:  # noqa: BLE001 - the jobs matter more than their logs
                logger.warning("The last logs of %d jobs are lost (%s).", len(released), error)
        await self._store.release(released, self._clock.now())

    async def run(self, attempts: AttemptRegistry) -> None:
        """Write what is due, and remove it from the attempts, until cancelled."""
        while True:
            ticket = self._added.ticket()
            if not self._due:
                await ticket.wait()
            batch = self._due[:BATCH_SIZE]
            del self._due[:BATCH_SIZE]
            await self._write(batch)
            for due in batch:
                attempts.remove(due.attempt)
            attempts.notify()

    async def _write(self, batch: Sequence[Due]) -> None:
        leases = [due.attempt.claimed.lease for due in batch]
        await until_written(lambda: self._buffer.flush(leases), "progress and logs")
        ended = [due.outcome for due in batch if isinstance(due.outcome, Ended)]
        released = [due.outcome for due in batch if isinstance(due.outcome, Released)]
        held: set[UUID] = set()
        if ended:
            held |= await self._stored(self._store.end, ended, "the end of jobs")
        if released:
            held |= await self._stored(self._store.release, released, "jobs to be run again")
        self._count(batch, held)
        for lease in leases:
            if lease.job_id not in held:
                logger.warning(LOST_LEASE, lease.fence, lease.job_id)

    async def _stored(self, write: Write[End], ends: Sequence[End], what: str) -> set[UUID]:
        held, refused = await until_written(
            lambda: apart(lambda some: write(some, self._clock.now()), ends), what
        )
        for end, error in refused:
            logger.error("The database refuses how the job %s ended (%s).", end.lease.job_id, error)
            held |= await self._stored_plainly(plainly(end, self._clock.now()))
        return held

    async def _stored_plainly(self, end: Ended | Released) -> set[UUID]:
        """Store an end that was refused before; what is refused again is handed back as lost."""
        now = self._clock.now()

        async def write(_: Sequence[Ended | Released]) -> set[UUID]:
            if isinstance(end, Ended):
                return await self._store.end([end], now)
            return await self._store.release([end], now)

        held, _ = await until_written(lambda: apart(write, [end]), "the end of a job")
        return held

    def _count(self, batch: Sequence[Due], held: set[UUID]) -> None:
        try:
            self._statistics.count(
                (due.attempt.claimed, due.outcome.state, due.since)
                for due in batch
                if isinstance(due.outcome, Ended) and due.outcome.lease.job_id in held
            )
        except Exception:
            # The ends are stored; nothing that merely counts them holds up those that follow.
            logger.exception("The ends of jobs could not be counted.")
