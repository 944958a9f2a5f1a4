"""Hooks and factories of services are judged by what they return."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar

import anyio.lowlevel
import pytest

from modhost import HealthReport, Module, Scope, ServiceCollection, hookimpl
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost.testing import RunningHost, running_host

pytestmark = pytest.mark.anyio


def hidden(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hide what a function is, as many decorators do."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return call


class Made:
    """A service; it can be awaited, as a pool of connections can, and must not be."""

    def __init__(self, way: str = "class") -> None:
        self.way = way

    def __await__(self) -> Iterator[None]:
        raise AssertionError


class Closed(list[str]):
    """The factories that have cleaned up."""


class Coroutine(Made): ...


class Generator(Made): ...


class AsyncGenerator(Made): ...


class Plain(Made): ...


@hidden
async def make_by_coroutine() -> Coroutine:
    await anyio.lowlevel.checkpoint()
    return Coroutine("coroutine")


@hidden
def make_by_generator(closed: Closed) -> Iterator[Generator]:
    yield Generator("generator")
    closed.append("generator")


@hidden
async def make_by_async_generator(closed: Closed) -> AsyncIterator[AsyncGenerator]:
    yield AsyncGenerator("async generator")
    closed.append("async generator")


def make_plainly() -> Plain:
    return Plain("plain")


class Hidden(Module):
    name: ClassVar[str] = "hidden"
    started: ClassVar[list[str]] = []

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_instance(Closed, Closed())
        services.add_scoped(Coroutine, make_by_coroutine)
        services.add_scoped(Generator, make_by_generator)
        services.add_scoped(AsyncGenerator, make_by_async_generator)
        services.add_scoped(Plain, make_plainly)
        services.add_scoped(Made)

    @hookimpl
    @hidden
    async def on_start(self, scope: Scope) -> None:
        await anyio.lowlevel.checkpoint()
        self.started.append("on_start")

    @hookimpl
    def on_stop(self, scope: Scope) -> None:
        self.started.append("on_stop")

    @hookimpl
    def check_health(self, scope: Scope) -> HealthReport:
        return HealthReport("degraded", "a plain function")


class AsyncConfiguring(Module):
    name: ClassVar[str] = "configuring"

    @hookimpl
    @hidden
    async def configure_services(self, services: ServiceCollection) -> None: ...


class GeneratingStart(Module):
    name: ClassVar[str] = "generating"

    @hookimpl
    async def on_start(self, scope: Scope) -> AsyncIterator[None]:
        yield


class HiddenGeneratingStart(Module):
    name: ClassVar[str] = "generating"
    on_start = hookimpl(hidden(GeneratingStart.on_start))


@asynccontextmanager
async def host_of(sqlite_url: str, module: Module) -> AsyncIterator[RunningHost]:
    config = {"host": {"database_url": sqlite_url}}
    async with running_host([module], config=config) as host:
        yield host


async def test_hooks_are_awaited_whatever_they_were_declared_as(sqlite_url: str) -> None:
    Hidden.started.clear()
    async with host_of(sqlite_url, Hidden()) as host:
        assert Hidden.started == ["on_start"]
        client = await host.client()
        part = (await client.get("/health/ready")).json()["parts"]["hidden"]
        assert (part["status"], part["detail"]) == ("degraded", "a plain function")
    assert Hidden.started == ["on_start", "on_stop"]


async def test_factories_are_finished_whatever_they_were_declared_as(sqlite_url: str) -> None:
    """A service was a coroutine that nobody had awaited, or a generator."""
    async with host_of(sqlite_url, Hidden()) as host:
        async with host.scope() as scope:
            made = [
                await scope.get(each)
                for each in (Coroutine, Generator, AsyncGenerator, Plain, Made)
            ]
            assert [each.way for each in made] == [
                *("coroutine", "generator", "async generator", "plain", "class"),
            ]
            closed = await scope.get(Closed)
            assert closed == []
        assert closed == ["async generator", "generator"]


@pytest.mark.parametrize(
    ("module", "reported"),
    [
        (AsyncConfiguring, "it returned a coroutine, which nobody awaits; write it with def"),
        (GeneratingStart, "on_start has a `yield`: it would never run."),
        (HiddenGeneratingStart, "it returned a generator, of which nothing runs"),
    ],
)
async def test_what_nobody_would_run_stops_the_start(
    sqlite_url: str, module: type[Module], reported: str
) -> None:
    with pytest.raises(StartupError) as refused:
        async with host_of(sqlite_url, module()):
            pass
    assert reported in str(refused.value.findings[0])


@pytest.mark.parametrize(
    ("hook", "result", "words"),
    [
        ("configure_permissions", ["F.View"], "'F.View' in its list, which is not a Permission"),
        ("configure_permissions", "F.View", "it returned 'F.View'; let it return a list"),
        ("hosted_services", 5, "it returned 5; let it return a list, of which each is a class"),
        ("hosted_services", [object], ""),
    ],
)
def test_a_result_of_another_type_stops_the_start(hook: str, result: object, words: str) -> None:
    returning = hookimpl(lambda self: result, specname=hook)
    module = type("Returning", (Module,), {"name": "returning", hook: returning})()
    with pytest.raises(StartupError) as refused:
        build_host(Configuration(), "web", modules=[module])
    (finding,) = refused.value.findings
    assert finding.module == "returning"
    assert words in finding.detail


async def _is_ill_alone(sqlite_url: str, report: object) -> None:
    """Start a host whose module reports its health so, and check that no other part is ill."""
    check = hookimpl(lambda self: report, specname="check_health")
    module = type("Returning", (Module,), {"name": "returning", "check_health": check})()
    async with host_of(sqlite_url, module) as host:
        answer = await (await host.client()).get("/health/ready")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert parts["returning"]["detail"] == "The check failed; the log says why."
    assert parts["database"]["status"] == "healthy"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "Unable to serialize unknown type"),
        (datetime(2026, 1, 31), "has no time zone and cannot be sent"),  # noqa: DTZ001
    ],
)
async def test_data_that_json_cannot_hold_are_the_ill_health_of_their_module_alone(
    sqlite_url: str, value: object, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    report = HealthReport("healthy", data={"last_import": [value]})
    await _is_ill_alone(sqlite_url, report)
    assert "The health check of returning" in caplog.text
    assert reason in caplog.text


@pytest.mark.parametrize("report", [True, HealthReport("ok"), [HealthReport("healthy")]])  # type: ignore[arg-type]
async def test_a_report_of_another_type_is_the_ill_health_of_its_module_alone(
    sqlite_url: str, report: object
) -> None:
    await _is_ill_alone(sqlite_url, report)
