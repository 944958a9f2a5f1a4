"""Serve a host until a signal asks it to stop, then stop it within bounds."""

import contextlib
import errno
import gc
import ipaddress
import logging
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Final

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from modhost.runtime.host import Host
from modhost.runtime.lifespan import running
from modhost.runtime.serving.forks import isolate_forks
from modhost.runtime.serving.protocol import server_config
from modhost.runtime.serving.service_manager import ServiceManager
from modhost.runtime.serving.signals import StopSignals
from modhost.runtime.serving.start_gate import StartGate
from modhost.runtime.start import Start

CONNECTIONS_SECONDS: Final = 5
MARGIN_SECONDS: Final = 15.0
STOP_SECONDS: Final = CONNECTIONS_SECONDS + MARGIN_SECONDS
"""The longest that a stop takes, beside the grace."""
START_STOP_SECONDS: Final = 2.0
"""The longest that a stop takes as long as no hosted service runs."""

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
    manager = ServiceManager()
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: F401
    use_uvloop = "uvloop" in sys.modules
    anyio.run(_serve, host, listener, greet, manager, backend_options={"use_uvloop": use_uvloop})
    _leave_abandoned_threads()


async def _serve(
    host: Host,
    listener: socket.socket,
    greet: Callable[[], Awaitable[None]],
    manager: ServiceManager,
) -> None:
    await _Serving(host, greet, listener.family, manager).run(listener)


class _Serving:
    """A host and its server: probes are answered from the beginning, the rest once it is there."""

    def __init__(
        self,
        host: Host,
        greet: Callable[[], Awaitable[None]],
        family: int,
        manager: ServiceManager,
    ) -> None:
        self._host = host
        self._greet = greet
        self._manager = manager
        options = host.configuration.host
        # 0 is as long as it takes.
        self._start = Start(host.clock, options.start_wait.total_seconds() or None)
        self._gate = StartGate(host.app, self._start)
        self._starting = anyio.CancelScope()
        self._server_ended = anyio.Event()
        self._server = _Server(
            server_config(
                _MappedClients(self._gate) if family == socket.AF_INET6 else self._gate,
                options.keep_alive,
                CONNECTIONS_SECONDS,
            )
        )

    async def run(self, listener: socket.socket) -> None:
        """Serve until a signal asks to stop. Raises `StartupError`."""
        failure: Exception | None = None
        note = self._host.shutdown.note
        with StopSignals(note, self._ask_to_stop, self._bound_of_stop).handled():
            async with anyio.create_task_group() as group:
                group.start_soon(self._answer, listener)
                try:
                    with self._starting:
                        await self._run_host()
                except Exception as error:  # noqa: BLE001 - raised below, not wrapped in a group
                    failure = error
                self._server.should_exit = True
        if failure is not None:
            raise failure

    async def _answer(self, listener: socket.socket) -> None:
        try:
            await self._server.serve([listener])
        finally:
            self._server_ended.set()

    async def _run_host(self) -> None:
        async with AsyncExitStack() as stack:
            with self._start.watched():
                await stack.enter_async_context(running(self._host, self._start))
            self._gate.is_open = True
            self._manager.report_ready(f"{self._host.info.role}: ready")
            await self._greet()
            # What is there by now stays: each full collection would traverse all of it in vain.
            gc.collect()
            gc.freeze()
            await self._server_ended.wait()

    def _ask_to_stop(self) -> None:
        self._manager.report_stopping()
        self._server.should_exit = True
        self._host.shutdown.begin()
        if not self._gate.is_open:
            self._host.database.stop_waiting()
            self._starting.cancel()

    def _bound_of_stop(self) -> tuple[float, int]:
        if self._host.supervisor is None:
            # Nothing runs yet that would have to be stopped with care.
            return START_STOP_SECONDS, 0
        return self._host.configuration.host.shutdown_grace.total_seconds() + STOP_SECONDS, 1


def _leave_abandoned_threads() -> None:
    """Exit although jobs in threads continue, having ignored all requests to stop."""
    others = [each for each in threading.enumerate() if not each.daemon]
    if len(others) > 1:
        sys.stdout.flush()
        logging.shutdown()
        os._exit(0)
