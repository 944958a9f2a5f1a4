"""Read the state of a running host, each part within a bounded time."""

import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property, partial
from itertools import groupby
from typing import Final

import anyio

from modhost import ProcessReport
from modhost.administration.system.contracts import ModuleState, SystemState
from modhost.administration.system.presence import Presence
from modhost.checks import Finding, StartupError
from modhost.configuration.configuration import Setting
from modhost.database.errors import reason_of
from modhost.failures import failures, own_cancellation
from modhost.plugins import FoundModule
from modhost.runtime.health import PartHealth, module_health, readiness
from modhost.runtime.host import Host
from modhost.runtime.startup_checks import with_distributions
from modhost.runtime.system.findings import declared_findings, module_findings

logger = logging.getLogger(__name__)

PART_SECONDS: Final = 3.0


class HostSystem:
    """Implements `SystemReader`; it is given the host once it is built.

    Attributes:
        seconds: how long each part may take; all are read at the same time.

    """

    def __init__(self) -> None:
        self.host: Host
        self.seconds = PART_SECONDS

    async def read(self) -> SystemState:
        """Return what can be read in time."""
        reading = _Reading(self.host, self.seconds)
        async with anyio.create_task_group() as group:
            for name, part in reading.parts.items():
                group.start_soon(reading.take, name, part)
        found = [*declared_findings(self.host), *reading.findings]
        silenced = self.host.configuration.host.silence
        heard = [each for each in found if each.rule.code not in silenced]
        return SystemState(
            modules=[reading.state_of(each) for each in self.host.modules],
            findings=sorted(
                with_distributions(heard, self.host.modules),
                key=lambda each: each.rule.severity != "error",
            ),
            processes=[await self._own_process(), *reading.processes],
            configuration=self._configuration,
            missing=reading.missing,
        )

    async def _own_process(self) -> ProcessReport:
        async with self.host.scope() as scope:
            load = (await scope.get(Presence)).load
        now, info = self.host.clock.now(), self.host.info
        machine = f"{socket.gethostname()}, process {os.getpid()}"
        name = "this host"
        return ProcessReport(
            name,
            info.role,
            info.version,
            machine,
            self.host.started_at or now,
            now,
            is_alive=True,
            load=load,
        )

    @cached_property
    def _configuration(self) -> dict[str, Sequence[Setting]]:
        models = {found.module.name: found.module.options for found in self.host.modules}
        options = self.host.configuration.in_effect(models)
        sections = groupby(options, key=lambda each: each.key.partition("] ")[0] + "]")
        return {section: list(each) for section, each in sections}


class _Reading:
    """One reading of all parts; what a part has not read by its end is missing."""

    def __init__(self, host: Host, seconds: float) -> None:
        self._host = host
        self._seconds = seconds
        self._health: dict[str, PartHealth] = {}
        self._newest: dict[str, str] = {}
        self._revisions: dict[str, str | None] = {}
        self.findings: list[Finding] = []
        self.processes: list[ProcessReport] = []
        self.missing: list[str] = []
        self.parts: dict[str, Callable[[], Awaitable[None]]] = {
            "The revisions of the tables": self._read_revisions,
        }
        for found in host.modules:
            name = found.module.name
            self.parts[f"The health of {name}"] = partial(self._read_health, found)
            if host.hooks.implements(found, "diagnose"):
                self.parts[f"The findings of {name}"] = partial(self._read_findings, found)
            if host.hooks.implements(found, "report_processes"):
                self.parts[f"The processes of {name}"] = partial(self._read_processes, found)

    async def take(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """Read one part, within its time."""
        try:
            with anyio.move_on_after(self._seconds) as bound, own_cancellation():
                await part()
        except StartupError as error:
            self.findings += error.findings
        except self._host.database.errors as error:
            self.missing.append(f"{name} could not be read: {reason_of(error)}")
        except Exception as error:  # noqa: BLE001 - whatever a module raises, the page is shown
            # It may hold secrets: the log alone has it.
            failures.failed(logger, name, error)
            self.missing.append(f"{name} could not be read; the log says why.")
        else:
            if bound.cancelled_caught:
                self.missing.append(f"{name} could not be read within {self._seconds:g} s.")

    def state_of(self, found: FoundModule) -> ModuleState:
        """Return what was read of a module."""
        name = found.module.name
        health, newest = self._health.get(name), self._newest.get(name, "")
        version = f" {found.version}" if found.version else ""
        return ModuleState(
            name=name,
            version=found.version_in_use,
            distribution=f"{found.distribution}{version}",
            status=health.status if health else None,
            detail=health.detail if health else "",
            revision=self._revisions.get(name) if found.module.migrations else "",
            wanted=newest,
        )

    async def _read_revisions(self) -> None:
        # Workers never need alembic.
        from modhost.database.migrations import newest_of, pending

        self._newest = newest_of(self._host.migrations)
        due = await pending(self._host.database, self._host.migrations)
        behind = {each.module: each.current or "none" for each in due}
        self._revisions = {**self._newest, **behind}

    async def _read_health(self, found: FoundModule) -> None:
        name = found.module.name
        self._health |= (await readiness({name: partial(module_health, self._host, found)})).parts

    async def _read_findings(self, found: FoundModule) -> None:
        self.findings += await module_findings(self._host, found)

    async def _read_processes(self, found: FoundModule) -> None:
        self.processes += await self._host.call_hook(found, "report_processes") or ()
