"""Services that may be missing: a parameter with a default gets what is registered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Optional

import pytest

from modhost import ANYONE, Module, ServiceCollection, hookimpl
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.events import Event, Events
from modhost.runtime.assembly import build_host
from modhost.testing import running_host
from modhost.web import Endpoints

pytestmark = pytest.mark.anyio


class Mailer: ...


class Silent(Mailer): ...


SILENT = Silent()


class ByUnion:
    def __init__(self, mailer: Mailer | None = None) -> None:
        self.mailer = mailer


class ByOptional:
    def __init__(self, mailer: Optional[Mailer] = None) -> None:  # noqa: UP045 - as others write it
        self.mailer = mailer


class ByDefault:
    def __init__(self, mailer: Mailer | None = SILENT) -> None:
        self.mailer = mailer


class ByFactory(ByUnion): ...


def by_factory(mailer: Mailer | None = None) -> ByFactory:
    return ByFactory(mailer)


class ByColours:
    def __init__(self, colours: tuple[str, ...] | None = None) -> None:
        self.mailer = colours


class WithoutDefault:
    def __init__(self, mailer: Mailer | None) -> None:
        self.mailer = mailer


KINDS: tuple[type[Any], ...] = (ByUnion, ByOptional, ByDefault, ByFactory)


@dataclass(frozen=True)
class Sent(Event):
    text: str


class Sending(Module):
    name: ClassVar[str] = "sending"
    route_prefix: ClassVar[str] = "/api/sending"
    publishes: ClassVar[tuple[type[Event], ...]] = (Sent,)

    def __init__(self, *registered: type[Any], lifetime: str = "singleton") -> None:
        self._registered = registered
        self._lifetime = lifetime
        self.mailers: list[Mailer | None] = []

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add: Callable[..., None] = getattr(services, f"add_{self._lifetime}")
        for each in self._registered:
            add(each, by_factory if each is ByFactory else None)
        services.contribute(str, "red")
        services.subscribe(Sent, self.note)

    async def note(self, event: Sent, mailer: Mailer | None = None) -> None:
        self.mailers.append(mailer)


class Handling(Sending):
    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.get("/", handle, permission=ANYONE)


async def handle(mailer: Mailer | None = None) -> str:
    return type(mailer).__name__


@pytest.mark.parametrize("lifetime", ["singleton", "scoped"])
async def test_what_is_registered_is_injected(lifetime: str) -> None:
    module = Sending(Mailer, *KINDS, WithoutDefault, ByColours, lifetime=lifetime)
    async with running_host([module]) as host:
        async with host.scope() as scope:
            for each in (*KINDS, WithoutDefault):
                assert type((await scope.get(each)).mailer) is Mailer, each
            assert (await scope.get(ByColours)).mailer == ("red",)
            await (await scope.get(Events)).publish(Sent("hello"))
    assert [type(each) for each in module.mailers] == [Mailer]


@pytest.mark.parametrize("lifetime", ["singleton", "scoped"])
async def test_a_default_is_kept_where_nobody_registered_it(lifetime: str) -> None:
    module = Sending(*KINDS, lifetime=lifetime)
    async with running_host([module]) as host:
        async with host.scope() as scope:
            found = [(await scope.get(each)).mailer for each in KINDS]
            await (await scope.get(Events)).publish(Sent("hello"))
    assert found == [None, None, SILENT, None]
    assert module.mailers == [None]


async def test_handlers_are_given_it_too() -> None:
    async with running_host([Handling(Mailer)]) as host:
        assert (await (await host.client()).get("/api/sending")).json() == "Mailer"


@pytest.mark.parametrize("module", [Sending(WithoutDefault), Handling()])
def test_without_a_default_or_in_a_handler_a_missing_one_stops_the_start(module: Module) -> None:
    with pytest.raises(StartupError) as refused:
        build_host(Configuration({}), "web", modules=[module])
    (finding,) = refused.value.findings
    assert str(finding).startswith("MH301")
    assert f"needs {__name__}.Mailer (parameter 'mailer')" in finding.detail
