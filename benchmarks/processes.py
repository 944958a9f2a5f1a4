"""Worker processes: started, observed and stopped."""

import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import anyio

from benchmarks.contenders.contender import Contender
from benchmarks.fork_servers import ForkServers
from benchmarks.shared_counters import SharedCounters

STOP_SECONDS: Final = 60
POLL_INTERVAL: Final = 0.005


class Workers:
    """Worker processes that are ready, or run."""

    def __init__(
        self, start: Callable[[], AsyncIterator[int]], counters: Sequence[SharedCounters]
    ) -> None:
        self._start = start
        self._counters = counters
        self._processes: list[int] = []
        self._killed: set[int] = set()

    async def go(self) -> None:
        """Start them."""
        self._processes = [process async for process in self._start()]

    @property
    def pid(self) -> int:
        """The process of the first worker."""
        return self._processes[0]

    @property
    def executed(self) -> int:
        """The number of executions of all workers."""
        return sum(each.count for each in self._counters)

    @property
    def statements(self) -> int:
        """The number of SQLite statements of all workers, if they are traced."""
        return sum(each.statements for each in self._counters)

    @property
    def first(self) -> int:
        """When the first execution was counted, in nanoseconds of the monotonic clock."""
        return min((each.first for each in self._counters if each.first), default=0)

    @property
    def last(self) -> int:
        """When the last execution was counted."""
        return max(each.last for each in self._counters)

    async def until(self, condition: Callable[[], bool], seconds: float, pause: float) -> None:
        """Wait for a condition. Raises `TimeoutError`, and `RuntimeError` for a dead worker."""
        with anyio.fail_after(seconds):
            while not condition():
                if not all(map(_is_alive, set(self._processes) - self._killed)):
                    msg = "A worker process has ended by itself; its error is above."
                    raise RuntimeError(msg)
                await anyio.sleep(pause)

    def kill(self, number: int) -> None:
        """Kill one as `kill -9` does; that it ends is then expected."""
        self._killed.add(self._processes[number])
        _signal(self._processes[number], signal.SIGKILL)

    def executed_by(self, number: int) -> int:
        """The number of executions of one worker."""
        return self._counters[number].count

    async def stop(self) -> None:
        """Ask all of them to stop, and kill those that do not."""
        for process in self._processes:
            _signal(process, signal.SIGTERM)
        with anyio.move_on_after(STOP_SECONDS):
            while any(map(_is_alive, self._processes)):
                await anyio.sleep(POLL_INTERVAL)
        for process in self._processes:
            _signal(process, signal.SIGKILL)


@asynccontextmanager
async def worker_processes(
    fork_servers: ForkServers, contender: Contender, url: str, count: int, *options: str
) -> AsyncIterator[Workers]:
    """Prepare worker processes that start with `go`, and stop them at the end.

    With the option `trace` they count their statements on SQLite; with `impatient` a modhost finds
    dead workers at once, and with `forgetful` it keeps finished jobs for a minute. With
    `all` it knows jobs that have limits, steps or processes of their own.
    """
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / str(number) for number in range(count)]
        counters = [SharedCounters.create(path) for path in paths]

        async def start() -> AsyncIterator[int]:
            for path in paths:
                yield await fork_servers.fork(contender, url, path, list(options))

        workers = Workers(start, counters)
        try:
            yield workers
        finally:
            with anyio.CancelScope(shield=True):
                await workers.stop()
            for each in counters:
                each.close()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _signal(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)
