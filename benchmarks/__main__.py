"""`python -m benchmarks`: measure, and write what was measured as Markdown and as JSON."""

import json
import logging
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.contenders.entered import entered
from benchmarks.contenders.until_stopped import run_loop
from benchmarks.databases import open_databases
from benchmarks.document import put_into
from benchmarks.machine import describe_machine
from benchmarks.measurements.all import MEASUREMENTS
from benchmarks.report import as_markdown
from benchmarks.results import Results
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
    about: dict[str, str] = {}
    with open_databases(folder) as databases:
        run = Run(entered(names), databases, SIZES[size], rounds)
        about |= describe_machine(databases.folder)
        run_loop(partial(_measure, run, only, results, about))
    about["size"] = f"{size}, medians of {rounds} interleaved rounds"
    if json_file:
        results = _kept(json_file, results)
        values = {"about": about, "results": [each.as_json() for each in results]}
        json_file.write_text(json.dumps(values, indent=1) + "\n")
    tables = as_markdown(results, about)
    click.echo(tables)
    if markdown_file:
        put_into(markdown_file, tables)


async def _measure(
    run: Run, only: list[str], results: list[Results], about: dict[str, str]
) -> None:
    server = await run.databases.describe()
    about["PostgreSQL"] = ", ".join(f"{key} {value}" for key, value in server.items())
    about["SQLite's durability"] = "WAL, synchronous FULL, for all contenders"
    for contender in run.contenders:
        about[f"{contender.name}, {contender.dialect}"] = contender.settings
    for name in only:
        click.echo(f"measuring {name} …", err=True)
        results += await MEASUREMENTS[name](run)


def _kept(path: Path, new: list[Results]) -> list[Results]:
    """Return the new results, and those of other measurements that the file holds."""
    if not path.exists():
        return new
    known: list[dict[str, Any]] = json.loads(path.read_text())["results"]
    measured = {each.measurement for each in new}
    old = [Results.of_json(each) for each in known if each["measurement"] not in measured]
    order = list(MEASUREMENTS)
    return sorted([*old, *new], key=lambda each: order.index(each.measurement))


if __name__ == "__main__":
    main()
