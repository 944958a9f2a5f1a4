"""A host that is put together: what it serves, and what it runs while it serves."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import anyio
from starlette.applications import Starlette

from modhost.checks import Finding, StartupError, rules
from modhost.clock import Clock
from modhost.configuration import Configuration
from modhost.database import Database, DatabaseUnreachable
from modhost.database.errors import UnknownRevision, finding_of
from modhost.database.schemas import Migrations
from modhost.module import HealthReport, HostedService, HostInfo
from modhost.permissions import Permissions
from modhost.plugins.discovery import FoundModule, SkippedModule
from modhost.plugins.hook_calls import HookCaller
from modhost.runtime.hosted_services import HostedServiceFailed, Supervisor
from modhost.runtime.shutdown import ShutdownSignal
from modhost.services import Scope, ServiceProvider
from modhost.web import ModuleWeb

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostParts:
    """What a host is made of."""

    info: HostInfo
    configuration: Configuration
    clock: Clock
    shutdown: ShutdownSignal
    modules: Sequence[FoundModule]
    skipped: Sequence[SkippedModule]
    hooks: HookCaller
    database: Database
    permissions: Permissions
    provider: ServiceProvider
    web: Sequence[ModuleWeb]
    hosted: Sequence[type[HostedService]] = field(default_factory=tuple)


class Host:
    """The modules, built and checked. `running` starts what they need, and stops it."""

    def __init__(self, parts: HostParts) -> None:
        self.info = parts.info
        self.configuration = parts.configuration
        self.modules = parts.modules
        self.skipped = parts.skipped
        self.database = parts.database
        self.permissions = parts.permissions
        self.services = parts.provider
        self.web = parts.web
        self.app: Starlette
        self.supervisor: Supervisor | None = None
        self._hooks = parts.hooks
        self._hosted = parts.hosted
        self.clock = parts.clock
        self.shutdown = parts.shutdown

    @property
    def migrations(self) -> list[Migrations]:
        """The migrations of all modules, in their order."""
        return [
            Migrations(found.module.name, found.module.migrations)
            for found in self.modules
            if found.module.migrations
        ]

    @property
    def migrates_itself(self) -> bool:
        """Whether a start brings the tables to their newest revision, instead of refusing."""
        return self.database.dialect == "sqlite" or self.info.environment == "development"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start everything in order, and stop it in reverse, each step bounded.

        Raises `StartupError` when the database cannot be used or a module cannot start.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.ready())
            for found in self.modules:
                await self._start(found)
                stack.push_async_callback(self._stop, found)
            await self._start_hosted(stack)
            yield

    @asynccontextmanager
    async def ready(self, *, migrated: bool = False) -> AsyncIterator[None]:
        """Open the database and make the services, without starting what runs on its own.

        `migrated` says that the tables were seen to already, by the process that started this one.
        """
        async with AsyncExitStack() as stack:
            await self._open_database(stack)
            if not migrated:
                await self._migrate_or_refuse()
            stack.push_async_callback(self.services.aclose)
            await self.services.start()
            yield

    @asynccontextmanager
    async def scope(self) -> AsyncIterator[Scope]:
        """Open a scope for one command; the host needs to be ready."""
        async with self.services.scope() as scope:
            yield scope

    async def check_health(self, found: FoundModule) -> HealthReport | None:
        """Ask a module for its health; None when it has nothing to say."""
        if not self._hooks.implements(found, "check_health"):
            return None
        async with self.services.scope() as scope:
            report: HealthReport = await self._hooks.call(found, "check_health", scope=scope)
            return report

    async def diagnose(self, found: FoundModule) -> Sequence[Finding]:
        """Ask a module for what it finds wrong; the host needs to be ready."""
        if not self._hooks.implements(found, "diagnose"):
            return ()
        async with self.services.scope() as scope:
            findings: Sequence[Finding] | None
            findings = await self._hooks.call(found, "diagnose", scope=scope)
            return findings or ()

    async def _open_database(self, stack: AsyncExitStack) -> None:
        try:
            await stack.enter_async_context(self.database.open())
        except DatabaseUnreachable as error:
            raise StartupError([finding_of(error)]) from error

    async def _migrate_or_refuse(self) -> None:
        # With alembic, which the processes of jobs and most commands start sooner without.
        from modhost.database.migrations import migrate, pending

        try:
            if self.migrates_itself:
                for done in await migrate(self.database, self.migrations):
                    logger.info("The tables of %s are at revision %s.", done.module, done.wanted)
                return
            due = await pending(self.database, self.migrations)
        except UnknownRevision as error:
            finding = Finding(rules.PENDING_MIGRATIONS, str(error), "")
            raise StartupError([finding]) from error
        except self.database.errors as error:
            raise StartupError([finding_of(error)]) from error
        if due:
            raise StartupError(
                [
                    Finding(
                        rules.PENDING_MIGRATIONS,
                        f"its tables are at revision {each.current or 'none'}, not {each.wanted}.",
                        "Run `modhost migrate`, then start again.",
                        each.module,
                    )
                    for each in due
                ]
            )

    async def _start(self, found: FoundModule) -> None:
        if not self._hooks.implements(found, "on_start"):
            return
        try:
            async with self.services.scope() as scope:
                await self._hooks.call(found, "on_start", scope=scope)
        except Exception as error:
            logger.exception("The hook on_start of %s failed.", found.module.name)
            raise StartupError([hook_failed(found, "on_start", error)]) from error

    async def _stop(self, found: FoundModule) -> None:
        if not self._hooks.implements(found, "on_stop"):
            return
        grace = self.configuration.host.shutdown_grace.total_seconds()
        with anyio.move_on_after(grace, shield=True) as bound:
            try:
                async with self.services.scope() as scope:
                    await self._hooks.call(found, "on_stop", scope=scope)
            except Exception:
                logger.exception("The hook on_stop of %s failed.", found.module.name)
        if bound.cancelled_caught:
            logger.error("The hook on_stop of %s took too long.", found.module.name)

    async def _start_hosted(self, stack: AsyncExitStack) -> None:
        services = [
            await stack.enter_async_context(_resolved(self.services, each)) for each in self._hosted
        ]
        grace = self.configuration.host.shutdown_grace.total_seconds()
        self.supervisor = Supervisor(services, grace, self.clock)
        try:
            await stack.enter_async_context(self.supervisor.running())
        except HostedServiceFailed as error:
            logger.exception("A hosted service did not start.")
            finding = Finding(rules.HOSTED_SERVICE_FAILED, str(error), "The log says why.")
            raise StartupError([finding]) from error


def hook_failed(found: FoundModule, hook: str, error: Exception) -> Finding:
    """Return the finding for a hook that raised."""
    detail = f"{hook} raised {type(error).__name__}: {error}."
    remedy = "Mend the module, or leave it out by [host.modules] disabled."
    return Finding(rules.HOOK_FAILED, detail, remedy, found.module.name, found.distribution)


@asynccontextmanager
async def _resolved(
    provider: ServiceProvider, contract: type[HostedService]
) -> AsyncIterator[HostedService]:
    async with provider.scope() as scope:
        yield await scope.get(contract)
