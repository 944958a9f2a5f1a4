"""The web application of a host."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request

from modhost.audit.recording import RefusedRequests
from modhost.identity import Authenticator
from modhost.permissions import Principal
from modhost.runtime.host import Host
from modhost.services import Scope, ServiceProvider
from modhost.web import build_app


def application_of(host: Host) -> Starlette:
    """Return the application; the host runs as long as the application does."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with host.running():
            yield

    return build_app(
        host.web,
        host.services,
        authenticator=_Authentication(host.services) if host.info.role == "web" else None,
        refusals=_Refusals() if host.info.role == "web" else None,
        allowed_hosts=host.configuration.host.allowed_hosts,
        trusted_proxies=[str(each) for each in host.configuration.host.trusted_proxies],
        behind_tls=host.configuration.host.behind_tls,
        clock=host.clock,
        lifespan=lifespan,
    )


class _Authentication:
    """Asks the authenticator among the services, which exists once the host runs."""

    def __init__(self, provider: ServiceProvider) -> None:
        self._provider = provider

    async def authenticate(self, request: Request, scope: Scope) -> Principal | None:
        return await (await scope.get(Authenticator)).authenticate(request, scope)


class _Refusals:
    """Hands refused requests to the audit, which is among the services."""

    async def note(
        self, scope: Scope, principal: Principal, route: str, path: str, reason: str
    ) -> None:
        await (await scope.get(RefusedRequests)).note(principal.id, route, path, reason)
