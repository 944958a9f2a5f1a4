"""Jobs in processes that are asked to stop, and those that have to be killed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from background_jobs.hosts import computing_host
from background_jobs.process_module import (
    AwaitingJob,
    PoliteJob,
    PrintingJob,
    UnresponsiveJob,
    UnresponsiveTaskJob,
    UnresponsiveTimeoutJob,
)
from background_jobs.written_ids import gone, written
from modhost_background_jobs.contracts import (
    JobState,
    ModuleJob,
)
from modhost_background_jobs.model import Released
from modhost_background_jobs.storage import JobStore
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio


@ONE_DATABASE
async def test_a_job_that_never_checks_is_killed_when_its_time_is_up(
    database_url: str, tmp_path: Path
) -> None:
    async with computing_host(database_url, tmp_path, kill_grace="100ms") as jobs:
        has_computed = False
        while not has_computed:
            # On a busy machine its time may be up before it computes.
            job = await jobs.ends(await jobs.scheduling.enqueue(UnresponsiveTimeoutJob))
            assert job.state is JobState.FAILED
            assert job.error == "timed out: the attempt took longer than 0.3 s."
            has_computed = (tmp_path / "pid").exists()
        await gone(tmp_path, "pid")
    assert [line.message for line in job.logs] == ["computing"]


@ONE_DATABASE
@pytest.mark.parametrize("kind", [UnresponsiveJob, UnresponsiveTaskJob])
async def test_a_job_that_never_checks_is_killed_when_it_is_cancelled(
    database_url: str, tmp_path: Path, kind: type[ModuleJob]
) -> None:
    async with computing_host(database_url, tmp_path, kill_grace="100ms") as jobs:
        job_id = await jobs.scheduling.enqueue(kind)
        await written(tmp_path, "pid" if kind is UnresponsiveJob else "child")
        await jobs.scheduling.cancel(job_id)
        job = await jobs.ends(job_id)
        await gone(tmp_path, "pid")
        if kind is UnresponsiveTaskJob:
            await gone(tmp_path, "child")
        # The slot is free, and the next job has a process.
        assert (await jobs.ends(await jobs.scheduling.enqueue(PrintingJob))).state.is_final
    assert (job.state, job.error) == (JobState.CANCELLED, None)


@ONE_DATABASE
@pytest.mark.parametrize(
    ("kind", "reported"), [(PoliteJob, "stopping politely"), (AwaitingJob, "cancelled")]
)
async def test_a_job_that_stops_when_it_is_asked_to_is_not_killed(
    database_url: str, tmp_path: Path, kind: type[ModuleJob], reported: str
) -> None:
    async with computing_host(database_url, tmp_path, kill_grace="1h") as jobs:
        job_id = await jobs.scheduling.enqueue(kind)
        pid = await written(tmp_path, "pid")
        await jobs.scheduling.cancel(job_id)
        job = await jobs.ends(job_id)
        next_job = await jobs.ends(await jobs.scheduling.enqueue(PrintingJob))
    assert job.state is JobState.CANCELLED
    assert [line.message for line in job.logs] == [reported]
    assert next_job.logs[0].message == f"in {pid}"


async def test_a_job_whose_lease_is_lost_is_killed_at_once(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with computing_host(database_url, tmp_path, kill_grace="1h") as jobs:
        job_id = await jobs.scheduling.enqueue(UnresponsiveJob)
        await written(tmp_path, "pid")
        async with jobs.host.scope() as scope:
            store = await scope.get(JobStore)
            (lease,) = await store.leases((await jobs.detail(job_id)).worker or "")
            later = datetime.now(UTC) + timedelta(hours=1)
            await store.release([Released(lease, later, "taken away", spent=False)], later)
        await gone(tmp_path, "pid")
    async with computing_host(database_url, tmp_path, mode="Producer") as after:
        job = await after.detail(job_id)
    assert (job.state, job.retry_count) == (JobState.PENDING, 0)
    assert [each.error for each in job.attempts] == ["taken away"]
    assert f"lost lease: the claim {lease.fence} of job {job_id}" in caplog.text


async def test_shutdown_kills_what_does_not_stop_and_hands_it_back(
    database_url: str, tmp_path: Path
) -> None:
    async with computing_host(database_url, tmp_path, shutdown_grace="200ms") as jobs:
        job_id = await jobs.scheduling.enqueue(UnresponsiveJob)
        await written(tmp_path, "pid")
    await gone(tmp_path, "pid")
    async with computing_host(database_url, tmp_path, mode="Producer") as later:
        job = await later.detail(job_id)
    assert (job.state, job.retry_count) == (JobState.PENDING, 0)
    assert job.attempts[0].error == "released: its worker shut down."
    assert [line.message for line in job.logs] == ["computing"]
