"""Hosts to attack, and browsers and programs that do it."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import anyio
import httpx2

from modhost.clock import Clock
from modhost.identity import LoginService, RoleService, UserService, Visitor
from modhost.testing import RunningHost, running_host
from modhost_background_jobs.contracts import BackgroundJobsContracts, JobDetail, JobId
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_reports_example.module import ReportsModule

PASSWORD = "correct horse battery"
COOKIE = "modhost_session"


@asynccontextmanager
async def whole_host(database_url: str, clock: Clock | None = None) -> AsyncIterator[RunningHost]:
    """The host with all modules of this repository."""
    # A provider that never answers: nothing listens there.
    oidc = {"issuer": "http://127.0.0.1:1", "client_id": "modhost", "audience": "api"}
    config = {"host": {"database_url": database_url}, "modules": {"oidc": oidc}}
    modules = [BackgroundJobsModule(), ReportsModule()]
    async with running_host(modules, config=config, clock=clock) as host:
        yield host


async def add_user(host: RunningHost, name: str, *roles: str) -> None:
    async with host.scope() as scope:
        await (await scope.get(UserService)).add(name, PASSWORD, roles)


async def add_role(host: RunningHost, name: str, permissions: Collection[str]) -> None:
    async with host.scope() as scope:
        await (await scope.get(RoleService)).add(name, permissions)


async def browser(host: RunningHost, name: str) -> httpx2.AsyncClient:
    """A browser in which a user is logged in."""
    async with host.scope() as scope:
        login = await scope.get(LoginService)
        session = await login.with_password(name, PASSWORD, Visitor("127.0.0.1"))
    client = await host.client()
    client.cookies.set(COOKIE, session)
    return client


async def user_id(host: RunningHost, name: str) -> str:
    async with host.scope() as scope:
        users = await (await scope.get(UserService)).list()
    return str(next(user.id for user in users if user.name == name))


async def ended(host: RunningHost, job_id: JobId) -> JobDetail:
    async with host.scope() as scope:
        queries = await scope.get(BackgroundJobsContracts)
        with anyio.fail_after(30):
            while True:
                detail = await queries.get_job_detail(job_id)
                if detail is not None and detail.state.is_final:
                    return detail
                await anyio.sleep(0.01)
