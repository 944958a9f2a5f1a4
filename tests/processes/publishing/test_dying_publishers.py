"""A publisher that is killed: durable subscribers get exactly the events that it has committed."""

import os
import signal
import sys
from pathlib import Path

import anyio
import pytest

from background_jobs.events.subscribing import orders_with
from processes.publishing.publisher import subscribing

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parents[2]


async def killed(database_url: str, when: str) -> None:
    command = [sys.executable, "-m", "processes.publishing.publisher", database_url, when]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with anyio.fail_after(60):
        ended = await anyio.run_process(command, env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


async def test_a_job_is_there_exactly_when_the_event_was_committed(database_url: str) -> None:
    async with anyio.create_task_group() as group:
        for when in ("before", "after"):
            group.start_soon(killed, database_url, when)
    async with orders_with(database_url, subscribing()) as orders:
        assert await orders.logged() == ["billed ShopEvent after", "confirmed after"]
