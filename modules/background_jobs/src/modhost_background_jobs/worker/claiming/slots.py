"""How many jobs a worker holds beyond its slots: as many as have ended in the last moment."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextvars import copy_context
from typing import Final

import anyio

from modhost.clock import Clock
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry

MOMENT_SECONDS: Final = 0.1
MAX_JOBS: Final = 200


class Prefetch:
    """Counts the attempts that end, in windows of a moment.

    A worker whose jobs take microseconds would spend its time on the way to the database if it
    fetched each one when a slot is free. One whose slots are all taken by long jobs holds none
    beyond them: another worker may have a slot for it.
    """

    def __init__(self) -> None:
        self._since = 0.0
        self._ended = 0
        self._ended_before = 0

    def note(self, now: float) -> None:
        """Count an attempt that ended now, by the monotonic clock."""
        self._move_to(now)
        self._ended += 1

    def ahead(self, now: float) -> int:
        """How many jobs to hold that wait for a slot."""
        self._move_to(now)
        return min(MAX_JOBS, max(self._ended, self._ended_before))

    def _move_to(self, now: float) -> None:
        passed = now - self._since
        if passed >= MOMENT_SECONDS:
            self._ended_before = self._ended if passed < 2 * MOMENT_SECONDS else 0
            self._ended = 0
            self._since = now


TICK_SECONDS: Final = 0.001
TASKS_PER_TICK: Final = 4
BATCH: Final = 100
MAX_DATA_AHEAD: Final = 4_000_000
"""How many characters of data jobs may have, together, that are held beyond the slots."""

Run = Callable[[Attempt], Awaitable[None]]


class Slots:
    """Runs attempts in at most so many tasks, each of which runs one attempt at a time.

    The tasks belong to one group of `asyncio`, which starts a task in a fifth of the time that a
    group of anyio takes; the cancel scopes within them are anyio's.
    """

    def __init__(self, slots: int, attempts: AttemptRegistry, clock: Clock) -> None:
        self._slots = slots
        self._attempts = attempts
        self._clock = clock
        self._waiting: deque[tuple[Attempt, float]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._prefetch = Prefetch()
        self._data = 0
        """How many characters of data a job of the last claim had at the most."""
        self._run: Run
        self._group: asyncio.TaskGroup
        self.is_open = False
        """Whether attempts run; the tasks of those that do are cancelled afterwards."""
        self._is_filling = False
        self._ready = 0
        self._turn_began = 0.0

    async def own_tasks(self, run: Run, until: anyio.Event, ready: Callable[[], None]) -> None:
        """Own the tasks until the event, and cancel then those that are left."""
        self._run = run
        async with asyncio.TaskGroup() as self._group:
            self.is_open = True
            try:
                ready()
                await until.wait()
            finally:
                self.is_open = False
            for task in self._tasks:
                task.cancel()

    async def room(self) -> int:
        """Wait until it is worth to claim jobs, and return how many."""
        while True:
            ahead = min(
                self._prefetch.ahead(self._clock.monotonic()), MAX_DATA_AHEAD // max(1, self._data)
            )
            capacity = self._slots + ahead
            room = capacity - len(self._attempts)
            # Batches are worth more than a buffer that is full at all times.
            if room >= max(1, min(ahead, capacity // 2, BATCH)):
                return min(room, BATCH)
            await self._attempts.at_most(len(self._attempts) - 1)

    def take(self, attempts: Iterable[Attempt]) -> None:
        """Run attempts, each as soon as a slot is free."""
        now = self._clock.monotonic()
        self._data = 0
        for attempt in attempts:
            self._data = max(self._data, len(attempt.claimed.data or ""))
            self._attempts.add(attempt)
            self._waiting.append((attempt, now))
        if not self._is_filling:
            self._fill()

    def take_back(self, waiting_for: float = 0.0) -> list[Attempt]:
        """Return the attempts that have waited so many seconds for a slot; they will not run."""
        since = self._clock.monotonic() - waiting_for
        taken = []
        while self._waiting and self._waiting[0][1] <= since:
            taken.append(self._waiting.popleft()[0])
        return taken

    def _fill(self) -> None:
        """Start tasks, a few in each turn of the loop, for attempts that nobody else will take.

        A task that is ready takes the next attempt itself: jobs that end without ever waiting
        need one task for all of them.
        """
        self._turn_began = self._clock.monotonic()
        self._is_filling = False
        free = self._slots - len(self._tasks)
        if not self.is_open or not self._waiting or not free:
            return
        if not self._ready:
            for _ in range(min(TASKS_PER_TICK, free, len(self._waiting))):
                task = self._group.create_task(self._run_in_turn())
                self._ready += 1
                self._tasks.add(task)
                task.add_done_callback(self._freed)
        self._fill_soon()

    def _fill_soon(self) -> None:
        if not self._is_filling:
            self._is_filling = True
            asyncio.get_running_loop().call_soon(self._fill)

    async def _run_in_turn(self) -> None:
        """Run waiting attempts one after the other, as long as there are any."""
        self._ready -= 1
        task = asyncio.current_task()
        clean = dict(copy_context())
        now = self._clock.monotonic()
        while self.is_open and self._waiting:
            if now - self._turn_began > TICK_SECONDS:
                now = await self._next_turn()
                continue
            attempt, _ = self._waiting.popleft()
            await self._run(attempt)
            now = self._clock.monotonic()
            self._prefetch.note(now)
            if dict(copy_context()) != clean or (task is not None and task.cancelling()):
                # The next attempt gets a new task: it must not see what this one left behind.
                return

    async def _next_turn(self) -> float:
        """Let the loop look at what else is due; return the time.

        The first task to go on begins the turn, which it shares with the others.
        """
        before = self._turn_began
        self._ready += 1
        try:
            await asyncio.sleep(0)
        finally:
            self._ready -= 1
        now = self._clock.monotonic()
        if self._turn_began == before:
            self._turn_began = now
        return now

    def _freed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._waiting:
            self._fill_soon()
