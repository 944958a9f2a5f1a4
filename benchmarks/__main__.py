"""`python -m benchmarks`: measure, and write what was measured as Markdown and as JSON."""

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from benchmarks.contenders.contender import Contender
from benchmarks.contenders.installed import installed
from benchmarks.contenders.until_stopped import run_loop
from benchmarks.databases import Databases, open_databases
from benchmarks.figures.document import put_into
from benchmarks.figures.report import as_markdown
from benchmarks.figures.results import Results
from benchmarks.figures.results_file import OtherMachine, check, merge
from benchmarks.fork_servers import ForkServers
from benchmarks.machine import describe_machine, describe_moment
from benchmarks.measurements.all import MEASUREMENTS
from benchmarks.run import Run
from benchmarks.sizes import SIZES


def _names(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[str]:
    names = [name.strip() for name in value.split(",")] if value else list(MEASUREMENTS)
    for name in names:
        if name not in MEASUREMENTS:
            msg = f"{name!r} is none of {', '.join(MEASUREMENTS)}."
            raise click.BadParameter(msg)
    return names


@click.command()
@click.option("--only", callback=_names, help=f"Some of {', '.join(MEASUREMENTS)}.")
@click.option("--size", type=click.Choice(list(SIZES)), default="small", show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--contenders", default="", help="Some of the contenders, e.g. modhost,pgqueuer.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the databases are made; else the folder for temporary files.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all figures here; those of other measurements there are kept.",
)
@click.option(
    "--markdown",
    "markdown_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the tables here, between the marks where the file has them.",
)
def main(
    only: list[str],
    size: str,
    rounds: int,
    contenders: str,
    folder: Path | None,
    json_file: Path | None,
    markdown_file: Path | None,
) -> None:
    """Measure modhost, its peers and the bare drivers, each round by turns."""
    logging.basicConfig(level=logging.ERROR)
    names = [name.strip() for name in contenders.split(",") if name.strip()]
    results: list[Results] = []
    with open_databases(folder) as databases:
        contenders_here = installed(names)
        about = describe_machine(databases.folder)
        made = describe_moment(databases.folder)
        made |= {"size": f"{size}, medians of {rounds} interleaved rounds"}
        run_loop(partial(_describe, databases, contenders_here, about))
        if json_file:
            _check(json_file, about)

        def keep(measured: list[Results]) -> None:
            for each in measured:
                each.made = made
            # Each at once: what fails later takes nothing away.
            kept = merge(json_file, about, measured) if json_file else [*results, *measured]
            results[:] = kept

        run = partial(Run, contenders_here, databases, SIZES[size], rounds)
        run_loop(partial(_measure, run, only, keep))
    tables = as_markdown(results, about)
    click.echo(tables)
    if markdown_file:
        put_into(markdown_file, tables)


async def _describe(
    databases: Databases, contenders: list[Contender], about: dict[str, str]
) -> None:
    server = await databases.describe()
    about["PostgreSQL"] = ", ".join(f"{key} {value}" for key, value in server.items())
    about["SQLite's durability"] = "WAL, synchronous FULL, for all contenders"
    for contender in contenders:
        about[f"{contender.name}, {contender.dialect}"] = contender.settings


def _check(json_file: Path, about: dict[str, str]) -> None:
    """Refuse before anything is measured what could not be kept."""
    try:
        check(json_file, about)
    except OtherMachine as error:
        raise click.ClickException(str(error)) from error


async def _measure(
    run_with: Callable[[ForkServers], Run], only: list[str], keep: Callable[[list[Results]], None]
) -> None:
    async with ForkServers.open() as fork_servers:
        run = run_with(fork_servers)
        for name in only:
            began = time.monotonic()
            keep(await MEASUREMENTS[name](run))
            click.echo(f"measured {name} in {time.monotonic() - began:.0f} s", err=True)


if __name__ == "__main__":
    main()
