"""A quiet worker finishes what it runs and claims nothing more."""

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from modhost.audit import AuditReader, AuditSearch
from modhost_background_jobs.contracts import JobState, WorkerNotFound
from modhost_background_jobs.inspection.alerts import alerts_of, health_problems
from modhost_background_jobs.inspection.snapshot import Snapshot, Snapshots
from modhost_background_jobs.inspection.workers.status import Workers, WorkerStatus
from modhost_background_jobs.model import CurrentWorker

pytestmark = pytest.mark.anyio


async def worker_of(jobs: Jobs) -> WorkerStatus:
    (found,) = await (await jobs.service(Workers)).registered()
    return found


async def snapshot_of(jobs: Jobs) -> Snapshot:
    return await (await jobs.service(Snapshots)).take()


async def learns(jobs: Jobs, *, is_quiet: bool) -> None:
    own = await jobs.service(CurrentWorker)
    with anyio.fail_after(20):
        while own.is_quiet is not is_quiet:
            await anyio.sleep(0.01)


async def test_it_finishes_what_it_runs_and_claims_nothing_until_it_is_resumed(
    database_url: str,
) -> None:
    # So rare are heartbeats that it can only have learned of it by an early one.
    async with jobs_host(database_url, heartbeat_interval="1h", stall_timeout="3h") as jobs:
        running = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(running, JobState.RUNNING)
        name = (await worker_of(jobs)).name
        await jobs.scheduling.quiet_worker(name)
        await learns(jobs, is_quiet=True)
        status = await worker_of(jobs)
        assert (status.state, status.running, status.quieted_by) == ("quiet", 1, "system:the host")
        waiting = await jobs.scheduling.enqueue(ReportingJob, Work(name="later"))
        jobs.probe.gate.set()
        await jobs.reaches(running, JobState.COMPLETED)
        snapshot = await snapshot_of(jobs)
        (alert,) = alerts_of(snapshot)
        assert (alert.title, "quiet" in alert.text) == ("Nothing executes jobs", True)
        assert health_problems(snapshot) == []
        # It was left for another worker, however long that took to start.
        async with jobs_host(database_url) as other:
            assert (await other.ends(waiting)).worker != name
        await jobs.scheduling.resume_worker(name)
        assert (await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work()))).worker == name
        assert (await worker_of(jobs)).quiet_since is None
        assert alerts_of(await snapshot_of(jobs)) == []


async def test_a_worker_of_another_process_learns_of_it(database_url: str) -> None:
    async with (
        jobs_host(database_url, heartbeat_interval="100ms") as jobs,
        jobs_host(database_url, mode="Producer") as producer,
    ):
        name = (await worker_of(jobs)).name
        await producer.scheduling.quiet_worker(name)
        await learns(jobs, is_quiet=True)
        await producer.scheduling.resume_worker(name)
        await learns(jobs, is_quiet=False)


async def test_its_queues_count_as_served_by_nobody(database_url: str) -> None:
    async with (
        jobs_host(database_url, queues=["mail"]) as jobs,
        jobs_host(database_url, queues=["default"]),
    ):
        of_mail = next(
            each
            for each in await (await jobs.service(Workers)).registered()
            if each.queues == ("mail",)
        )
        await jobs.scheduling.quiet_worker(of_mail.name)
        await learns(jobs, is_quiet=True)
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work(), queue="mail")
        (unserved,) = (await snapshot_of(jobs)).unserved
        assert (unserved.name, unserved.jobs) == ("mail", 1)
        await jobs.scheduling.resume_worker(of_mail.name)
        await jobs.reaches(job_id, JobState.COMPLETED)


async def test_who_did_it_is_in_the_audit_and_unknown_workers_are_refused(
    database_url: str,
) -> None:
    async with jobs_host(database_url) as jobs:
        name = (await worker_of(jobs)).name
        await jobs.scheduling.quiet_worker(name)
        await jobs.scheduling.quiet_worker(name)
        await jobs.scheduling.resume_worker(name)
        for unknown in ("nobody", "no\nname", "n" * 1000):
            with pytest.raises(WorkerNotFound, match="There is no worker"):
                await jobs.scheduling.quiet_worker(unknown)
            with pytest.raises(WorkerNotFound):
                await jobs.scheduling.resume_worker(unknown)
        reader = await jobs.service(AuditReader)
        entries = await reader.newest(AuditSearch(subject=f"worker:{name}"), 10)
    assert [(each.action, each.detail) for each in reversed(entries)] == [
        ("workers.quiet", ""),
        ("workers.quiet", "it was quiet already"),
        ("workers.resume", ""),
    ]
