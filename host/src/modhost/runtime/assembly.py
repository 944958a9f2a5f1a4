"""From configuration to a host: every module found, configured, mapped and checked."""

import importlib.metadata
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel
from starlette.requests import Request

from modhost.checks import Finding, rules
from modhost.clock import Clock, SystemClock
from modhost.configuration import Configuration
from modhost.database import BadDatabaseUrl, Database
from modhost.identity import ForeignIdentity
from modhost.module import HostedService, HostInfo, Module, ModuleOptions
from modhost.permissions import Permissions, Principal
from modhost.plugins.discovery import FoundModule
from modhost.plugins.hook_calls import HookCaller
from modhost.plugins.module_selection import Chosen, choose_modules
from modhost.runtime.blueprint import HostBlueprint
from modhost.runtime.exposure import check_exposure
from modhost.runtime.health_endpoints import HealthEndpoints
from modhost.runtime.host import Host, HostParts, hook_failed
from modhost.runtime.shutdown import ShutdownSignal
from modhost.runtime.startup_checks import Assembled, check_assembled, refuse
from modhost.runtime.web_application import application_of
from modhost.services import Scope, ServiceProvider, ServiceRegistry
from modhost.web import ModuleWeb, host_web

VERSION = importlib.metadata.version("modhost")

Role = Literal["web", "worker", "command"]


def build_host(
    configuration: Configuration,
    role: Role,
    *,
    modules: Sequence[Module] | None = None,
    clock: Clock | None = None,
) -> Host:
    """Return the host of a configuration.

    Args:
        configuration: as `load_configuration` gives it.
        role: what the host is for, see `HostInfo`.
        modules: instead of those that are installed; for tests.
        clock: where the time comes from.

    Raises:
        StartupError: with everything that is wrong, not only the first.

    """
    return _Assembly(configuration, role, clock or SystemClock()).build(modules)


class _Assembly:
    """The steps of putting a host together; what is wrong on the way is gathered."""

    def __init__(self, configuration: Configuration, role: Role, clock: Clock) -> None:
        self._configuration = configuration
        self._clock = clock
        self._shutdown = ShutdownSignal()
        self._info = HostInfo(role, configuration.host.environment, VERSION)
        self._findings: list[Finding] = list(configuration.findings)
        self._registry = ServiceRegistry()
        self._permissions = Permissions()
        self._health = HealthEndpoints()
        self._hosted: list[tuple[FoundModule, type[HostedService]]] = []
        self._broken: set[str] = set()

    def build(self, given: Sequence[Module] | None) -> Host:
        """Take all steps; raise at the end if anything was wrong."""
        chosen = choose_modules(self._configuration, given)
        self._findings += chosen.findings
        modules = chosen.modules
        database = self._database(modules)
        self._registry.of_module("modhost").add_instance(
            HostBlueprint, HostBlueprint.of(self._configuration, given)
        )
        self._hooks = HookCaller(modules)
        self._findings += self._hooks.findings
        self._broken.update(finding.module or "" for finding in self._findings)
        options = {found.module.name: self._options(found) for found in modules}
        for found in modules:
            self._configure(found, options[found.module.name])
        web = self._map(modules, options)
        self._check(modules, web)
        return self._host(chosen, database, web)

    def _database(self, modules: Sequence[FoundModule]) -> Database:
        try:
            database = Database(self._configuration.host.database_url)
        except BadDatabaseUrl as error:
            remedy = "Set [host] database_url."
            self._findings.append(Finding(rules.BAD_DATABASE_URL, str(error), remedy))
            database = Database("sqlite:///unused.db")
        for found in modules:
            database.know_schema(found.module.name)
        services = self._registry.of_module("modhost")
        services.add_instance(Database, database)
        services.add_instance(Clock, self._clock)
        services.add_instance(HostInfo, self._info)
        services.add_instance(ShutdownSignal, self._shutdown)
        services.add_instance(Configuration, self._configuration)
        services.add_instance(Permissions, self._permissions)
        return database

    def _options(self, found: FoundModule) -> BaseModel:
        model = found.module.options
        options = self._configuration.bind(found.module.name, model)
        if options is None:
            # What is wrong is among the findings, which are raised before anybody sees this.
            self._findings += [f for f in self._configuration.findings if f not in self._findings]
            self._broken.add(found.module.name)
            return ModuleOptions()
        if model is not ModuleOptions:
            self._registry.of_module(found.module.name).add_instance(model, options)
        return options

    def _configure(self, found: FoundModule, options: BaseModel) -> None:
        services = self._registry.of_module(found.module.name)
        self._call(found, "configure_services", services=services, options=options, host=self._info)
        declared = self._call(found, "configure_permissions")
        self._permissions.declare(found.module.name, declared or ())
        hosted = self._call(found, "hosted_services", options=options, host=self._info)
        self._hosted += [(found, contract) for contract in hosted or ()]
        if self._hooks.implements(found, "authenticate"):
            foreign = ForeignIdentity(found.module.name, partial(self._authenticate, found))
            services.contribute(ForeignIdentity, foreign)

    async def _authenticate(
        self, found: FoundModule, request: Request, scope: Scope
    ) -> Principal | None:
        principal: Principal | None = await self._hooks.call(
            found, "authenticate", request=request, scope=scope
        )
        return principal

    def _map(
        self, modules: Sequence[FoundModule], options: dict[str, BaseModel]
    ) -> list[ModuleWeb]:
        health = ModuleWeb.named("health")
        self._health.map(health.endpoints)
        if self._info.role == "worker":
            return [health]
        webs = [ModuleWeb.of(found.module) for found in modules]
        for found, web in zip(modules, webs, strict=True):
            own = options[found.module.name]
            self._call(found, "map_endpoints", endpoints=web.endpoints, options=own)
            self._call(found, "map_pages", pages=web.pages, options=own)
            self._call(found, "configure_menu", menu=web.menu)
            self._call(found, "configure_middleware", middleware=web.middleware, options=own)
        everything = [*webs, health]
        return [host_web(everything, VERSION), *everything]

    def _call(self, found: FoundModule, hook: str, **arguments: object) -> Any:
        if found.module.name in self._broken:
            return None
        try:
            return self._hooks.call(found, hook, **arguments)
        except Exception as error:  # noqa: BLE001 - whatever a module raises is told with the rest
            self._findings.append(hook_failed(found, hook, error))
            self._broken.add(found.module.name)
            return None

    def _check(self, modules: Sequence[FoundModule], web: Sequence[ModuleWeb]) -> None:
        if self._info.role == "web":
            exposed = check_exposure(self._configuration.host)
            self._findings += [each for each in exposed if each.rule.severity == "error"]
        self._findings += check_assembled(
            Assembled(modules, self._broken, self._registry, self._permissions, self._hosted, web)
        )
        refuse(self._findings, self._configuration.host.silence, modules)

    def _host(self, chosen: Chosen, database: Database, web: list[ModuleWeb]) -> Host:
        host = Host(
            HostParts(
                info=self._info,
                configuration=self._configuration,
                clock=self._clock,
                shutdown=self._shutdown,
                modules=chosen.modules,
                skipped=chosen.skipped,
                hooks=self._hooks,
                database=database,
                permissions=self._permissions,
                provider=ServiceProvider(self._registry),
                web=web,
                hosted=[contract for _, contract in self._hosted],
            )
        )
        self._health.host = host
        host.app = application_of(host)
        return host
