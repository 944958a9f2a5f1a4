"""Hosts with background jobs, and what tests ask of their jobs."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import anyio
from typing_extensions import TypeForm

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
from modhost_reports_example.module import ReportsModule

POLL_SECONDS = 0.02
MAX_POLL_SECONDS = 0.1
# Nothing listens there.
SILENT_PROVIDER = {"issuer": "http://127.0.0.1:1", "client_id": "modhost", "audience": "api"}
T = TypeVar("T")


def poll_pauses() -> Iterator[float]:
    """Yield pauses that become longer: each poll takes the time of what it waits for."""
    pause = POLL_SECONDS
    while True:
        yield pause
        pause = min(1.4 * pause, MAX_POLL_SECONDS)


class HostedJobs:
    """A host and the contracts of its background jobs."""

    def __init__(
        self, host: RunningHost, scheduling: BackgroundJobs, querying: BackgroundJobsContracts
    ) -> None:
        self.host = host
        self.scheduling = scheduling
        self.querying = querying

    async def service(self, contract: TypeForm[T]) -> T:
        """Return a service of the host that lives as long as the host."""
        async with self.host.scope() as scope:
            return await scope.get(contract)

    async def detail(self, job_id: UUID) -> JobDetail:
        found = await self.querying.get_job_detail(JobId(job_id))
        assert found is not None, f"the job {job_id} is lost"
        return found

    async def until(
        self, job_id: UUID, condition: Callable[[JobDetail], bool], seconds: float = 60
    ) -> JobDetail:
        """Wait until a job fulfils a condition, and return it."""
        pauses = poll_pauses()
        with anyio.fail_after(seconds):
            while not condition(detail := await self.detail(job_id)):
                await anyio.sleep(next(pauses))
        return detail

    async def ends(self, job_id: UUID, seconds: float = 60) -> JobDetail:
        """Wait until a job has finished, and return it."""
        return await self._in_state(job_id, lambda state: state.is_final, seconds)

    async def reaches(self, job_id: UUID, state: JobState, seconds: float = 60) -> JobDetail:
        """Wait until a job is in a state, and return it."""
        job = await self._in_state(job_id, lambda found: found is state or found.is_final, seconds)
        assert job.state is state, f"{job.state}: {job.error}"
        return job

    async def _in_state(
        self, job_id: UUID, is_there: Callable[[JobState], bool], seconds: float
    ) -> JobDetail:
        pauses = poll_pauses()
        with anyio.fail_after(seconds):
            while True:
                status = await self.scheduling.get_status(JobId(job_id))
                assert status is not None, f"the job {job_id} is lost"
                # To ask for all of it each time costs several times as much.
                if is_there(status.state):
                    job = await self.detail(job_id)
                    if is_there(job.state):
                        return job
                await anyio.sleep(next(pauses))


@asynccontextmanager
async def host_with(
    database_url: str,
    *modules: Module,
    clock: Clock | None = None,
    host: Mapping[str, Any] | None = None,
    **options: Mapping[str, Any],
) -> AsyncIterator[HostedJobs]:
    """Run a host of background jobs and further modules; `options` are those of each module."""
    config = {"host": {"database_url": database_url, **(host or {})}, "modules": options}
    everything = [BackgroundJobsModule(), *modules]
    async with running_host(everything, config=config, clock=clock) as running:
        yield await jobs_of(running)


async def jobs_of(host: RunningHost) -> HostedJobs:
    """Return a host with the contracts of its background jobs."""
    async with host.scope() as scope:
        return HostedJobs(
            host, await scope.get(BackgroundJobs), await scope.get(BackgroundJobsContracts)
        )


@asynccontextmanager
async def whole_host(database_url: str, clock: Clock | None = None) -> AsyncIterator[RunningHost]:
    """Run a host with all modules of this repository, and a login provider that never answers."""
    async with host_with(database_url, ReportsModule(), clock=clock, oidc=SILENT_PROVIDER) as jobs:
        yield jobs.host
