"""The commands that modules add to `modhost`: each has one owner, and a name that is free."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import click

from modhost.checks import Finding, rules
from modhost.plugins.discovery import FoundModule
from modhost.plugins.hook_calls import HookCaller, hook_failed

HOST_COMMANDS: Final = (
    *("backup", "config", "doctor", "events", "init", "migrate", "modules", "new", "permissions"),
    *("restore", "roles", "routes", "run"),
    *("services", "settings", "tokens", "users", "worker"),
)
"""The names of the host's own commands."""


class ModuleCommands(click.Group):
    """A group that modules add to; a name that is taken is refused.

    Args:
        own: the host's own commands by their names.

    Attributes:
        findings: what is wrong with the commands of modules.
        contested: the finding for each name that several modules claim, none of which has it.

    """

    def __init__(self, own: Mapping[str, click.Command]) -> None:
        super().__init__("modhost", commands=dict(own))
        self._own = frozenset(own)
        self.findings: list[Finding] = []
        self.contested: dict[str, Finding] = {}
        self._owners: dict[str, FoundModule] = {}
        self._adding: FoundModule | None = None

    def add_from(self, modules: Sequence[FoundModule], hooks: HookCaller) -> None:
        """Let each module add its commands."""
        for self._adding in modules:
            try:
                hooks.call(self._adding, "register_commands", cli=self)
            except Exception as error:  # noqa: BLE001 - one module must not take the others along
                self.findings.append(hook_failed(self._adding, "register_commands", error))

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, or note that its name is taken."""
        name, adding = name or cmd.name or "", self._adding
        owner = self._owners.get(name)
        if adding is None or (name not in self._own and owner in (None, adding)):
            super().add_command(cmd, name)
            if adding is not None:
                self._owners[name] = adding
            return
        whose = f"{owner.module.name} has one, too" if owner else "the host has one itself"
        detail = f"it adds the command {name!r}, and {whose}."
        remedy = "Rename one of the two, or leave a module out by [host.modules] disabled."
        finding = adding.finding(rules.DUPLICATE_COMMAND, detail, remedy)
        self.findings.append(finding)
        if owner is not None:
            self.contested[name] = finding

    @property
    def added(self) -> Iterable[tuple[str, click.Command]]:
        """The commands of modules whose name nobody else claims."""
        return [(name, self.commands[name]) for name in self._owners if name not in self.contested]


def check_commands(modules: Sequence[FoundModule], hooks: HookCaller) -> list[Finding]:
    """Return what is wrong with the commands of modules."""
    commands = ModuleCommands({name: click.Group(name) for name in HOST_COMMANDS})
    commands.add_from(modules, hooks)
    return commands.findings
