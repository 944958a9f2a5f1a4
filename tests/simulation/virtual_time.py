"""An event loop in which hours pass at once, and always in the same order."""

import asyncio
import random
import selectors
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import anyio

from moving_clock import START

T = TypeVar("T")

MAX_TURNS = 100_000
"""How often the loop may run at one moment: beyond that, something spins."""


class Standstill(Exception):
    """No task will ever run again, or time no longer passes."""


class _Leap(selectors.DefaultSelector):
    """Instead of waiting, moves the time to the end of the wait."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            msg = "All tasks wait, and nothing can wake them."
            raise Standstill(msg)
        self._turns = 0 if timeout > 0 else self._turns + 1
        if self._turns > MAX_TURNS:
            msg = f"Time stands still at {self.seconds:g} s: a task loops without waiting."
            raise Standstill(msg)
        self.seconds += max(0.0, timeout)
        # Nothing comes from outside: all that runs is in the loop's own thread.
        return []


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        return self._leap.seconds


class VirtualClock:
    """The clock of the running event loop, which gives the time of day too."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return self.loop.time()

    def heartbeat_time(self) -> datetime:
        return self.now()

    async def agrees(self) -> bool:
        return True


class SkewedClock(VirtualClock):
    """The clock of a host whose time of day differs from that of the others."""

    def __init__(self, clock: VirtualClock, seconds: float) -> None:
        self.loop = clock.loop
        self._skew = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._skew


def run_virtually(clock: VirtualClock, seed: int, run: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine to its end in virtual time; whatever is random follows the seed."""

    def new_loop() -> asyncio.AbstractEventLoop:
        clock.loop = _VirtualLoop()
        return clock.loop

    before: Any = random.getstate()
    random.seed(seed)
    try:
        return anyio.run(run, backend_options={"loop_factory": new_loop})
    finally:
        random.setstate(before)
