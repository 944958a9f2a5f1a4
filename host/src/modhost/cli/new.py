"""`modhost new`: start an application or a module from templates, or write a revision of one."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import click

from modhost.checks import StartupError
from modhost.cli.context import BadUsage, host_of
from modhost.database.errors import finding_of
from modhost.plugins.module_models import models_of
from modhost.scaffolding.names import Names, UnusableName
from modhost.scaffolding.new_app import write_app
from modhost.scaffolding.writing import FolderTaken, write_project


@click.group()
def new() -> None:
    """Start something new: an application, a module, or a migration of one."""


@new.command("app")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="The folder to write, which must not exist; else NAME in the current folder.",
)
def new_app(name: str, *, folder: Path | None) -> None:
    """Write a project with a first module, its tests, and what runs, checks and deploys it."""
    with _usage_errors():
        names = Names.of(name, "application")
        target = folder or Path(name)
        write_app(names, target)
    click.echo(f"The application {name!r} is in {target}. Next steps:\n")
    for step in (f"cd {target}", "make run", "make test"):
        click.echo(f"  {step}")
    click.echo("\nIts README.md says where everything is, and how to deploy it.")


@new.command("module")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="The folder to write, which must not exist; else NAME in the folder of modules of the "
    "application here, or in the current folder.",
)
def new_module(name: str, *, folder: Path | None) -> None:
    """Write an installable package with a working module to build on."""
    modules = _modules_of_application()
    with _usage_errors():
        names = Names.of(name)
        target = folder or (modules or Path()) / name
        write_project(target, names.values, "module")
    click.echo(f"The module {name!r} is in {target}. Next steps:\n")
    install = f"pip install --editable '{target}[test]'"
    by_hand = (install, f"pytest {target}", "modhost modules", "modhost run")
    is_of_application = modules is not None and target.parent == modules
    for step in ("make test", "make run") if is_of_application else by_hand:
        click.echo(f"  {step}")
    click.echo(
        f"\nIt serves /{names.dashed} and /api/{names.dashed}, for who may {names.class_name}.*"
    )


@new.command("migration")
@click.argument("module")
@click.argument("title")
@click.pass_context
def new_migration(context: click.Context, module: str, title: str) -> None:
    """Write a revision that makes the tables of MODULE what its models are; TITLE says why."""
    # Alembic would slow down the start of all other commands.
    from modhost.scaffolding.new_migration import (
        InstalledCopy,
        NotMigrated,
        Written,
        write_migration,
    )

    host = host_of(context)
    revisions = {each.module: each for each in host.migrations}
    if module not in revisions:
        known = ", ".join(sorted(revisions.keys() - {"modhost"})) or "none"
        raise BadUsage(f"{module!r} has no migrations. The modules that have some: {known}.")
    models = {each.found.module.name: each for each in models_of(host.modules)}

    async def run() -> Written:
        async with host.database.open():
            return await write_migration(
                host.database, revisions[module], models[module].tables, title
            )

    try:
        written = anyio.run(run)
    except InstalledCopy as error:
        raise click.ClickException(str(error)) from error
    except NotMigrated as error:
        msg = f"{error}: run `{host.migrate_command}` first."
        raise click.ClickException(msg) from error
    except OSError as error:
        raise click.ClickException(f"Cannot write {error.filename}: {error.strerror}.") from error
    except host.database.errors as error:
        raise StartupError([finding_of(error)]) from error
    click.echo(f"{written.file} is written.")
    for column in written.unfilled:
        click.echo(
            f"{column} may not be null, and the rows that are there get no value: give the column "
            "of the revision a server_default, or `modhost migrate` fails where there are rows."
        )
    if written.differs:
        click.echo(f"Read it, adapt it, then run `{host.migrate_command}`.")
    else:
        click.echo("It is empty, since the tables are as the models; write the operations.")


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Turn what keeps a project from being written into one line."""
    try:
        yield
    except (UnusableName, FolderTaken) as error:
        raise BadUsage(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"Cannot write {error.filename}: {error.strerror}.") from error


def _modules_of_application() -> Path | None:
    """Return where the application in the current folder has its other modules."""
    try:
        project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
        return Path(project["tool"]["modhost"]["modules"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
