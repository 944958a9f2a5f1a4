"""The testing kit: a host of some modules, running, with a client that needs no network."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from modhost import Clock, Module, Scope, new_id
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.identity import IdentityModule, TokenService
from modhost.module import Role
from modhost.plugins.discovery import of_instance
from modhost.runtime.assembly import build_host
from modhost.runtime.host import Host
from modhost.runtime.lifespan import running
from modhost.runtime.model_checks import check_models

if TYPE_CHECKING:
    import httpx2


class RunningHost:
    """A host under test."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def scope(self) -> AbstractAsyncContextManager[Scope]:
        """Open a scope of services."""
        return self.host.scope()

    async def token(self, *permissions: str, roles: Collection[str] = ()) -> str:
        """Return a new API token with these permissions."""
        async with self.scope() as scope:
            tokens = await scope.get(TokenService)
            created = await tokens.create(f"test {new_id()}", permissions, roles)
            return created.token

    async def client(self, *permissions: str, roles: Collection[str] = ()) -> "httpx2.AsyncClient":
        """Return a client of the application, with a token unless nothing is given.

        It needs the package httpx2. It holds no connections that would have to be closed.
        """
        import httpx2

        headers = {}
        if permissions or roles:
            headers["Authorization"] = f"Bearer {await self.token(*permissions, roles=roles)}"
        transport = httpx2.ASGITransport(self.host.app)
        return httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)


def configure_models(*modules: Module) -> None:
    """Make the models of modules usable without a host, as its start does.

    Their foreign keys may refer to tables of these modules and of the host: without this,
    SQLAlchemy raises `NoReferencedTableError` for those of another module.

    Args:
        modules: those whose models are used, and those that they refer to.

    Raises:
        StartupError: as a start would report it, e.g. for a table that no module has.

    """
    found = [of_instance(each) for each in (IdentityModule(), *modules)]
    findings = check_models(found, has_schemas=True)
    if findings:
        raise StartupError(findings)


@asynccontextmanager
async def running_host(
    modules: Sequence[Module] | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    role: Role = "web",
    clock: Clock | None = None,
) -> AsyncIterator[RunningHost]:
    """Run a host in this event loop, in development, on a database of its own unless one is given.

    Args:
        modules: instead of all that are installed.
        config: the tables of the configuration file, e.g. `{"modules": {"reports": {…}}}`.
        role: as `modhost run` (`web`) or as `modhost worker` (`worker`).
        clock: the source of the time, this machine's unless given.

    Raises:
        StartupError: as the command line would report it.

    """
    with TemporaryDirectory() as folder:
        values = dict(config or {})
        values["host"] = {
            "environment": "development",
            "database_url": f"sqlite:///{Path(folder) / 'modhost.db'}",
            **values.get("host", {}),
        }
        host = build_host(Configuration(values), role, modules=modules, clock=clock)
        async with running(host):
            yield RunningHost(host)
