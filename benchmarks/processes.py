"""Starting worker processes, and looking at what they use."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import anyio
from anyio.abc import Process

from benchmarks.contenders.contender import Contender
from benchmarks.tally import Tally

ROOT: Final = Path(__file__).parent.parent
STOP_SECONDS: Final = 60


class Workers:
    """Worker processes that stand ready, or run."""

    def __init__(self, processes: Sequence[Process], tallies: Sequence[Tally]) -> None:
        self._processes = processes
        self._tallies = tallies

    async def go(self) -> None:
        """Let them begin."""
        for process in self._processes:
            assert process.stdin is not None
            await process.stdin.send(b"go\n")

    @property
    def pid(self) -> int:
        """The first one's process."""
        return self._processes[0].pid

    @property
    def executed(self) -> int:
        """What all together have executed."""
        return sum(tally.count for tally in self._tallies)

    @property
    def first(self) -> int:
        """When the first execution was counted, in nanoseconds of the monotonic clock."""
        return min((tally.first for tally in self._tallies if tally.first), default=0)

    @property
    def last(self) -> int:
        """When the last execution was counted."""
        return max(tally.last for tally in self._tallies)

    async def until(self, condition: Callable[[], bool], seconds: float, pause: float) -> None:
        """Wait for a condition. Raises `TimeoutError`, and `RuntimeError` for a dead worker."""
        with anyio.fail_after(seconds):
            while not condition():
                if any(process.returncode is not None for process in self._processes):
                    msg = "A worker process has ended by itself; its error is above."
                    raise RuntimeError(msg)
                await anyio.sleep(pause)


@asynccontextmanager
async def worker_processes(contender: Contender, url: str, count: int) -> AsyncIterator[Workers]:
    """Start worker processes that wait for `go`, and stop them in the end."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / str(number) for number in range(count)]
        tallies = [Tally.create(path) for path in paths]
        processes: list[Process] = []
        try:
            for path in paths:
                arguments = [contender.name, contender.dialect.value, url, str(path)]
                processes.append(await _start("benchmarks.worker", *arguments))
            for process in processes:
                await _line(process)
            yield Workers(processes, tallies)
        finally:
            with anyio.CancelScope(shield=True):
                await _stop(processes)
            for tally in tallies:
                tally.close()


async def _start(module: str, *arguments: str) -> Process:
    return await anyio.open_process(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
        cwd=ROOT,
        env=dict(os.environ),
    )


async def _line(process: Process) -> None:
    assert process.stdout is not None
    with anyio.fail_after(60):
        await process.stdout.receive()


async def _stop(processes: Sequence[Process]) -> None:
    for process in processes:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        with anyio.move_on_after(STOP_SECONDS):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await process.aclose()
