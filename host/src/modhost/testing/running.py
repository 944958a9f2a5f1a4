"""A host of some modules, running in the event loop of a test, and its client."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from modhost import Clock, Module, Scope, new_id
from modhost.configuration import Configuration
from modhost.identity import TokenService
from modhost.module import Role
from modhost.runtime.assembly import build_host
from modhost.runtime.host import Host
from modhost.runtime.lifespan import running
from modhost.testing.templates import new_file

if TYPE_CHECKING:
    import httpx2

BASE_URL: Final = "http://localhost"


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

        transport = httpx2.ASGITransport(self.host.app)
        headers = await self.headers(*permissions, roles=roles)
        return httpx2.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)

    async def headers(self, *permissions: str, roles: Collection[str] = ()) -> dict[str, str]:
        """Return the headers of requests with a new API token, none unless something is given."""
        if not permissions and not roles:
            return {}
        return {"Authorization": f"Bearer {await self.token(*permissions, roles=roles)}"}


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
        own = {"environment": "development", **values.get("host", {})}
        if "database_url" not in own:
            own["database_url"] = await new_file(Path(folder), modules, values)
        values["host"] = own
        host = build_host(Configuration(values), role, modules=modules, clock=clock)
        async with running(host):
            yield RunningHost(host)
