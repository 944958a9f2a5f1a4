"""Hosts that produce and consume the test jobs."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio

from background_jobs.jobs_module import JobsModule, Probe
from background_jobs.process_module import ComputingModule
from modhost import Clock, Module
from modhost.testing import RunningHost, running_host
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobDetail,
    JobId,
    JobState,
    ModuleJob,
)
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_background_jobs.worker.processor import JobProcessorService

QUICK = {
    "max_concurrency": 8,
    "retry_base_delay": "20ms",
    "progress_flush_interval": "50ms",
    "shutdown_grace": "5s",
}


class Jobs:
    """The contracts of one host, and what tests ask of them."""

    def __init__(self, host: RunningHost, probe: Probe) -> None:
        self.host = host
        self.probe = probe
        self.scheduling: BackgroundJobs
        self.querying: BackgroundJobsContracts

    async def detail(self, job_id: UUID) -> JobDetail:
        found = await self.querying.get_job_detail(JobId(job_id))
        assert found is not None
        return found

    async def reaches(self, job_id: UUID, state: JobState, seconds: float = 20) -> JobDetail:
        """Wait until a job is in a state, and return it."""
        with anyio.fail_after(seconds):
            while (detail := await self.detail(job_id)).state is not state:
                assert not detail.state.is_final, f"{detail.state}: {detail.error}"
                await anyio.sleep(0.02)
        return detail

    async def ends(self, job_id: UUID, seconds: float = 20) -> JobDetail:
        """Wait until a job is over, and return it."""
        return await self.until(job_id, lambda job: job.state.is_final, seconds)

    async def until(
        self, job_id: UUID, condition: Callable[[JobDetail], bool], seconds: float = 20
    ) -> JobDetail:
        """Wait until a job is as wanted, and return it."""
        with anyio.fail_after(seconds):
            while not condition(detail := await self.detail(job_id)):
                await anyio.sleep(0.02)
        return detail

    async def stop_was_asked(self, job_id: UUID, seconds: float = 20) -> None:
        """Wait until the attempt that runs here has been told to stop."""
        processor = await self.processor()
        with anyio.fail_after(seconds):
            while not any(
                each.is_to_stop and each.claimed.lease.job_id == job_id
                for each in processor.attempts
            ):
                await anyio.sleep(0.005)

    async def health(self) -> str:
        """What the module says of how it is."""
        async with self.host.scope() as scope:
            return (await BackgroundJobsModule().check_health(scope)).detail

    async def processor(self) -> JobProcessorService:
        async with self.host.scope() as scope:
            return await scope.get(JobProcessorService)

    async def ends_unread(self, job_id: UUID, seconds: float = 20) -> JobState:
        """Wait until a job is over whose data cannot be shown, and return how it ended."""
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
    config = {
        "host": {"database_url": database_url},
        "modules": {"background_jobs": {"worker_mode": mode, **QUICK, **options}},
    }
    async with _running(
        [BackgroundJobsModule(), JobsModule(probe, more_jobs)], config, probe
    ) as jobs:
        yield jobs


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
    config = {
        "host": {"database_url": database_url},
        "modules": {
            "background_jobs": {"worker_mode": mode, **QUICK, **options},
            "computing": {"folder": folder},
        },
    }
    modules = [BackgroundJobsModule(), ComputingModule()]
    async with _running(modules, config, Probe(), clock) as jobs:
        yield jobs


@asynccontextmanager
async def _running(
    modules: Sequence[Module], config: dict[str, Any], probe: Probe, clock: Clock | None = None
) -> AsyncIterator[Jobs]:
    async with running_host(modules, config=config, clock=clock) as host, host.scope() as scope:
        jobs = Jobs(host, probe)
        jobs.scheduling = await scope.get(BackgroundJobs)
        jobs.querying = await scope.get(BackgroundJobsContracts)
        yield jobs
