"""`python -m benchmarks.soak --minutes 30`: a steady load on PostgreSQL, and what grows."""

import sys
from functools import partial
from pathlib import Path

import click

from benchmarks.contenders.until_stopped import run_loop
from benchmarks.databases import Databases, open_databases
from benchmarks.fork_servers import ForkServers
from benchmarks.soak.load import drain_rate, soak
from benchmarks.soak.sampling import Sample
from benchmarks.soak.verdict import as_markdown, judge


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.1), default=30, show_default=True)
@click.option("--rate", type=click.FloatRange(min=1), help="Jobs a second; else half of a drain's.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the database is made; else the folder for temporary files.",
)
def main(minutes: float, rate: float | None, folder: Path | None) -> None:
    """Enqueue at half of the rate of a drain, keep finished jobs for a minute, and watch.

    Ends with 1 when throughput falls, or dead rows, size, memory or backlog grow.
    """
    samples: list[Sample] = []
    with open_databases(folder) as databases:
        run_loop(partial(_run, databases, minutes, rate, samples))
    verdicts = judge(samples)
    click.echo(as_markdown(samples, verdicts))
    sys.exit(0 if all(verdict.met for verdict in verdicts) else 1)


async def _run(
    databases: Databases, minutes: float, rate: float | None, samples: list[Sample]
) -> None:
    async with ForkServers.open() as fork_servers:
        if rate is None:
            rate = await drain_rate(databases, fork_servers) / 2
        click.echo(f"{rate:,.0f} jobs a second for {minutes:g} minutes", err=True)
        async for sample in soak(databases, fork_servers, rate, minutes * 60):
            samples.append(sample)
            click.echo(f"{sample}", err=True)


if __name__ == "__main__":
    main()
