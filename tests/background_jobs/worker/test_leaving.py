"""A worker that stops leaves no trace among those alive."""

from typing import Any
from uuid import UUID

import anyio
import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import Probe, ProbedJob
from modhost.database import Database
from modhost_background_jobs.contracts import JobExecutionContext, JobState
from modhost_background_jobs.storage import JobStore, open_store
from modhost_background_jobs.worker.shutdown import Shutdown

pytestmark = pytest.mark.anyio


async def test_a_heartbeat_does_not_register_a_worker_again_that_has_left(
    database_url: str,
) -> None:
    """A beat between the farewell and the end of the heart once found its row gone."""
    for _ in range(5):
        async with jobs_host(database_url, heartbeat_interval="5ms"):
            pass
    async with Database(database_url).open() as database:
        assert await open_store(database).heartbeats() == []


class StubbornJob(ProbedJob):
    """Does not let its cancellation through."""

    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["job"] += 1
        context.log("half way")
        with anyio.CancelScope(shield=True):
            await self.probe.gate.wait()


async def test_a_worker_leaves_though_the_database_is_away_and_a_job_does_not_stop(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handing the job back failed, and what was to end the worker's tasks was never reached."""
    probe = Probe()

    async def fail(*_: Any) -> None:
        probe.gate.set()
        raise ConnectionRefusedError

    with anyio.fail_after(20):
        async with jobs_host(
            database_url, probe, more_jobs=[StubbornJob], shutdown_grace="20ms"
        ) as jobs:
            (await jobs.service(Shutdown)).stop_timeout = 0.05
            await jobs.scheduling.enqueue(StubbornJob)
            await probe.until(lambda: probe.started["job"] == 1)
            store = await jobs.service(JobStore)
            for write in ("release", "unregister"):
                monkeypatch.setattr(store, write, fail)
    async with Database(database_url).open() as database:
        assert len(await open_store(database).heartbeats()) == 1


async def test_what_a_job_has_logged_is_stored_before_it_is_released_for_not_stopping(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease was void when the log was written at last."""
    probe = Probe()
    async with jobs_host(
        database_url,
        probe,
        more_jobs=[StubbornJob],
        shutdown_grace="20ms",
        progress_flush_interval="60s",
    ) as jobs:
        (await jobs.service(Shutdown)).stop_timeout = 0.05
        job_id = await jobs.scheduling.enqueue(StubbornJob)
        await probe.until(lambda: probe.started["job"] == 1)
        store = await jobs.service(JobStore)
        release = store.release

        async def let_go(*arguments: Any) -> set[UUID]:
            released = await release(*arguments)
            probe.gate.set()
            return released

        monkeypatch.setattr(store, "release", let_go)
    async with jobs_host(database_url, mode="Producer", more_jobs=[StubbornJob]) as jobs:
        left = await jobs.detail(job_id)
    assert left.state is JobState.PENDING
    assert [line.message for line in left.logs] == ["half way"]
