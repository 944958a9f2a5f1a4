"""From configuration to a host: every module found, configured, mapped and checked."""

import importlib.metadata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import Any, Final, Literal

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request

from modhost.background import HostedService
from modhost.blueprint import HostBlueprint
from modhost.checks import Finding, StartupError, rules
from modhost.clock import Clock, SystemClock
from modhost.configuration import Configuration
from modhost.database import BadDatabaseUrl, Database
from modhost.discovery import (
    Discovered,
    FoundModule,
    SkippedModule,
    check_modules,
    find_modules,
    of_instance,
)
from modhost.exposure import check_exposure
from modhost.hook_calls import HookCaller
from modhost.host import Host, HostParts, hook_failed
from modhost.host_health import HealthEndpoints
from modhost.host_info import HostInfo
from modhost.identity import Authenticator, ForeignIdentity, IdentityModule
from modhost.module import Module, ModuleOptions
from modhost.ordering import order_modules
from modhost.permissions import Permissions, Principal
from modhost.services import Scope, ServiceProvider, ServiceRegistry, check_graph
from modhost.stopping import Stopping
from modhost.web import ModuleWeb, build_app, check_web, host_web

VERSION = importlib.metadata.version("modhost")

OIDC: Final = "oidc"
"""The module that the host brings itself, and that is there when it is configured."""

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
        self._stopping = Stopping()
        self._info = HostInfo(role, configuration.host.environment, VERSION)
        self._findings: list[Finding] = list(configuration.findings)
        self._registry = ServiceRegistry()
        self._permissions = Permissions()
        self._health = HealthEndpoints()
        self._hosted: list[tuple[FoundModule, type[HostedService]]] = []
        self._broken: set[str] = set()

    def build(self, given: Sequence[Module] | None) -> Host:
        """Take all steps; raise at the end if anything was wrong."""
        modules, skipped = self._find(given)
        database = self._database(modules)
        self._registry.of_module("modhost").add_instance(
            HostBlueprint, HostBlueprint.of(self._configuration, given)
        )
        self._modules = modules
        self._hooks = HookCaller(modules)
        self._findings += self._hooks.findings
        self._broken.update(finding.module or "" for finding in self._findings)
        options = {found.module.name: self._options(found) for found in modules}
        for found in modules:
            self._configure(found, options[found.module.name])
        web = self._map(modules, options)
        self._check(web)
        self._refuse()
        provider = ServiceProvider(self._registry)
        host = Host(
            HostParts(
                info=self._info,
                configuration=self._configuration,
                clock=self._clock,
                stopping=self._stopping,
                modules=modules,
                skipped=skipped,
                hooks=self._hooks,
                database=database,
                permissions=self._permissions,
                provider=provider,
                web=web,
                hosted=[contract for _, contract in self._hosted],
            )
        )
        self._health.host = host
        host.app = _application(host)
        return host

    def _find(
        self, given: Sequence[Module] | None
    ) -> tuple[list[FoundModule], list[SkippedModule]]:
        own = [of_instance(IdentityModule()), *self._oidc()]
        settings = self._configuration.host.modules
        if given is None:
            discovered = find_modules(settings.disabled)
        else:
            found = [of_instance(module) for module in given]
            discovered = Discovered(found, [], check_modules(found))
        skipped = list(discovered.skipped)
        present = list(discovered.modules)
        findings = list(discovered.findings)
        if settings.on_error == "skip":
            findings = [each for each in findings if each.rule is not rules.MODULE_NOT_IMPORTED]
            present = _without_dependents(present, skipped)
        self._findings += findings
        self._refuse_unknown(present, skipped)
        ordered, problems = order_modules(present)
        self._findings += problems
        return [*own, *ordered], skipped

    def _oidc(self) -> list[FoundModule]:
        """Return the host's own module of OpenID Connect, where it is configured."""
        disabled = self._configuration.host.modules.disabled
        if OIDC not in self._configuration.module_names() or OIDC in disabled:
            return []
        try:
            from modhost.oidc.module import OidcModule
        except ImportError as error:
            remedy = "Install it: pip install 'modhost[oidc]'."
            detail = f"[modules.{OIDC}] needs a package that is not installed: {error.name}."
            self._findings.append(Finding(rules.MODULE_NOT_IMPORTED, detail, remedy, OIDC))
            return []
        return [of_instance(OidcModule())]

    def _refuse_unknown(
        self, present: Sequence[FoundModule], skipped: Sequence[SkippedModule]
    ) -> None:
        known = [found.module.name for found in present] + [each.name for each in skipped]
        known += [*self._configuration.host.modules.disabled, OIDC]
        for name in self._configuration.module_names():
            if name not in known:
                similar = get_close_matches(name, known, 1)
                remedy = (
                    f"Did you mean [modules.{similar[0]}]?"
                    if similar
                    else (
                        "Install the package that brings it, or remove the section; "
                        "`modhost modules` lists what is installed."
                    )
                )
                detail = f"[modules.{name}] configures a module that is not installed."
                self._findings.append(Finding(rules.UNKNOWN_MODULE, detail, remedy))

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
        services.add_instance(Stopping, self._stopping)
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

    def _check(self, web: Sequence[ModuleWeb]) -> None:
        if self._info.role == "web":
            self._findings += check_exposure(self._configuration.host)
        broken = self._with_dependents(self._modules)
        for finding in check_graph(self._registry) + check_web(
            web, self._permissions, self._registry
        ):
            # What is missing only because a module is broken would hide why it is broken.
            if finding.rule is not rules.MISSING_SERVICE or finding.module not in broken:
                self._findings.append(finding)
        for name, first, second in self._permissions.duplicates:
            detail = f"{name!r} is declared by {first} and again by {second}."
            remedy = "Rename one of the two."
            self._findings.append(Finding(rules.DUPLICATE_PERMISSION, detail, remedy, second))
        for found, contract in self._hosted:
            if found.module.name in self._broken:
                continue
            if contract not in self._registry.registrations:
                detail = f"hosted_services names {contract.__qualname__}, which is not registered."
                remedy = "Register it with services.add_singleton in configure_services."
                self._findings.append(
                    Finding(rules.MISSING_SERVICE, detail, remedy, found.module.name)
                )

    def _with_dependents(self, modules: Sequence[FoundModule]) -> set[str]:
        """Return the modules that are broken, and those that need one of them."""
        broken = set(self._broken)
        for found in modules:  # in the order of their requirements
            if broken & set(found.module.requires):
                broken.add(found.module.name)
        return broken

    def _call(self, found: FoundModule, hook: str, **arguments: object) -> Any:
        if found.module.name in self._broken:
            return None
        try:
            return self._hooks.call(found, hook, **arguments)
        except Exception as error:  # noqa: BLE001 - whatever a module raises is told with the rest
            self._findings.append(hook_failed(found, hook, error))
            self._broken.add(found.module.name)
            return None

    def _refuse(self) -> None:
        silenced = set(self._configuration.host.silence)
        told = [each for each in self._findings if each.rule.code not in silenced]
        if told:
            brought_by = {found.module.name: found.distribution for found in self._modules}
            raise StartupError(
                [
                    replace(each, distribution=each.distribution or brought_by.get(each.module))
                    if each.module
                    else each
                    for each in told
                ]
            )


def _without_dependents(
    present: Sequence[FoundModule], skipped: list[SkippedModule]
) -> list[FoundModule]:
    """Leave out, and add to `skipped`, the modules that need one that was left out."""
    left = list(present)
    while True:
        missing = {each.name for each in skipped}
        needing = [found for found in left if missing & set(found.module.requires)]
        if not needing:
            return left
        for found in needing:
            needed = ", ".join(sorted(missing & set(found.module.requires)))
            error = f"it requires {needed}, which was left out"
            skipped.append(SkippedModule(found.module.name, found.distribution, error))
            left.remove(found)


def _application(host: Host) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with host.running():
            yield

    return build_app(
        host.web,
        host.services,
        authenticator=_Authentication(host.services) if host.info.role == "web" else None,
        allowed_hosts=host.configuration.host.allowed_hosts,
        trusted_proxies=[str(each) for each in host.configuration.host.trusted_proxies],
        behind_tls=host.configuration.host.behind_tls,
        clock=host.clock,
        lifespan=lifespan,
    )


class _Authentication:
    """Asks the authenticator among the services, which exists once the host runs."""

    def __init__(self, provider: ServiceProvider) -> None:
        self._provider = provider

    async def authenticate(self, request: Request, scope: Scope) -> Principal | None:
        return await (await scope.get(Authenticator)).authenticate(request, scope)
