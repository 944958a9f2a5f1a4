"""What a host of a test is made of: its modules, its configuration and its clock."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any

from modhost import Clock, Module
from modhost.module import Role
from modhost.plugins.discovery import GROUP
from modhost.testing.blocking import BlockingHost, blocking_host
from modhost.testing.own_task import in_own_task
from modhost.testing.running import RunningHost, running_host


@dataclass(frozen=True)
class HostSetup:
    """A host to run; `running_host` describes each part."""

    modules: Sequence[Module] | None
    config: Mapping[str, Any]
    clock: Clock
    role: Role = "web"

    def changed(
        self,
        *,
        modules: Sequence[Module] | None = None,
        config: Mapping[str, Any] | None = None,
        role: Role | None = None,
    ) -> "HostSetup":
        """Return the setup with what is given in place of what it has, key by key."""
        return replace(
            self,
            modules=self.modules if modules is None else modules,
            config=_merged(self.config, config or {}),
            role=role or self.role,
        )

    def with_defaults(self, options: Iterable[Mapping[str, Mapping[str, Any]]]) -> "HostSetup":
        """Return the setup with options of those modules that it has, where it sets none."""
        names = (
            {entry.name for entry in entry_points(group=GROUP)}
            if self.modules is None
            else {each.name for each in self.modules}
        )
        config = self.config
        for each in options:
            known = {name: values for name, values in each.items() if name in names}
            config = _merged({"modules": known}, config)
        return replace(self, config=config)

    def on(self, database_url: str) -> "HostSetup":
        """Return the setup on a database, unless it names one itself."""
        return replace(self, config=_merged({"host": {"database_url": database_url}}, self.config))

    def running(self) -> AbstractAsyncContextManager[RunningHost]:
        """Run the host on the event loop that runs now."""
        return in_own_task(
            running_host(self.modules, config=self.config, role=self.role, clock=self.clock)
        )

    def blocking(self) -> AbstractContextManager[BlockingHost]:
        """Run the host in a thread."""
        return blocking_host(self.modules, config=self.config, role=self.role, clock=self.clock)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of both; those above go first, key by key."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(under, value)
        else:
            merged[key] = value
    return merged
