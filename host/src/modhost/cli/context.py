"""What commands work with: the configuration, and a host that is ready."""

import getpass
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from modhost.caller import ActingFor, Caller
from modhost.configuration import Configuration, load_configuration
from modhost.database import DatabaseUrl
from modhost.database.errors import reason_of, remedy_of
from modhost.runtime.assembly import Role, build_host
from modhost.runtime.host import Host
from modhost.services import Scope


def configuration_of(context: click.Context) -> Configuration:
    """Return the configuration that the command line chose."""
    path: Path | None = context.find_root().params.get("config")
    return load_configuration(path, os.environ)


def host_of(context: click.Context, role: Role = "command") -> Host:
    """Return the host, built and checked. Raises `StartupError`."""
    return build_host(configuration_of(context), role)


@asynccontextmanager
async def host_scope(context: click.Context) -> AsyncIterator[Scope]:
    """Open a scope of the host's services for one command of a module.

    The database is open and migrated, hosted services do not run. Raises `StartupError`, and
    `ClickException` for what the database cannot do, so that it is told as a sentence.
    """
    host = host_of(context)
    try:
        async with host.ready(), host.scope() as scope:
            with ActingFor(_operator()):
                yield scope
    except host.database.errors as error:
        url = DatabaseUrl.parse(host.configuration.host.database_url)
        msg = f"The database {url} cannot be used: {reason_of(error)} {remedy_of(error)}"
        raise click.ClickException(msg) from error


def _operator() -> Caller:
    """Return who runs the command, as the operating system tells."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "operator"
    return Caller("command", f"command:{name}", name)
