"""What belongs to one request: its scope of services and its caller, both made when first used."""

from typing import TYPE_CHECKING, Final, Protocol

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from modhost.caller import ActingFor, Caller, anonymous, caller_of
from modhost.permissions import Principal
from modhost.services import Scope, ServiceProvider

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

_KEY: Final = "modhost.request_context"


class Authenticator(Protocol):
    """Tells who is asking."""

    async def authenticate(self, request: Request, scope: Scope) -> Principal | None:
        """Return the caller, or None when the request has no valid credentials."""
        ...


class Refusals(Protocol):
    """Keeps what was refused to whom."""

    async def note(
        self, scope: Scope, principal: Principal, route: str, path: str, reason: str
    ) -> None:
        """Note a request that would have changed something."""
        ...


class RequestContext:
    """The scope and the caller of one request; closed when the request is answered."""

    def __init__(
        self,
        request: Request,
        provider: ServiceProvider,
        authenticator: Authenticator | None,
        refusals: Refusals | None,
    ) -> None:
        self._request = request
        self._refusals = refusals
        self._provider = provider
        self._authenticator = authenticator
        self._authenticated = False
        self._principal: Principal | None = None
        self._manager: AbstractAsyncContextManager[Scope] | None = None
        self._scope: Scope | None = None

    async def scope(self) -> Scope:
        """Return the scope, opened at the first call."""
        if self._scope is None:
            manager = self._provider.scope()
            self._scope = await manager.__aenter__()
            self._manager = manager
        return self._scope

    async def principal(self) -> Principal | None:
        """Return the caller, authenticated at the first call; None for an anonymous one."""
        if not self._authenticated and self._authenticator is not None:
            # Noted first: the page that tells of a failure to authenticate is an anonymous one.
            self._authenticated = True
            scope = await self.scope()
            self._principal = await self._authenticator.authenticate(self._request, scope)
        return self._principal

    async def principal_now(self) -> Principal | None:
        """Return the caller, authenticated anew: a log-out or a revocation since shows."""
        if self._authenticator is None:
            return None
        return await self._authenticator.authenticate(self._request, await self.scope())

    async def caller(self) -> Caller:
        """Return the caller with the address of the connection."""
        address = self._request.client.host if self._request.client else ""
        principal = await self.principal()
        return anonymous(address) if principal is None else caller_of(principal, address)

    async def note_refusal(self, principal: Principal, route: str, reason: str) -> None:
        """Note that the request was refused to its caller."""
        if self._refusals is not None:
            path = self._request.scope["path"]
            await self._refusals.note(await self.scope(), principal, route, path, reason)

    async def close(self) -> None:
        """Close the scope, if it was opened; the services see to it even when cancelled."""
        manager, self._manager, self._scope = self._manager, None, None
        if manager is not None:
            await manager.__aexit__(None, None, None)


class RequestContextMiddleware:
    """Gives every request its context."""

    def __init__(
        self,
        app: ASGIApp,
        provider: ServiceProvider,
        authenticator: Authenticator | None,
        refusals: Refusals | None = None,
    ) -> None:
        self._app = app
        self._refusals = refusals
        self._provider = provider
        self._authenticator = authenticator

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer the request, then close its scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        context = RequestContext(request, self._provider, self._authenticator, self._refusals)
        scope[_KEY] = context
        try:
            with ActingFor(context.caller):
                await self._app(scope, receive, send)
        finally:
            await context.close()


def context_of(request: Request) -> RequestContext | None:
    """Return the request's context; None before the middleware that makes it."""
    context: RequestContext | None = request.scope.get(_KEY)
    return context


async def request_scope(request: Request) -> Scope:
    """Return the request's scope of services. Raises `RuntimeError` outside of the host."""
    context = context_of(request)
    if context is None:
        msg = "This request has no scope: only requests that the host routes have one."
        raise RuntimeError(msg)
    return await context.scope()


async def current_principal(request: Request) -> Principal | None:
    """Return who is asking, None for an anonymous caller; asks the database once per request."""
    context = context_of(request)
    return None if context is None else await context.principal()


async def principal_now(request: Request) -> Principal | None:
    """Return who is asking as of now, for answers that go on for long; asks the database anew."""
    context = context_of(request)
    return None if context is None else await context.principal_now()
