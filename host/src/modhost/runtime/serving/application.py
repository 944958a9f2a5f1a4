"""The web application of a host: its routes, and who may use them."""

from starlette.applications import Starlette

from modhost import Principal, Scope
from modhost.audit.recording import RefusedRequests
from modhost.runtime.host import Host
from modhost.runtime.lifespan import running
from modhost.runtime.metrics.scrapers import CallerAuthentication
from modhost.web import RequestCounts, build_app


class _Refusals:
    """Records refused requests in the audit, which is among the services."""

    async def note(
        self, scope: Scope, principal: Principal, route: str, path: str, reason: str
    ) -> None:
        await (await scope.get(RefusedRequests)).note(principal.id, route, path, reason)


def application_of(host: Host, counts: RequestCounts) -> Starlette:
    """Return the application of an assembled host.

    Args:
        host: what it serves.
        counts: counts what it answers.

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
        clock=host.clock,
        counts=counts,
        error_reports=host.error_reports,
        lifespan=lambda _: running(host),
    )
