"""Faults between a process and its database."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from enum import Enum, auto
from random import Random
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup

from simulation.history import RESCUING

T = TypeVar("T")


class Fault(Enum):
    """The fate of one call."""

    NONE = auto()
    REFUSED = auto()
    """Nothing is done."""
    UNANSWERED = auto()
    """It is carried out, but the caller gets an error."""
    LATE = auto()
    """The caller gets an error; the call is carried out a little later."""
    SLOW = auto()
    """Its request or its answer takes seconds."""
    STOPPED = auto()
    """Its process is asked to stop meanwhile, which cancels those who wait."""


WEIGHTS = {
    Fault.REFUSED: 3.0,
    Fault.UNANSWERED: 3.0,
    Fault.LATE: 2.0,
    Fault.SLOW: 3.0,
    Fault.STOPPED: 0.2,
}

SLOW_RESCUES = 0.6
"""The share of slow rescues, if there are faults at all."""


class Server:
    """The state of the database server, for all processes."""

    def __init__(self, rate: float, late: TaskGroup) -> None:
        self.rate = rate
        """The share of calls with a fault."""
        self.is_down = False
        self.late = late
        """Owns the calls that are carried out late."""
        self.turn = anyio.Lock()
        """Held by a transaction of several statements; other calls wait for its end."""


class Link:
    """The link of one process to the server, which every call of its store passes."""

    def __init__(self, name: str, seed: int, server: Server) -> None:
        self.name = name
        self._random = Random(f"{name} {seed}")  # noqa: S311 - it has to be repeatable
        self._server = server
        self.skew = 0.0
        """By how many seconds the clock of its process is ahead."""
        self.troubles: list[tuple[float, float]] = []
        """When calls took long, or were lost, each from a time to a time."""
        self.waits: list[tuple[float, float]] = []
        """When calls waited for transactions of others, each from a time to a time."""
        self.is_cut = False
        self.is_dead = False
        self.lost_at = 0.0
        """When a call was last lost."""
        self.on_stop: Callable[[], None] = lambda: None
        """Asks the process to stop."""

    async def call(self, perform: Callable[[], T], *, in_turn: bool = False) -> T:
        """Perform a call, at once and undivided, unless a fault intervenes."""
        fault = self._draw()
        if in_turn and fault is Fault.SLOW:
            # All others would wait for it, like in an outage, which the simulation has anyway.
            fault = Fault.NONE
        if fault is Fault.STOPPED:
            self.on_stop()
        is_slow_there = fault is Fault.SLOW and (
            RESCUING.get() is not None or self._random.random() < 0.5
        )
        await self._travel(slow=is_slow_there)
        self._lose(is_lost=fault is Fault.REFUSED)
        if fault is Fault.LATE:
            if not in_turn:
                self._server.late.start_soon(self._perform_late, perform)
            self._lose(is_lost=True)
        async with nullcontext() if in_turn else self.turn():
            answer = perform()
        await self._travel(slow=fault is Fault.SLOW and not is_slow_there)
        self._lose(is_lost=fault is Fault.UNANSWERED)
        return answer

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the transactions of others, and let none begin in the block."""
        asked_at = anyio.current_time()
        async with self._server.turn:
            if (now := anyio.current_time()) > asked_at:
                self.waits.append((asked_at, now))
            yield

    def _draw(self) -> Fault:
        if self._random.random() >= self._server.rate:
            # A worker may send heartbeats until the last moment before it is rescued.
            is_rescue = RESCUING.get() is not None and self._server.rate > 0
            return Fault.SLOW if is_rescue and self._random.random() < SLOW_RESCUES else Fault.NONE
        return self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]

    async def _travel(self, *, slow: bool) -> None:
        seconds = self._random.uniform(1, 8) if slow else self._random.uniform(0, 0.02)
        if slow:
            self.troubles.append((anyio.current_time(), anyio.current_time() + seconds))
        try:
            await anyio.sleep(seconds)
        except anyio.get_cancelled_exc_class():
            if slow:
                # Somebody has given up waiting.
                self.lost_at = anyio.current_time()
            raise

    def _lose(self, *, is_lost: bool) -> None:
        if is_lost or self.is_cut or self.is_dead or self._server.is_down:
            self.lost_at = anyio.current_time()
            self.troubles.append((self.lost_at, self.lost_at))
            msg = "the connection was lost"
            raise ConnectionResetError(msg)

    async def _perform_late(self, perform: Callable[[], object]) -> None:
        await anyio.sleep(self._random.uniform(0.1, 4))
        async with self._server.turn:
            if not self._server.is_down:
                # Nobody gets the answer, whatever it is.
                with suppress(Exception):
                    perform()
