"""The host: its modules as they were assembled, with their services and their application."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from shlex import quote
from typing import Any

from starlette.applications import Starlette

from modhost import Clock, HostedService, HostInfo, Scope
from modhost.configuration import DEFAULT_FILE, Configuration
from modhost.database import Database
from modhost.database.schemas import Migrations
from modhost.permissions import Permissions
from modhost.plugins import FoundModule, HookCaller, SkippedModule
from modhost.runtime.hosted_services import Supervisor
from modhost.runtime.shutdown import ShutdownSignal
from modhost.services import ServiceProvider
from modhost.telemetry import ErrorReports
from modhost.web import ModuleWeb


@dataclass(kw_only=True, eq=False, repr=False)
class Host:
    """The modules, assembled and checked; `running` and `ready` start and stop them.

    Attributes:
        error_reports: passes errors that nothing has handled to modules.
        hosted: the contracts of the hosted services, in the order in which they start.
        app: the web application, which runs the host for as long as it runs itself.
        supervisor: runs the hosted services while the host is running.
        started_at: since when the host is running; None before.

    """

    info: HostInfo
    configuration: Configuration
    clock: Clock
    shutdown: ShutdownSignal
    modules: Sequence[FoundModule]
    skipped: Sequence[SkippedModule]
    hooks: HookCaller
    database: Database
    permissions: Permissions
    services: ServiceProvider
    web: Sequence[ModuleWeb]
    hosted: Sequence[type[HostedService]]
    error_reports: ErrorReports
    app: Starlette = field(init=False)
    supervisor: Supervisor | None = field(default=None, init=False)
    started_at: datetime | None = field(default=None, init=False)

    @property
    def migrations(self) -> list[Migrations]:
        """The migrations of all modules, in their order."""
        return [
            Migrations(found.module.name, found.module.migrations, found.distribution)
            for found in self.modules
            if found.module.migrations
        ]

    @property
    def migrates_itself(self) -> bool:
        """Whether a start migrates the tables, instead of refusing old ones."""
        return self.database.dialect == "sqlite" or self.info.environment == "development"

    @property
    def migrate_command(self) -> str:
        """What migrates this database, to type: with the configuration that this host has."""
        file = self.configuration.source or DEFAULT_FILE
        chosen = "" if file == DEFAULT_FILE else f" --config {quote(str(file))}"
        return f"modhost migrate{chosen}"

    def scope(self) -> AbstractAsyncContextManager[Scope]:
        """Open a scope of services; the host must be ready."""
        return self.services.scope()

    async def call_hook(self, found: FoundModule, hook: str, **arguments: object) -> Any:
        """Call a module's async hook in a scope of its own; None when it does not implement it."""
        if not self.hooks.implements(found, hook):
            return None
        async with self.services.scope() as scope:
            return await self.hooks.call_async(found, hook, scope=scope, **arguments)
