"""Build the host that a command works with, and open a scope of its services."""

import getpass
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

import anyio
import click

from modhost import Scope
from modhost.caller import ActingFor, Caller
from modhost.cli.output import is_of_output
from modhost.cli.unconfigured import is_unconfigured, unconfigured
from modhost.configuration import Configuration, load_configuration
from modhost.database.errors import reason_of, remedy_of
from modhost.module import Role
from modhost.runtime.assembly import build_host
from modhost.runtime.host import Host
from modhost.runtime.lifespan import ready

P = ParamSpec("P")


class BadUsage(click.ClickException):
    """A command that is not valid as it was given."""

    exit_code = 2


def configuration_of(context: click.Context) -> Configuration:
    """Return the configuration that the command line chose; where there is none, one to try out."""
    path: Path | None = context.find_root().params.get("config")
    found = load_configuration(path, os.environ)
    return Configuration(unconfigured(), environ=os.environ) if is_unconfigured(found) else found


def host_of(context: click.Context, role: Role = "command") -> Host:
    """Return the host, built and checked. Raises `StartupError`."""
    return build_host(configuration_of(context), role)


@asynccontextmanager
async def host_scope(context: click.Context) -> AsyncIterator[Scope]:
    """Open a scope of the host's services for one command of a module.

    The database is open and migrated, hosted services do not run. Raises `StartupError`, and
    `ClickException` with a sentence when the database fails.
    """
    host = host_of(context)
    try:
        async with ready(host), host.scope() as scope:
            with ActingFor(_operator()):
                yield scope
    except host.database.errors as error:
        if isinstance(error, OSError) and is_of_output(error):
            raise
        msg = f"The database {host.database} cannot be used: {reason_of(error)} {remedy_of(error)}"
        raise click.ClickException(msg) from error


def with_scope(
    *errors: type[Exception], usage_errors: tuple[type[Exception], ...] = ()
) -> Callable[[Callable[Concatenate[Scope, P], Awaitable[None]]], Callable[P, None]]:
    """Make an async function that takes a scope of the host's services first a command.

    Args:
        errors: those of the function that end the command with one line and exit code 1.
        usage_errors: those among them that end it with exit code 2.

    """

    def decorate(command: Callable[Concatenate[Scope, P], Awaitable[None]]) -> Callable[P, None]:
        async def run(*arguments: P.args, **options: P.kwargs) -> None:
            async with host_scope(click.get_current_context()) as scope:
                try:
                    await command(scope, *arguments, **options)
                except errors as error:
                    kind = BadUsage if isinstance(error, usage_errors) else click.ClickException
                    raise kind(str(error)) from error

        @wraps(command)
        def call(*arguments: P.args, **options: P.kwargs) -> None:
            anyio.run(partial(run, *arguments, **options))

        return call

    return decorate


def _operator() -> Caller:
    """Return the user of the operating system who runs the command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "operator"
    return Caller("command", f"command:{name}", name)
