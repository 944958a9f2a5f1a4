"""`modhost backup` and `modhost restore`: the way back, without the modules and their tables."""

import shlex
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click

from modhost.checks import StartupError
from modhost.cli.context import BadUsage, configuration_of
from modhost.clock import SystemClock
from modhost.database.errors import (
    BadDatabaseUrl,
    DatabaseUnreachable,
    finding_of,
    reason_of,
    remedy_of,
)
from modhost.database.sqlite.backup import BackupRefused, back_up, restore
from modhost.database.url import DatabaseUrl

T = TypeVar("T")
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("backup")
@click.argument("to", type=_FILE)
@click.pass_context
def backup_command(context: click.Context, to: Path) -> None:
    """Save the SQLite database in the file TO, at any time."""
    url = _url_of(context)
    if url.dialect != "sqlite":
        command = ["pg_dump", "--format=custom", f"--file={to}", _without_password(url)]
        raise BadUsage(f"{url} is a PostgreSQL; its own tools save it: `{shlex.join(command)}`.")
    _done(lambda: back_up(url.path, to))
    click.echo(f"{url.path} is saved in {to} ({to.stat().st_size:,} bytes).")


@click.command("restore")
@click.argument("from", type=_FILE)
@click.pass_context
def restore_command(context: click.Context, /, **given: Path) -> None:
    """Replace the SQLite database by the backup FROM, while nothing uses it."""
    backup = given["from"]  # which cannot be the name of a parameter
    url = _url_of(context)
    if url.dialect != "sqlite":
        target = f"--dbname={_without_password(url)}"
        command = ["pg_restore", "--clean", "--if-exists", "--exit-on-error", target, str(backup)]
        msg = f"{url} is a PostgreSQL; stop every `modhost run` and `modhost worker`, then its own "
        msg += f"tools restore it: `{shlex.join(command)}`."
        raise BadUsage(msg)
    kept = _done(lambda: restore(url.path, backup, SystemClock().now()))
    click.echo(f"{url.path} is as it was in {backup}.")
    if kept is not None:
        click.echo(f"What was there before is kept in {kept}; delete it when all is well.")


def _url_of(context: click.Context) -> DatabaseUrl:
    """Return the database of the configuration, which has to be valid; modules are not read."""
    configuration = configuration_of(context)
    if configuration.findings:
        raise StartupError(configuration.findings)
    try:
        return DatabaseUrl.parse(configuration.host.database_url)
    except BadDatabaseUrl as error:
        raise BadUsage(str(error)) from error


def _done(work: Callable[[], T]) -> T:
    """Do the work, or end with one line."""
    try:
        return work()
    except DatabaseUnreachable as error:
        raise StartupError([finding_of(error)]) from error
    except BackupRefused as error:
        raise click.ClickException(str(error)) from error
    except sqlite3.Error as error:
        raise click.ClickException(f"{reason_of(error)} {remedy_of(error)}") from error
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from error


def _without_password(url: DatabaseUrl) -> str:
    return str(replace(url.address, password=None))
