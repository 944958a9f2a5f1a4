"""The web application of a host: its routes, and who may use them."""

from pathlib import Path

from starlette.applications import Starlette

from modhost import Principal, Scope
from modhost.audit.recording import RefusedRequests
from modhost.runtime.host import Host
from modhost.runtime.lifespan import running
from modhost.runtime.metrics.scrapers import CallerAuthentication
from modhost.web import Branding, RequestCounts, build_app, version_of


class _Refusals:
    """Records refused requests in the audit, which is among the services."""

    async def note(
        self, scope: Scope, principal: Principal, route: str, path: str, reason: str
    ) -> None:
        await (await scope.get(RefusedRequests)).note(principal.id, route, path, reason)


def _static(host: Host) -> list[Path]:
    found = (web.folder("static") for web in host.web)
    return [folder for folder in found if folder is not None]


def application_of(host: Host, counts: RequestCounts, branding: Branding) -> Starlette:
    """Return the application of an assembled host.

    Args:
        host: what it serves.
        counts: counts what it answers.
        branding: the name, logo and accent of its pages.

    """
    options = host.configuration.host
    return build_app(
        host.web,
        host.services,
        authenticator=CallerAuthentication(),
        refusals=_Refusals() if host.info.role == "web" else None,
        allowed_hosts=options.allowed_hosts,
        trusted_proxies=[str(each) for each in options.trusted_proxies],
        behind_tls=options.behind_tls,
        public_url=options.public,
        # A module's author edits them while the host runs.
        asset_version=version_of(_static(host)) if options.environment == "production" else "",
        branding=branding,
        clock=host.clock,
        counts=counts,
        error_reports=host.error_reports,
        lifespan=lambda _: running(host),
    )
