"""The Starlette application of all that the modules declared."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import Lifespan

from modhost.clock import Clock, SystemClock
from modhost.services import ServiceProvider
from modhost.web.errors import ErrorMiddleware, ErrorResponder
from modhost.web.middleware.absolute_target import AbsoluteTargetMiddleware
from modhost.web.middleware.context import Authenticator, Refusals, RequestContextMiddleware
from modhost.web.middleware.request_body import UnreadBodyMiddleware
from modhost.web.middleware.security import (
    CrossSiteMiddleware,
    SecurityHeadersMiddleware,
    TlsAheadMiddleware,
)
from modhost.web.problems import HttpProblem
from modhost.web.rendering.shell import Shell
from modhost.web.routing.modules import ModuleWeb
from modhost.web.routing.routes import build_routes


def build_app(
    modules: Sequence[ModuleWeb],
    provider: ServiceProvider,
    *,
    authenticator: Authenticator | None = None,
    refusals: Refusals | None = None,
    allowed_hosts: Sequence[str] = (),
    trusted_proxies: Sequence[str] = (),
    behind_tls: bool = False,
    clock: Clock | None = None,
    lifespan: Lifespan[Starlette] | None = None,
) -> Starlette:
    """Return the application.

    Args:
        modules: all that is served, in the order of the navigation and of the middleware; the
            host's own parts are given like those of any module.
        provider: opens the scope of each request.
        authenticator: tells who is asking; without one every caller is anonymous.
        refusals: keeps what was refused to whom; without it nothing does.
        allowed_hosts: the host names that are answered to, any when empty.
        trusted_proxies: addresses and networks whose word is taken for where a request comes
            from, and by which scheme.
        behind_tls: whether TLS ends ahead of the host, for all that it is asked.
        clock: what pages count their times from, this machine's unless given.
        lifespan: runs around the serving.

    """
    shell = Shell(modules, clock or SystemClock())
    responder = ErrorResponder(modules, shell)
    # From the outermost to the innermost.
    middleware = [
        Middleware(AbsoluteTargetMiddleware),
        *_proxies(trusted_proxies, behind_tls=behind_tls),
        Middleware(SecurityHeadersMiddleware),
        Middleware(UnreadBodyMiddleware),
        Middleware(
            RequestContextMiddleware,
            provider=provider,
            authenticator=authenticator,
            refusals=refusals,
        ),
        Middleware(ErrorMiddleware, responder=responder),
        *_trusted_hosts(allowed_hosts),
        Middleware(CrossSiteMiddleware),
        *(added for module in modules for added in module.middleware.added),
    ]
    handlers = dict.fromkeys((HttpProblem, HTTPException), responder.respond)
    app = Starlette(
        routes=build_routes(modules, shell),
        middleware=middleware,
        exception_handlers=handlers,
        lifespan=lifespan,
    )
    # Every path answers with and without a trailing slash by itself.
    app.router.redirect_slashes = False
    return app


def _proxies(trusted: Sequence[str], *, behind_tls: bool) -> list[Middleware]:
    found = [_forwarded(trusted)] if trusted else []
    return [*found, Middleware(TlsAheadMiddleware)] if behind_tls else found


def _forwarded(trusted: Sequence[str]) -> Middleware:
    # It takes all of uvicorn along, which the processes of jobs have no use for.
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    return Middleware(ProxyHeadersMiddleware, trusted_hosts=list(trusted))


def _trusted_hosts(allowed_hosts: Sequence[str]) -> list[Middleware]:
    if not allowed_hosts:
        return []
    hosts = list(allowed_hosts)
    return [Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)]
