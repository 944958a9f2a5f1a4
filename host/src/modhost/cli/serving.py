"""`modhost run` and `modhost worker`."""

import errno
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Final, NoReturn

import click

from modhost.cli.context import BadUsage, configuration_of
from modhost.cli.output import discard_output, is_of_output
from modhost.cli.unconfigured import HOST, is_unconfigured
from modhost.configuration import (
    DEFAULT_FILE,
    Configuration,
    HostOptions,
    is_loopback,
    load_configuration,
)
from modhost.failures import describe
from modhost.identity import IdentityError, LoginService
from modhost.module import Role
from modhost.runtime.assembly import build_host
from modhost.runtime.host import Host
from modhost.runtime.serving.logs import configure_logging
from modhost.runtime.serving.processes import stop_with_supervisor, supervise
from modhost.runtime.serving.server import (
    STOP_SECONDS,
    address_of,
    advice_on,
    open_socket,
    serve,
)

logger = logging.getLogger(__name__)

MAX_PORT: Final = 65_535
_ADDRESS: Final = "[host] bind is the address; MODHOST__HOST__BIND=127.0.0.1:8080 sets it too."

_reload = click.option(
    "--reload",
    is_flag=True,
    help="Start again whenever modules, templates or the configuration change; for development.",
)


@click.command(epilog=_ADDRESS)
@_reload
@click.pass_context
def run(context: click.Context, *, reload: bool) -> None:
    """Serve the pages and the API; a consumer processes jobs too."""
    if reload:
        _keep_reloading(context, "run")
    stop_with_supervisor()
    host = _host(context, "web")
    with _listen(host.configuration.host) as listener:
        serve(host, listener, lambda: _greet(host, listener))


@click.command(epilog=_ADDRESS)
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="How many worker processes, under one that replaces those that die.",
)
@_reload
@click.pass_context
def worker(context: click.Context, processes: int, *, reload: bool) -> None:
    """Process jobs; serve nothing but health and metrics."""
    if reload:
        _keep_reloading(context, "worker", "--processes", str(processes))
    number = stop_with_supervisor()
    host = _host(context, "worker")
    if processes > 1:
        seconds = _stop_seconds(host.configuration)
        context.exit(supervise(_command(context, "worker"), processes, seconds))
    with _listen(host.configuration.host, number - 1, or_any_port=True) as listener:
        serve(host, listener, lambda: _greet(host, listener))


def _keep_reloading(context: click.Context, *words: str) -> NoReturn:
    try:
        from modhost.runtime.serving.reloading import keep_reloading
    except ModuleNotFoundError as error:
        if error.name != "watchfiles":
            raise
        msg = "--reload needs the package watchfiles: `pip install 'modhost[reload]'`."
        raise BadUsage(msg) from error
    path: Path | None = context.find_root().params.get("config")
    configuration = load_configuration(path, os.environ)
    if is_unconfigured(configuration):
        # Without what modules say of it: they are not imported here, since one may have errors.
        configuration = Configuration({"host": dict(HOST)}, environ=os.environ)
    configure_logging(configuration.host)
    code = keep_reloading(
        _command(context, *words),
        configuration.source or DEFAULT_FILE,
        lambda: _stop_seconds(load_configuration(path, os.environ)),
    )
    sys.exit(code)


def _command(context: click.Context, *words: str) -> list[str]:
    path: Path | None = context.find_root().params.get("config")
    config = [] if path is None else ["--config", str(path)]
    return [sys.executable, "-m", "modhost", *config, *words]


def _stop_seconds(configuration: Configuration) -> float:
    return configuration.host.shutdown_grace.total_seconds() + STOP_SECONDS


def _host(context: click.Context, role: Role) -> Host:
    configuration = configuration_of(context)
    configure_logging(configuration.host)
    return build_host(configuration, role)


def _listen(options: HostOptions, after: int = 0, *, or_any_port: bool = False) -> socket.socket:
    """Listen so many ports after that of the configuration, or on any free one if it is taken."""
    port = options.bind_port + after if options.bind_port else 0
    try:
        return open_socket(options.bind_host, port if port <= MAX_PORT else 0)
    except OSError as error:
        if or_any_port and error.errno == errno.EADDRINUSE:
            return open_socket(options.bind_host, 0)
        msg = f"Cannot listen on {options.bind}: {advice_on(error)}"
        may_pass = error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL)
        raise (click.ClickException if may_pass else BadUsage)(msg) from error


async def _greet(host: Host, listener: socket.socket) -> None:
    try:
        await _print_greeting(host, listener)
    except OSError as error:
        if not is_of_output(error):
            raise
        # What is asked of the host are its services.
        discard_output()
        logger.warning("The greeting cannot be printed (%s).", error.strerror)


async def _print_greeting(host: Host, listener: socket.socket) -> None:
    url = f"http://{address_of(listener)}"
    modules = [f"{found.module.name} {found.module.version}" for found in host.modules[1:]]
    click.echo(f"modhost {host.info.version} ({host.info.role}, {host.info.environment})")
    click.echo(f"  modules   {', '.join(modules) or 'none'}")
    for skipped in host.skipped:
        click.echo(f"  left out  {skipped.name}: {skipped.error}")
    for found in host.modules:
        if found.changes:
            click.echo(
                f"  warning   importing {found.module.name} changed {', '.join(found.changes)}"
            )
    click.echo(f"  database  {host.database}")
    if is_unconfigured(host.configuration):
        click.echo(f"  config    none was found ({DEFAULT_FILE}): a development host, for this")
        click.echo("            machine alone; `modhost init` writes a configuration")
    if host.info.role == "worker":
        click.echo(f"  health    {url}/health/ready")
        return
    click.echo(f"  address   {url}")
    public = host.info.public_url.rstrip("/")
    if public:
        click.echo(f"  public    {public}/")
    link = await _one_time_link(host, listener)
    if link:
        click.echo(f"  log in    {public or url}{link}")
        click.echo("            (works once, for 10 minutes, on this machine)")


async def _one_time_link(host: Host, listener: socket.socket) -> str | None:
    is_local = is_loopback(str(listener.getsockname()[0]))
    if host.info.environment != "development" or not is_local:
        return None
    async with host.scope() as scope:
        try:
            return await (await scope.get(LoginService)).create_link()
        except IdentityError as error:
            click.echo(f"  log in    {error}")
        except host.database.errors as error:
            # The host runs all the same.
            click.echo(f"  log in    without a link: {describe(error)}")
    return None
