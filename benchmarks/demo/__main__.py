"""`python -m benchmarks.demo`, as `make demo` does: fill a database with a shop, and serve it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import click
from sqlalchemy import exists, select

from benchmarks.demo.filling import fill
from benchmarks.demo.hosting import configured, shop_modules
from benchmarks.demo.workers import DATABASE
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.database import Database
from modhost.identity import LoginService
from modhost.runtime.assembly import build_host
from modhost.runtime.host import Host
from modhost.runtime.serving.logs import configure_logging
from modhost.runtime.serving.server import address_of, advice_on, open_socket, serve
from modhost.testing import running_host
from modhost_background_jobs.storage.tables import FINISHED, JOBS

OWN_FILE: Final = Path("var/demo.db")
WORKERS: Final = 11


@click.command()
@click.option(
    "--database",
    default="",
    help=f"An empty database, as [host] database_url; without one {OWN_FILE} is made anew.",
)
@click.option("--port", type=click.IntRange(0, 65_535), default=8001, show_default=True)
@click.option(
    "--scale",
    type=click.FloatRange(0.001, 10),
    default=1.0,
    show_default=True,
    help="1 for 201,500 finished jobs.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Draws another shop.")
@click.option("--serve/--fill-only", "serves", default=True, help="Whether to serve it.")
def main(*, database: str, port: int, scale: float, seed: int, serves: bool) -> None:
    """Fill a database with a shop of jobs, and serve it with workers until Ctrl+C."""
    try:
        listener = open_socket("127.0.0.1", port)
    except OSError as error:
        msg = f"Cannot listen on port {port}: {advice_on(error)} Or give --port."
        raise click.ClickException(msg) from error
    with listener:
        url = database or _own_file()
        began = time.monotonic()
        click.echo("Filling the shop…")
        anyio.run(partial(_fill, url, scale=scale, seed=seed, live=serves))
        click.echo(f"Filled in {time.monotonic() - began:.0f} s.")
        if not serves:
            return
        configuration = Configuration(configured(url, bind=f"127.0.0.1:{port}"))
        configure_logging(configuration.host)
        host = build_host(configuration, "web", modules=shop_modules(is_busy=True))
        with _workers(url):
            serve(host, listener, partial(_greet, host, address_of(listener)))


def _own_file() -> str:
    OWN_FILE.parent.mkdir(exist_ok=True)
    for path in (OWN_FILE, *(Path(f"{OWN_FILE}-{end}") for end in ("wal", "shm"))):
        path.unlink(missing_ok=True)
    return f"sqlite:///{OWN_FILE}"


async def _fill(url: str, *, scale: float, seed: int, live: bool) -> None:
    async with running_host(shop_modules(), config=configured(url)) as host, host.scope() as scope:
        database = await scope.get(Database)
        async with database.reading() as session:
            has_jobs = select(exists(select(JOBS.c.id)) | exists(select(FINISHED.c.id)))
            if (await (await session.connection()).execute(has_jobs)).scalar():
                msg = f"{database} has jobs already: name an empty database."
                raise click.ClickException(msg)
        zone = datetime.now().astimezone().tzinfo or UTC
        await fill(scope, datetime.now(UTC), scale=scale, zone=zone, seed=seed, live=live)


@contextmanager
def _workers(url: str) -> Iterator[None]:
    """Run the workers beside the host; they end with their standard input."""
    command = [sys.executable, "-m", "benchmarks.demo.workers", str(WORKERS)]
    environment = {**os.environ, DATABASE: url}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as process:  # noqa: S603 - our own
        yield
        if process.stdin is not None:
            process.stdin.close()


async def _greet(host: Host, address: str) -> None:
    async with host.scope() as scope:
        link = await (await scope.get(LoginService)).create_link()
    click.echo(f"  log in    http://{address}{link}")
    click.echo("            (works once, for 10 minutes, on this machine)")
    click.echo(f"  database  {host.database}")
    click.echo(f"  workers   {WORKERS}, one more has died; Ctrl+C ends all")


if __name__ == "__main__":
    try:
        main()
    except StartupError as error:
        sys.exit("\n\n".join(map(str, error.findings)))
