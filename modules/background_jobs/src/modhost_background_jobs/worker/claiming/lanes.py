"""What a worker asks of types and lanes: served queues, pauses, and what it has room for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.model import JobTypes, Lane
from modhost_background_jobs.model.claiming.lanes import FlowState, LaneClaim, Share, Shares
from modhost_background_jobs.model.flow import serves
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, LaneStore, QueueClock, Turns
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.claiming.apart import TypesApart
from modhost_background_jobs.worker.claiming.rooms import Rooms

CHANGED_SECONDS: Final = 0.1
"""How old what is known may be after something has changed."""
OLD_SECONDS: Final = 0.8
"""How old it may be at a claim after something has changed: pauses hold within a second."""
QUIET_SECONDS: Final = 2.0
"""How old it may be otherwise."""
KEPT_SECONDS: Final = 60.0
"""How long a lane is asked for jobs after it had one."""
SWEEP_SECONDS: Final = 1.0
SWEEP_BATCH_SIZE: Final = 200
MANY_FREED: Final = 5
"""Fewer jobs in a batch may be those that others are just about to let go of."""
SWEEP_TIMEOUT: Final = 0.3
STRICT: Final = 1e10
"""The boost of a point of priority, in seconds, for which no wait makes up."""


class Lanes:
    """Knows the lanes that have jobs, and what holds jobs of them back."""

    def __init__(
        self,
        types: JobTypes,
        store: LaneStore,
        turns: Turns,
        options: BackgroundJobsOptions,
        clock: QueueClock,
        jobs: JobStore,
    ) -> None:
        self._types = types
        self._store = store
        self._turns = turns
        self._clock = clock
        self._known = frozenset(types.of_workers)
        self._queues = options.queues
        self._serves_default = serves(self._queues, DEFAULT_QUEUE)
        self._rooms = Rooms(types, options)
        self._apart = TypesApart(self._rooms.apart, jobs, clock)
        self._aging = options.priority_aging.total_seconds() or STRICT
        self._state = FlowState()
        self._seen: dict[Lane, float] = {}
        """The lanes that had jobs, and when that was last read."""
        self._read_at = float("-inf")
        self._swept_at = float("-inf")
        self._swept_to = ""
        self._opens_at: float | None = None
        self._resumes_at: float | None = None
        self.may_have_changed = True
        """Whether somebody may have changed what is known."""
        self._closed: frozenset[str] = frozenset()
        """Types and lanes of which the last request left jobs out."""
        self.is_capped = False
        """Whether the last request left jobs out that this worker has no room for."""
        self.leaves_out_apart = False
        """Whether it left types apart out for which there is room."""

    async def read_again(self, *, has_changed: bool) -> None:
        """Read what is known at a claim if nothing is, or if that is old and may have changed."""
        age = self._clock.monotonic() - self._read_at
        if age == float("inf") or (has_changed and age > OLD_SECONDS):
            self.may_have_changed = True
            await self.refresh(at_once=True)

    async def refresh(self, *, at_once: bool = False) -> bool:
        """Read what is known anew unless it is recent; return whether there is more to claim.

        With `at_once` it is read after a change, however recent it is.
        """
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if self._opens_at is not None and monotonic >= self._opens_at:
            await self._store.open_due(now)
            self.may_have_changed = True
            self._read_at = float("-inf")
        if self._resumes_at is not None and monotonic >= self._resumes_at:
            self._read_at = float("-inf")
        age = SWEEP_SECONDS if self._state.has_held else QUIET_SECONDS
        if self.may_have_changed:
            age = 0.0 if at_once else CHANGED_SECONDS
        if monotonic - self._read_at < age:
            return False
        before = self._state
        state = self._state = await self._store.read(now)
        was_due = self._apart.is_due
        await self._apart.read(self.types())
        self._read_at = monotonic
        self.may_have_changed = False
        self._opens_at = _after(monotonic, state.opens_in)
        self._resumes_at = _after(monotonic, state.resumes_in)
        self._remember(state.heads, monotonic)
        for lane in state.heads:
            if lane.is_fair:
                await self._turns.place_due(lane, now)
        if state.has_held and monotonic - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = monotonic
            await self._sweep(monotonic + SWEEP_TIMEOUT)
        is_resumed = bool(
            before.paused_queues - state.paused_queues or before.paused_types - state.paused_types
        )
        is_newly_due = self._apart.is_due and not was_due
        return (
            is_resumed
            or is_newly_due
            or any(
                place <= now and before.heads.get(lane) != place
                for lane, place in state.heads.items()
            )
        )

    async def _sweep(self, until: float) -> None:
        """Tend some keys, and continue while much is let go of, as after a rescue."""
        while True:
            now = self._clock.now()
            self._swept_to, freed = await self._store.sweep(self._swept_to, SWEEP_BATCH_SIZE, now)
            if not self._swept_to or freed < MANY_FREED or self._clock.monotonic() >= until:
                return

    def is_paused(self, attempt: Attempt) -> bool:
        """Return whether an attempt that waits for a slot is not to start."""
        return self._state.is_paused(attempt.claimed.queue, attempt.claimed.job_type)

    @property
    def has_pauses(self) -> bool:
        """Whether something is paused."""
        return bool(self._state.paused_queues or self._state.paused_types)

    def types(self) -> Sequence[str]:
        """Return the types of which this worker takes jobs without a lane."""
        if not self._serves_default:
            return ()
        if not self.has_pauses:
            return self._types.of_workers
        return [
            name
            for name in self._types.of_workers
            if not self._state.is_paused(DEFAULT_QUEUE, name)
        ]

    def plain_types(self) -> Sequence[str]:
        """Return what to ask for where only jobs without a lane are."""
        left_out = self._closed | self._apart.names
        return [each for each in self.types() if each not in left_out]

    def shares(self, room: int, attempts: Iterable[Attempt]) -> Shares | None:
        """Return what to ask for; None where the plain types are all that there may be.

        Args:
            room: for how many jobs the worker has room.
            attempts: what it holds.

        """
        self._closed = frozenset()
        self.is_capped = self.leaves_out_apart = False
        if not self._seen and not self._rooms.are_bounded:
            return None
        lanes = [lane for lane in self._seen if self._takes(lane)]
        of_types = [(name, DEFAULT_QUEUE, name) for name in self.types()]
        of_lanes = [(lane.stored, lane.queue, lane.job_type) for lane in lanes]
        mosts, caps = self._rooms.bounds((*of_types, *of_lanes), room, attempts)
        self._closed = frozenset(name for name, most in mosts.items() if most <= 0)
        bounded = {name for name, most in mosts.items() if most < room}
        apart = self._apart.names & mosts.keys()
        is_due = self._apart.is_due
        self.is_capped = bool(bounded if is_due else bounded - apart)
        in_lanes = {name for name, *_ in of_lanes}
        if not (bounded - apart | in_lanes | (apart if is_due else set())) - self._closed:
            self.leaves_out_apart = bool(apart - self._closed)
            return None
        return Shares(
            types=[Share(name, 0.0, mosts[name]) for name, *_ in of_types if mosts[name] > 0],
            lanes=[
                Share(lane.stored, lane.priority * self._aging, mosts[lane.stored])
                for lane in lanes
                if mosts[lane.stored] > 0
            ],
            caps=caps,
            has_limits=any(lane.is_limited for lane in lanes),
        )

    async def claim(self, worker: str, shares: Shares, limit: int) -> LaneClaim:
        """Claim up to `limit` due jobs of what the worker asks for."""
        now = self._clock.now()
        claim = await self._store.claim(worker, shares, limit, now)
        if claim.is_all:
            known = self._state.heads
            # Another worker may have locked more than it claims.
            was_due = any(self._asks_for(lane) and place <= now for lane, place in known.items())
            self.may_have_changed |= claim.is_contended or (was_due and not claim.jobs)
            # Heads that were due are claimed, by this worker or by another one.
            heads = {lane: place for lane, place in known.items() if place > now}
            self._state = replace(self._state, heads=heads)
            self.may_have_changed |= self._apart.are_claimed(shares, claim.jobs)
        return claim

    def next_due(self) -> datetime | None:
        """Return when a job of a lane may be due, or let go of, next; None without one."""
        due = [place for lane, place in self._state.heads.items() if self._asks_for(lane)]
        if self._apart.due_at is not None and not self._apart.names & self._closed:
            due.append(self._apart.due_at)
        for moment in (self._opens_at, self._resumes_at):
            if moment is not None:
                until = max(0.0, moment - self._clock.monotonic())
                due.append(self._clock.now() + timedelta(seconds=until))
        if self._state.has_held:
            due.append(self._clock.now() + timedelta(seconds=SWEEP_SECONDS))
        return min(due, default=None)

    def _takes(self, lane: Lane) -> bool:
        """Return whether this worker claims jobs of a lane."""
        is_paused = self._state.is_paused(lane.queue, lane.job_type)
        return lane.job_type in self._known and serves(self._queues, lane.queue) and not is_paused

    def _asks_for(self, lane: Lane) -> bool:
        """Return whether the last request was for jobs of a lane too."""
        return self._takes(lane) and lane.stored not in self._closed

    def _remember(self, lanes: Collection[Lane], monotonic: float) -> None:
        self._seen |= dict.fromkeys(lanes, monotonic)
        for lane, seen_at in list(self._seen.items()):
            if monotonic - seen_at > KEPT_SECONDS:
                del self._seen[lane]


def _after(monotonic: float, seconds: float | None) -> float | None:
    """Return the moment that lies so many seconds ahead; None for never."""
    return None if seconds is None else monotonic + max(0.0, seconds)
