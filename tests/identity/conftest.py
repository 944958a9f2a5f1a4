"""Identity over a real database, with a clock that the tests move."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from identity.support import GENERATE, PASSWORD, VIEW
from modhost.clock import Clock
from modhost.database import Database
from modhost.database.migrations import migrate
from modhost.database.schemas import Migrations
from modhost.identity import Authenticator, IdentityModule, LoginService, UserService, Visitor
from modhost.module import HostInfo
from modhost.permissions import Permissions
from modhost.services import Scope, ServiceProvider, ServiceRegistry, check_graph
from modhost.web import ModuleWeb, RequestCounts, build_app
from moving_clock import MovingClock


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/modhost.db")
    async with database.open():
        await migrate(database, [Migrations("modhost", "modhost.migrations")])
        yield database


@pytest.fixture
def host_info() -> HostInfo:
    return HostInfo(role="web", environment="development", version="0.1.0")


@pytest.fixture
async def provider(
    database: Database, clock: MovingClock, host_info: HostInfo
) -> AsyncIterator[ServiceProvider]:
    module = IdentityModule()
    permissions = Permissions()
    permissions.declare(module.name, module.configure_permissions())
    permissions.declare("reports", [VIEW, GENERATE])
    registry = ServiceRegistry()
    services = registry.of_module(module.name)
    services.add_instance(Database, database)
    services.add_instance(Clock, clock)
    services.add_instance(Permissions, permissions)
    services.add_instance(HostInfo, host_info)
    services.add_instance(RequestCounts, RequestCounts())
    module.configure_services(services)
    assert check_graph(registry) == []
    provider = ServiceProvider(registry)
    await provider.start()
    yield provider
    await provider.aclose()


@pytest.fixture
async def scope(provider: ServiceProvider) -> AsyncIterator[Scope]:
    async with provider.scope() as scope:
        yield scope


@pytest.fixture
async def session(scope: Scope) -> str:
    """The secret of a session of the user vera, a Viewer."""
    await (await scope.get(UserService)).add("vera", PASSWORD, ["Viewer"])
    return await (await scope.get(LoginService)).with_password("vera", PASSWORD, Visitor())


@pytest.fixture
async def app(provider: ServiceProvider, scope: Scope) -> Starlette:
    module = IdentityModule()
    web = ModuleWeb.of(module)
    module.map_pages(web.pages)
    return build_app([web], provider, authenticator=await scope.get(Authenticator))


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
