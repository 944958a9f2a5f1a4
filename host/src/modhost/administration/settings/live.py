"""The settings in effect in this process, and the service that follows their changes."""

import logging
from collections.abc import Mapping
from typing import Any, Final, cast

import anyio

from modhost.administration.settings.declared import DeclaredSettings, Effective
from modhost.administration.settings.table import SettingStore, Values
from modhost.database import Database
from modhost.module import HostInfo, PeriodicService
from modhost.services import ServiceCollection
from modhost.settings import ModuleSettings, Settings

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
READ_TIMEOUT: Final = 5.0


class FollowedSettings:
    """Implements `Settings` for one module."""

    def __init__(self, effective: Effective) -> None:
        self.effective = effective

    @property
    def current(self) -> ModuleSettings:
        """The settings as they are now."""
        return self.effective.values


class LiveSettings:
    """The settings of all modules, as they were last read from the database."""

    def __init__(self, declared: tuple[DeclaredSettings, ...], store: SettingStore) -> None:
        self.declared: Mapping[str, DeclaredSettings] = {each.module: each for each in declared}
        self._store = store
        self._guard = anyio.Lock()
        self._read: Values = {}
        self._version: int | None = None
        self._followed = {each.module: FollowedSettings(each.effective({})) for each in declared}

    def of(self, module: str) -> FollowedSettings:
        """Return the settings of a module, which follow every change."""
        return self._followed[module]

    async def reload(self) -> None:
        """Read what is stored, and let it take effect."""
        # One after the other: what was read earlier must not replace what was read later.
        async with self._guard:
            before, self._read = self._read, await self._store.read(READ_TIMEOUT)
            for module, declared in self.declared.items():
                stored = self._read.get(module, {})
                if stored != before.get(module, {}):
                    self._apply(declared, declared.effective(stored))

    async def follow(self) -> None:
        """Reload if something may have changed."""
        version = self._store.version()
        if version is None or version != self._version:
            await self.reload()
            self._version = version

    def _apply(self, declared: DeclaredSettings, effective: Effective) -> None:
        followed = self._followed[declared.module]
        for name, problem in effective.problems.items():
            if name not in followed.effective.problems:
                message = "The stored value of the setting %s of the module %s is not used: %s"
                logger.warning(message, name, declared.module, problem)
        followed.effective = effective


class SettingsFollower(PeriodicService):
    """Has changes of settings take effect in this process, whoever made them."""

    name = "settings"
    interval = POLL_SECONDS
    failure = "The poll for settings"

    def __init__(self, live: LiveSettings) -> None:
        self._live = live

    async def step(self) -> None:
        """Look for changes once."""
        await self._live.follow()


async def open_settings(
    declared: tuple[DeclaredSettings, ...],
    store: SettingStore,
    host: HostInfo,
    database: Database,
) -> LiveSettings:
    """Return the settings as they are stored."""
    live = LiveSettings(declared, store)
    if declared:
        try:
            await live.follow()
        except database.errors:
            # What is wrong with the database is reported by what a command asks of it.
            if host.role != "command":
                raise
    return live


def offer(services: ServiceCollection, declared: DeclaredSettings) -> None:
    """Register the service `Settings[…]` of a module's settings."""

    def followed(live: LiveSettings) -> Settings[ModuleSettings]:
        return live.of(declared.module)

    # What people know the service by.
    followed.__qualname__ = FollowedSettings.__qualname__
    services.contribute(DeclaredSettings, declared)
    # The class is known at run time only: type checkers have no word for the service.
    services.add_singleton(cast("Any", Settings)[declared.model], followed)
