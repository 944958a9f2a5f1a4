"""The state of a host as administrators see it, and the contract that reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from modhost.checks import Finding
from modhost.configuration.configuration import Setting
from modhost.module import ProcessReport, Status


@dataclass(frozen=True, slots=True)
class ModuleState:
    """A module of the host.

    Attributes:
        status: its health; None where it did not answer in time.
        detail: what it reports about its health.
        revision: the revision of its tables; empty where it has none, None where it is unknown.
        wanted: the newest revision of its tables.

    """

    name: str
    version: str
    distribution: str
    status: Status | None
    detail: str
    revision: str | None
    wanted: str

    @property
    def is_migrated(self) -> bool:
        """Whether its tables are at the newest revision, as far as that is known."""
        return self.revision is None or self.revision == self.wanted


@dataclass(frozen=True, slots=True)
class SystemState:
    """A host at one moment.

    Attributes:
        missing: what could not be read in time, or at all, in sentences.
        configuration: the options by their sections, secrets hidden.

    """

    modules: Sequence[ModuleState]
    findings: Sequence[Finding]
    processes: Sequence[ProcessReport]
    configuration: Mapping[str, Sequence[Setting]]
    missing: Sequence[str]


class SystemReader(Protocol):
    """Reads the state of the host that answers."""

    async def read(self) -> SystemState:
        """Return what can be read within a few seconds."""
