"""A host of small modules, served to a test client."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from modhost.configuration import PublicUrl
from modhost.permissions import Permission, Permissions, Principal
from modhost.services import Scope, ServiceProvider, ServiceRegistry
from modhost.web import ModuleWeb, build_app, check_web, host_web

VIEW: Final = Permission("Things.View", "View things")
MANAGE: Final = Permission("Things.Manage", "Manage things")

VIEWER: Final = {"Authorization": "Bearer viewer"}
MANAGER: Final = {"Authorization": "Bearer manager"}
VIEWER_COOKIE: Final = {"Cookie": "session=viewer"}

_PRINCIPALS: Final = {
    "viewer": Principal("user:1", "Vera", grants=frozenset({"Things.View"})),
    "manager": Principal("user:2", "Mia", grants=frozenset({"Things.*"})),
}


class NamesAreSecrets:
    """Authenticates callers who know the name of a principal; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def authenticate(self, request: Request, scope: Scope) -> Principal | None:
        assert isinstance(scope, Scope)
        self.asked += 1
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return _PRINCIPALS.get(token or request.cookies.get("session", ""))


class Serving:
    """One module to fill, and the client of a host that serves it."""

    def __init__(self, package: str = "") -> None:
        self.web = ModuleWeb.named("things", package, "/api/things", "/things")
        self.registry = ServiceRegistry()
        self.services = self.registry.of_module("things")
        self.authenticator = NamesAreSecrets()
        self.permissions = Permissions()
        self.permissions.declare("things", [VIEW, MANAGE])
        self.modules = [host_web([self.web], "1.2.3"), self.web]

    def findings(self) -> list[str]:
        found = check_web(self.modules, self.permissions, self.registry)
        return [str(finding) for finding in found]

    @contextmanager
    def client(
        self,
        *,
        allowed_hosts: tuple[str, ...] = (),
        base_url: str = "http://testserver",
        public_url: str = "",
    ) -> Iterator[TestClient]:
        assert self.findings() == []
        provider = ServiceProvider(self.registry)

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            await provider.start()
            yield
            await provider.aclose()

        app = build_app(
            [host_web([self.web], "1.2.3", public_url), self.web],
            provider,
            authenticator=self.authenticator,
            allowed_hosts=allowed_hosts,
            public_url=PublicUrl.parse(public_url) if public_url else None,
            lifespan=lifespan,
        )
        with TestClient(app, base_url=base_url, follow_redirects=False) as client:
            yield client
