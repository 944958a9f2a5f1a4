"""A worker process that dies in the moment of the stop takes no other one with it."""

import asyncio
import os
import signal
import sys

import anyio
import pytest

from modhost.runtime.serving import processes

pytestmark = pytest.mark.anyio

WORKER = "import time; time.sleep(60)"


@pytest.mark.parametrize("turns", range(3))
async def test_the_others_have_their_grace(turns: int) -> None:
    supervisor = processes._Supervisor([sys.executable, "-c", WORKER], 20)
    supervisor._count = 2

    async def stop_as_one_dies() -> None:
        while len(supervisor._processes) < 2:
            await anyio.sleep(0.01)
        dying = next(iter(supervisor._processes))
        transport = dying._process._transport  # type: ignore[attr-defined]
        os.kill(dying.pid, signal.SIGKILL)
        while transport._proc is not None:
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        supervisor._stopping.set()

    async with anyio.create_task_group() as group:
        group.start_soon(stop_as_one_dies)
        for number in (1, 2):
            group.start_soon(supervisor._keep, number)
    # That of the one that was killed; the other one has ended by the signal that asks for it.
    assert supervisor.exit_code == 1
