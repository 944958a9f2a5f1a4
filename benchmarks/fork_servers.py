"""Fork servers of worker processes, one for each kind of contender."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import Process

from benchmarks.contenders.contender import Contender
from benchmarks.contenders.installed import kind_of

ROOT: Final = Path(__file__).parent.parent
START_SECONDS: Final = 60


class ForkServers:
    """Starts each fork server when the first worker of its kind is requested."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._processes: dict[str, Process] = {}
        self._lock = anyio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["ForkServers"]:
        """Stop all servers at the end, when their workers are gone."""
        async with AsyncExitStack() as stack:
            yield cls(stack)

    async def fork(self, contender: Contender, url: str, counters: Path, options: list[str]) -> int:
        """Start a worker process, and return its id."""
        async with self._lock:
            process = await self._process(contender)
            assert process.stdin is not None
            assert process.stdout is not None
            order = [contender.name, contender.dialect, url, str(counters), options]
            await process.stdin.send(json.dumps(order).encode() + b"\n")
            with anyio.fail_after(START_SECONDS):
                return int(await process.stdout.receive())

    async def _process(self, contender: Contender) -> Process:
        kind = kind_of(contender.name)
        if kind not in self._processes:
            process = await anyio.open_process(
                [sys.executable, "-m", "benchmarks.worker", kind],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None,
                cwd=ROOT,
                env=dict(os.environ),
            )
            self._stack.push_async_callback(_end, process)
            self._processes[kind] = process
        return self._processes[kind]


async def _end(process: Process) -> None:
    assert process.stdin is not None
    await process.stdin.aclose()
    await process.wait()
    await process.aclose()
