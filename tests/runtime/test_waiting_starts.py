"""A start repeats what fails for a database that may work again, and names what takes long."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import anyio
import asyncpg
import pytest
from anyio.abc import TaskStatus

from modhost import HostedService, Module, Scope, ServiceCollection, hookimpl
from modhost.checks import StartupError
from modhost.clock import SystemClock
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost.runtime.lifespan import running
from modhost.runtime.start import Start

pytestmark = pytest.mark.anyio


class Starts:
    """How often something was started, and what the first of these raise."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.count = 0

    def one(self) -> None:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)


class Pulse(HostedService):
    name = "pulse"

    def __init__(self, starts: Starts) -> None:
        self._starts = starts

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        self._starts.one()
        task_status.started()
        await anyio.sleep_forever()


class SeedingModule(Module):
    """Starts in its hook."""

    name: ClassVar[str] = "seeding"

    def __init__(self, starts: Starts) -> None:
        self._starts = starts

    @hookimpl
    async def on_start(self, scope: Scope) -> None:
        try:
            self._starts.one()
        except Exception as error:
            msg = "the seeds could not be stored"
            raise RuntimeError(msg) from error


class PulsingModule(Module):
    """Starts in its hosted service."""

    name: ClassVar[str] = "pulsing"

    def __init__(self, starts: Starts) -> None:
        self._starts = starts

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_instance(Starts, self._starts)
        services.add_singleton(Pulse)

    @hookimpl
    def hosted_services(self) -> list[type[HostedService]]:
        return [Pulse]


@asynccontextmanager
async def started(url: str, module: Module, wait: float | None) -> AsyncIterator[None]:
    host = build_host(Configuration({"host": {"database_url": url}}), "worker", modules=[module])
    async with running(host, Start(host.clock, wait)):
        yield


PASSING = asyncpg.CannotConnectNowError("the database system is starting up")


@pytest.mark.parametrize("kind", [SeedingModule, PulsingModule])
async def test_what_meets_a_database_that_is_not_there_yet_is_started_again(
    sqlite_url: str, kind: type[SeedingModule | PulsingModule], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    starts = Starts(PASSING, PASSING)
    async with started(sqlite_url, kind(starts), wait=None):
        assert starts.count == 3
    assert "The start waits for the database" in caplog.text
    assert "Check [host] database_url, and that the server runs" in caplog.text
    assert "[host] start_wait bounds the wait." in caplog.text
    assert "The start continues after" in caplog.text


class MakingModule(PulsingModule):
    """Starts in the constructor of a singleton."""

    name: ClassVar[str] = "making"

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_singleton(object, self._make)

    @hookimpl
    def hosted_services(self) -> list[type[HostedService]]:
        return []

    def _make(self) -> object:
        self._starts.one()
        return self


async def test_what_a_singleton_meets_has_its_own_remedy(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
    starts = Starts(locked)
    async with started(sqlite_url, MakingModule(starts), wait=None):
        assert starts.count == 2
    assert "OperationalError: database is locked). Another process holds it" in caplog.text


@pytest.mark.parametrize("kind", [SeedingModule, PulsingModule])
@pytest.mark.parametrize("error", [PASSING, ValueError("no such report")])
async def test_what_does_not_pass_in_time_or_at_all_fails_the_start(
    sqlite_url: str, kind: type[SeedingModule | PulsingModule], error: Exception
) -> None:
    starts = Starts(*[error] * 100)
    with pytest.raises(StartupError) as refused:
        async with started(sqlite_url, kind(starts), wait=0.1):
            raise AssertionError
    # It was assembled and checked: another start may succeed.
    assert refused.value.may_pass
    assert (starts.count > 1) is (error is PASSING)


async def test_a_step_that_takes_long_is_named_once_though_it_blocks_the_event_loop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    start = Start(SystemClock(), slow_seconds=0.1)

    async def block() -> None:
        while not caplog.messages:
            time.sleep(0.01)  # noqa: ASYNC251 - as badly written hooks do
        time.sleep(0.3)  # noqa: ASYNC251

    with start.watched():
        await start.until_done("on_start of the module reports", block)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].endswith("for on_start of the module reports.")
