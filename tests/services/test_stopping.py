"""A singleton that cannot be closed is logged, and harms neither the stop nor another one."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ClassVar

import anyio
import pytest
from anyio.abc import TaskStatus

from modhost import HostedService, Module, ServiceCollection, hookimpl
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost.runtime.lifespan import ready
from modhost.testing import running_host
from runtime.test_foreign_cancellations import await_cancelled

pytestmark = pytest.mark.anyio


class Pool: ...


class Files: ...


closed: list[str] = []


def files() -> Iterator[Files]:
    yield Files()
    closed.append("files")


async def broken(files: Files) -> AsyncIterator[Pool]:
    yield Pool()
    raise OSError("the connection is gone")


async def cancelled(files: Files) -> AsyncIterator[Pool]:
    yield Pool()
    await await_cancelled()


class Pooling(Module):
    name: ClassVar[str] = "pooling"

    def __init__(self, pool: Callable[..., Any]) -> None:
        self._pool = pool

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_singleton(Pool, self._pool)
        services.add_singleton(Files, files)


def assert_logged(caplog: pytest.LogCaptureFixture, reason: str) -> None:
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.message == f"The service {__name__}.Pool of pooling could not be closed."
    assert record.exc_info is not None
    assert reason in repr(record.exc_info[1])
    assert closed == ["files"]


@pytest.mark.parametrize(
    ("pool", "reason"), [(broken, "the connection is gone"), (cancelled, "cancelled by somebody")]
)
async def test_a_host_stops(
    pool: Callable[..., Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    closed.clear()
    async with running_host([Pooling(pool)]):
        pass
    assert_logged(caplog, reason)


async def test_a_command_ends(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    closed.clear()
    configuration = Configuration({"host": {"database_url": sqlite_url}})
    async with ready(build_host(configuration, "command", modules=[Pooling(broken)])):
        await anyio.lowlevel.checkpoint()
    assert_logged(caplog, "the connection is gone")


class Polling(HostedService):
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()


class Hosting(Pooling):
    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_scoped(Pool, broken)
        services.add_singleton(Files, files)
        services.add_scoped(Polling)

    @hookimpl
    def hosted_services(self) -> list[type[HostedService]]:
        return [Polling]


async def test_what_a_hosted_service_needs_harms_no_stop_either(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed.clear()
    async with running_host([Hosting(broken)]):
        pass
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.message == "What hosted services need could not be closed."
    assert f"The clean-up of {__name__}.Pool of pooling raised this." in caplog.text
    assert closed == ["files"]
