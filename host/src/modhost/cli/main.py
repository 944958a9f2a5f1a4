"""The command `modhost`, with the commands that modules add."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from modhost.checks import Finding, StartupError, rules
from modhost.cli import backups, init, listing, maintenance, new, serving, settings
from modhost.cli.context import BadUsage
from modhost.cli.identity import roles, tokens, users
from modhost.cli.output import counted, give_up_output, is_of_output
from modhost.configuration import load_configuration
from modhost.plugins import HookCaller, find_modules
from modhost.plugins.module_commands import ModuleCommands
from modhost.runtime.assembly import VERSION

_OWN = (
    *(serving.run, serving.worker, listing.modules, listing.routes, listing.permissions),
    *(listing.services, listing.events, listing.config, maintenance.migrate, maintenance.doctor),
    *(backups.backup_command, backups.restore_command),
    *(users.users, roles.roles, tokens.tokens, settings.settings, new.new, init.init),
)


_WITHOUT_COMMANDS: Final = (
    *(rules.MODULE_NOT_IMPORTED, rules.NOT_A_MODULE, rules.HOOK_MISMATCH, rules.UNMARKED_HOOK),
    *(rules.HOOK_FAILED, rules.DUPLICATE_COMMAND),
)


_CONFIG: Final = "`--config FILE` names the configuration; see `modhost --help`."


class _Commands(click.Group):
    """The host's own commands, and those of modules, which are loaded when needed."""

    _modules: ModuleCommands | None = None
    _missing: Sequence[Finding] = ()
    _disabled: Sequence[str] = ()
    was_interrupted = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._extend(ctx)
        for finding in self._missing:
            click.echo(f"warning: {finding}", err=True)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands:
            modules = self._extend(ctx)
            if cmd_name in modules.contested:
                raise BadUsage(str(modules.contested[cmd_name]))
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            # It may be the command of a module that is not here: say why that is.
            reasons = [str(finding) for finding in self._missing]
            if self._disabled:
                names = ", ".join(self._disabled)
                reasons.append(f"These modules are left out by [host.modules] disabled: {names}.")
            message = " ".join([error.format_message(), *reasons])
            raise click.UsageError(message, ctx) from error

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        _name_config(cmd)
        super().add_command(cmd, name)

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        with _usage_errors_in_one_line():
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _usage_errors_in_one_line():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            self.was_interrupted = True
            raise

    def _extend(self, context: click.Context) -> ModuleCommands:
        if self._modules is None:
            self._modules = ModuleCommands(self.commands)
            configuration = load_configuration(context.params.get("config"), os.environ)
            found = find_modules(configuration.host.modules.disabled)
            hooks = HookCaller(found.modules)
            self._modules.add_from(found.modules, hooks)
            wrong = [*found.findings, *hooks.findings, *self._modules.findings]
            self._missing = [each for each in wrong if each.rule in _WITHOUT_COMMANDS]
            self._disabled = found.disabled
            for name, command in self._modules.added:
                self.add_command(command, name)
        return self._modules


def _name_config(command: click.Command) -> None:
    """Have the help of a command, and of those in it, name the option that each of them takes."""
    if _CONFIG not in (command.epilog or ""):
        command.epilog = f"{command.epilog or ''} {_CONFIG}".strip()
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        _name_config(each)


@click.group("modhost", cls=_Commands)
@click.version_option(VERSION, prog_name="modhost")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file; else MODHOST_CONFIG, else config/host.toml.",
)
def cli(config: Path | None) -> None:
    """A modular host for Python web applications."""


for _command in _OWN:
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad usage or configuration.

    A start that fails for what may pass has failed; 2 is for what no other start would cure.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        cli.main(args=_config_first(given), prog_name="modhost")
    except StartupError as error:
        problems = counted(len(error.findings), "problem")
        click.echo(f"modhost cannot start: {problems}.", err=True)
        for finding in error.findings:
            click.echo(f"\n{finding}", err=True)
        sys.exit(1 if error.may_pass else 2)
    except OSError as error:
        if not is_of_output(error):
            raise
        give_up_output(error)
    except SystemExit:
        if cli.was_interrupted:
            # A thread may be in a wait of SQLite for a lock, which ends after half a minute.
            sys.stdout.flush()
            os._exit(1)
        raise


@contextmanager
def _usage_errors_in_one_line() -> Iterator[None]:
    """Turn click's usage errors, which take four lines, into `BadUsage`."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        # A group without a command: its help is the answer.
        raise
    except click.UsageError as error:
        message = " ".join(error.format_message().split())
        line = message if message.endswith((".", "?", "?)")) else f"{message}."
        if error.ctx:
            line += f" See `{error.ctx.command_path} --help`."
        raise BadUsage(line) from error


def _config_first(arguments: list[str]) -> list[str]:
    """Move `--config FILE` in front of the command, since people write it anywhere."""
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument.startswith("--config="):
            rest = arguments[:position] + arguments[position + 1 :]
            return [argument, *rest]
        if argument == "--config":
            rest = arguments[:position] + arguments[position + 2 :]
            value = arguments[position + 1 : position + 2]
            # Without a value no command may be taken for it.
            return [argument, *value, *rest] if value else [argument]
    return arguments
