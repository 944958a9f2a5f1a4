"""What awaits something that others have cancelled fails alone: nobody takes it for their own end.

A task group takes such an error for the request of a child to end everything, without a word.
"""

import asyncio
from collections.abc import Iterator
from typing import ClassVar

import anyio
import pytest
from anyio.abc import TaskStatus

from modhost import (
    ANYONE,
    HealthReport,
    HostedService,
    Module,
    Scope,
    ServiceCollection,
    hookimpl,
)
from modhost.checks import StartupError
from modhost.module import PeriodicService
from modhost.testing import running_host
from modhost.web import Endpoints

pytestmark = pytest.mark.anyio


async def await_cancelled() -> None:
    """Await a task that somebody else has cancelled, as clients do that connect again."""
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task


class Beats:
    """How often each service has begun, or taken a step."""

    def __init__(self) -> None:
        self.of_client = 0
        self.of_steps = 0
        self.of_neighbour = 0


class Client(HostedService):
    name = "client"

    def __init__(self, beats: Beats) -> None:
        self._beats = beats

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        self._beats.of_client += 1
        await await_cancelled()


class Steps(PeriodicService):
    name = "steps"
    interval = 0.01
    failure = "The step"

    def __init__(self, beats: Beats) -> None:
        self._beats = beats

    async def step(self) -> float | None:
        self._beats.of_steps += 1
        if self._beats.of_steps == 1:
            await await_cancelled()
        return None


class Neighbour(HostedService):
    name = "neighbour"

    def __init__(self, beats: Beats) -> None:
        self._beats = beats

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        while True:
            self._beats.of_neighbour += 1
            await anyio.sleep(0.01)


class StrayModule(Module):
    """Awaits what is cancelled, wherever the host calls it."""

    name: ClassVar[str] = "stray"
    route_prefix: ClassVar[str] = "/api/stray"

    def __init__(self, beats: Beats, fails_at: str = "") -> None:
        self._beats = beats
        self._fails_at = fails_at

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_instance(Beats, self._beats)
        for each in self._services():
            services.add_singleton(each)

    @hookimpl
    def hosted_services(self) -> list[type[HostedService]]:
        return list(self._services())

    @hookimpl
    async def on_start(self, scope: Scope) -> None:
        if self._fails_at == "on_start":
            await await_cancelled()

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.get("/awaited", await_cancelled, permission=ANYONE)

    @hookimpl
    async def check_health(self) -> HealthReport:
        await await_cancelled()
        return HealthReport("healthy")

    def _services(self) -> Iterator[type[HostedService]]:
        yield from (Client, Steps, Neighbour)
        if self._fails_at == "service":
            yield Unstarted


class Unstarted(HostedService):
    name = "unstarted"

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        await await_cancelled()


async def test_a_service_is_restarted_and_the_others_continue(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    beats = Beats()
    config = {"host": {"database_url": sqlite_url}}
    async with running_host([StrayModule(beats)], config=config) as host:
        with anyio.fail_after(20):
            while beats.of_client < 2 or beats.of_steps < 3:
                await anyio.sleep(0.01)
            seen = beats.of_neighbour
            while beats.of_neighbour == seen:
                await anyio.sleep(0.01)
        assert host.host.supervisor is not None
        states = {each.name: each for each in host.host.supervisor.report()}
        assert states["client"].restarts >= 1
        assert "cancelled by somebody else" in (states["client"].last_error or "")
        assert states["steps"].restarts == 0
    assert "The hosted service client crashed; it restarts." in caplog.text


async def test_a_request_and_a_health_check_fail_alone(sqlite_url: str) -> None:
    config = {"host": {"database_url": sqlite_url}}
    async with running_host([StrayModule(Beats())], config=config) as host:
        client = await host.client()
        assert (await client.get("/api/stray/awaited")).status_code == 500
        ready = (await client.get("/health/ready")).json()
        assert ready["parts"]["stray"]["status"] == "unhealthy"
        assert ready["parts"]["database"]["status"] == "healthy"


class Late(Module):
    """Its check ends at once, by a timeout of what it asks."""

    name: ClassVar[str] = "late"

    @hookimpl
    async def check_health(self) -> HealthReport:
        msg = "the mail server has not answered for 1 s"
        raise TimeoutError(msg)


async def test_a_check_whose_own_timeout_has_passed_did_not_take_long(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_host([Late()], config={"host": {"database_url": sqlite_url}}) as host:
        ready = (await (await host.client()).get("/health/ready")).json()
    assert ready["parts"]["late"]["detail"] == "The check failed; the log says why."
    assert "the mail server has not answered for 1 s" in caplog.text


@pytest.mark.parametrize("step", ["on_start", "service"])
async def test_a_start_fails_with_a_reason(sqlite_url: str, step: str) -> None:
    config = {"host": {"database_url": sqlite_url}}
    with pytest.raises(StartupError, match="cancelled by somebody else"):
        async with running_host([StrayModule(Beats(), step)], config=config):
            pass
