"""The worker of a host whose jobs are held: it runs when a test says so, until nothing is due."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import UUID

import anyio

from modhost import Scope
from modhost_background_jobs.model import CurrentWorker
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.storage import JobStore, QueueClock
from modhost_background_jobs.testing.passing_time import PassingTime
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry
from modhost_background_jobs.worker.attempts.outcome import Outcome
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.claiming.cursor import ClaimCursor
from modhost_background_jobs.worker.claiming.lanes import Lanes
from modhost_background_jobs.worker.claiming.slots import Slots
from modhost_background_jobs.worker.executor import AttemptExecutor
from modhost_background_jobs.worker.finishing.finisher import Finisher, OutcomeWriter
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from modhost_background_jobs.worker.processor import JobProcessorService
from modhost_background_jobs.worker.registration import WorkerRegistration

STUCK: Final = (
    "After {:g} s of real time jobs still run, or new ones are due again and again: {}. Give "
    "`drain` a longer timeout, or let the jobs wait for nothing that does not come in a test."
)

MAX_LOST: Final = 1000
_DRAINS: Final[ContextVar[bool]] = ContextVar("drains", default=False)


def is_draining() -> bool:
    """Return whether this code is called by a drain, or by a job that runs in one."""
    return _DRAINS.get()


@contextmanager
def _draining() -> Iterator[None]:
    token = _DRAINS.set(True)
    try:
        yield
    finally:
        _DRAINS.reset(token)


class HeldWorker:
    """Drives the parts of the real worker by hand, in place of its claim loop."""

    def __init__(
        self,
        processor: JobProcessorService,
        claims: ClaimLoop,
        lanes: Lanes,
        firing: RecurringFiring,
        lost: "LostWorkers",
        passing: PassingTime,
    ) -> None:
        self._processor = processor
        self._claims = claims
        self._lanes = lanes
        self._firing = firing
        self._lost = lost
        self._passing = passing
        self._running = anyio.Lock()

    @classmethod
    async def of(cls, scope: Scope, passing: PassingTime) -> "HeldWorker":
        """Return the worker of a host."""
        return cls(
            await scope.get(JobProcessorService),
            await scope.get(ClaimLoop),
            await scope.get(Lanes),
            await scope.get(RecurringFiring),
            await LostWorkers.of(scope),
            passing,
        )

    async def drain(self, seconds: float) -> list[UUID]:
        """Fire and run what is due, and what becomes due by that; return the jobs that ran.

        Raises `TimeoutError` after so many seconds of real time.
        """
        ran: dict[UUID, None] = {}
        async with self._running:
            with _draining():
                await self._passing.catch_up()
                async with self._processor.opened(listens=False) as (worker, slots):
                    with anyio.move_on_after(seconds) as bound:
                        await self._run_all(worker, slots, ran)
                    if bound.cancelled_caught:
                        running = [str(each.lease.job_id) for each in slots.attempts]
                        raise TimeoutError(STUCK.format(seconds, ", ".join(running) or "none runs"))
        return list(ran)

    async def lose(self, *, after_running: bool) -> list[UUID]:
        """Claim what is due as a worker that dies with it, or once it has run; return the jobs."""
        ran: dict[UUID, None] = {}
        async with self._running:
            with _draining():
                await self._passing.catch_up()
                await self._fire()
                worker, slots = await self._lost.register()
                if after_running:
                    async with slots.opened():
                        await self._run_due(worker, slots, ran)
                else:
                    await self._claim_all(worker, slots, ran)
                await self._passing.watch_workers()
        return list(ran)

    async def _run_all(self, worker: str, slots: Slots, ran: dict[UUID, None]) -> None:
        await self._fire()
        while True:
            await self._run_due(worker, slots, ran)
            if not await self._fire():
                return

    async def _fire(self) -> bool:
        """Fire due schedules; return whether that has made jobs due."""
        schedules = await self._firing.poll()
        fired = [await self._firing.fire(each) for each in schedules.due]
        released = await self._firing.release_waiting_runs() if schedules.has_waiting_runs else 0
        return any(fired) or released > 0

    async def _run_due(self, worker: str, slots: Slots, ran: dict[UUID, None]) -> None:
        while True:
            claimed = await self._claim_all(worker, slots, ran)
            if not claimed and not len(slots.attempts):
                return
            if len(slots.attempts):
                await slots.attempts.changed()

    async def _claim_all(self, worker: str, slots: Slots, ran: dict[UUID, None]) -> bool:
        """Claim until there is nothing more for now; return whether there was anything."""
        cursor, changed = ClaimCursor(), anyio.Event()
        changed.set()
        has_claimed = False
        while True:
            self._lanes.may_have_changed = True
            await self._lanes.refresh(at_once=True)
            # Twice: what opens is known since the first time.
            await self._lanes.refresh(at_once=True)
            room = await slots.room()
            claimed, _ = await self._claims.claim(worker, slots, room, cursor, changed)
            if not claimed:
                return has_claimed
            has_claimed = True
            ran |= dict.fromkeys(each.lease.job_id for each in claimed)


class _NoFinisher(Finisher):
    """Stores no end, as a worker that is dead."""

    attempts: AttemptRegistry

    def add(self, attempt: Attempt, outcome: Outcome) -> None:
        attempt.is_finished = True
        self.attempts.remove([attempt])


class LostWorkers:
    """Workers that hold jobs and store nothing of them, as if their processes had been killed."""

    def __init__(
        self,
        registration: WorkerRegistration,
        store: JobStore,
        executor: AttemptExecutor,
        writer: OutcomeWriter,
        statistics: StatisticsService,
        clock: QueueClock,
    ) -> None:
        self._registration = registration
        self._store = store
        self._executor = executor
        self._writer = writer
        self._statistics = statistics
        self._clock = clock

    @classmethod
    async def of(cls, scope: Scope) -> "LostWorkers":
        """Return those of a host."""
        return cls(
            await scope.get(WorkerRegistration),
            await scope.get(JobStore),
            await scope.get(AttemptExecutor),
            await scope.get(OutcomeWriter),
            await scope.get(StatisticsService),
            await scope.get(QueueClock),
        )

    async def register(self) -> tuple[str, Slots]:
        """Register one more; return its name, and slots that run nothing unless they are opened."""
        worker = self._registration.identity()
        await self._store.register(worker, self._clock.now())
        finisher = _NoFinisher(self._writer, self._statistics, self._clock)
        finisher.attempts = AttemptRegistry()
        return worker.name, Slots(
            MAX_LOST, finisher.attempts, self._executor, finisher, self._clock, CurrentWorker()
        )
