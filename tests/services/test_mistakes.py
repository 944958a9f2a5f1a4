"""Mistakes in services stop the start with a code, the module and what to do."""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import anyio
import pytest
from anyio.abc import TaskStatus

from modhost import HostedService, Module, Scope, ServiceCollection, hookimpl
from modhost.checks import Finding, StartupError
from modhost.configuration import Configuration
from modhost.database.migrations import migrate
from modhost.diagnosis.examination import examine
from modhost.runtime.assembly import build_host
from modhost.runtime.host import Host
from modhost.runtime.lifespan import ready
from modhost.services import ServiceProvider
from modhost.testing import running_host
from runtime.test_foreign_cancellations import await_cancelled

pytestmark = pytest.mark.anyio


class Client:
    def __init__(self) -> None:
        raise ValueError("no licence key.")


async def forsaken() -> Client:
    await await_cancelled()
    return Client()


class KeepsScope:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope


class MayKeepScope:
    def __init__(self, provider: ServiceProvider, scope: Scope | None = None) -> None:
        self.scope = scope


class NotHosted: ...


class Ticking(Protocol):
    name: str


class Ticks(HostedService):
    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()


class Unmakeable(Ticks):
    def __init__(self) -> None:
        raise ValueError("no licence key.")


class Acme(Module):
    name: ClassVar[str] = "acme"

    def __init__(self, configure: Callable[[ServiceCollection], None], *hosted: type[Any]) -> None:
        self._configure = configure
        self._hosted = hosted

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        self._configure(services)

    @hookimpl
    def hosted_services(self) -> list[type[HostedService]]:
        return list(self._hosted)


def built(module: Module, url: str = "sqlite:///unused.db") -> Host:
    return build_host(Configuration({"host": {"database_url": url}}), "web", modules=[module])


def refused(module: Module) -> Finding:
    with pytest.raises(StartupError) as raised:
        built(module)
    (finding,) = raised.value.findings
    assert finding.module == "acme"
    return finding


FAILING = [
    (lambda services: services.add_singleton(Client), "ValueError: no licence key."),
    (lambda services: services.add_singleton(Client, forsaken), "cancelled by somebody else."),
]


@pytest.mark.parametrize(("configure", "reason"), FAILING)
async def test_a_singleton_that_cannot_be_made_is_a_finding_of_its_module(
    configure: Callable[[ServiceCollection], None], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StartupError) as raised:
        async with running_host([Acme(configure)]):
            pass
    (finding,) = raised.value.findings
    assert (finding.rule.code, finding.module) == ("MH309", "acme")
    assert finding.detail.startswith(f"making {__name__}.Client raised ")
    assert finding.detail.endswith(reason)
    assert "[host.modules] disabled" in finding.remedy
    assert "A singleton of acme could not be made." in caplog.messages


async def test_commands_and_the_doctor_report_it_too(sqlite_url: str) -> None:
    module = Acme(lambda services: services.add_singleton(Client))
    with pytest.raises(StartupError, match=r"MH309 .*\(module acme, .*Client raised"):
        async with ready(built(module, sqlite_url)):
            pass
    host = built(module, sqlite_url)
    async with host.database.open():
        await migrate(host.database, host.migrations)
    (finding,) = [each for each in (await examine(host)).findings if each.module == "acme"]
    assert finding.rule.code == "MH309"


async def test_a_hosted_service_that_cannot_be_made_is_a_finding() -> None:
    module = Acme(lambda services: services.add_scoped(Unmakeable), Unmakeable)
    with pytest.raises(StartupError, match=r"MH111 .*Unmakeable raised ValueError: no licence key"):
        async with running_host([module]):
            pass


def test_a_class_that_is_not_a_hosted_service_is_refused() -> None:
    finding = refused(Acme(lambda services: services.add_singleton(NotHosted), NotHosted))
    assert finding.rule.code == "MH110"
    assert finding.detail == "hosted_services names NotHosted, which is not a HostedService."


async def test_a_contract_of_a_hosted_service_is_not() -> None:
    module = Acme(lambda services: services.add_singleton(Ticking, Ticks), Ticking)
    async with running_host([module]) as host:
        assert host.host.supervisor is not None


def test_a_singleton_that_takes_a_scope_is_refused() -> None:
    finding = refused(Acme(lambda services: services.add_singleton(KeepsScope)))
    assert finding.rule.code == "MH304"
    assert f"the singleton {__name__}.KeepsScope needs a Scope (parameter" in finding.detail
    assert "modhost.services.ServiceProvider" in finding.remedy


async def test_one_that_can_do_without_is_made_without() -> None:
    module = Acme(lambda services: services.add_singleton(MayKeepScope))
    async with running_host([module]) as host, host.scope() as scope:
        assert (await scope.get(MayKeepScope)).scope is None
