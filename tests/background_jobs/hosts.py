"""Hosts that produce and consume the test jobs."""

from collections.abc import AsyncIterator, Sequence
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
)
from modhost_background_jobs.module import BackgroundJobsModule

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
                await anyio.sleep(0.01)
        return detail

    async def ends(self, job_id: UUID, seconds: float = 20) -> JobDetail:
        """Wait until a job is over, and return it."""
        with anyio.fail_after(seconds):
            while not (detail := await self.detail(job_id)).state.is_final:
                await anyio.sleep(0.01)
        return detail


@asynccontextmanager
async def jobs_host(
    database_url: str, probe: Probe | None = None, *, mode: str = "Consumer", **options: Any
) -> AsyncIterator[Jobs]:
    probe = probe or Probe()
    config = {
        "host": {"database_url": database_url},
        "modules": {"background_jobs": {"worker_mode": mode, **QUICK, **options}},
    }
    async with _running([BackgroundJobsModule(), JobsModule(probe)], config, probe) as jobs:
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
