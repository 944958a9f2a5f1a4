"""The hooks that a module may implement. Together their docstrings are the plugin manual."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy
from pydantic import BaseModel

if TYPE_CHECKING:
    import click
    from starlette.requests import Request

    from modhost.checks import Finding
    from modhost.metrics import Samples
    from modhost.module import HealthReport, HostedService, HostInfo, ProcessReport
    from modhost.permissions import Permission, Principal
    from modhost.services import Scope, ServiceCollection
    from modhost.telemetry import ErrorOrigin
    from modhost.web import Endpoints, Menu, MiddlewareStack, Pages, Slots

PROJECT = "modhost"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class ModuleHooks:
    """Specifications of all hooks; an implementation may leave out parameters it does not need."""

    @hookspec
    def configure_services(
        self, services: "ServiceCollection", options: BaseModel, host: "HostInfo"
    ) -> None:
        """Register what this module offers: contracts with their implementations and lifetimes.

        Called once, at start, after the modules named in `requires`. Nothing may be resolved here.
        """

    @hookspec
    def configure_permissions(self) -> "Sequence[Permission]":  # type: ignore[empty-body]
        """Return the permissions that this module's endpoints and pages ask for."""

    @hookspec
    def map_endpoints(self, endpoints: "Endpoints", options: BaseModel) -> None:
        """Map the API endpoints, under the module's `route_prefix`; each names its permission."""

    @hookspec
    def map_pages(self, pages: "Pages", options: BaseModel) -> None:
        """Map the pages, under the module's `view_prefix`; each names its permission."""

    @hookspec
    def configure_menu(self, menu: "Menu") -> None:
        """Add entries to the navigation; an entry shows only to those who may open its page."""

    @hookspec
    def configure_slots(self, slots: "Slots") -> None:
        """Add cards to the start page, and tabs to the pages of other modules."""

    @hookspec
    def configure_middleware(self, middleware: "MiddlewareStack", options: BaseModel) -> None:
        """Add ASGI middleware; it runs after authentication, in the order of the modules."""

    @hookspec
    def hosted_services(  # type: ignore[empty-body]
        self, options: BaseModel, host: "HostInfo"
    ) -> "Sequence[type[HostedService]]":
        """Return the contracts of the singletons that the host runs for as long as it runs itself.

        They start in the order given, after every `on_start`; a service that fails before it
        reports itself started fails the start, one that crashes later is restarted with backoff.
        """

    @hookspec
    async def check_health(self, scope: "Scope") -> "HealthReport":  # type: ignore[empty-body]
        """Report whether this module can do its work; bounded by a timeout, without secrets."""

    @hookspec
    async def collect_metrics(self, samples: "Samples", scope: "Scope") -> None:
        """Add the values of the metrics that this module declares in `metrics`.

        Called for `/metrics`, once for scrapes that come together; bounded by a timeout, after
        which what was added until then is exposed. So add first what the process knows by itself,
        then what the database is asked for, by statements that are bounded.
        """

    @hookspec
    async def diagnose(self, scope: "Scope") -> "Sequence[Finding]":  # type: ignore[empty-body]
        """Return what is wrong that takes time to find; `modhost doctor` asks, a start does not.

        Each finding names a `Rule` of the module's own. Shown to operators, without secrets.
        """

    @hookspec
    async def report_processes(  # type: ignore[empty-body]
        self, scope: "Scope"
    ) -> "Sequence[ProcessReport]":
        """Return the processes that this module knows of, wherever they run.

        The page `/admin/system` asks when somebody opens it, and waits for a few seconds.
        """

    @hookspec
    def register_commands(self, cli: "click.Group") -> None:
        """Add command groups to `modhost`; what they need, `modhost.cli.host_scope` opens."""

    @hookspec
    async def authenticate(self, request: "Request", scope: "Scope") -> "Principal | None":
        """Return who is asking by another identity than the host's own, or None to pass."""

    @hookspec
    def report_error(self, error: BaseException, where: "ErrorOrigin") -> None:
        """Report an error that nothing has handled to a service outside; the log has it too.

        Called in a thread of the module's own, one error after the other; what it raises is logged.
        While it takes long a hundred errors wait, and the rest are dropped. Of the error of a job
        the frames have no variables any more; its text may hold what the job was given.
        """

    @hookspec
    async def on_start(self, scope: "Scope") -> None:
        """Prepare: the database is migrated, nothing but health is served yet.

        An error stops the start, and one of a database that may work again soon repeats the hook:
        let it find what it has done before. `[host] start_timeout` bounds it.
        """

    @hookspec
    async def on_stop(self, scope: "Scope") -> None:
        """Clean up, in reverse order, after the hosted services have stopped; bounded in time."""
