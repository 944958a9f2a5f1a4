"""A host of background jobs, reports and a module of the tests, on a real port."""

import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import uvicorn

from hosts import HostedJobs, host_with
from modhost import Clock, Module
from modhost.identity import LoginService, UserService
from modhost.runtime.serving.server import open_socket
from modhost.testing import RunningHost
from modhost_reports_example.module import ReportsModule
from pages.demo import DemoModule

PASSWORD = "correct horse battery staple"


class Site(HostedJobs):
    """The host with its address."""

    def __init__(self, hosted: HostedJobs, url: str) -> None:
        super().__init__(hosted.host, hosted.scheduling, hosted.querying)
        self.url = url

    async def login_link(self) -> str:
        """Return the address that logs an administrator in, once."""
        async with self.host.scope() as scope:
            return self.url + await (await scope.get(LoginService)).create_link()

    async def add_user(self, name: str, *roles: str) -> None:
        """Add a user who logs in by `PASSWORD`."""
        async with self.host.scope() as scope:
            await (await scope.get(UserService)).add(name, PASSWORD, roles)


@asynccontextmanager
async def site(
    database_url: str,
    *,
    mode: str = "Consumer",
    clock: Clock | None = None,
    modules: Sequence[Module] = (),
    host: Mapping[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Site]:
    """Serve until the end of the block, with more modules and options of the host where given."""
    jobs = {
        "worker_mode": mode,
        "max_concurrency": 4,
        "progress_flush_interval": "100ms",
        "shutdown_grace": "1s",
        **options,
    }
    both = (ReportsModule(), DemoModule())
    async with host_with(
        database_url, *both, *modules, clock=clock, host=host, background_jobs=jobs
    ) as hosted:
        async with served_on_a_port(hosted) as served:
            yield served


@asynccontextmanager
async def served_on_a_port(hosted: HostedJobs) -> AsyncIterator[Site]:
    """Serve a host until the end of the block."""
    with open_socket("127.0.0.1", 0) as listener:
        async with _serving(hosted.host, listener):
            yield Site(hosted, f"http://127.0.0.1:{listener.getsockname()[1]}")


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
