"""The context of a request: its scope of services and its caller, both made when first used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Final, Protocol

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from modhost import Clock, Principal, Scope
from modhost.caller import ActingFor, Caller, anonymous, caller_of
from modhost.clock import SystemClock
from modhost.services import OpenScope, ServiceProvider

_KEY: Final = "modhost.request_context"
RECENT_SECONDS: Final = 1.0
"""How long a caller is taken for who they were, while their body arrives."""


class Authenticator(Protocol):
    """Identifies the caller of a request."""

    async def authenticate(self, request: Request, scope: Scope) -> Principal | None:
        """Return the caller, or None when the request has no valid credentials."""


class Refusals(Protocol):
    """Records requests that were refused."""

    async def note(
        self, scope: Scope, principal: Principal, route: str, path: str, reason: str
    ) -> None:
        """Record a request that would have changed something."""


@dataclass(slots=True)
class RequestContext:
    """The scope and the caller of one request; closed once the request is answered."""

    request: Request
    provider: ServiceProvider
    authenticator: Authenticator | None
    refusals: Refusals | None
    clock: Clock
    _is_authenticated: bool = field(default=False, init=False)
    _authenticated_at: float = field(default=0.0, init=False)
    _principal: Principal | None = field(default=None, init=False)
    _manager: OpenScope | None = field(default=None, init=False)
    _scope: Scope | None = field(default=None, init=False)

    async def scope(self) -> Scope:
        """Return the scope, opened at the first call."""
        if self._scope is None:
            manager = self.provider.scope()
            self._scope = await manager.__aenter__()
            self._manager = manager
        return self._scope

    async def principal(self) -> Principal | None:
        """Return the caller, authenticated at the first call; None for an anonymous one."""
        if not self._is_authenticated:
            # Set first: the page that reports a failure to authenticate has no caller.
            self._is_authenticated = True
            self._authenticated_at = self.clock.monotonic()
            self._principal = await self.principal_now()
        return self._principal

    async def principal_now(self) -> Principal | None:
        """Return the caller, authenticated anew: it notices a logout or a revocation."""
        if self.authenticator is None:
            return None
        return await self.authenticator.authenticate(self.request, await self.scope())

    async def renew(self) -> bool:
        """Authenticate the caller anew unless that was just now; return whether it was done."""
        age = self.clock.monotonic() - self._authenticated_at
        if not self._is_authenticated or age < RECENT_SECONDS:
            return False
        # Nobody until it is known: a failure leaves no caller with rights of the past.
        self._is_authenticated, self._principal = False, None
        await self.principal()
        return True

    async def caller(self) -> Caller:
        """Return the caller with the address of the connection."""
        address = self.request.client.host if self.request.client else ""
        principal = await self.principal()
        return anonymous(address) if principal is None else caller_of(principal, address)

    async def note_refusal(self, principal: Principal, route: str, reason: str) -> None:
        """Record that the request was refused."""
        if self.refusals is not None:
            path = self.request.scope["path"]
            await self.refusals.note(await self.scope(), principal, route, path, reason)

    def with_own_scope(self) -> "RequestContext":
        """Return a context of the same request and caller, without the scope."""
        other = copy(self)
        other._manager = other._scope = None
        return other

    async def close(self, error: BaseException | None = None) -> None:
        """Close the scope if it was opened; its services are closed even after a cancellation.

        They learn of the error, if there is one. What is done next is in a new scope.
        """
        manager, self._manager, self._scope = self._manager, None, None
        if manager is not None:
            await manager.__aexit__(None, error, None)


class RequestContextMiddleware:
    """Gives every request its context."""

    def __init__(
        self,
        app: ASGIApp,
        provider: ServiceProvider,
        authenticator: Authenticator | None,
        refusals: Refusals | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._app = app
        self._parts = (provider, authenticator, refusals, clock or SystemClock())

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer the request, then close its scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = scope[_KEY] = RequestContext(Request(scope, receive), *self._parts)
        try:
            with ActingFor(context.caller):
                await self._app(scope, receive, send)
        except BaseException as error:
            await context.close(error)
            raise
        await context.close()


def context_of(request: Request) -> RequestContext | None:
    """Return the request's context; None outside of the middleware that makes it."""
    context: RequestContext | None = request.scope.get(_KEY)
    return context


async def close_failed(request: Request, error: BaseException) -> None:
    """Close the scope of a request that failed, before anything answers: services undo its work."""
    context = context_of(request)
    if context is not None:
        await context.close(error)


@asynccontextmanager
async def part_of(request: Request) -> AsyncIterator[Request]:
    """Return the request with a scope of its own, for a part that may fail alone."""
    context = context_of(request)
    if context is None:
        yield request
        return
    part = context.with_own_scope()
    try:
        yield Request({**request.scope, _KEY: part}, request.receive)
    except BaseException as error:
        await part.close(error)
        raise
    await part.close()


async def request_scope(request: Request) -> Scope:
    """Return the request's scope of services. Raises `RuntimeError` outside of the host."""
    context = context_of(request)
    if context is None:
        msg = "This request has no scope: only requests that the host routes have one."
        raise RuntimeError(msg)
    return await context.scope()


async def current_principal(request: Request) -> Principal | None:
    """Return the caller, None for an anonymous one; authenticates once per request."""
    context = context_of(request)
    return None if context is None else await context.principal()


async def principal_now(request: Request) -> Principal | None:
    """Return the caller as of now, authenticated anew: for responses that last long."""
    context = context_of(request)
    return None if context is None else await context.principal_now()
