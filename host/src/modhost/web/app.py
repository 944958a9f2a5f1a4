"""The Starlette application: the routes of all modules within the middleware."""

from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Lifespan

from modhost import Clock
from modhost.clock import SystemClock
from modhost.configuration import PublicUrl
from modhost.services import ServiceProvider
from modhost.telemetry import ErrorReports
from modhost.web.access.context import Authenticator, Refusals, RequestContextMiddleware
from modhost.web.errors import ErrorMiddleware, ErrorResponder
from modhost.web.middleware.addressing import AbsoluteTargetMiddleware, proxy_middleware
from modhost.web.middleware.bodies import UnreadBodyMiddleware
from modhost.web.middleware.counting import CountingMiddleware, RequestCounts
from modhost.web.middleware.protection import (
    AllowedHostsMiddleware,
    CrossSiteMiddleware,
    SecurityHeadersMiddleware,
)
from modhost.web.middleware.request_ids import RequestIdMiddleware
from modhost.web.middleware.tracing import TracingMiddleware
from modhost.web.problems import HttpProblem
from modhost.web.rendering.branding import Branding
from modhost.web.rendering.shell import Shell
from modhost.web.routing.module_web import ModuleWeb
from modhost.web.routing.routes import build_routes
from modhost.web.routing.static_files import VERSIONED

SMALL: Final = 1000
"""Answers of fewer bytes fit into one packet as they are."""
GZIP_LEVEL: Final = 4
"""The highest one takes half as long again, and saves a tenth."""


def build_app(
    modules: Sequence[ModuleWeb],
    provider: ServiceProvider,
    *,
    authenticator: Authenticator | None = None,
    refusals: Refusals | None = None,
    allowed_hosts: Sequence[str] = (),
    trusted_proxies: Sequence[str] = (),
    behind_tls: bool = False,
    public_url: PublicUrl | None = None,
    asset_version: str = "",
    branding: Branding | None = None,
    clock: Clock | None = None,
    counts: RequestCounts | None = None,
    error_reports: ErrorReports | None = None,
    lifespan: Lifespan[Starlette] | None = None,
) -> Starlette:
    """Return the application.

    Args:
        modules: what is served, in the order of the navigation and of the middleware; the host's
            own parts are given like those of any module.
        provider: opens the scope of each request.
        authenticator: identifies callers; without one every caller is anonymous.
        refusals: records refused requests; without it nothing does.
        allowed_hosts: the host names that are answered to, any when empty.
        trusted_proxies: the addresses and networks of proxies that are believed when they say where
            a request comes from, and by which scheme.
        behind_tls: whether a proxy ahead of the host ends TLS for every request.
        public_url: where browsers find the host; without it each request decides.
        asset_version: that of the static files, under which browsers keep them; empty where files
            may change while the host runs.
        branding: the name, logo and accent of pages; those of modhost unless given.
        clock: the time of pages and requests; this machine's unless given.
        counts: counts what is answered, for metrics.
        error_reports: passes errors that nothing has handled to modules.
        lifespan: runs around the serving.

    """
    shell = Shell(
        [entry for module in modules for entry in module.menu.entries],
        {module.name: module.folder("templates") for module in modules},
        clock or SystemClock(),
        public_url.path if public_url else "",
        VERSIONED.format(version=asset_version) if asset_version else "/static",
        branding,
        [tab for module in modules for tab in module.slots.tabs],
    )
    reports = error_reports or ErrorReports()
    responder = ErrorResponder(modules, shell, reports)
    context = Middleware(
        RequestContextMiddleware,
        provider=provider,
        authenticator=authenticator,
        refusals=refusals,
        clock=clock,
    )
    hosts = Middleware(AllowedHostsMiddleware, allowed_hosts=allowed_hosts)
    app = Starlette(
        routes=build_routes(modules, shell, asset_version),
        # From the outermost to the innermost.
        middleware=[
            Middleware(RequestIdMiddleware, reports=reports),
            Middleware(TracingMiddleware),
            Middleware(CountingMiddleware, counts=counts or RequestCounts()),
            Middleware(AbsoluteTargetMiddleware),
            *proxy_middleware(trusted_proxies, public_url, behind_tls=behind_tls),
            Middleware(SecurityHeadersMiddleware),
            Middleware(GZipMiddleware, minimum_size=SMALL, compresslevel=GZIP_LEVEL),
            Middleware(UnreadBodyMiddleware),
            context,
            Middleware(ErrorMiddleware, responder=responder),
            *([hosts] if allowed_hosts else []),
            Middleware(CrossSiteMiddleware, public=public_url),
            *(added for module in modules for added in module.middleware.added),
            # Inside of those too: what they add to answers, errors have as well.
            Middleware(ErrorMiddleware, responder=responder),
        ],
        exception_handlers=dict.fromkeys((HttpProblem, HTTPException), responder.respond),
        lifespan=lifespan,
    )
    # Every path answers with and without a trailing slash by itself.
    app.router.redirect_slashes = False
    return app
