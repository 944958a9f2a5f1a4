"""A host of background jobs, reports and a module of the tests, on a real port."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import anyio
import uvicorn

from modhost.identity import LoginService, UserService
from modhost.runtime.serving.server import open_socket
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
from pages.demo import DemoModule

PASSWORD = "correct horse battery staple"


class Site:
    """The host with its address."""

    jobs: BackgroundJobs
    queries: BackgroundJobsContracts

    def __init__(self, host: RunningHost, url: str) -> None:
        self.host = host
        self.url = url

    async def login_link(self) -> str:
        """Return the address that logs an administrator in, once."""
        async with self.host.scope() as scope:
            return self.url + await (await scope.get(LoginService)).create_link()

    async def add_user(self, name: str, *roles: str) -> None:
        """Add a user who logs in by `PASSWORD`."""
        async with self.host.scope() as scope:
            await (await scope.get(UserService)).add(name, PASSWORD, roles)

    async def reaches(self, job_id: UUID, state: JobState, seconds: float = 30) -> JobDetail:
        """Wait until a job is in a state."""
        with anyio.fail_after(seconds):
            while True:
                detail = await self.queries.get_job_detail(JobId(job_id))
                assert detail is not None
                if detail.state is state:
                    return detail
                await anyio.sleep(0.02)


@asynccontextmanager
async def site(database_url: str, *, mode: str = "Consumer", **options: Any) -> AsyncIterator[Site]:
    """Serve until the end of the block."""
    jobs = {
        "worker_mode": mode,
        "max_concurrency": 4,
        "progress_flush_interval": "100ms",
        "shutdown_grace": "1s",
        **options,
    }
    config = {"host": {"database_url": database_url}, "modules": {"background_jobs": jobs}}
    modules = [BackgroundJobsModule(), ReportsModule(), DemoModule()]
    async with running_host(modules, config=config) as host, host.scope() as scope:
        with open_socket("127.0.0.1", 0) as listener:
            running = Site(host, f"http://127.0.0.1:{listener.getsockname()[1]}")
            running.jobs = await scope.get(BackgroundJobs)
            running.queries = await scope.get(BackgroundJobsContracts)
            async with _serving(host, listener):
                yield running


@asynccontextmanager
async def _serving(host: RunningHost, listener: socket.socket) -> AsyncIterator[None]:
    app = host.host.app
    server = _Server(
        uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=2)
    )
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [listener])
        try:
            yield
        finally:
            host.host.shutdown.begin()
            server.should_exit = True


class _Server(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
