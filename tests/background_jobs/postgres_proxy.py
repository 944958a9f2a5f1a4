"""A proxy before PostgreSQL that drops connections silently, as a firewall does."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream
from sqlalchemy.engine import URL, make_url


class PostgresProxy:
    """Forwards both directions until it is cut; later connections get through."""

    def __init__(self, url: str) -> None:
        self._server = make_url(url)
        self._is_cut = anyio.Event()
        self._port = 0
        self._is_silent = False
        self.connections = 0

    @property
    def url(self) -> str:
        bare = self._server.difference_update_query(["host", "port"])
        return bare.set(host="127.0.0.1", port=self._port).render_as_string(hide_password=False)

    def cut(self) -> None:
        """Forward nothing more on the current connections, without closing them."""
        is_cut, self._is_cut = self._is_cut, anyio.Event()
        is_cut.set()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Be cut in the block, and take connections of which nothing is ever forwarded."""
        self.cut()
        self._is_silent = True
        yield
        self._is_silent = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator["PostgresProxy"]:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        self._port = listener.listeners[0].extra(SocketAttribute.local_port)  # noqa: S610
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, self._forward)
            yield self
            group.cancel_scope.cancel()

    async def _forward(self, client: SocketStream) -> None:
        is_cut = self._is_cut
        self.connections += 1
        async with client:
            if self._is_silent:
                await anyio.sleep_forever()
            async with await _connect(self._server) as server, anyio.create_task_group() as group:
                group.start_soon(_pump, client, server, is_cut)
                await _pump(server, client, is_cut)
                group.cancel_scope.cancel()


async def _connect(url: URL) -> ByteStream:
    host = str(url.host or url.query["host"])
    port = url.port or int(str(url.query.get("port", "5432")))
    if host.startswith("/"):
        return await anyio.connect_unix(f"{host}/.s.PGSQL.{port}")
    return await anyio.connect_tcp(host, port)


async def _pump(here: ByteStream, there: ByteStream, is_cut: anyio.Event) -> None:
    try:
        async for part in here:
            if is_cut.is_set():
                await anyio.sleep_forever()
            await there.send(part)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        return
