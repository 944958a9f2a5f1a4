"""Several processes on one SQLite file."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from processes.acting import Act, FlakyJob
from processes.deployment import QUICK, Deployment

pytestmark = pytest.mark.anyio


@pytest.fixture
async def deployment(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Deployment]:
    async with Deployment(tmp_path / "deployment", sqlite_url).producing() as deployment:
        yield deployment


async def test_two_workers_and_a_producer_share_a_file_and_nobody_finds_it_locked(
    deployment: Deployment,
) -> None:
    """The stall timeout is the default one: a machine that stutters kills nobody."""
    options = {name: value for name, value in QUICK.items() if name != "stall_timeout"}
    workers = [deployment.start(**options), deployment.start(**options)]
    await deployment.ready(*workers)
    names = [f"job-{number}" for number in range(400)]

    async def produce(share: list[str]) -> None:
        for name in share:
            await deployment.enqueue(FlakyJob, Act(name=name, lines=3))

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(produce, names[number::8])
    await deployment.all_completed(len(names))
    assert sorted(mark.name for mark in deployment.marks("started")) == sorted(names)
    processes = {mark.process for mark in deployment.marks("started")}
    assert processes == {worker.pid for worker in workers}
    for worker in workers:
        assert "locked" not in worker.log
        assert "WARNING" not in worker.log
