"""Assembly: from a configuration to a host whose modules are found, configured and checked."""

import importlib.metadata
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel

from modhost import Clock, HostedService, HostInfo, Module, ModuleOptions
from modhost.administration.settings import DeclaredSettings, SettingsFollower
from modhost.administration.system.contracts import SystemReader
from modhost.checks import Finding, rules
from modhost.clock import SystemClock
from modhost.configuration import Configuration
from modhost.database import BadDatabaseUrl, Database
from modhost.events import Events, Publication
from modhost.identity import ForeignIdentity
from modhost.module import Role
from modhost.permissions import Permissions
from modhost.plugins import FoundModule, HookCaller, choose_modules, hook_failed
from modhost.runtime.blueprint import HostBlueprint
from modhost.runtime.events.dispatcher import EventDispatcher
from modhost.runtime.events.publishing import PublishedEvents
from modhost.runtime.health import HealthEndpoints
from modhost.runtime.host import Host
from modhost.runtime.metrics.checks import check_metrics
from modhost.runtime.metrics.endpoint import MetricsEndpoint
from modhost.runtime.metrics.scrapers import VIEW_METRICS
from modhost.runtime.model_checks import check_models
from modhost.runtime.module_settings import register_settings
from modhost.runtime.serving.application import application_of
from modhost.runtime.shutdown import ShutdownSignal
from modhost.runtime.startup_checks import branding_of, check_assembled, check_exposure, refuse
from modhost.runtime.system.report import HostSystem
from modhost.services import ServiceProvider, ServiceRegistry, Subscription
from modhost.telemetry import ErrorReports
from modhost.web import Branding, ModuleWeb, RequestCounts, host_web

VERSION: Final = importlib.metadata.version("modhost")


def build_host(
    configuration: Configuration,
    role: Role,
    *,
    modules: Sequence[Module] | None = None,
    clock: Clock | None = None,
) -> Host:
    """Return the host of a configuration.

    Args:
        configuration: as `load_configuration` returns it.
        role: what the host is for, see `HostInfo`.
        modules: instead of those that are installed; for tests.
        clock: the source of the time, this machine's unless given.

    Raises:
        StartupError: with everything that is wrong, not only the first.

    """
    return _Assembly(configuration, role, clock or SystemClock(), modules).build()


class _Assembly:
    """The steps of assembling a host; everything that is wrong is gathered, and raised last."""

    def __init__(
        self,
        configuration: Configuration,
        role: Role,
        clock: Clock,
        given: Sequence[Module] | None,
    ) -> None:
        self._configuration = configuration
        self._clock = clock
        self._blueprint = HostBlueprint.of(configuration, given)
        options = configuration.host
        self._info = HostInfo(
            role,
            options.environment,
            VERSION,
            options.public_url,
            options.trace_url,
            options.app_version,
        )
        self._chosen = choose_modules(configuration, given)
        self._modules = self._chosen.modules
        self._hooks = HookCaller(self._modules)
        self._reports = ErrorReports(self._hooks.callers("report_error", self._modules))
        self._findings = self._chosen.findings + self._hooks.findings
        self._broken = {finding.module or "" for finding in self._findings}
        self._registry = ServiceRegistry()
        self._permissions = Permissions()
        self._shutdown = ShutdownSignal()
        self._health = HealthEndpoints()
        self._metrics = MetricsEndpoint()
        self._system = HostSystem()
        self._branding = Branding()
        self._hosted: list[tuple[FoundModule, type[HostedService]]] = []

    def build(self) -> Host:
        """Take all steps; raise at the end if anything was wrong."""
        database = self._make_database()
        self._register_own(database)
        options = {found.module.name: self._bind_options(found) for found in self._modules}
        for found in self._modules:
            self._configure(found, options[found.module.name])
        web = self._map(options)
        self._findings += check_metrics(self._modules, self._hooks, self._broken)
        self._findings += check_models(self._modules, has_schemas=database.dialect != "sqlite")
        self._check(web)
        host = Host(
            info=self._info,
            configuration=self._configuration,
            clock=self._clock,
            shutdown=self._shutdown,
            modules=self._modules,
            skipped=self._chosen.skipped,
            hooks=self._hooks,
            database=database,
            permissions=self._permissions,
            services=ServiceProvider(self._registry),
            web=web,
            hosted=self._all_hosted(),
            error_reports=self._reports,
        )
        self._health.host = self._metrics.host = self._system.host = host
        host.app = application_of(host, self._metrics.counts, self._branding)
        return host

    def _all_hosted(self) -> list[type[HostedService]]:
        hosted = [contract for _, contract in self._hosted]
        contributed = self._registry.contributions
        if DeclaredSettings in contributed:
            hosted = [SettingsFollower, *hosted]
        # The first to start is the last to stop: others may publish until they end.
        return [EventDispatcher, *hosted] if Subscription in contributed else hosted

    def _make_database(self) -> Database:
        try:
            return Database(self._configuration.host.database_url)
        except BadDatabaseUrl as error:
            remedy = "Check [host] database_url."
            self._findings.append(Finding(rules.BAD_DATABASE_URL, str(error), remedy))
            return Database("sqlite:///unused.db")

    def _register_own(self, database: Database) -> None:
        services = self._registry.of_module("modhost")
        services.add_instance(HostBlueprint, self._blueprint)
        services.add_instance(Database, database)
        services.add_instance(Clock, self._clock)
        services.add_instance(HostInfo, self._info)
        services.add_instance(ShutdownSignal, self._shutdown)
        services.add_instance(ErrorReports, self._reports)
        services.add_instance(Configuration, self._configuration)
        services.add_instance(SystemReader, self._system)
        services.add_instance(Permissions, self._permissions)
        services.add_instance(RequestCounts, self._metrics.counts)
        self._permissions.declare("modhost", [VIEW_METRICS])
        services.add_singleton(EventDispatcher)
        services.add_singleton(Events, PublishedEvents)

    def _bind_options(self, found: FoundModule) -> BaseModel:
        model = found.module.options
        self._findings += register_settings(found, self._configuration, self._registry)
        options = self._configuration.bind(found.module.name, model)
        if options is None:
            # What is wrong is among the configuration's findings, which stop the start.
            self._broken.add(found.module.name)
            return ModuleOptions()
        if model is not ModuleOptions:
            self._registry.of_module(found.module.name).add_instance(model, options)
        return options

    def _configure(self, found: FoundModule, options: BaseModel) -> None:
        services = self._registry.of_module(found.module.name, found.version_in_use)
        self._call(found, "configure_services", services=services, options=options, host=self._info)
        for event in found.module.publishes:
            services.contribute(Publication, Publication(event, found.module.name))
        declared = self._call(found, "configure_permissions")
        self._permissions.declare(found.module.name, declared or ())
        hosted = self._call(found, "hosted_services", options=options, host=self._info)
        self._hosted += [(found, contract) for contract in hosted or ()]
        if self._hooks.implements(found, "authenticate"):
            foreign = ForeignIdentity(
                found.module.name,
                lambda request, scope: self._hooks.call_async(
                    found, "authenticate", request=request, scope=scope
                ),
            )
            services.contribute(ForeignIdentity, foreign)

    def _map(self, options: dict[str, BaseModel]) -> list[ModuleWeb]:
        health = ModuleWeb.named("health")
        self._health.map(health.endpoints)
        self._metrics.map(health.endpoints, self._info, self._configuration.host)
        if self._info.role == "worker":
            return [health]
        webs = [ModuleWeb.of(found.module) for found in self._modules]
        for found, web in zip(self._modules, webs, strict=True):
            own = options[found.module.name]
            self._call(found, "map_endpoints", endpoints=web.endpoints, options=own)
            self._call(found, "map_pages", pages=web.pages, options=own)
            self._call(found, "configure_menu", menu=web.menu)
            self._call(found, "configure_slots", slots=web.slots)
            self._call(found, "configure_middleware", middleware=web.middleware, options=own)
        everything = [*webs, health]
        if self._info.role == "web":
            self._branding, unusable = branding_of(self._configuration)
            self._findings += unusable
        own_web = host_web(everything, VERSION, self._info.public_url, self._branding, self._clock)
        return [own_web, *everything]

    def _call(self, found: FoundModule, hook: str, **arguments: object) -> Any:
        if found.module.name in self._broken:
            return None
        try:
            return self._hooks.call(found, hook, **arguments)
        except Exception as error:  # noqa: BLE001 - whatever a module raises is among the findings
            self._findings.append(hook_failed(found, hook, error))
            self._broken.add(found.module.name)
            return None

    def _check(self, web: Sequence[ModuleWeb]) -> None:
        if self._info.role != "worker":
            # A worker needs none, and starts more quickly.
            from modhost.plugins.module_commands import check_commands

            sound = [each for each in self._modules if each.module.name not in self._broken]
            self._findings += check_commands(sound, self._hooks)
        if self._info.role == "web":
            exposed = check_exposure(self._configuration.host)
            self._findings += [each for each in exposed if each.rule.severity == "error"]
        self._findings += check_assembled(
            self._modules, self._broken, self._registry, self._permissions, self._hosted, web
        )
        # Options that are bound twice, for two hosts, leave their findings twice.
        findings = dict.fromkeys([*self._configuration.findings, *self._findings])
        refuse(findings, self._configuration.host.silence, self._modules)
