"""`modhost new`: start a module from templates."""

from pathlib import Path

import click

from modhost.cli.context import BadUsage
from modhost.scaffolding.new_module import (
    FolderTaken,
    ModuleNames,
    UnusableModuleName,
    write_module,
)


@click.group()
def new() -> None:
    """Start something new: a module."""


@new.command("module")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="The folder to write, which must not exist; else NAME in the current folder.",
)
def new_module(name: str, *, folder: Path | None) -> None:
    """Write an installable package with a working module to build on."""
    try:
        names = ModuleNames.of(name)
        target = folder or Path(name)
        write_module(names, target)
    except (UnusableModuleName, FolderTaken) as error:
        raise BadUsage(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"Cannot write {error.filename}: {error.strerror}.") from error
    click.echo(f"The module {name!r} is in {target}. Next steps:\n")
    for step in (
        f"pip install --editable '{target}[test]'",
        f"pytest {target}",
        "modhost modules",
        "modhost run",
    ):
        click.echo(f"  {step}")
    click.echo(
        f"\nIt serves /{names.dashed} and /api/{names.dashed}, for who may {names.class_name}.*"
    )
