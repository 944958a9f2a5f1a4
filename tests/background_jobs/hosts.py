"""Hosts that produce and consume the test jobs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio

from background_jobs.jobs_module import JobsModule, Probe
from background_jobs.process_module import ComputingModule
from hosts import HostedJobs, host_with
from modhost import Clock
from modhost_background_jobs.contracts import JobId, JobState, ModuleJob
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_background_jobs.worker.processor import JobProcessorService

QUICK = {
    "max_concurrency": 8,
    "retry_base_delay": "20ms",
    "progress_flush_interval": "50ms",
    "shutdown_grace": "5s",
}


class Jobs(HostedJobs):
    """The jobs of one host, with what they did and what its worker does."""

    def __init__(self, hosted: HostedJobs, probe: Probe) -> None:
        super().__init__(hosted.host, hosted.scheduling, hosted.querying)
        self.probe = probe

    async def stop_was_asked(self, job_id: UUID, seconds: float = 20) -> None:
        """Wait until the attempt that runs here has been asked to stop."""
        processor = await self.processor()
        with anyio.fail_after(seconds):
            while not any(
                each.is_to_stop and each.lease.job_id == job_id for each in processor.attempts
            ):
                await anyio.sleep(0.005)

    async def starts(self, job: type[ModuleJob], timeout: timedelta | None = None) -> JobId:
        """Enqueue a job that counts its starts, anew until it starts before its time is up."""
        before = self.probe.started["job"]
        while True:
            job_id = await self.scheduling.enqueue(job, max_attempts=1, timeout=timeout)
            await self.until(
                job_id, lambda each: self.probe.started["job"] > before or each.state.is_final
            )
            if self.probe.started["job"] > before:
                return job_id

    async def health(self) -> str:
        """Return the detail of the module's health."""
        async with self.host.scope() as scope:
            return (await BackgroundJobsModule().check_health(scope)).detail

    async def processor(self) -> JobProcessorService:
        return await self.service(JobProcessorService)

    async def ends_unread(self, job_id: UUID, seconds: float = 20) -> JobState:
        """Wait until a job has finished whose data cannot be shown, and return how it ended."""
        with anyio.fail_after(seconds):
            while (status := await self.scheduling.get_status(JobId(job_id))) is None or (
                not status.state.is_final
            ):
                await anyio.sleep(0.02)
        return status.state


@asynccontextmanager
async def jobs_host(
    database_url: str,
    probe: Probe | None = None,
    *,
    mode: str = "Consumer",
    more_jobs: Sequence[type[ModuleJob]] = (),
    **options: Any,
) -> AsyncIterator[Jobs]:
    """A host with the test jobs, and with more of them where a test has its own."""
    probe = probe or Probe()
    quick = {"worker_mode": mode, **QUICK, **options}
    module = JobsModule(probe, more_jobs)
    async with host_with(database_url, module, background_jobs=quick) as hosted:
        yield Jobs(hosted, probe)


@asynccontextmanager
async def computing_host(
    database_url: str,
    folder: Path,
    *,
    mode: str = "Consumer",
    clock: Clock | None = None,
    **options: Any,
) -> AsyncIterator[Jobs]:
    """A host whose jobs run in processes of their own."""
    quick = {"worker_mode": mode, **QUICK, **options}
    async with host_with(
        database_url,
        ComputingModule(),
        clock=clock,
        background_jobs=quick,
        computing={"folder": folder},
    ) as hosted:
        yield Jobs(hosted, Probe())
