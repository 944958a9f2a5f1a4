"""The claim loop: fetch jobs while there is room for them, and sleep while there are none."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Final
from uuid import UUID

import anyio

from modhost.failures import failures
from modhost.runtime.shutdown import ShutdownSignal
from modhost_background_jobs.model import START, ClaimedJob, CurrentWorker, JobTypes, Place
from modhost_background_jobs.model.claiming.lanes import Shares
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, QueueClock, Wakeups, wait_for
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.claiming.cursor import ClaimCursor
from modhost_background_jobs.worker.claiming.lanes import Lanes
from modhost_background_jobs.worker.claiming.slots import Slots

logger = logging.getLogger(__name__)

CLAIM: Final = "The claim of jobs"
NOTE: Final = "The write of the last runs of schedules"
RETRY_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
QUIET_SECONDS: Final = 0.05
MIN_PAUSE_SECONDS: Final = 0.003
OTHERS_SECONDS: Final = 0.005
FROM_LANES: Final = 100
"""How many jobs are claimed at once where lanes are, whose claims take locks for longer."""
UNLEASED_SECONDS: Final = 0.1
"""How often a worker that others may take for dead looks whether its heartbeats arrive again."""


class ClaimLoop:
    """Claims jobs for the worker of this process.

    Between claims it sleeps until it is woken, until the next job falls due, or for the poll
    interval. When the next job falls due is read only after something has changed, and once
    nothing has for a moment. Wake-ups that come in quick succession share a claim.
    """

    def __init__(
        self,
        types: JobTypes,
        store: JobStore,
        wakeups: Wakeups,
        options: BackgroundJobsOptions,
        shutdown: ShutdownSignal,
        clock: QueueClock,
        lanes: Lanes,
        own: CurrentWorker,
    ) -> None:
        self._own = own
        self._types = types
        self._lanes = lanes
        self._store = store
        self._wakeups = wakeups
        self._shutdown = shutdown
        self._clock = clock
        self._poll_interval = options.poll_interval.total_seconds()
        self._next_due: datetime | None = None
        self._knows_next_due = False
        self._starts: dict[UUID, datetime] = {}
        """When runs of schedules started that is not recorded yet."""
        self.in_flight = False
        """Whether a claim is under way, whose jobs nobody here knows yet."""
        self.begun = self.failures = self.claimed = 0
        """How many claims have begun, how many failed, which may have been committed all the same,
        and how many jobs they returned."""

    async def run(self, worker: str, slots: Slots) -> None:
        """Claim jobs for free slots until cancelled."""
        cursor = ClaimCursor()
        self._knows_next_due = False
        failed = 0
        while True:
            ticket = self._wakeups.work.ticket()
            reconnected = self._wakeups.reconnected.ticket()
            room = await slots.room()
            if self._shutdown.has_begun:
                # What is released meanwhile is for others: this loop is about to be cancelled.
                await anyio.sleep_forever()
            began = self._clock.monotonic()
            if not self._own.may_begin(began, began):
                slots.release_waiting()
                quiet = self._own.is_quiet
                await wait_for(ticket, self._poll_interval if quiet else UNLEASED_SECONDS)
                continue
            try:
                _, has_more = await self.claim(worker, slots, room, cursor, ticket)
                if not has_more:
                    await self._rest(ticket, began, slots)
                failed = 0
                failures.passed(CLAIM)
            except Exception as error:  # noqa: BLE001 - whatever the driver says, it is retried
                seconds = RETRY_SECONDS[min(failed, len(RETRY_SECONDS) - 1)]
                failed += 1
                self._knows_next_due = False
                failures.failed(logger, CLAIM, error)
                await wait_for(reconnected, seconds)

    async def claim(
        self, worker: str, slots: Slots, room: int, cursor: ClaimCursor, ticket: anyio.Event
    ) -> tuple[list[ClaimedJob], bool]:
        """Claim jobs for the slots once; return them, and whether there may be more.

        The ticket is set when something may have been paused while there was no room.
        """
        await self._lanes.read_again(has_changed=ticket.is_set())
        asked_at = self._clock.monotonic()
        shares = self._lanes.shares(room, slots.attempts)
        if shares is None:
            place = cursor.next(asked_at)
            claimed = await self._claim(worker, room, place)
            cursor.note(claimed, room)
            has_more = len(claimed) == room or place is not START
        else:
            claimed, has_more = await self._claim_from_lanes(worker, shares, min(room, FROM_LANES))
        self.claimed += len(claimed)
        slots.take(map(self._attempt_of, claimed))
        if not self._own.may_begin(asked_at, self._clock.monotonic()):
            slots.release_waiting()
        self._release_paused(slots)
        await self._note_starts(claimed)
        self._lanes.may_have_changed |= bool(claimed)
        if self._lanes.may_have_changed:
            self._knows_next_due = False
        at_once = self._lanes.leaves_out_apart and not claimed
        has_new = await self._lanes.refresh(at_once=at_once)
        self._release_paused(slots)
        return claimed, has_more or has_new

    async def _claim(self, worker: str, limit: int, after: Place) -> list[ClaimedJob]:
        with self._claiming():
            claimed = await self._store.claim(
                worker, self._lanes.plain_types(), limit, self._clock.now(), after
            )
            await self._check_pauses(claimed)
        return claimed

    async def _claim_from_lanes(
        self, worker: str, shares: Shares, limit: int
    ) -> tuple[list[ClaimedJob], bool]:
        """Return what was claimed, and whether there may be more."""
        with self._claiming():
            claim = await self._lanes.claim(worker, shares, limit)
            await self._check_pauses(claim.jobs)
        return claim.jobs, not claim.is_all

    async def _check_pauses(self, claimed: Sequence[ClaimedJob]) -> None:
        """Read what is paused before jobs start, where nothing has woken this worker for long."""
        if claimed:
            # The jobs are claimed all the same, and what fails here fails at the next refresh.
            with suppress(Exception):
                await self._lanes.read_again(has_changed=True)

    def _release_paused(self, slots: Slots) -> None:
        if self._lanes.has_pauses:
            slots.release_those(self._lanes.is_paused)

    @contextmanager
    def _claiming(self) -> Iterator[None]:
        # Shielded: what the database has handed out must become known here.
        self.in_flight = True
        self.begun += 1
        try:
            with anyio.CancelScope(shield=True):
                yield
        except Exception:
            self.failures += 1
            raise
        finally:
            self.in_flight = False

    def _attempt_of(self, claimed: ClaimedJob) -> Attempt:
        registered = self._types.named(claimed.job_type)
        if registered.runs_in_process:
            return Attempt(claimed, registered, "process")
        return Attempt(claimed, registered, "thread" if registered.runs_in_thread else "task")

    async def _note_starts(self, claimed: Sequence[ClaimedJob]) -> None:
        """Record when schedules ran last; what cannot be recorded now is recorded after a claim."""
        for job in claimed:
            if job.recurring_job_id is not None:
                self._starts[job.recurring_job_id] = job.claimed_at
        if not self._starts:
            return
        try:
            left = await self._store.note_starts(self._starts)
        except Exception as error:  # noqa: BLE001 - no job waits for it
            failures.failed(logger, NOTE, error)
        else:
            failures.passed(NOTE)
            self._starts = {id_: self._starts[id_] for id_ in left}

    async def _rest(self, ticket: anyio.Event, began: float, slots: Slots) -> None:
        """Sleep after a claim that began at `began`, until there may be something to claim."""
        until_due = self._seconds_until_due()
        if not self._knows_next_due or until_due <= 0:
            quiet = min(QUIET_SECONDS, until_due if until_due > 0 else self._poll_interval)
            self._knows_next_due = not await self._wait(ticket, quiet, slots)
            if self._knows_next_due:
                if await self._lanes.refresh(at_once=True):
                    self._knows_next_due = False
                    return
                self._next_due = await self._store.next_due(self._lanes.plain_types())
        # A job that is due and was not claimed is being claimed by another worker.
        if await self._wait(ticket, max(OTHERS_SECONDS, self._seconds_until_due()), slots):
            self._knows_next_due = False
            self._lanes.may_have_changed = True
            passed = self._clock.monotonic() - began
            await anyio.sleep(max(0.0, MIN_PAUSE_SECONDS - passed))

    async def _wait(self, ticket: anyio.Event, seconds: float, slots: Slots) -> bool:
        """Wait for the ticket, or for room in what is bounded; return whether either came."""
        if not self._lanes.is_capped:
            return await wait_for(ticket, seconds)
        async with anyio.create_task_group() as group:
            group.start_soon(self._wake_when_freed, slots)
            is_set = await wait_for(ticket, seconds)
            group.cancel_scope.cancel()
        return is_set

    async def _wake_when_freed(self, slots: Slots) -> None:
        await slots.attempts.changed()
        self._wakeups.work.fire()

    def _seconds_until_due(self) -> float:
        """Return the seconds until the next job is due, bounded by the poll interval."""
        due = [each for each in (self._next_due, self._lanes.next_due()) if each is not None]
        if not due:
            return self._poll_interval
        return min(self._poll_interval, (min(due) - self._clock.now()).total_seconds())
