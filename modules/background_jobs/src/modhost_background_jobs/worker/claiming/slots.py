"""Slots: run claimed attempts a bounded number at a time, and hold some more that wait."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from typing import Final

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import CurrentWorker, Ended, Lease, Released
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry
from modhost_background_jobs.worker.attempts.outcome import Outcome
from modhost_background_jobs.worker.claiming.prefetch import SOON_SECONDS, Prefetch
from modhost_background_jobs.worker.executor import AttemptExecutor
from modhost_background_jobs.worker.finishing.finisher import Finisher

MAX_PREFETCHED_DATA: Final = 4_000_000
"""How many characters of data and checkpoints jobs may have, together, beyond the slots."""
CLAIM_SIZE: Final = 250
STALE_SECONDS: Final = 1.0
TICK_SECONDS: Final = 0.001
TASKS_PER_TICK: Final = 4


class Slots:
    """Runs attempts in at most so many tasks, each of which runs one attempt at a time.

    The tasks belong to one group of `asyncio`, which starts a task in a fifth of the time that a
    group of anyio takes; the cancel scopes within them are anyio's.
    """

    def __init__(
        self,
        slots: int,
        attempts: AttemptRegistry,
        executor: AttemptExecutor,
        finisher: Finisher,
        clock: QueueClock,
        own: CurrentWorker,
    ) -> None:
        self._own = own
        self._slots = slots
        self.attempts = attempts
        """What the worker holds."""
        self._executor = executor
        self._finisher = finisher
        self._clock = clock
        self._waiting: deque[tuple[Attempt, float]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._prefetch = Prefetch(slots)
        self._max_data = 0
        """How many characters the largest job of the last claim had, or half as many as before."""
        self._group: asyncio.TaskGroup
        self._is_open = False
        self._is_filling = False
        self._ready = 0
        self._tick_began = 0.0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Run attempts during the block, and cancel those that are left at its end."""
        async with asyncio.TaskGroup() as self._group:
            self._is_open = True
            watch = self._group.create_task(self._watch_waiting())
            try:
                yield
            finally:
                self._is_open = False
            for task in (watch, *self._tasks):
                task.cancel()

    async def room(self) -> int:
        """Wait until claiming is worth it, and return for how many jobs there is room."""
        while True:
            ahead = min(
                self._prefetch.size(self._clock.monotonic()),
                MAX_PREFETCHED_DATA // max(1, self._max_data),
            )
            capacity = self._slots + ahead
            room = capacity - self.attempts.in_slots
            # Batches are worth more than a buffer that is full at all times.
            if room >= max(1, min(ahead, capacity // 2, CLAIM_SIZE)):
                return min(room, CLAIM_SIZE)
            await self.attempts.changed()

    def take(self, attempts: Iterable[Attempt]) -> None:
        """Run attempts, each as soon as a slot is free."""
        now = self._clock.monotonic()
        # What was large a moment ago may come again.
        self._max_data //= 2
        for attempt in attempts:
            claimed = attempt.claimed
            size = len(claimed.data or "") + len(claimed.checkpoint or "")
            self._max_data = max(self._max_data, size)
            self.attempts.add(attempt)
            self._waiting.append((attempt, now))
        if not self._is_filling:
            self._fill()

    def release_waiting(self, seconds: float = 0.0) -> None:
        """Release attempts that have waited so long for a slot: another worker may have one."""
        since = self._clock.monotonic() - seconds
        while self._waiting and self._waiting[0][1] <= since:
            attempt, _ = self._waiting.popleft()
            self._finisher.add(attempt, Released(attempt.lease))

    def release_those(self, condition: Callable[[Attempt], bool]) -> None:
        """Release attempts that wait for a slot and are not to start."""
        released = [each for each, _ in self._waiting if condition(each)]
        self._waiting = deque(each for each in self._waiting if not condition(each[0]))
        for attempt in released:
            self._finisher.add(attempt, Released(attempt.lease))

    async def _watch_waiting(self) -> None:
        before: set[Lease] = set()
        while True:
            await asyncio.sleep(SOON_SECONDS)
            now = self._clock.monotonic()
            running = {each.lease for each in self.attempts if not each.is_finished}
            running -= {each.lease for each, _ in self._waiting}
            self._prefetch.note_long(len(running & before))
            before = running
            is_late = bool(self._waiting) and now - self._waiting[0][1] > SOON_SECONDS
            if is_late and len(self._tasks) >= self._slots:
                self._prefetch.note_delay(now)
            self.release_waiting(0.0 if self._own.is_quiet else STALE_SECONDS)

    def _fill(self) -> None:
        """Start tasks, at most `TASKS_PER_TICK` at a time, for attempts that nobody else takes.

        A task that is ready takes the next attempt itself: jobs that return without ever waiting
        need one task for all of them.
        """
        self._tick_began = self._clock.monotonic()
        self._is_filling = False
        free = self._slots - len(self._tasks)
        if not self._is_open or not self._waiting or not free:
            return
        if not self._ready:
            for _ in range(min(TASKS_PER_TICK, free, len(self._waiting))):
                task = self._group.create_task(self._run_attempts())
                self._ready += 1
                self._tasks.add(task)
                task.add_done_callback(self._freed)
        self._fill_soon()

    def _fill_soon(self) -> None:
        if not self._is_filling:
            self._is_filling = True
            asyncio.get_running_loop().call_soon(self._fill)

    async def _run_attempts(self) -> None:
        """Run waiting attempts one after the other, as long as there are any."""
        self._ready -= 1
        task = asyncio.current_task()
        clean = copy_context()
        now = self._clock.monotonic()
        while self._is_open and self._waiting:
            if now - self._tick_began > TICK_SECONDS:
                now = await self._next_tick()
                continue
            attempt, since = self._waiting.popleft()
            if not self._own.may_begin(since, now):
                self._finisher.add(attempt, Released(attempt.lease))
                continue
            try:
                outcome = await self._executor.run(attempt)
            except BaseException as error:
                # Whatever it is, the job gets an end, unless the slots are closed.
                if not self._is_open:
                    raise
                outcome = self._executor.failed(attempt, error)
            self._finisher.add(attempt, outcome)
            now = self._clock.monotonic()
            self._prefetch.note(now)
            if not _is_success(outcome) or _has_changed(clean) or _is_cancelled(task):
                # The next attempt gets a new task: it must not see what this one left behind.
                return

    async def _next_tick(self) -> float:
        """Let the loop do what else is due; return the time.

        The first task to continue begins the tick, which it shares with the others.
        """
        before = self._tick_began
        self._ready += 1
        try:
            await asyncio.sleep(0)
        finally:
            self._ready -= 1
        now = self._clock.monotonic()
        if self._tick_began == before:
            self._tick_began = now
        return now

    def _freed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._waiting:
            self._fill_soon()


def _is_success(outcome: Outcome) -> bool:
    """Return whether an attempt has completed its job; any other may have left a scope open."""
    return isinstance(outcome, Ended) and outcome.state is JobState.COMPLETED


def _has_changed(clean: Context) -> bool:
    """Return whether the context of this task is another than it was before all attempts."""
    try:
        return copy_context() != clean
    except Exception:  # noqa: BLE001 - values of jobs compare themselves, and may refuse that
        return True


def _is_cancelled(task: asyncio.Task[None] | None) -> bool:
    return task is not None and task.cancelling() > 0
