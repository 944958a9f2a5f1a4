"""Several processes on one SQLite file."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text

from modhost_background_jobs.contracts import JobState
from processes.acting import CountingJob, FlakyJob, GatedJob, count_one
from processes.deployment import QUICK, Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio


@pytest.fixture
async def deployment(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Deployment]:
    async with Deployment(tmp_path / "deployment", sqlite_url).producing() as deployment:
        yield deployment


class Load:
    """What the producer does: jobs of all kinds, and transactions of its own."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    async def flaky(self, names: list[str]) -> None:
        for name in names:
            await self._deployment.enqueue(FlakyJob, Act(name=name, lines=3))

    async def counting(self, times: int) -> None:
        """Count here, and let the workers count."""
        for _ in range(times):
            await self._deployment.enqueue(CountingJob, Act(name="counting"))
            await count_one(self._deployment.database)

    async def cancelled(self, times: int) -> None:
        """Cancel jobs that would never end, some of which run already."""
        for number in range(times):
            act = Act(name=f"cancelled-{number}")
            job = await self._deployment.enqueue(GatedJob, act)
            if number % 2:
                await self._deployment.marked("started", act.name)
            await self._deployment.cancel(job)


async def test_two_workers_and_a_producer_share_a_file_and_nobody_finds_it_locked(
    deployment: Deployment,
) -> None:
    """All at once: jobs that log, jobs that are cancelled, and sessions that read before they
    write. Leases are the default ones: a machine that stutters kills nobody."""
    leases = ("stall_timeout", "heartbeat_interval")
    options = {name: value for name, value in QUICK.items() if name not in leases}
    workers = [deployment.start(**options), deployment.start(**options)]
    async with deployment.database.session() as session:
        connection = await session.connection()
        await connection.execute(text("CREATE TABLE counter AS SELECT 0 AS value"))
    await deployment.ready(*workers)
    names = [f"job-{number}" for number in range(300)]
    load = Load(deployment)
    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(load.flaky, names[number::6])
        for _ in range(3):
            group.start_soon(load.counting, 20)
        group.start_soon(load.cancelled, 20)
    await deployment.all_ended({JobState.COMPLETED: len(names) + 60, JobState.CANCELLED: 20})

    async with deployment.database.reading() as session:
        counted = await (await session.connection()).execute(text("SELECT value FROM counter"))
    assert counted.scalar_one() == 2 * 60
    started = [mark for mark in deployment.marks("started") if mark.name.startswith("job-")]
    assert sorted(mark.name for mark in started) == sorted(names)
    assert {mark.process for mark in started} == {worker.pid for worker in workers}
    for worker in workers:
        assert "locked" not in worker.log
        warnings = [line for line in worker.log.splitlines() if "WARNING" in line]
        # A process that stands still reports that its event loop does.
        assert [line for line in warnings if "the event loop" not in line] == []
