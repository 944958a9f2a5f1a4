"""Serve a host until a signal asks it to stop, then stop it within bounds."""

import contextlib
import errno
import gc
import ipaddress
import logging
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from modhost.runtime.host import Host
from modhost.runtime.lifespan import running
from modhost.runtime.serving.forks import isolate_forks

logger = logging.getLogger(__name__)

CONNECTIONS_SECONDS: Final = 5
MARGIN_SECONDS: Final = 15.0
STOP_SECONDS: Final = CONNECTIONS_SECONDS + MARGIN_SECONDS
"""The longest that a stop takes, beside the grace."""

_MAPPED: Final = "::ffff:"
_ALL: Final = "0.0.0.0 for all that it has"
_ADVICE: Final = {
    errno.EADDRINUSE: "Stop what listens there, or set [host] bind to another port.",
    errno.EACCES: "Ports below 1024 need a right: set [host] bind to a higher one behind a proxy, "
    "or give the process CAP_NET_BIND_SERVICE (AmbientCapabilities in a unit of systemd).",
    errno.EADDRNOTAVAIL: "This machine has no such address (`ip address` lists its own): set "
    f"[host] bind to 127.0.0.1 for this machine alone, or to {_ALL}.",
    errno.EAFNOSUPPORT: "This machine has no IPv6: set [host] bind to an address of IPv4, such as "
    f"{_ALL}.",
}


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again, and change the exit code."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _MappedClients:
    """Gives clients of IPv4 that arrive at a socket of IPv6 the address that they are known by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client is not None and client[0].startswith(_MAPPED):
            scope = {**scope, "client": (client[0].removeprefix(_MAPPED), client[1])}
        await self._app(scope, receive, send)


def open_socket(address: str, port: int) -> socket.socket:
    """Listen on an address; on `::` for IPv4 too. Raises `OSError`."""
    is_v6 = ":" in address
    listener = socket.create_server(
        (address, port),
        family=socket.AF_INET6 if is_v6 else socket.AF_INET,
        backlog=2048,
        dualstack_ipv6=is_v6 and _is_any(address) and socket.has_dualstack_ipv6(),
    )
    # Accepted sockets inherit this, which asyncio's own loop does not set on them: the body of a
    # response waited 40 ms for the acknowledgement of its head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def advice_on(error: OSError) -> str:
    """Return why an address cannot be listened on, and what to do, as sentences."""
    number = error.errno or 0
    if number < 0:  # of the resolver
        return "nobody knows that name. Set [host] bind to an address of this machine."
    advice = _ADVICE.get(number, "Set [host] bind to another address.")
    return f"{os.strerror(number)}. {advice}"


def _is_any(address: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(address).is_unspecified
    return False


def address_of(listener: socket.socket) -> str:
    """Return where a socket listens, as part of a URL."""
    address, port = listener.getsockname()[:2]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def serve(host: Host, listener: socket.socket, greet: Callable[[], Awaitable[None]]) -> None:
    """Run the host and serve it until SIGTERM or SIGINT; then return.

    Raises `StartupError`.
    """
    isolate_forks(listener)
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: F401
    use_uvloop = "uvloop" in sys.modules
    anyio.run(_serve, host, listener, greet, backend_options={"use_uvloop": use_uvloop})
    _leave_abandoned_threads()


async def _serve(host: Host, listener: socket.socket, greet: Callable[[], Awaitable[None]]) -> None:
    options = host.configuration.host
    is_v6 = listener.family == socket.AF_INET6
    server = _Server(
        uvicorn.Config(
            _MappedClients(host.app) if is_v6 else host.app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=math.ceil(options.keep_alive.total_seconds()),
            timeout_graceful_shutdown=CONNECTIONS_SECONDS,
        )
    )
    grace = options.shutdown_grace.total_seconds()
    async with _stopped_by_signals(server, host, grace), running(host):
        await greet()
        # What is there by now stays: each full collection would traverse all of it in vain.
        gc.collect()
        gc.freeze()
        await server.serve([listener])


@asynccontextmanager
async def _stopped_by_signals(
    server: uvicorn.Server, host: Host, grace: float
) -> AsyncIterator[None]:
    failure: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(_await_signals, server, host, grace)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised below, outside of the group's wrapping
            failure = error
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _await_signals(server: uvicorn.Server, host: Host, grace: float) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            if server.should_exit:
                logger.error("Asked to stop again; exiting at once.")
                os._exit(1)
            logger.info("%s: stopping.", signal.Signals(number).name)
            server.should_exit = True
            host.shutdown.begin()
            _exit_after(grace + STOP_SECONDS)


def _exit_after(seconds: float) -> None:
    """Bound the shutdown by a thread, which a task that hangs cannot hold up."""

    def exit_now() -> None:
        logger.error("The shutdown takes longer than %g s; exiting before its end.", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, exit_now)
    timer.daemon = True
    timer.start()


def _leave_abandoned_threads() -> None:
    """Exit although jobs in threads continue, having ignored all requests to stop."""
    others = [each for each in threading.enumerate() if not each.daemon]
    if len(others) > 1:
        sys.stdout.flush()
        logging.shutdown()
        os._exit(0)
